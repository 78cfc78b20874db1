// SPDX-License-Identifier: BSD-2-Clause
// Interrupt context: what no device has sent. It is noted; the loop sees to it.

#include "kernel/base/percpu.h"
#include "kernel/cpu/trace.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/x86/apic.h"

void irq_take_ipi(void)
{
    trace(TRACE_IPI, 0);
    this_cpu()->stats.ipis++;
    apic_eoi();
    trace(TRACE_EOI, 0);
}

void irq_take_fault(void)
{
    struct cpu *cpu = this_cpu();
    trace(TRACE_FAULT, 0);
    cpu->stats.faults++;
    cpu->fault_due = true;
    apic_eoi();
    trace(TRACE_EOI, 0);
}

void irq_take_error(void)
{
    struct cpu *cpu = this_cpu();
    cpu->stats.spurious++;
    wrmsr(X2APIC_ESR, 0); // latches what it then reads as
    cpu->apic_errors |= rdmsr(X2APIC_ESR);
    apic_eoi();
}

void irq_take_spurious(void)
{
    this_cpu()->stats.spurious++;
}
