// SPDX-License-Identifier: BSD-2-Clause
// What a CPU needs to have ring 3 entered and left (SDM vol. 3, 6.8.8, 7.12 and 7.14).

#include "kernel/domain/ring.h"

#include "kernel/base/percpu.h"
#include "kernel/base/x86.h"
#include "kernel/domain/ring_frame.h"
#include "kernel/mem/paging.h"
#include "kernel/run/desc.h"
#include "kernel/x86/vectors.h"

#define STUB_BYTES 32
#define DR7_NONE BIT64(10) // always 1

// ring_entry.asm
extern const char ring_stubs[], ring_syscall[];
unsigned ring_switch(struct trap_frame *frame);
extern const void *ring_ordinary[VECTORS];

static struct gate gates[VECTORS];

void ring_init(void)
{
    for (unsigned v = 0; v < VECTORS; v++) {
        ring_ordinary[v] = desc_entry(v);
        desc_set_gate(&gates[v], ring_stubs + (size_t)v * STUB_BYTES, v);
    }
}

// SYSENTER faults: it has no entry. Compatibility mode's SYSCALL has no code segment to come from.
static void set_entries(void)
{
    wrmsr(MSR_STAR, field_put(STAR_SYSCALL_CS, SELECTOR_CODE));
    wrmsr(MSR_LSTAR, (uint64_t)ring_syscall);
    wrmsr(MSR_CSTAR, (uint64_t)ring_syscall);
    wrmsr(MSR_FMASK,
          RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_IOPL | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC);
    wrmsr(MSR_SYSENTER_CS, 0);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
}

// IRETQ takes away what ring 3 may not have, and with GS's selector its base on some CPUs: better
// there is none. No LDT to take others from. Breakpoints of somebody before us could come at the first
// instruction of ring_syscall, on ring 3's stack (7.8.3: MOV SS puts them off).
static void clear_selectors(struct cpu *cpu)
{
    __asm__ volatile("mov %0, %%ds\n\t"
                     "mov %0, %%es\n\t"
                     "mov %0, %%fs\n\t"
                     "mov %0, %%gs\n\t"
                     "lldt %w0\n\t"
                     "mov %1, %%dr7" ::"r"(0),
                     "r"(DR7_NONE)
                     : "memory");
    wrmsr(MSR_GS_BASE, (uint64_t)cpu);
}

// While GS has no base, an NMI finds it where it would after ring 3.
static void clear_gs(struct cpu *cpu)
{
    wrmsr(MSR_KERNEL_GS_BASE, (uint64_t)cpu);
    clear_selectors(cpu);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
    cpu->ring.user_gs = 0;
}

void ring_init_cpu(void)
{
    struct cpu *cpu = this_cpu();
    uint64_t flags = interrupts_save();
    desc_load_idt(gates);
    clear_gs(cpu);
    set_entries();
    write_cr0(read_cr0() | CR0_TS); // x87 ends in #NM; SSE, with CR4.OSFXSR at 0, in #UD
    interrupts_restore(flags);
}

void ring_leave(void)
{
    write_cr3(paging_root());
}

uint64_t ring_fault_address(void)
{
    return read_cr2();
}

static unsigned refuse(struct trap_frame *frame)
{
    frame->vector = VECTOR_GENERAL_PROTECTION;
    frame->error = 0;
    return VECTOR_GENERAL_PROTECTION;
}

static bool set_gs(struct cpu *cpu, uint64_t gs)
{
    if (gs >= RING_END)
        return false;
    cpu->ring.user_gs = gs;
    wrmsr(MSR_KERNEL_GS_BASE, gs);
    return true;
}

unsigned ring_enter(struct trap_frame *frame, uint64_t cr3, uint64_t gs)
{
    struct cpu *cpu = this_cpu();
    if (unlikely(!ring_frame_clean(frame)))
        return refuse(frame);
    if (unlikely(gs != cpu->ring.user_gs) && !set_gs(cpu, gs))
        return refuse(frame);
    if (unlikely(read_cr3() != cr3))
        write_cr3(cr3);
    cpu->ring.frame_end = cpu->tss.rsp[0] = (uint64_t)(frame + 1);
    return ring_switch(frame);
}
