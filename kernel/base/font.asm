; SPDX-License-Identifier: BSD-2-Clause
; The console fonts, as the build took them from Debian's: each behind its length.

section .rodata progbits alloc noexec nowrite align=16

%macro font 1
    dd %%end - %%begin
%%begin:
    incbin %1
%%end:
%endmacro

global font_files
font_files:
    font "font-16.psf"
    font "font-24.psf"
    font "font-32.psf"
global font_files_end
font_files_end:

section .note.GNU-stack noalloc noexec nowrite progbits
