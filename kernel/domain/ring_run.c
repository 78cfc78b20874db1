// SPDX-License-Identifier: BSD-2-Clause
// Ring 3 as a part of its CPU's loop.

#include <stdatomic.h>

#include "kernel/base/percpu.h"
#include "kernel/domain/ring.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/run/loop.h"
#include "kernel/x86/vectors.h"

static void take(unsigned vector)
{
    switch (vector) {
    case VECTOR_NOTIFY:
        irq_take_notification();
        break;
    case VECTOR_TIMER:
        irq_take_timer();
        break;
    case VECTOR_IPI:
        irq_take_ipi();
        break;
    case VECTOR_FAULT:
        irq_take_fault();
        break;
    case VECTOR_ERROR:
        irq_take_error();
        break;
    case VECTOR_SPURIOUS:
        irq_take_spurious();
        break;
    default:
        irq_take_device((uint8_t)vector);
    }
}

// What the loop has to do first. What was posted while SN was set is the program's own to find.
static bool has_work(const struct cpu *cpu)
{
    uint64_t ready = 0;
    for (unsigned w = 0; w < cpu->words; w++)
        ready |= cpu->ready[w];
    return ready || cpu->fault_due || cpu->timer_due ||
           atomic_load_explicit(&cpu->inbox, memory_order_seq_cst);
}

// The order is go_to_sleep()'s: who has work for us sends an IPI, or we see it. A post doesn't, where SN
// is set: the program's own polling, or the window, finds those.
unsigned ring_run(struct trap_frame *frame, uint64_t cr3, uint64_t gs)
{
    struct cpu *cpu = this_cpu();
    unsigned end = RING_INTERRUPT;
    interrupts_off();
    atomic_store_explicit(&cpu->sleeping, true, memory_order_seq_cst);
    if (likely(!has_work(cpu)))
        end = ring_enter(frame, cr3, gs);
    atomic_store_explicit(&cpu->sleeping, false, memory_order_relaxed);
    if (end >= VECTOR_EXCEPTIONS && end < VECTORS) {
        take(end);
        end = RING_INTERRUPT;
    }
    interrupts_on();
    if (end == RING_INTERRUPT)
        cpu_run_round();
    return end;
}
