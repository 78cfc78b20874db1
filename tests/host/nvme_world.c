// SPDX-License-Identifier: BSD-2-Clause
// The kernel's side: what the driver calls, on CPUs that take turns.

#include "tests/host/nvme_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/msi.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "kernel/x86/vectors.h"

#include <cmocka.h>

#define CPUS_MAX 16
#define MODELS_MAX 8
#define WINDOW_BYTES 0x100000

static struct {
    unsigned cpus, cpu;
    unsigned vectors_left[CPUS_MAX];
    uint32_t apic_ids[CPUS_MAX]; // as they are numbered, unless set
    uint64_t now, clock_step;
    bool timers_first;
    struct cpu_msg *inbox[CPUS_MAX];
    struct cpu_timer *timers[CPUS_MAX];
    struct model *models[MODELS_MAX];
    unsigned models_count;
    struct irq
        *moving[CPUS_MAX]; // routed to its new CPU; the old one, which this is, is not told yet
} world;

// Memory lives until the process ends, as it does in the kernel.
static struct piece {
    struct piece *next;
    uint8_t *at;
    size_t bytes;
    unsigned node; // as asked for
    bool of_this_world;
} *pieces;

// ---- kernel/mem ----

void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    struct piece *piece = malloc(sizeof(*piece));
    void *at = NULL; // not a byte more: what runs over it is seen
    assert_int_equal(posix_memalign(&at, MAX(align, (size_t)CACHE_LINE), bytes), 0);
    *piece = (struct piece){ pieces, at, bytes, node, true };
    pieces = piece;
    return memset(at, 0, bytes);
}

unsigned world_node_of(const volatile void *at)
{
    for (const struct piece *piece = pieces; piece; piece = piece->next)
        if ((size_t)((const volatile uint8_t *)at - piece->at) < piece->bytes)
            return piece->node;
    fail_msg("%p was not given out", (const void *)at);
    return NODE_ANY;
}

size_t world_bytes_on(unsigned node)
{
    size_t bytes = 0;
    for (const struct piece *piece = pieces; piece; piece = piece->next)
        bytes += piece->of_this_world && piece->node == node ? piece->bytes : 0;
    return bytes;
}

uint64_t mem_phys(const volatile void *virt)
{
    return (uint64_t)virt;
}

// ---- time, CPUs, messages, timers ----

uint32_t cpu_apic_id(unsigned cpu)
{
    return world.apic_ids[cpu];
}

void world_set_apic_id(unsigned cpu, uint32_t id)
{
    world.apic_ids[cpu] = id;
}

static uint64_t batch_tsc[CPUS_MAX];

void cpu_begin_batch(void)
{
    batch_tsc[world.cpu] = world.now;
}

uint64_t cpu_batch_tsc(void)
{
    return batch_tsc[world.cpu];
}

uint64_t time_ns(void)
{
    return world.now += world.clock_step;
}

void time_delay_ns(uint64_t ns)
{
    world.now += ns;
}

unsigned cpu_count(void)
{
    return world.cpus;
}

unsigned cpu_index(void)
{
    return world.cpu;
}

unsigned cpu_node(unsigned cpu)
{
    assert_true(cpu < world.cpus);
    return WORLD_NODE(cpu);
}

void cpu_post(unsigned cpu, struct cpu_msg *msg)
{
    struct cpu_msg **link = &world.inbox[cpu];
    while (*link) {
        assert_ptr_not_equal(*link, msg);
        link = &(*link)->next;
    }
    msg->next = NULL;
    *link = msg;
}

void cpu_timer_stop(struct cpu_timer *timer)
{
    struct cpu_timer **link = &world.timers[world.cpu];
    while (*link && *link != timer)
        link = &(*link)->next;
    if (timer->armed)
        assert_non_null(*link); // armed on another CPU: not ours to stop
    if (*link)
        *link = timer->next;
    timer->armed = false;
}

void cpu_timer_start(struct cpu_timer *timer, uint64_t due_ns)
{
    cpu_timer_stop(timer);
    timer->due_ns = due_ns;
    timer->next = world.timers[world.cpu];
    timer->armed = true;
    world.timers[world.cpu] = timer;
}

static void (*flush)(void);

void loop_set_flush(void (*fn)(void))
{
    flush = fn;
}

void loop_flush(void)
{
    flush();
}

// ---- kernel/pci, kernel/irq ----

