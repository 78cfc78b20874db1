// SPDX-License-Identifier: BSD-2-Clause
// QR codes of bytes: ISO/IEC 18004:2015, versions 1 to 10, levels L and M. Pure.
#pragma once

#include "lib/types.h"

#define QR_VERSION_MAX 10
#define QR_SIDE(version) (17 + 4 * (version))
#define QR_SIDE_MAX QR_SIDE(QR_VERSION_MAX)
#define QR_BYTES_MAX 271 // 10-L
#define QR_QUIET 4       // modules of light around it (6.3.8)

struct qr {
    unsigned version, side; // modules
    bool is_m;              // level M, else L: 15% or 7% of the code may be unreadable
    unsigned mask;
    uint8_t module[QR_SIDE_MAX]
                  [QR_SIDE_MAX]; // [row][column]: QR_DARK, and what only the encoder uses
};
#define QR_DARK 1

static inline bool qr_is_dark(const struct qr *qr, unsigned row, unsigned column)
{
    return qr->module[row][column] & QR_DARK;
}

// The smallest code that holds the bytes, with level M where some version does. False: too many.
bool qr_encode(const void *bytes, size_t count, struct qr *out);

// With that mask (0 to 7), whether or not it is the best.
bool qr_encode_masked(const void *bytes, size_t count, unsigned mask, struct qr *out);
