// SPDX-License-Identifier: BSD-2-Clause
// The IRQ core: who owns which vector on which CPU, and the way from an MSI to its handler.

#include "kernel/irq.h"

#include "kernel/apic.h"
#include "kernel/irq_entry.h"
#include "kernel/mem.h"
#include "kernel/percpu.h"
#include "lib/format.h"

static struct {
    enum irq_mode mode;
    const struct irq_chip *chip;
    unsigned loops;
    void (*fault_handler)(void);
    struct irq *first, **last;
} irqs = { .last = &irqs.first };

static const char *const mode_names[] = {
    [IRQ_REMAPPED] = "remapped",
    [IRQ_POSTED] = "posted",
    [IRQ_POLL] = "poll",
    [IRQ_MSI] = "msi",
};

static bool mode_posts(void)
{
    return irqs.mode == IRQ_POSTED || irqs.mode == IRQ_POLL;
}

void irq_init(enum irq_mode mode, const struct irq_chip *chip, unsigned loops)
{
    irqs.mode = mode;
    irqs.chip = chip;
    irqs.loops = loops;
    for (unsigned i = 0; i < cpu_count(); i++)
        pi_init(&cpu_get(i)->pi, cpu_apic_id(i), VECTOR_NOTIFY, mode == IRQ_POLL);
}

void irq_set_fault_handler(void (*handler)(void))
{
    irqs.fault_handler = handler;
}

enum irq_mode irq_get_mode(void)
{
    return irqs.mode;
}

const char *irq_mode_name(enum irq_mode mode)
{
    return mode_names[mode];
}

const struct irq_chip *irq_get_chip(void)
{
    return irqs.chip;
}

struct irq *irq_first(void)
{
    return irqs.first;
}

struct pi_desc *irq_pi_desc(unsigned cpu)
{
    return mode_posts() ? &cpu_get(cpu)->pi : NULL;
}

// ---- allocation ----

static int free_vector(const struct cpu *cpu)
{
    for (int v = VECTOR_DEVICE_FIRST; v <= VECTOR_DEVICE_LAST; v++)
        if (!cpu->vectors[v])
            return v;
    return -1;
}

static void write_message(const struct irq *irq)
{
    struct msi_msg msg;
    irqs.chip->compose(irq, &msg);
    msix_write(irq->dev, irq->index, &msg);
}

// Vector table first, route second: an MSI that comes at once finds its irq.
static bool connect(struct irq *irq, struct problem *p)
{
    if (!irqs.chip->alloc(irq, p))
        return false;
    cpu_get(irq->cpu)->vectors[irq->vector] = irq;
    if (irqs.chip->route(irq, p)) {
        write_message(irq);
        return true;
    }
    cpu_get(irq->cpu)->vectors[irq->vector] = NULL;
    irqs.chip->free(irq);
    return false;
}

struct irq *irq_alloc(struct pci_dev *dev, unsigned index, unsigned cpu, irq_handler handler,
                      void *arg, const char *name, struct problem *p)
{
    int vector = free_vector(cpu_get(cpu));
    if (vector < 0) {
        problem_set(p, "irq-no-vector",
                    "%s: CPU %u has all its %d device vectors in use: run on more CPUs", name, cpu,
                    VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1);
        return NULL;
    }
    struct irq *irq = mem_alloc(sizeof(*irq), CACHE_LINE, cpu_node(cpu));
    irq->counts = mem_alloc(cpu_count() * sizeof(*irq->counts), CACHE_LINE, cpu_node(cpu));
    format_text(irq->name, sizeof(irq->name), "%s", name);
    irq->dev = dev;
    irq->index = index;
    irq->cpu = cpu;
    irq->vector = (uint8_t)vector;
    irq->handler = handler;
    irq->arg = arg;
    if (!connect(irq, p))
        return NULL;
    *irqs.last = irq;
    irqs.last = &irq->next;
    return irq;
}

void irq_enable(struct irq *irq)
{
    msix_mask(irq->dev, irq->index, false);
}

void irq_disable(struct irq *irq)
{
    msix_mask(irq->dev, irq->index, true);
}

void irq_free(struct irq *irq)
{
    irq_disable(irq);
    irqs.chip->free(irq);
    cpu_get(irq->cpu)->vectors[irq->vector] = NULL;
    for (struct irq **link = &irqs.first; *link; link = &(*link)->next)
        if (*link == irq) {
            *link = irq->next;
            if (irqs.last == &irq->next)
                irqs.last = link;
            return;
        }
}

// ---- from the MSI to the ready set ----

