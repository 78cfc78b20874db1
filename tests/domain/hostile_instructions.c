// SPDX-License-Identifier: BSD-2-Clause
// Instructions that are the kernel's, or make no sense: each ends the domain by an exception.
#include "lib/types.h"
#include "tests/domain/hostile.h"

static uint64_t scratch[8] __attribute__((aligned(64)));

#define INSTRUCTION(id, ...)                                                                       \
    static void id(void)                                                                           \
    {                                                                                              \
        __asm__ volatile(__VA_ARGS__);                                                             \
    }

INSTRUCTION(do_cli, "cli")
INSTRUCTION(do_sti, "sti")
INSTRUCTION(do_hlt, "hlt")
INSTRUCTION(do_in, "inb $0x64, %%al" :: : "rax")
INSTRUCTION(do_out, "outb %%al, $0xf4" ::"a"(1))
INSTRUCTION(do_outs, "movl $0xcf9, %%edx\n\tmovl $6, %%eax\n\toutl %%eax, %%dx" :: : "rax", "rdx")
INSTRUCTION(do_rdmsr, "rdmsr" ::"c"(0x1b) : "rax", "rdx")
INSTRUCTION(do_wrmsr, "wrmsr" ::"c"(0x80b), "a"(0), "d"(0))
INSTRUCTION(do_x2apic_ipi, "wrmsr" ::"c"(0x830), "a"(0x000c0500), "d"(0))
INSTRUCTION(do_cr0, "mov %%cr0, %%rax" :: : "rax")
INSTRUCTION(do_cr3, "mov %0, %%cr3" ::"r"(0ull))
INSTRUCTION(do_cr4, "mov %%cr4, %%rax" :: : "rax")
INSTRUCTION(do_cr8, "mov %0, %%cr8" ::"r"(15ull))
INSTRUCTION(do_dr7, "mov %0, %%dr7" ::"r"(0x401ull))
INSTRUCTION(do_lgdt, "lgdt %0" ::"m"(scratch))
INSTRUCTION(do_lidt, "lidt %0" ::"m"(scratch))
INSTRUCTION(do_lldt, "lldt %0" ::"r"((uint16_t)0))
INSTRUCTION(do_ltr, "ltr %0" ::"r"((uint16_t)24))
INSTRUCTION(do_clts, "clts")
INSTRUCTION(do_lmsw, "lmsw %0" ::"r"((uint16_t)1))
INSTRUCTION(do_invd, "invd")
INSTRUCTION(do_wbinvd, "wbinvd")
INSTRUCTION(do_invlpg, "invlpg %0" ::"m"(scratch))
INSTRUCTION(do_swapgs, "swapgs")
INSTRUCTION(do_sysret, "sysretq" ::"c"(0x400000ull) : "r11")
INSTRUCTION(do_xsetbv, "xsetbv" ::"c"(0), "a"(7), "d"(0))
INSTRUCTION(do_wrgsbase, "wrgsbase %0" ::"r"(HOSTILE_DIRECT_MAP))
INSTRUCTION(do_monitor, "monitor" ::"a"(scratch), "c"(0), "d"(0))
INSTRUCTION(do_mwait, "mwait" ::"a"(0), "c"(0))
INSTRUCTION(do_ud2, "ud2")
INSTRUCTION(do_divide, "divl %0" ::"r"(0), "a"(1), "d"(0))
INSTRUCTION(do_int3, "int3")
INSTRUCTION(do_int80, "int $0x80")
INSTRUCTION(do_int_notify, "int $0xef")
INSTRUCTION(do_int_nmi, "int $2")
INSTRUCTION(do_int_double_fault, "int $8")
INSTRUCTION(do_x87, "fld1")
INSTRUCTION(do_sse, "movups %0, %%xmm0" ::"m"(scratch))
INSTRUCTION(do_trap_flag, "pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop" :: : "cc", "memory")
INSTRUCTION(do_iret_ring0,
            "movq %%rsp, %%rax\n\tpushq $16\n\tpushq %%rax\n\tpushq $2\n\tpushq $8\n\t"
            "leaq 1f(%%rip), %%rax\n\tpushq %%rax\n\tiretq\n1:" :: : "rax",
            "memory")
INSTRUCTION(do_far_ring0,
            "pushq $8\n\tleaq 1f(%%rip), %%rax\n\tpushq %%rax\n\tlretq\n1:" :: : "rax", "memory")
INSTRUCTION(do_stack_segment, "movw $16, %%ax\n\tmovw %%ax, %%ss" :: : "rax")
INSTRUCTION(do_stack_nowhere, "movabsq $0x8000000000000000, %%rsp\n\tpushq %%rax" :: : "memory")
INSTRUCTION(do_stack_kernel, "movabsq $0xffffffff80001000, %%rsp\n\tpushq %%rax" :: : "memory")
INSTRUCTION(do_jump_nowhere, "movabsq $0x8000000000000000, %%rax\n\tjmp *%%rax" :: : "rax")

// All flags that a program may set, through a call: the kernel must not go on with them.
static void do_call_with_flags(void)
{
    __asm__ volatile("pushfq\n\torq $0x44400, (%%rsp)\n\tpopfq\n\tsyscall" ::"a"(~0ull)
                     : "rcx", "r11", "memory", "cc");
}

static void do_call_without_stack(void)
{
    __asm__ volatile("movabsq $0xffffffff80001000, %%rsp\n\tsyscall" ::"a"(~0ull)
                     : "rcx", "r11", "memory");
}

#define ONE(id) { #id, do_##id }
static const struct {
    const char *name;
    void (*run)(void);
} all[] = {
    ONE(cli),
    ONE(sti),
    ONE(hlt),
    ONE(in),
    ONE(out),
    ONE(outs),
    ONE(rdmsr),
    ONE(wrmsr),
    ONE(x2apic_ipi),
    ONE(cr0),
    ONE(cr3),
    ONE(cr4),
    ONE(cr8),
    ONE(dr7),
    ONE(lgdt),
    ONE(lidt),
    ONE(lldt),
    ONE(ltr),
    ONE(clts),
    ONE(lmsw),
    ONE(invd),
    ONE(wbinvd),
    ONE(invlpg),
    ONE(swapgs),
    ONE(sysret),
    ONE(xsetbv),
    ONE(wrgsbase),
    ONE(monitor),
    ONE(mwait),
    ONE(ud2),
    ONE(divide),
    ONE(int3),
    ONE(int80),
    ONE(int_notify),
    ONE(int_nmi),
    ONE(int_double_fault),
    ONE(x87),
    ONE(sse),
    ONE(trap_flag),
    ONE(iret_ring0),
    ONE(far_ring0),
    ONE(stack_segment),
    ONE(stack_nowhere),
    ONE(stack_kernel),
    ONE(jump_nowhere),
    ONE(call_with_flags),
    ONE(call_without_stack),
};

static const char *name_of(unsigned which)
{
    return all[which].name;
}

static void run(unsigned which, uint64_t *state)
{
    all[which].run();
}

const struct hostile_kind hostile_instructions = { "instructions", ARRAY_SIZE(all), name_of, run };
