// SPDX-License-Identifier: BSD-2-Clause
// qr_pbm [MASK] < bytes > picture.pbm: what lib/qr.c makes of them, for a reader of pictures.
#include <stdio.h>
#include <stdlib.h>

#include "lib/qr.h"

#define PIXELS 4u // of a module

static bool is_black(const struct qr *qr, unsigned row, unsigned column)
{
    row -= QR_QUIET; // wraps around in the quiet zone
    column -= QR_QUIET;
    return row < qr->side && column < qr->side && qr_is_dark(qr, row, column);
}

int main(int argc, char **argv)
{
    static struct qr qr;
    unsigned char bytes[QR_BYTES_MAX + 1];
    size_t count = fread(bytes, 1, sizeof(bytes), stdin);
    bool fits = argc > 1 ? qr_encode_masked(bytes, count, (unsigned)atoi(argv[1]), &qr)
                         : qr_encode(bytes, count, &qr);
    if (!fits)
        return 1;
    unsigned side = (qr.side + 2 * QR_QUIET) * PIXELS;
    printf("P1\n%u %u\n", side, side);
    for (unsigned y = 0; y < side; y++)
        for (unsigned x = 0; x < side; x++)
            printf("%d\n", is_black(&qr, y / PIXELS, x / PIXELS));
    return 0;
}