static void take(struct cpu *cpu, unsigned vector)
{
    struct irq *irq = cpu->vectors[vector];
    if (!irq) {
        cpu->stats.spurious++;
        return;
    }
    cpu->stats.msis++;
    irq->counts[cpu->index]++;
    cpu->ready[vector / 64] |= BIT64(vector % 64);
}

static bool harvest(struct cpu *cpu)
{
    struct pi_set found;
    if (!pi_harvest(&cpu->pi, &found))
        return false;
    cpu->stats.harvests++;
    for (unsigned w = 0; w < PI_WORDS; w++)
        for_each_bit (bit, found.words[w])
            take(cpu, w * 64 + (unsigned)bit);
    return true;
}

void irq_take_device(uint8_t vector)
{
    take(this_cpu(), vector);
    apic_eoi();
}

// Harvest while there is something, at most `loops` times; clear ON; then once more, since what was
// posted before ON was cleared has not notified.
void irq_take_notification(void)
{
    struct cpu *cpu = this_cpu();
    cpu->stats.notifications++;
    for (unsigned loop = 0; loop < irqs.loops && harvest(cpu); loop++)
        ;
    pi_clear_on(&cpu->pi);
    harvest(cpu);
    apic_eoi();
}

void irq_take_timer(void)
{
    struct cpu *cpu = this_cpu();
    cpu->stats.timers++;
    cpu->timer_due = true;
    apic_eoi();
}

void irq_take_ipi(void)
{
    this_cpu()->stats.ipis++;
    apic_eoi();
}

void irq_take_fault(void)
{
    struct cpu *cpu = this_cpu();
    cpu->stats.faults++;
    cpu->fault_due = true;
    apic_eoi();
}

void irq_take_error(void)
{
    this_cpu()->stats.spurious++;
    wrmsr(X2APIC_ESR, 0);
    apic_eoi();
}

void irq_take_spurious(void)
{
    this_cpu()->stats.spurious++;
}

// ---- from the ready set to the handlers ----

bool irq_pending(void)
{
    struct cpu *cpu = this_cpu();
    uint64_t any = 0;
    for (unsigned w = 0; w < PI_WORDS; w++)
        any |= cpu->ready[w];
    return any || cpu->fault_due;
}

// An interrupt may set bits at any time: they are taken by one exchange, with interrupts on.
static unsigned run_word(struct cpu *cpu, unsigned w)
{
    unsigned ran = 0;
    uint64_t bits = __atomic_exchange_n(&cpu->ready[w], 0, __ATOMIC_ACQUIRE);
    for_each_bit (bit, bits) {
        struct irq *irq = cpu->vectors[w * 64 + bit];
        if (irq) {
            irq->handler(irq->arg);
            ran++;
        }
    }
    return ran;
}

static unsigned run_fault_handler(struct cpu *cpu)
{
    cpu->fault_due = false;
    if (irqs.fault_handler)
        irqs.fault_handler();
    return 1;
}

unsigned irq_poll(void)
{
    struct cpu *cpu = this_cpu();
    unsigned ran = 0;
    if (irqs.mode == IRQ_POLL)
        harvest(cpu);
    for (unsigned w = 0; w < PI_WORDS; w++)
        if (__atomic_load_n(&cpu->ready[w], __ATOMIC_RELAXED))
            ran += run_word(cpu, w);
    if (__atomic_load_n(&cpu->fault_due, __ATOMIC_RELAXED))
        ran += run_fault_handler(cpu);
    return ran;
}

// ---- the chip without remapping hardware ----

static bool msi_alloc(struct irq *irq, struct problem *p)
{
    return true;
}

static void msi_free(struct irq *irq)
{
}

static bool msi_route(struct irq *irq, struct problem *p)
{
    uint32_t id = cpu_apic_id(irq->cpu);
    if (id <= 254)
        return true;
    return problem_set(
        p, "msi-apic-id",
        "%s: without interrupt remapping an MSI can't reach the APIC id %u of CPU %u: "
        "turn VT-d on, or use fewer CPUs (cpus=)",
        irq->name, id, irq->cpu);
}

// SDM vol. 3, 11.11: physical destination, fixed, edge.
static void msi_compose(const struct irq *irq, struct msi_msg *msg)
{
    *msg =
        (struct msi_msg){ .address = 0xfee00000 | field_put(BITS64(19, 12), cpu_apic_id(irq->cpu)),
                          .data = irq->vector };
}

const struct irq_chip irq_chip_msi = {
    .name = "MSI",
    .alloc = msi_alloc,
    .free = msi_free,
    .route = msi_route,
    .compose = msi_compose,
};
