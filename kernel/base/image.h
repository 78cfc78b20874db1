// SPDX-License-Identifier: BSD-2-Clause
// Which build this is: the SHA-256 of the kernel's code and constants, as
// `objcopy -O binary -j .text -j .rodata build/kernel.elf code; sha256sum code` prints it.
#pragma once

#include "lib/sha256.h"

// Reads about half a MiB. Any CPU.
void image_sha256(uint8_t digest[SHA256_BYTES]);
