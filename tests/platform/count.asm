; SPDX-License-Identifier: BSD-2-Clause
; Firmware whose instructions are known to the last one: test_model_count.py says how many. A flat
; file: 64 KiB of ROM, then the marks' records.

bits 16
%define BASE 0xf0000        ; once the far jump is taken
%define APS 0xff            ; start-up page of the other CPUs

%macro MARK 2               ; kind, region
%%here:
    [section .marks]
  %strlen %%length %2
    dq BASE + %%here
    dd %1
    db %2
    times 20 - %%length db 0
    __?SECT?__
%endmacro
%define BEGIN 1
%define END 2
%define END_AFTER 3

%macro HANDLER 2            ; vector, handler
    mov word [%1 * 4], %2
    mov word [%1 * 4 + 2], BASE >> 4
%endmacro

section .text start=0
section .marks follows=.text align=1
section .text

times 0xe000 db 0xcc
start:
    xor ax, ax
    mov ds, ax
    mov ss, ax
    mov sp, 0x7000
    HANDLER 6, invalid_opcode
    HANDLER 0x40, interrupt
    mov ecx, 0x1b           ; IA32_APIC_BASE: x2APIC mode
    rdmsr
    or ax, 0xc00
    wrmsr
    mov ecx, 0x80f          ; spurious vector: APIC on
    mov eax, 0x1ff
    xor edx, edx
    wrmsr
    mov ecx, 0x830          ; INIT, then start-up, to all others
    mov eax, 0xc4500
    wrmsr
    mov eax, 0xc4600 | APS
    wrmsr

    MARK BEGIN, "lap"
    MARK BEGIN, "outer"
    mov cx, 1000
.outer:
    MARK BEGIN, "inner"
    nop
    nop
    nop
    MARK END, "inner"
    dec cx
    jnz .outer
    MARK END, "outer"
    MARK END, "lap"

    ; The block is left in its midst, by an exception,
    MARK BEGIN, "lap"
    MARK BEGIN, "faulting"
    mov bx, 100
.faulting:
    nop
    ud2
    nop
    dec bx
    jnz .faulting
    MARK END, "faulting"
    MARK END, "lap"

    ; by a device access that QEMU translates the block anew for,
    mov ax, 0xa000
    mov es, ax
    MARK BEGIN, "device"
    mov cx, 50
.device:
    nop
    mov al, [es:0]
    mov [es:bx], al
    nop
    dec cx
    jnz .device
    MARK END, "device"

    ; and behind any instruction, by an interrupt.
    sti
    MARK BEGIN, "interrupted"
    mov si, 100
.interrupted:
    mov ecx, 0x83f          ; to itself
    mov eax, 0x40
    xor edx, edx
    wrmsr
    nop
    nop
    dec si
    jnz .interrupted
    MARK END, "interrupted"

    ; Ends without a begin; the last one is not the innermost's.
    mov cx, 7
.unbalanced:
    MARK END, "inner"
    dec cx
    jnz .unbalanced
    MARK BEGIN, "outer"
    MARK BEGIN, "inner"
    nop
    MARK END, "outer"
    nop
    MARK END, "inner"
    MARK END, "outer"
    nop                     ; else the loop would begin where the mark is

.others:
    cmp byte [0x600], CPUS - 1
    jne .others
    cli
.halted:
    hlt
    jmp .halted

invalid_opcode:
    MARK BEGIN, "trap"
    push bp
    mov bp, sp
    add word [bp + 2], 2
    pop bp
    MARK END_AFTER, "trap"
    iret

interrupt:
    MARK BEGIN, "handler"
    push eax
    push ecx
    push edx
    mov ecx, 0x80b          ; EOI
    xor eax, eax
    xor edx, edx
    wrmsr
    pop edx
    pop ecx
    pop eax
    MARK END_AFTER, "handler"
    iret

times APS * 0x1000 - BASE - ($ - $$) db 0xcc
other_cpu:
    MARK BEGIN, "other-cpu"
    mov cx, 500
.loop:
    nop
    dec cx
    jnz .loop
    MARK END, "other-cpu"
    xor ax, ax
    mov ds, ax
    lock inc byte [0x600]
    cli
.halted:
    hlt
    jmp .halted

times 0xfff0 - ($ - $$) db 0xcc
    jmp BASE >> 4:start
times 0x10000 - ($ - $$) db 0xcc