static struct model *of(const struct pci_dev *dev)
{
    return container_of(dev, struct model, pci);
}

struct pci_dev *pci_get(size_t index)
{
    return index < world.models_count ? &world.models[index]->pci : NULL;
}

uint16_t pci_read16(const struct pci_dev *dev, unsigned offset)
{
    const struct model *m = of(dev);
    assert_int_equal(offset, 4);
    return m->removed || world.now < m->away_until ? 0xffff : m->pci_command;
}

void pci_write16(const struct pci_dev *dev, unsigned offset, uint16_t value)
{
    assert_int_equal(offset, 4);
    of(dev)->pci_command = value;
}

void pci_keep(struct pci_dev *dev)
{
    assert_int_equal(of(dev)->pci_command & 6, 6);
    of(dev)->kept = true;
}

bool pci_revive(struct pci_dev *dev, void (*delay_ns)(uint64_t))
{
    struct model *m = of(dev);
    assert_true(m->kept);
    if (m->removed || world.now < m->away_until || m->stays_asleep)
        return false;
    if (m->power_state)
        delay_ns(10 * NS_PER_MS);
    if (m->power_state) {
        m->cc = m->csts = 0;
        model_reset(m);
    }
    m->power_state = 0;
    m->lost_config = false;
    return true;
}

// The function's own stands for its port.
bool pci_errors_start(struct pci_dev *dev)
{
    return false;
}

void pci_errors_look(struct pci_dev *dev, uint64_t now_ns)
{
}

const struct pci_dev *pci_slot_of(const struct pci_dev *dev)
{
    return of(dev)->has_slot ? dev : NULL;
}

bool pci_slot_asks(const struct pci_dev *port)
{
    bool asks = of(port)->button;
    of(port)->button = false;
    return asks;
}

void pci_slot_power_off(const struct pci_dev *port)
{
    assert_false(of(port)->pci_command & 4);
    of(port)->removed = true;
}

void pci_enable_memory(struct pci_dev *dev)
{
    of(dev)->pci_command |= 2;
}

// Waking is a reset.
bool pci_power_on(struct pci_dev *dev, void (*delay_ns)(uint64_t), bool *woken, struct problem *p)
{
    struct model *m = of(dev);
    if (m->stays_asleep)
        return problem_set(p, "pci-asleep", "%s: it doesn't wake", dev->name);
    *woken = m->power_state;
    if (m->power_state) {
        m->power_state = 0;
        m->cc = m->csts = 0;
        m->resets++;
        m->reset_at = world.now;
    }
    return true;
}

// Bus mastering comes only once whatever firmware left running has stopped.
void pci_enable(struct pci_dev *dev)
{
    assert_false(of(dev)->csts & NVME_CSTS_RDY);
    of(dev)->pci_command |= 6;
}

void pci_stop_bus_master(struct pci_dev *dev)
{
    if (!of(dev)->master_stuck)
        of(dev)->pci_command &= (uint16_t)~4;
}

bool pci_map_bar(struct pci_dev *dev, unsigned bar, size_t least, volatile void **window,
                 struct problem *p)
{
    if (dev->bars[bar].bytes < least)
        return problem_set(p, "pci-bar-small", "%s: BAR %u is too small", dev->name, bar);
    *window = of(dev)->window;
    return true;
}

bool pci_map_bar_part(struct pci_dev *dev, unsigned bar, uint64_t offset, size_t bytes,
                      volatile void **window, struct problem *p)
{
    assert_in_range(bar, 0, 5);
    if (offset > dev->bars[bar].bytes || bytes > dev->bars[bar].bytes - offset)
        return problem_set(p, "pci-bar-small", "%s: BAR %u is too small", dev->name, bar);
    *window = model_map_cmb(of(dev), bar, offset);
    return true;
}

void msix_table_place(const struct pci_dev *dev, unsigned *bar, uint64_t *offset)
{
    *bar = of(dev)->table_bar;
    *offset = of(dev)->table_offset;
}

bool msix_enable(struct pci_dev *dev, struct problem *p)
{
    of(dev)->msix_enabled = true;
    memset(of(dev)->masked, true, sizeof(of(dev)->masked));
    return true;
}

