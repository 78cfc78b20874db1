; SPDX-License-Identifier: BSD-2-Clause
; The program for domains that the image carries, inside the loader; none without PROGRAM_ELF, its file's name,
; from boot.mk.

section .rodata align=16
global program_blob:data hidden
global program_blob_end:data hidden
program_blob:
%ifdef PROGRAM_ELF
    incbin PROGRAM_ELF
%endif
program_blob_end:

section .note.GNU-stack noalloc noexec nowrite progbits
