// SPDX-License-Identifier: BSD-2-Clause
// GDT, TSS and IDT in the forms of SDM vol. 3, 3.4.5, 8.7 and 7.14.1.

#include "kernel/run/desc.h"

#include "kernel/base/percpu.h"
#include "kernel/mem/paging.h"
#include "kernel/x86/vectors.h"

#define GDT_CODE64 0x00af9b000000ffffull
#define GDT_DATA 0x00cf93000000ffffull
#define GDT_USER_CODE64 0x00affb000000ffffull
#define GDT_USER_DATA 0x00cff3000000ffffull
#define STUB_BYTES 16

#define TSS_LOW_LIMIT BITS64(15, 0)
#define TSS_LOW_BASE_23_0 BITS64(39, 16)
#define TSS_LOW_TYPE BITS64(43, 40)
#define TSS_TYPE_AVAILABLE 9
#define TSS_LOW_P BIT64(47)
#define TSS_LOW_BASE_31_24 BITS64(63, 56)

#define GATE_OFFSET_15_0 BITS64(15, 0)
#define GATE_SELECTOR BITS64(31, 16)
#define GATE_IST BITS64(34, 32)
#define GATE_TYPE BITS64(43, 40)
#define GATE_TYPE_INTERRUPT 14
#define GATE_P BIT64(47)
#define GATE_OFFSET_31_16 BITS64(63, 48)

enum { IST_NONE, IST_NMI, IST_DOUBLE_FAULT, IST_MACHINE_CHECK };

extern char isr_stubs[], isr_notification[], isr_timer[], isr_ipi[], isr_fault[], isr_error[],
    isr_spurious[];
extern const char cpu_park_trap[], cpu_park_machine_check[]; // park.asm

static struct gate idt[VECTORS];

static struct gate parked[VECTOR_EXCEPTIONS];

struct PACKED table_pointer {
    uint16_t limit;
    uint64_t base;
};
extern struct table_pointer cpu_park_idt; // park.asm

static void set_gate(struct gate *gate, const void *entry, unsigned ist)
{
    uint64_t at = (uint64_t)entry;
    gate->low = field_put(GATE_OFFSET_15_0, at) | field_put(GATE_SELECTOR, SELECTOR_CODE) |
                field_put(GATE_IST, ist) | field_put(GATE_TYPE, GATE_TYPE_INTERRUPT) | GATE_P |
                field_put(GATE_OFFSET_31_16, at >> 16);
    gate->high = at >> 32;
}

static unsigned ist_of(unsigned vector)
{
    switch (vector) {
    case VECTOR_NMI:
        return IST_NMI;
    case VECTOR_DOUBLE_FAULT:
        return IST_DOUBLE_FAULT;
    case VECTOR_MACHINE_CHECK:
        return IST_MACHINE_CHECK;
    default:
        return IST_NONE;
    }
}

void desc_init(void)
{
    for (unsigned v = 0; v < VECTORS; v++)
        set_gate(&idt[v], isr_stubs + (size_t)v * STUB_BYTES, ist_of(v));
    set_gate(&idt[VECTOR_NOTIFY], isr_notification, IST_NONE);
    set_gate(&idt[VECTOR_TIMER], isr_timer, IST_NONE);
    set_gate(&idt[VECTOR_IPI], isr_ipi, IST_NONE);
    set_gate(&idt[VECTOR_FAULT], isr_fault, IST_NONE);
    set_gate(&idt[VECTOR_ERROR], isr_error, IST_NONE);
    set_gate(&idt[VECTOR_SPURIOUS], isr_spurious, IST_NONE);
    for (unsigned v = 0; v < VECTOR_EXCEPTIONS; v++)
        set_gate(&parked[v], cpu_park_trap, IST_NONE);
    set_gate(&parked[VECTOR_MACHINE_CHECK], cpu_park_machine_check, IST_NONE);
    cpu_park_idt = (struct table_pointer){ sizeof(parked) - 1, (uint64_t)parked };
}

void desc_alloc_stacks(struct cpu *cpu)
{
    for (unsigned ist = IST_NMI; ist <= IST_MACHINE_CHECK; ist++)
        cpu->tss.ist[ist - 1] = paging_alloc_stack(cpu->node);
    cpu->tss.io_map = sizeof(cpu->tss);
}

static void fill_gdt(struct cpu *cpu)
{
    uint64_t base = (uint64_t)&cpu->tss;
    cpu->gdt = (struct gdt_entries){
        .code = GDT_CODE64,
        .data = GDT_DATA,
        .tss_low = field_put(TSS_LOW_LIMIT, sizeof(cpu->tss) - 1) |
                   field_put(TSS_LOW_BASE_23_0, base) |
                   field_put(TSS_LOW_TYPE, TSS_TYPE_AVAILABLE) | TSS_LOW_P |
                   field_put(TSS_LOW_BASE_31_24, base >> 24),
        .tss_high = base >> 32,
        .user_data = GDT_USER_DATA,
        .user_code = GDT_USER_CODE64,
    };
}

// Data selectors first: loading GS clears its base on some CPUs (SDM vol. 3, 3.4.4.1), so GS is left
// as it is.
static void load(struct cpu *cpu)
{
    struct table_pointer gdtr = { sizeof(cpu->gdt) - 1, (uint64_t)&cpu->gdt };
    struct table_pointer idtr = { sizeof(idt) - 1, (uint64_t)idt };
    __asm__ volatile("lgdt %0\n\t"
                     "mov %2, %%ds\n\t"
                     "mov %2, %%es\n\t"
                     "mov %2, %%ss\n\t"
                     "pushq %3\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "lidt %1\n\t"
                     "ltr %4" ::"m"(gdtr),
                     "m"(idtr), "r"(SELECTOR_DATA), "i"(SELECTOR_CODE), "r"((uint16_t)SELECTOR_TSS)
                     : "rax", "memory");
}

void desc_load(struct cpu *cpu)
{
    fill_gdt(cpu);
    load(cpu);
}

const void *desc_entry(unsigned vector)
{
    const struct gate *gate = &idt[vector];
    return (const void *)(gate->high << 32 | field_get(GATE_OFFSET_31_16, gate->low) << 16 |
                          field_get(GATE_OFFSET_15_0, gate->low));
}

void desc_set_gate(struct gate *gate, const void *entry, unsigned vector)
{
    set_gate(gate, entry, ist_of(vector));
}

void desc_load_idt(const struct gate *gates)
{
    struct table_pointer idtr = { VECTORS * sizeof(*gates) - 1, (uint64_t)gates };
    __asm__ volatile("lidt %0" ::"m"(idtr) : "memory");
}