struct irq *irq_alloc(struct pci_dev *dev, unsigned index, unsigned cpu, irq_handler handler,
                      void *arg, const char *name, struct problem *p)
{
    struct model *m = of(dev);
    assert_true(m->msix_enabled && index < m->pci.msix.vectors && cpu < world.cpus);
    assert_null(m->irqs[index]);
    if (!world.vectors_left[cpu]) {
        problem_set(p, "irq-no-vector", "%s: CPU %u has no vector left", name, cpu);
        return NULL;
    }
    world.vectors_left[cpu]--;
    struct irq *irq = m->irqs[index] = mem_alloc(sizeof(*irq), 1, WORLD_ELSEWHERE);
    *irq = (struct irq){ .dev = dev, .index = index, .cpu = cpu, .handler = handler, .arg = arg };
    snprintf(irq->name, sizeof(irq->name), "%s", name);
    return irq;
}

unsigned irq_vectors_left(unsigned cpu)
{
    assert_true(cpu < world.cpus);
    return world.vectors_left[cpu];
}

void irq_on_move(struct irq *irq, irq_moved moved)
{
    irq->moved = moved;
}

bool irq_set_urgent(struct irq *irq, bool urgent, struct problem *p)
{
    irq->urgent = urgent;
    return true;
}

void irq_again(struct irq *irq)
{
    assert_int_equal(irq->cpu, world.cpu);
    of(irq->dev)->raised[irq->index] = true;
}

void irq_rewrite(struct irq *irq)
{
    struct model *m = of(irq->dev);
    assert_int_equal(irq->cpu, world.cpu);
    if (m->lost_config || m->removed || world.now < m->away_until)
        return;
    m->lost_message[irq->index] = false;
    m->masked[irq->index] = !irq->enabled;
}

void irq_enable(struct irq *irq)
{
    irq->enabled = true;
    of(irq->dev)->masked[irq->index] = false;
}

void irq_disable(struct irq *irq)
{
    of(irq->dev)->masked[irq->index] = true;
}

void irq_free(struct irq *irq)
{
    irq_disable(irq);
    assert_ptr_equal(of(irq->dev)->irqs[irq->index], irq);
    of(irq->dev)->irqs[irq->index] = NULL;
    world.vectors_left[irq->cpu]++;
}

// ---- the models ----

struct model *world_add(void)
{
    struct model *m = mem_alloc(sizeof(*m), 1, WORLD_ELSEWHERE);
    unsigned n = world.models_count++;
    assert_true(n < MODELS_MAX);
    world.models[n] = m;
    m->window = (void *)(0x600000000000ull + (uint64_t)n * WINDOW_BYTES * 2); // NOLINT
    m->pci.class_code = NVME_PCI_CLASS;
    m->pci.vendor = 0x1b36;
    m->pci.bars[0] = (struct pci_bar){ .base = 0xfe000000, .bytes = 0x4000 };
    m->pci.msix = (struct pci_msix){ .cap = 0x40, .vectors = MODEL_VECTORS };
    m->table_bar = 4;
    m->pci.node = WORLD_DEVICE_NODE;
    snprintf(m->pci.name, sizeof(m->pci.name), "0000:00:%02x.0", n + 4);
    return m;
}

struct model *world_find(const volatile void *reg, size_t *offset)
{
    for (unsigned i = 0; i < world.models_count; i++) {
        *offset = (size_t)((const volatile uint8_t *)reg - world.models[i]->window);
        if (*offset < world.models[i]->pci.bars[0].bytes)
            return world.models[i];
    }
    fail_msg("%p is no register", (const void *)reg);
    return NULL;
}

struct block_dev *world_disk(const struct model *m, uint32_t nsid)
{
    for (struct block_dev *dev = block_first(); dev; dev = dev->next) {
        const struct nvme_ns *ns = dev->driver;
        if (ns->ctrl->dev == &m->pci && dev->nsid == nsid)
            return dev;
    }
    return NULL;
}

struct nvme_ctrl *world_ctrl(const struct model *m)
{
    struct nvme_ctrl *c = nvme_first();
    while (c && c->dev != &m->pci)
        c = c->next;
    return c;
}

bool world_may_ring(const struct model *m, unsigned qid)
{
    const struct nvme_ctrl *c = world_ctrl(m);
    return !qid || !c || !c->queues || nvme_qpair_owner(&c->queues[qid - 1]->qp) == world.cpu;
}

void world_free_memory(void)
{
    for (struct piece *next; pieces; pieces = next) {
        next = pieces->next;
        free(pieces->at);
        free(pieces);
    }
}

