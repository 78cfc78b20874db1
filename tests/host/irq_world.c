// SPDX-License-Identifier: BSD-2-Clause
// The machine under the IRQ core: what it calls of CPUs, local APIC, clock, MSI-X and the chip.

#include "tests/host/irq_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/irq/posted.h"
#include "kernel/mem/mem.h"
#include "kernel/run/loop.h"
#include "kernel/x86/apic.h"
#include "kernel/x86/time.h"
#include "kernel/x86/time_init.h"
#include "kernel/x86/vectors.h"

// ---- the machine ----

struct cpu cpus[4];
struct irq_world world;

struct cpu *this_cpu(void)
{
    return &cpus[world.current];
}

struct cpu *cpu_get(unsigned index)
{
    return &cpus[index];
}

unsigned cpu_count(void)
{
    return world.count;
}

unsigned cpu_total(void)
{
    return cpu_count();
}

unsigned cpu_index(void)
{
    return world.current;
}

uint32_t cpu_apic_id(unsigned cpu)
{
    return cpus[cpu].apic_id;
}

const struct cpu_stats *cpu_stats(unsigned cpu)
{
    return &cpus[cpu].stats;
}

unsigned cpu_node(unsigned cpu)
{
    return WORLD_NODE(cpu);
}

static struct piece { // what was given out, until the next world
    struct piece *next;
    void *at;
    unsigned node; // as asked for
} *pieces;

// Tests with a model of PCI have its own of these.
#define WEAK __attribute__((weak))

WEAK void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    struct piece *piece = malloc(sizeof(*piece));
    assert_non_null(piece);
    *piece = (struct piece){ pieces, calloc(1, bytes), node };
    pieces = piece;
    return piece->at;
}

static void free_all(void)
{
    while (pieces) {
        struct piece *piece = pieces;
        pieces = piece->next;
        free(piece->at);
        free(piece);
    }
}

unsigned world_node_of(const void *at)
{
    for (const struct piece *piece = pieces; piece; piece = piece->next)
        if (piece->at == at)
            return piece->node;
    fail_msg("%p was not given out", at);
    return NODE_ANY;
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0"; // nobody frees the last world
}

uint64_t time_ns(void)
{
    world.now_ns += world.time_passes ? 1000 : 0;
    world.clock_reads++;
    world.clock_reads_enabled += world.enabled;
    return world.now_ns;
}

uint64_t rdtsc(void)
{
    if (world.on_tsc)
        world.on_tsc();
    return time_ns();
}

uint64_t time_tsc_at(uint64_t ns)
{
    return ns;
}

void apic_timer_cancel(void)
{
    world.timer_cancels++;
    world.timer_at = 0;
    if (world.on_timer)
        world.on_timer(0);
}

void apic_timer_set(uint64_t tsc)
{
    world.timer_sets_enabled += world.enabled;
    world.timer_at = tsc;
    if (world.on_timer)
        world.on_timer(tsc);
}

void apic_send(uint32_t id, uint8_t vector)
{
    world.last_sent_to = id;
    if (vector == VECTOR_IPI) {
        world.ipis++;
    } else {
        world.notifies += vector == VECTOR_NOTIFY;
        world.vector_sent = vector;
    }
    if (world.on_send)
        world.on_send(id, vector);
}

bool apic_is_requested(uint8_t vector)
{
    if (world.is_requested)
        return world.is_requested(vector);
    if (!world.requested)
        return false;
    if (--world.requested == 0)
        irq_take_device(vector); // now it is taken
    return world.requested;
}

bool cpu_is_online(unsigned cpu)
{
    return cpus[cpu].online;
}

// SDM vol. 3, 11.5.3: a write to ESR latches what came since the last one.
void wrmsr(uint32_t msr, uint64_t value)
{
    if (msr == X2APIC_ESR) {
        world.esr = world.esr_pending;
        world.esr_pending = 0;
    }
    if (msr != X2APIC_EOI)
        return;
    world.eois++;
    if (world.on_eoi)
        world.on_eoi();
}

void interrupts_off(void)
{
    if (world.on_interrupts_off)
        world.on_interrupts_off();
    world.enabled = false;
}

static void interruptible(void)
{
    if (world.enabled && world.interrupt)
        world.interrupt();
}

void interrupts_on(void)
{
    world.enabled = true;
    interruptible();
}

uint64_t interrupts_save(void)
{
    bool was = world.enabled;
    world.enabled = false;
    return was;
}

void interrupts_restore(uint64_t flags)
{
    world.enabled = flags;
    interruptible();
}

uint64_t rdmsr(uint32_t msr)
{
    return msr == X2APIC_ESR ? world.esr : 0;
}

void error(const char *what, const char *fmt, ...); // report.h's fail() is a macro of cmocka's
void error(const char *what, const char *fmt, ...)
{
    world.errors++;
}

void warn(const char *what, const char *fmt, ...);
WEAK void warn(const char *what, const char *fmt, ...)
{
    world.warnings++;
}

