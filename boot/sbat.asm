; SPDX-License-Identifier: BSD-2-Clause
; What shim reads to tell generations of a program apart, by which revoked ones are refused: shim's SBAT.md.
; SBAT_CSV is the file's name, from boot.mk. Firmware maps sections of their own pages: PE's alignment.

section .sbat progbits alloc noexec nowrite align=4096
    incbin SBAT_CSV

section .note.GNU-stack noalloc noexec nowrite progbits
