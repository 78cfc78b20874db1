// SPDX-License-Identifier: BSD-2-Clause
// Messages: a stack that any CPU pushes to without a lock, and its owner takes as a whole.

#include "kernel/cpu/msg.h"

#include "kernel/base/cpus.h"
#include "kernel/cpu/work.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/vectors.h"

// A CPU that is out of use runs nothing: the boot CPU does it in its place (a queue's message finds
// its way to the queue's owner from there).
void cpu_post(unsigned index, struct cpu_msg *msg)
{
    cpu_post_always(cpu_is_online(index) ? index : 0, msg);
}

void cpu_post_always(unsigned index, struct cpu_msg *msg)
{
    struct cpu *to = cpu_get(index);
    struct cpu_msg *head = atomic_load_explicit(&to->inbox, memory_order_relaxed);
    do {
        msg->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&to->inbox, &head, msg, memory_order_seq_cst,
                                                    memory_order_relaxed));
    // Ordered against go_to_sleep(): either it sees the message, or we see it sleeping.
    if (atomic_load_explicit(&to->sleeping, memory_order_seq_cst))
        apic_send(to->apic_id, VECTOR_IPI);
}

static struct cpu_msg *take_in_order(struct cpu *cpu)
{
    struct cpu_msg *newest = atomic_exchange_explicit(&cpu->inbox, NULL, memory_order_acquire);
    struct cpu_msg *oldest = NULL;
    while (newest) {
        struct cpu_msg *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

unsigned cpu_run_inbox(struct cpu *cpu)
{
    unsigned ran = 0;
    for (struct cpu_msg *msg = take_in_order(cpu), *next; msg; msg = next, ran++) {
        next = msg->next; // fn may reuse it
        msg->fn(msg);
    }
    return ran;
}
