// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes the encoder of QR codes: any bytes that fit are read back, and more than fit are refused.
#include "lib/string.h"
#include "tests/fuzz/input.h"
#include "tests/host/qr_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct qr qr;
    bool fits = qr_encode(data, size, &qr);
    require(fits == (size <= QR_BYTES_MAX));
    if (!fits)
        return 0;
    struct qr_reading reading = qr_read(&qr);
    require(!reading.fault && reading.count == size);
    require(size == 0 || !memcmp(reading.bytes, data, size));
    return 0;
}
