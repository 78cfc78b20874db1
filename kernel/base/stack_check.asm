; SPDX-License-Identifier: BSD-2-Clause
; Where the compiler sends a function that finds its stack's canary changed. It calls nobody, since
; every file may come here; the trap handler knows the place and says what happened.

default rel
bits 64
section .text progbits alloc exec nowrite align=16

global __stack_chk_fail:function (stack_check_end - __stack_chk_fail)
global stack_check_end
__stack_chk_fail:
    push rbp                ; a frame, so that a backtrace shows who came here
    mov rbp, rsp
    ud2
stack_check_end:

section .note.GNU-stack noalloc noexec nowrite progbits