void interrupts_on_and_mwait(void)
{
    interrupts_on_and_halt();
}

void cpu_monitor(const volatile void *line)
{
    if (world.on_monitor)
        world.on_monitor(line);
}

uint64_t time_tsc_span(uint64_t ns)
{
    return ns;
}

void interrupts_on_and_halt(void)
{
    world.enabled = true;
    world.halts++;
    if (world.on_halt)
        world.on_halt();
}

static void flush(void)
{
    world.flushes++;
    if (world.on_flush)
        world.on_flush();
    interruptible();
}

WEAK void msix_write(struct pci_dev *dev, unsigned index, const struct msi_msg *msg)
{
    world.last_msg = *msg;
}

WEAK void msix_mask(struct pci_dev *dev, unsigned index, bool masked)
{
    world.mask_writes = world.mask_writes << 1 | masked;
}

// ---- a chip ----

static bool chip_alloc(struct irq *irq, struct problem *p)
{
    irq->chip_handle = 7 + world.handles++;
    return true;
}

static void chip_free(struct irq *irq)
{
    world.chip_frees++;
}

static void others_go_on(void)
{
    if (world.on_route)
        world.on_route();
}

static bool chip_route(struct irq *irq, struct irq_place to, struct problem *p)
{
    struct world_route *route = &world.routes[irq->chip_handle % ARRAY_SIZE(world.routes)];
    others_go_on();
    *route = (struct world_route){ to, irq->chip != &chip };
    world.routed = to;
    world.cpu_in_route = irq->cpu;
    others_go_on();
    return !world.route_fails || problem_set(p, "route", "no route");
}

static void chip_compose(const struct irq *irq, struct irq_place to, struct msi_msg *msg)
{
    *msg = (struct msi_msg){ .address = 0xfee00000 + irq->chip_handle, .data = to.vector };
}

#define CHIP(text)                                                                                 \
    { .name = (text),                                                                              \
      .alloc = chip_alloc,                                                                         \
      .free = chip_free,                                                                           \
      .route = chip_route,                                                                         \
      .compose = chip_compose }
const struct irq_chip chip = CHIP("test");
static const struct irq_chip chip_post = CHIP("post");

// ---- for the tests ----

void handler(void *arg)
{
    world.handled[(uintptr_t)arg]++;
}

struct irq *new_irq(unsigned cpu, uintptr_t number)
{
    struct problem p;
    struct irq *irq = irq_alloc(&world.device, 0, cpu, handler, (void *)number, "test", &p);
    assert_non_null(irq);
    return irq;
}

void start_on(unsigned count, struct irq_config config)
{
    world = (struct irq_world){ .enabled = true, .count = count };
    while (irq_first())
        irq_free(irq_first());
    free_all();
    memset(cpus, 0, sizeof(cpus));
    for (unsigned i = 0; i < ARRAY_SIZE(cpus); i++) {
        cpus[i].index = i;
        cpus[i].apic_id = i ? 299 + i : 0;
        cpus[i].online = i < count;
    }
    world = (struct irq_world){ .enabled = true, .count = count };
    config.chip = &chip;
    config.chip_post = config.mode == IRQ_MSI || config.no_post ? NULL : &chip_post;
    config.loops = config.loops ? config.loops : 3;
    config.preempt = true;
    loop_set_flush(flush);
    irq_init(&config);
    for (world.current = 1; world.current < count; world.current++)
        cpu_run_messages(this_cpu());
    world.current = 0;
}

void start_with(struct irq_config config)
{
    start_on(2, config);
}

void start(enum irq_mode mode)
{
    start_with((struct irq_config){ .mode = mode });
}

static struct irq keeper;

void keep_vectors(unsigned cpu, uint8_t below)
{
    for (unsigned v = VECTOR_DEVICE_FIRST; v < below; v++)
        if (!cpus[cpu].vectors[v])
            cpus[cpu].vectors[v] = &keeper;
}

void give_vectors_back(unsigned cpu)
{
    for (unsigned v = 0; v < VECTORS; v++)
        if (cpus[cpu].vectors[v] == &keeper)
            cpus[cpu].vectors[v] = NULL;
}

// As isr.asm has it.
static void take_notification(void)
{
    struct cpu *cpu = &cpus[world.current];
    if (cpu->only_wakes)
        cpu->stats.notifications++;
    else
        irq_take_notification();
}

void post(unsigned cpu, uint8_t vector)
{
    if (pi_post(&cpus[cpu].pi, vector, false)) {
        unsigned was = world.current;
        world.current = cpu;
        take_notification();
        world.current = was;
    }
}

void world_take(uint32_t id, uint8_t vector)
{
    unsigned was = world.current;
    for (unsigned i = 0; i < world.count; i++) {
        world.current = i;
        if (cpus[i].apic_id == id && vector == VECTOR_NOTIFY)
            take_notification();
        else if (cpus[i].apic_id == id && vector <= VECTOR_DEVICE_LAST)
            irq_take_device(vector);
    }
    world.current = was;
}