// ---- time and turns ----

void world_begin(unsigned cpus)
{
    memset(&world, 0, sizeof(world));
    for (struct piece *piece = pieces; piece; piece = piece->next)
        piece->of_this_world = false;
    world_forget_reports();
    world.cpus = cpus;
    world.clock_step = 1000;
    world.now = 1000000;
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        world.vectors_left[cpu] = VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST + 1;
        world.apic_ids[cpu] = cpu;
    }
    nvme_set_timeout(30000);
    srand(1);
}

static void run_irqs(void)
{
    for (unsigned i = 0; i < world.models_count; i++) {
        struct model *m = world.models[i];
        for (unsigned v = 0; v < MODEL_VECTORS; v++)
            if (m->raised[v] && !m->masked[v] && m->irqs[v] && m->irqs[v]->cpu == world.cpu) {
                m->raised[v] = false;
                m->irqs[v]->handler(m->irqs[v]->arg);
            }
    }
}

static void run_messages(void)
{
    struct cpu_msg *msg = world.inbox[world.cpu], *next;
    world.inbox[world.cpu] = NULL;
    for (; msg; msg = next) {
        next = msg->next;
        msg->fn(msg);
    }
}

static void run_timers(void)
{
    struct cpu_timer *timer = world.timers[world.cpu], *next;
    for (; timer; timer = next) {
        next = timer->next;
        if (timer->due_ns <= world.now) {
            cpu_timer_stop(timer);
            timer->fn(timer);
            next = world.timers[world.cpu]; // the list may have changed
        }
    }
}

static void finish_move(void)
{
    struct irq *irq = world.moving[world.cpu];
    world.moving[world.cpu] = NULL;
    if (irq)
        irq->moved(irq->arg, irq->cpu);
}

void world_round(void)
{
    for (world.cpu = 0; world.cpu < world.cpus; world.cpu++) {
        finish_move();
        if (world.timers_first)
            run_timers();
        run_irqs();
        run_messages();
        run_timers();
        loop_flush();
    }
    world.cpu = 0;
    for (unsigned i = 0; i < world.models_count; i++)
        model_work(world.models[i]);
    world.now += 1000;
}

bool world_move(struct model *m, unsigned vector, unsigned to)
{
    struct irq *irq = m->irqs[vector];
    unsigned from = irq->cpu;
    for (unsigned cpu = 0; cpu < world.cpus; cpu++)
        if (world.moving[cpu] == irq)
            return false;
    if (world.moving[from] || from == to)
        return false;
    world.moving[from] = irq;
    irq->cpu = to;
    return true;
}

void world_turn(unsigned cpu, enum world_part part)
{
    world.cpu = cpu;
    finish_move();
    if (part == WORLD_IRQS)
        run_irqs();
    else if (part == WORLD_MESSAGES)
        run_messages();
    else if (part == WORLD_TIMERS)
        run_timers();
    else if (part == WORLD_FLUSH)
        loop_flush();
    world.cpu = 0;
    world.now += 1000;
}

void world_turn_any(void)
{
    if (rand() % 8)
        world_turn((unsigned)rand() % world.cpus, (enum world_part)(rand() % WORLD_PARTS));
    else
        model_work(world.models[(unsigned)rand() % world.models_count]);
}

bool world_run(const bool *stop, unsigned rounds)
{
    while (!*stop && rounds--)
        world_round();
    return *stop;
}

void world_pass(uint64_t ns)
{
    for (uint64_t end = world.now + ns; world.now < end;) {
        world.now += MAX(ns / 200, 1ull);
        world_round();
    }
}

void world_skip(uint64_t ns)
{
    world.now += ns;
}

void world_end(void)
{
    world.cpu = 0;
    nvme_shutdown();
    for (unsigned i = 0; i < world.models_count; i++)
        assert_true(world.models[i]->master_stuck || !(world.models[i]->pci_command & 4));
}

void world_use_cpu(unsigned cpu)
{
    world.cpu = cpu;
}

uint64_t world_now(void)
{
    return world.now;
}

void world_set_timers_first(bool first)
{
    world.timers_first = first;
}

void world_set_clock_step(uint64_t ns)
{
    world.clock_step = ns;
}

void world_set_vectors_left(unsigned cpu, unsigned left)
{
    world.vectors_left[cpu] = left;
}
