// SPDX-License-Identifier: BSD-2-Clause

#include "kernel/base/image.h"

extern const uint8_t text_start[], constants_end[]; // linker.ld

void image_sha256(uint8_t digest[SHA256_BYTES])
{
    struct sha256 s;
    sha256_init(&s);
    sha256_update(&s, text_start, (size_t)(constants_end - text_start));
    sha256_final(&s, digest);
}
