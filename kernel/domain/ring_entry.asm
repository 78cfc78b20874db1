; SPDX-License-Identifier: BSD-2-Clause
; Into ring 3 and out of it. ring_switch() returns with what ended the stay, as a VM entry does: ring 3's
; registers are in the frame then, and the kernel goes on where it was.
;
; The IDT of ring_stubs is for CPUs that run ring-3 programs. What comes while such a CPU is in ring 0
; goes on to the ordinary entry (isr.asm) as if there were nothing in between.

default rel
bits 64
section .text progbits alloc exec nowrite align=16

%include "kernel/run/frame.inc"

; struct cpu, ring
%define RING_OFFSET 2832
%define RING_FRAME_END gs:RING_OFFSET
%define RING_KERNEL_RSP gs:RING_OFFSET + 8
%define RING_USER_RSP gs:RING_OFFSET + 16

%define SELECTOR_USER_DATA 0x2b
%define SELECTOR_USER_CODE 0x33
%define FRAME_VECTOR 15 * 8
%define MSR_GS_BASE 0xc0000101
%define RFLAGS_FIXED 2
%define RING_CALL 256

extern trap_handle

; unsigned ring_switch(struct trap_frame *frame); interrupts off.
global ring_switch:function (ring_back.end - ring_switch)
align 16
ring_switch:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov [RING_KERNEL_RSP], rsp
    mov rsp, rdi
    swapgs                  ; from here on only an NMI or a machine check may come
    POP_REGISTERS
    add rsp, 16             ; vector and error code
    iretq

; Here ring 3 was interrupted: the CPU has pushed into the frame, and the vector's stub, too.
ring_interrupt:
    PUSH_REGISTERS
    swapgs
    lfence                  ; what reads by GS may not run ahead of it
    mov eax, [rsp + FRAME_VECTOR]
    mov rsp, [RING_KERNEL_RSP]
    push RFLAGS_FIXED       ; an interrupt leaves AC and DF as ring 3 had them: with AC, SMAP is off
    popfq
ring_back:                  ; EAX: what ended the stay
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret
.end:
    MARK MARK_BEGIN, "ring-in", ring_switch
    MARK MARK_END_AFTER, "ring-in", ring_interrupt - IRETQ_BYTES
    MARK MARK_BEGIN, "ring-out", ring_interrupt
    MARK MARK_BEGIN, "ring-out", ring_syscall
    MARK MARK_END_AFTER, "ring-out", ring_back.end - 1

; SYSCALL has RIP in RCX, RFLAGS in R11, and changes no stack. FMASK has cleared what matters.
global ring_syscall:function (ring_syscall.end - ring_syscall)
align 16
ring_syscall:
    swapgs
    mov [RING_USER_RSP], rsp
    mov rsp, [RING_FRAME_END]
    push SELECTOR_USER_DATA
    push qword [RING_USER_RSP]
    push r11
    push SELECTOR_USER_CODE
    push rcx
    push 0
    push RING_CALL
    PUSH_REGISTERS
    mov eax, RING_CALL
    mov rsp, [RING_KERNEL_RSP]
    jmp ring_back
.end:

; These come even with interrupts off, so between any two instructions of the above: only the MSR tells
; whose GS is in force. Kernel addresses are negative; ring 3 can't set such a base (CR4.FSGSBASE is 0).
align 16
ring_ist:
    PUSH_REGISTERS
    mov ecx, MSR_GS_BASE
    rdmsr
    xor ebx, ebx
    test edx, edx
    js .kernels
    swapgs
    inc ebx
.kernels:
    lfence
    mov rdi, rsp
    mov r12, rsp
    and rsp, -16
    push RFLAGS_FIXED
    popfq
    call trap_handle        ; comes back after an NMI
    mov rsp, r12
    test ebx, ebx
    jz .same
    swapgs
.same:
    POP_REGISTERS
    add rsp, 16
    test byte [rsp + 8], 3
    jz .return
    shl qword [rsp], 17     ; IRETQ to an address that isn't canonical would fault here, in ring 0, and
    shr qword [rsp], 17     ; some processors jump to one before they fault: any other one will do
.return:
    iretq

%macro PUSH_VECTOR 1        ; in the end the frame has both, vector and error code
  %if HAS_ERROR(%1) == 0
    push 0
  %endif
    push %1
%endmacro

%macro STUB 1
  %if %1 == 2 || %1 == 8 || %1 == 18
    PUSH_VECTOR %1
    jmp ring_ist
  %else
    test byte [rsp + 8 + 8 * HAS_ERROR(%1)], 3
    jz near ring_pass + 16 * %1
    PUSH_VECTOR %1
    jmp ring_interrupt
  %endif
%endmacro

; By vector, to the ordinary entry; lfence as in ring_interrupt.
align 16
ring_pass:
%assign v 0
%rep 256
    align 16
    lfence
    jmp [ring_ordinary + 8 * v]
  %assign v v + 1
%endrep

global ring_stubs:function (ring_stubs.end - ring_stubs)
align 32
ring_stubs:
%assign v 0
%rep 256
    align 32
    STUB v
  %assign v v + 1
%endrep
.end:

section .bss nobits alloc noexec write align=8
global ring_ordinary        ; the ordinary entry of each vector: ring.c sets them
ring_ordinary:
    resq 256

section .note.GNU-stack noalloc noexec nowrite progbits
