// SPDX-License-Identifier: BSD-2-Clause
// From an event to its handler. The kernel sets bits in a page, as a remapping unit does in a descriptor;
// the loop takes them by exchange. Where SN is set while the CPU is awake, no bit may come for what a device
// has done until the CPU sleeps: the loop looks at the device's own tags, in memory.

#include "kernel/irq/irq.h"

#include "domain/cpu.h"
#include "kernel/domain/event.h"
#include "kernel/irq/irq_config.h"
#include "kernel/mem/mem.h"
#include "lib/format.h"

struct event {
    struct irq irq;
    event_ready ready;
    bool told; // by a bit
    struct event *next;
};

static struct {
    struct irq *first, **end;
} irqs = { .end = &irqs.first };

static const struct irq_chip by_event = { .name = "EVENT" };

struct irq *irq_first(void)
{
    return irqs.first;
}

// ---- into the ready set ----

static void count(struct cpu *cpu, unsigned event)
{
    struct irq *irq = cpu->vectors[event];
    if (irq)
        irq->counts[cpu->index]++;
    else if (event != DOMAIN_EVENT_WAKE)
        cpu->stats.spurious++;
}

// Where the loop looks at the tags, a bit has done its work once it has ended the sleep: what it is of, the loop
// finds, or has found already.
static inline void take(struct program_cpu *pc, unsigned w)
{
    uint64_t *word = &pc->events->bits[w];
    if (likely(!__atomic_load_n(word, __ATOMIC_RELAXED)))
        return;
    uint64_t bits = __atomic_exchange_n(word, 0, __ATOMIC_ACQ_REL);
    if (!pc->cpu.loop_harvests)
        pc->cpu.ready[w] |= bits;
    for_each_bit (bit, bits)
        count(&pc->cpu, w * 64 + (unsigned)bit);
}

void program_take_events(struct program_cpu *pc)
{
#pragma GCC unroll 4
    for (unsigned w = 0; w < DOMAIN_EVENT_WORDS; w++)
        take(pc, w);
}

// ---- the loop ----

static inline bool is_ready(const struct event *event)
{
    return event->ready(event->irq.arg);
}

static unsigned run_ready(struct cpu *cpu, unsigned w)
{
    unsigned ran = 0;
    uint64_t bits = cpu->ready[w];
    cpu->ready[w] = 0;
    for_each_bit (bit, bits) {
        const struct irq *irq = cpu->vectors[w * 64 + (unsigned)bit];
        if (!irq)
            continue;
        irq->handler(irq->arg);
        ran++;
    }
    return ran;
}

static inline unsigned run_looked_at(const struct program_cpu *pc)
{
    unsigned ran = 0;
    for (const struct event *event = pc->looked_at; event; event = event->next)
        if (is_ready(event)) {
            event->irq.handler(event->irq.arg);
            ran++;
        }
    return ran;
}

unsigned irq_poll(void)
{
    struct program_cpu *pc = this_program_cpu();
    unsigned ran = 0;
    for (unsigned w = 0; w < pc->cpu.words; w++) {
        take(pc, w);
        if (pc->cpu.ready[w])
            ran += run_ready(&pc->cpu, w);
    }
    return ran + run_looked_at(pc);
}

bool irq_pending(void)
{
    const struct program_cpu *pc = this_program_cpu();
    for (unsigned w = 0; w < pc->cpu.words; w++)
        if (pc->cpu.ready[w] | __atomic_load_n(&pc->events->bits[w], __ATOMIC_RELAXED))
            return true;
    for (const struct event *event = pc->looked_at; event; event = event->next)
        if (is_ready(event))
            return true;
    return false;
}

// Without a bit of its own it is looked at in each round anyway.
void irq_again(struct irq *irq)
{
    struct event *event = container_of(irq, struct event, irq);
    if (event->told)
        this_cpu()->ready[irq->vector / 64] |= BIT64(irq->vector % 64);
}

// ---- set-up ----

static void look_at(struct program_cpu *pc, struct event *event)
{
    event->next = pc->looked_at;
    pc->looked_at = event;
}

static void tell_by(struct cpu *cpu, struct event *event, unsigned bit)
{
    event->told = true;
    event->irq.vector = (uint8_t)bit;
    cpu->vectors[bit] = &event->irq;
    cpu->words = MAX(cpu->words, bit / 64 + 1);
}

struct irq *event_irq(unsigned cpu, unsigned bit, irq_handler handler, event_ready ready, void *arg,
                      const char *name)
{
    struct program_cpu *pc = program_cpu_of(cpu_get(cpu));
    struct event *event = mem_alloc(sizeof(*event), CACHE_LINE, cpu_node(cpu));
    struct irq *irq = &event->irq;
    *irq = (struct irq){ .cpu = cpu, .home = cpu, .enabled = true, .handler = handler, .arg = arg };
    irq->chip = &by_event;
    irq->counts = mem_alloc(cpu_count() * sizeof(*irq->counts), CACHE_LINE, cpu_node(cpu));
    format_text(irq->name, sizeof(irq->name), "%s", name);
    event->ready = ready;
    if (bit < DOMAIN_EVENT_WAKE)
        tell_by(&pc->cpu, event, bit);
    else
        pc->never_sleeps = true;
    pc->cpu.loop_harvests = irq_loop_harvests(irq_get_mode());
    if (!event->told || pc->cpu.loop_harvests)
        look_at(pc, event);
    *irqs.end = irq;
    irqs.end = &irq->next;
    return irq;
}
