; SPDX-License-Identifier: BSD-2-Clause
; The kernel's ELF file, inside the loader. KERNEL_ELF is the file's name, from boot.mk.

section .rodata align=16
global kernel_blob:data hidden
global kernel_blob_end:data hidden
kernel_blob:
    incbin KERNEL_ELF
kernel_blob_end:

section .note.GNU-stack noalloc noexec nowrite progbits
