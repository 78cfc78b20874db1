// SPDX-License-Identifier: BSD-2-Clause
// Reads a QR code as a camera's software would, by the standard and not by the encoder: for its tests.
#pragma once

#include "lib/qr.h"

struct qr_reading {
    const char *fault; // NULL: it is a good code
    unsigned mask;
    bool is_m;
    size_t count;
    uint8_t bytes[QR_BYTES_MAX];
};

struct qr_reading qr_read(const struct qr *qr);
