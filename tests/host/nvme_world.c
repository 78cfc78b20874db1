// SPDX-License-Identifier: BSD-2-Clause
// The kernel's side: memory, functions and irqs.

#include "tests/host/nvme_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <sanitizer/asan_interface.h>

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/msi.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "kernel/x86/vectors.h"

#include <cmocka.h>

#define WINDOW_BYTES 0x100000
#define KEPT_BYTES (64 * GIB)

// Memory lives until the process ends, as it does in the kernel.
static struct piece {
    struct piece *next;
    uint8_t *at;
    size_t bytes;
    unsigned node; // as asked for
    bool of_this_world;
} *pieces;

// ---- kernel/mem ----

static void *add_piece(void *at, size_t bytes, unsigned node)
{
    struct piece *piece = malloc(sizeof(*piece));
    *piece = (struct piece){ pieces, at, bytes, node, true };
    pieces = piece;
    return memset(at, 0, bytes);
}

// What devices may not reach lies together.
static struct {
    uint8_t *base;
    size_t used;
} kept;

static unsigned allocations;

unsigned world_allocations(void)
{
    return allocations;
}

void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    void *programs = world_program_memory(bytes, align);
    if (programs)
        return programs;
    allocations++;
    if (!kept.base)
        kept.base = mmap(NULL, KEPT_BYTES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t at = ALIGN_UP(kept.used, MAX(align, (size_t)CACHE_LINE));
    assert_true(at + bytes + CACHE_LINE <= KEPT_BYTES);
    kept.used = at + bytes + CACHE_LINE; // a gap, for the sanitizer
    ASAN_POISON_MEMORY_REGION(kept.base + at + bytes, CACHE_LINE);
    return add_piece(kept.base + at, bytes, node);
}

void *mem_alloc_dma(size_t bytes, size_t align, unsigned node)
{
    void *programs = world_program_memory(bytes, align);
    if (programs)
        return programs;
    allocations++;
    void *at = NULL; // not a byte more: what runs over it is seen
    assert_int_equal(posix_memalign(&at, MAX(align, (size_t)CACHE_LINE), bytes), 0);
    return add_piece(at, bytes, node);
}

