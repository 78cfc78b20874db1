; SPDX-License-Identifier: BSD-2-Clause
; Interrupt and exception entries: one stub per vector from one %rep, all of them with the same
; distance, so that the IDT is filled by arithmetic.

default rel
bits 64
section .text progbits alloc exec nowrite align=16

%include "kernel/run/frame.inc"

extern trap_handle, irq_take_device, irq_take_notification, irq_take_timer, irq_take_ipi
extern irq_take_fault, irq_take_error, irq_take_spurious

global isr_stubs:function (isr_stubs.end - isr_stubs)

align 16
isr_stubs:
%assign v 0
%rep 256
    align 16
  %if v < 32
    %if HAS_ERROR(v) == 0
    push 0
    %endif
    push v
    jmp exception_common
  %else
    MARK MARK_BEGIN, "device", isr_stubs + v * 16
    push rdi
    mov edi, v
    jmp device_common
  %endif
  %assign v v + 1
%endrep
.end:

; Full frame: struct trap_frame in trap.h.
exception_common:
    cld
    PUSH_REGISTERS
    mov rdi, rsp
    mov rbx, rsp
    and rsp, -16
    call trap_handle        ; comes back after an NMI, or where msr_read() faulted
    mov rsp, rbx
    POP_REGISTERS
    add rsp, 16             ; vector and error code
    iretq

; Interrupts save what the C ABI lets a callee change; with the CPU's five words and these nine, RSP
; is aligned for the call (long mode aligns it to 16 at entry; SDM vol. 3, 7.14.2).
%macro SAVE_AFTER_RDI 0
    push rax
    push rcx
    push rdx
    push rsi
    push r8
    push r9
    push r10
    push r11
    cld
%endmacro

%macro RESTORE 0
    pop r11
    pop r10
    pop r9
    pop r8
    pop rsi
    pop rdx
    pop rcx
    pop rax
    pop rdi
    iretq
%endmacro

align 16
device_common:              ; EDI: vector
    SAVE_AFTER_RDI
    call irq_take_device
    RESTORE
.end:
    MARK MARK_END_AFTER, "device", device_common.end - IRETQ_BYTES

%macro DIRECT 3             ; stub, handler without arguments, region
global %1:function (%1.end - %1)
align 16
%1:
    push rdi
    SAVE_AFTER_RDI
    call %2
    RESTORE
.end:
    MARK MARK_BEGIN, %3, %1
    MARK MARK_END_AFTER, %3, %1.end - IRETQ_BYTES
%endmacro

; struct cpu
%define CPU_ONLY_WAKES gs:32
%define CPU_NOTIFICATIONS gs:48
%define X2APIC_EOI 0x80b

; Where a CPU sleeps, its notification ends the halt, which is all that it is for; where handlers run, the loop
; looks at what it was for behind them (irq_run.c): counted, and EOI.
global isr_notification:function (isr_notification.end - isr_notification)
align 16
isr_notification:
    test byte [CPU_ONLY_WAKES], 1
    jz notification_awake
    inc qword [CPU_NOTIFICATIONS]
    push rax
    push rcx
    push rdx
    mov ecx, X2APIC_EOI
    xor eax, eax
    xor edx, edx
    wrmsr
    pop rdx
    pop rcx
    pop rax
    iretq
.end:
    MARK MARK_BEGIN, "notification", isr_notification
    MARK MARK_END_AFTER, "notification", isr_notification.end - IRETQ_BYTES

align 16
notification_awake:
    push rdi
    SAVE_AFTER_RDI
    call irq_take_notification
    RESTORE
.end:
    MARK MARK_END_AFTER, "notification", notification_awake.end - IRETQ_BYTES

DIRECT isr_timer, irq_take_timer, "timer"
DIRECT isr_ipi, irq_take_ipi, "ipi"
DIRECT isr_fault, irq_take_fault, "fault"
DIRECT isr_error, irq_take_error, "error"

; A spurious interrupt sets no ISR bit: its handler sends no EOI (SDM vol. 3, 11.9).
DIRECT isr_spurious, irq_take_spurious, "spurious"

section .note.GNU-stack noalloc noexec nowrite progbits
