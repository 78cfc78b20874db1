; SPDX-License-Identifier: BSD-2-Clause
; The console font, as the build took it from Debian's consolefonts (PSF version 1).

section .rodata progbits alloc noexec nowrite align=16
global font_start
font_start:
    incbin "font.psf"

section .note.GNU-stack noalloc noexec nowrite progbits