// Buffers of the tests' own are as good.
bool mem_is_dma(const volatile void *virt, uint64_t bytes)
{
    if (world_is_program())
        return world_is_program_memory(virt, bytes);
    return (size_t)((const volatile uint8_t *)virt - kept.base) >= kept.used;
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
    m->pci_command |= dev->granted ? 6 : 2; // as kept, as far as it may
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

struct pci_dev *pci_slot_of(const struct pci_dev *dev)
{
    const struct model *m = of(dev);
    if (m->in_slot_of)
        return &m->in_slot_of->pci;
    return m->has_slot ? (struct pci_dev *)dev : NULL;
}

bool pci_has_slot(const struct pci_dev *port)
{
    return of(port)->has_slot;
}

bool pci_slot_look(const struct pci_dev *port, struct pci_slot_look *look)
{
    struct model *m = of(port);
    *look = (struct pci_slot_look){
        .present = !m->slot_empty,
        .link = !m->slot_empty && !m->removed,
        .power = !m->slot_off,
        .tells_link = true,
        .pressed = m->button,
        .swapped = m->swapped,
    };
    m->button = m->swapped = false;
    return true;
}

void pci_slot_power(const struct pci_dev *port, bool on)
{
    struct model *m = of(port);
    assert_false(m->pci_command & 4 && !on);
    m->slot_off = !on;
    m->removed = !on || m->slot_empty;
}

bool pci_slot_answers(const struct pci_dev *port)
{
    return !of(port)->removed && !of(port)->deaf;
}

bool pci_slot_scan(struct pci_dev *port, struct problem *p)
{
    of(port)->scans++;
    return true;
}

bool pci_is_back(const struct pci_dev *dev)
{
    return !of(dev)->removed;
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
bool pci_enable(struct pci_dev *dev, struct problem *p)
{
    assert_true(of(dev)->ours || !(of(dev)->csts & NVME_CSTS_RDY));
    of(dev)->pci_command |= 6;
    dev->granted = true;
    return true;
}

bool pci_set_space(struct pci_dev *dev, struct pci_space *space)
{
    assert_false(dev->granted);
    dev->space = space;
    return true;
}

bool pci_stop_bus_master(struct pci_dev *dev)
{
    if (!of(dev)->master_stuck)
        of(dev)->pci_command &= (uint16_t)~4;
    dev->granted = of(dev)->unfenced;
    return of(dev)->removed || !of(dev)->master_stuck || of(dev)->fenced;
}

bool pci_map_bar(struct pci_dev *dev, unsigned bar, size_t least, volatile void **window,
                 struct problem *p)
{
    if (dev->bars[bar].bytes < least)
        return problem_set(p, "pci-bar-small", "%s: BAR %u is too small", dev->name, bar);
    of(dev)->lost_config = false; // it has addresses
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

bool msix_is_at(const struct pci_dev *dev, unsigned bar, uint64_t offset, uint64_t bytes)
{
    const struct model *m = of(dev);
    return m->table_bar == bar && m->table_offset < offset + bytes &&
           offset < m->table_offset + dev->msix.vectors * 16ull;
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
    bool is_kept = cpu >= world.cpus;
    struct irq **at = is_kept ? &m->domain_irqs[index] : &m->irqs[index];
    assert_true(m->msix_enabled && index < m->pci.msix.vectors && cpu < cpu_total());
    assert_null(*at);
    if (!world.vectors_left[cpu]) {
        problem_set(p, "irq-no-vector", "%s: CPU %u has no vector left", name, cpu);
        return NULL;
    }
    world.vectors_left[cpu]--;
    struct irq *irq = *at = m->messages[index] = mem_alloc(sizeof(*irq), 1, WORLD_ELSEWHERE);
    *irq = (struct irq){ .dev = dev, .index = index, .cpu = cpu, .handler = handler, .arg = arg };
    snprintf(irq->name, sizeof(irq->name), "%s", name);
    m->lost_message[index] = false;
    return irq;
}

unsigned irq_vectors_left(unsigned cpu)
{
    assert_true(cpu < cpu_total());
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
    assert_true(irq->cpu == world.cpu || (!irq->enabled && !world.cpu));
    if (m->lost_config || m->removed || world.now < m->away_until)
        return;
    m->lost_message[irq->index] = false;
    m->messages[irq->index] = irq;
    m->masked[irq->index] = !irq->enabled;
}

void irq_enable(struct irq *irq)
{
    assert_ptr_equal(of(irq->dev)->messages[irq->index], irq); // else it would be another's
    assert_false(irq->shut);
    irq->enabled = true;
    of(irq->dev)->masked[irq->index] = false;
}

void irq_disable(struct irq *irq)
{
    irq->enabled = false;
    of(irq->dev)->masked[irq->index] = true;
}

bool irq_set_shut(struct irq *irq, bool shut, struct problem *p)
{
    assert_true(of(irq->dev)->masked[irq->index] && !irq->enabled);
    irq->shut = shut;
    return true;
}

void irq_free(struct irq *irq)
{
    irq_disable(irq);
    struct model *m = of(irq->dev);
    struct irq **at = irq->cpu >= world.cpus ? &m->domain_irqs[irq->index] : &m->irqs[irq->index];
    assert_ptr_equal(*at, irq);
    *at = NULL;
    world.vectors_left[irq->cpu]++;
}

// ---- the models ----

struct model *world_add(void)
{
    struct model *m = mem_alloc(sizeof(*m), 1, WORLD_ELSEWHERE);
    unsigned n = world.models_count++;
    assert_true(n < WORLD_MODELS);
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
        *offset = (size_t)((uintptr_t)reg - world.models[i]->mapped_at);
        if (*offset < world.models[i]->mapped_bytes) {
            *offset += world.models[i]->mapped_offset;
            return world.models[i];
        }
    }
    fail_msg("%p is no register", (const void *)reg);
    return NULL;
}

struct block_dev *world_disk(const struct model *m, uint32_t nsid)
{
    for (struct block_dev *dev = block_first(); dev; dev = dev->next) {
        const struct nvme_ns *ns = dev->driver;
        if (ns->ctrl->dev == &m->pci && dev->nsid == nsid && !ns->ctrl->dropped)
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
    if (m->pci.granted && m->pci.space)
        return world_is_program() && (!qid || m->domain_cpu[qid] == cpu_index());
    return !qid || !c || !c->queues || nvme_qpair_owner(&c->queues[qid - 1]->qp) == world.cpu;
}

void world_forget_memory(void)
{
    for (struct piece *piece = pieces; piece; piece = piece->next)
        piece->of_this_world = false;
}

void world_free_memory(void)
{
    for (struct piece *next; pieces; pieces = next) {
        next = pieces->next;
        if (mem_is_dma(pieces->at, pieces->bytes))
            free(pieces->at);
        free(pieces);
    }
    ASAN_UNPOISON_MEMORY_REGION(kept.base, kept.used);
    kept.used = 0;
}
