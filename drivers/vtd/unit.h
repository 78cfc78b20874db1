// SPDX-License-Identifier: BSD-2-Clause
// One remapping unit: its registers, its invalidation queue and its remapping table. Inside
// drivers/vtd only; others use vtd.h.
#pragma once

#include <stdatomic.h>

#include "drivers/vtd/dmar.h"
#include "drivers/vtd/fault_text.h"
#include "drivers/vtd/vtd.h"
#include "drivers/vtd/vtd_regs.h"
#include "kernel/irq/irq.h"
#include "lib/mmio.h"
#include "lib/problem.h"
#include "lib/spinlock.h"

// How long a unit may take for anything that is waited for. The specification names no limit;
// interrupts and DMA in flight are drained meanwhile, which takes microseconds.
#define VTD_DEADLINE_NS (1000 * NS_PER_MS)

struct vtd_queue {
    void *descriptors;        // one page
    uint32_t step;            // bytes of a descriptor: 16 or 32
    uint32_t tail;            // offset of the next free one
    _Atomic uint32_t *status; // the unit writes the number of the last request it has finished
    uint32_t number;          // of the last request made
    bool stuck;               // it once gave no answer: nothing more is asked of it
};

struct vtd_table {
    struct irte *entries;
    struct irq **owners; // by index; NULL: free
    uint32_t count;      // a power of two
    uint32_t next;       // where the search for a free entry goes on
};

enum vtd_unit_state {
    VTD_UNIT_ABSENT,  // the table names it, and nothing that makes sense answers there
    VTD_UNIT_LEFT,    // left as firmware had it, since no device of ours needs it
    VTD_UNIT_LACKING, // taken over, but it can't remap: vtd_unit_check()
    VTD_UNIT_USED,
};

struct vtd_unit {
    enum vtd_unit_state state;
    bool needed;         // a device that we drive is behind it
    bool hung_display;   // only displays are, of a kind whose translation may never turn off
    volatile void *regs; // NULL: absent or left
    uint64_t base;       // physical
    uint16_t segment;
    bool include_pci_all;
    unsigned node;
    uint32_t version;
    uint64_t cap, ecap;
    uint32_t left_on;     // GSTS as firmware left it
    bool left_protection; // protected memory ranges were on
    struct spinlock lock; // queue, table, and whatever changes an entry
    struct vtd_queue queue;
    struct vtd_table table;
};

static inline uint32_t vtd_read32(const struct vtd_unit *u, size_t offset)
{
    return mmio_read32(mmio_at(u->regs, offset));
}

static inline uint64_t vtd_read64(const struct vtd_unit *u, size_t offset)
{
    return mmio_read64(mmio_at(u->regs, offset));
}

static inline void vtd_write32(const struct vtd_unit *u, size_t offset, uint32_t value)
{
    mmio_write32(mmio_at(u->regs, offset), value);
}

static inline void vtd_write64(const struct vtd_unit *u, size_t offset, uint64_t value)
{
    mmio_write64(mmio_at(u->regs, offset), value);
}

// ---- unit.c ----

// Maps the registers, fault records included, and reads what the unit can do. False: they read as what is
// switched off reads, ones or zeros, or can't be where the table says ("vtd-unit-absent").
bool vtd_unit_map(struct vtd_unit *u, struct problem *p);

// Queue, remapping, x2APIC ids: each missing one is a problem of its own ("vtd-no-qi",
// "vtd-no-ir", "vtd-no-eim").
bool vtd_unit_check(const struct vtd_unit *u, struct problem *p);

// Changes one bit of the global command register and waits for its status; the only place that
// writes it (VT-d 11.4.4.1). "vtd-timeout" if the unit doesn't follow.
bool vtd_gcmd(const struct vtd_unit *u, uint32_t bit, bool on, struct problem *p);

// Makes stores to remapping structures visible to a unit whose chipset buffers them (CAP.RWBF,
// VT-d 6.8); nothing to do elsewhere. Invalidation does the same by itself.
bool vtd_flush_write_buffer(const struct vtd_unit *u, struct problem *p);

// ---- takeover.c ----

// Ends whatever firmware left on: events, remapping, translation, protected memory, invalidation
// queue, old faults. The unit passes all DMA and all interrupts through afterwards.
bool vtd_take_over(struct vtd_unit *u, struct problem *p);

// ---- queue.c: callers hold u->lock, or are alone ----

bool vtd_queue_start(struct vtd_unit *u, struct problem *p);

// Each returns when the unit has dropped the entries from its cache and the interrupts that went
// through them have arrived (VT-d 6.5.2.8, 6.5.5). "vtd-queue-error": the unit refused the request,
// "vtd-queue-stuck": it gave no answer.
bool vtd_invalidate_all(struct vtd_unit *u, struct problem *p);
bool vtd_invalidate_entry(struct vtd_unit *u, uint16_t index, struct problem *p);

// ---- table.c ----

// An empty table of `count` entries that the unit uses as soon as remapping is on.
bool vtd_table_start(struct vtd_unit *u, uint32_t count, struct problem *p);

// A free entry for irq; it stays absent until it is written. "vtd-table-full".
bool vtd_table_take(struct vtd_unit *u, struct irq *irq, uint32_t *index, struct problem *p);

// Empties the entry and gives it back; if the unit doesn't confirm, the entry is never used again.
bool vtd_table_release(struct vtd_unit *u, uint32_t index, struct problem *p);

// Replaces an entry; on return the unit knows no older one. Any CPU, not in interrupt context.
bool vtd_table_write(struct vtd_unit *u, uint32_t index, struct irte entry, struct problem *p);

// Who uses the entry, or, without an index, whether any entry is used for this sender; name is
// copied to `name`. False: nobody.
bool vtd_table_owner(struct vtd_unit *u, const struct vtd_fault *f, char *name, size_t bytes,
                     struct irte_fields *entry);

// ---- faults.c ----

// Sends the unit's fault events to that vector and CPU (VT-d 5.1.6.2) and unmasks them.
void vtd_faults_start(const struct vtd_unit *u, uint8_t vector, uint32_t apic_id);

// Starts counting from zero.
void vtd_faults_reset(void);

// Forgets all recorded faults and queue errors.
void vtd_faults_clear(const struct vtd_unit *u);

// ---- units.c ----

// Reads the DMAR table, warns of what is odd in it, and enters its units, as absent. NULL: "no-vtd", or a
// problem of dmar_parse(). Boot CPU, once.
struct dmar *vtd_units_read(struct problem *p);

// Finds out what each unit is needed for, once it is known which ones are absent. NULL: all of them are
// needed.
void vtd_units_find_needs(vtd_is_driven driven);

// The units that the table names, in each state, one by one; NULL past the end.
struct vtd_unit *vtd_unit_named(size_t index);

// The unit that the device's interrupts go through. "vtd-no-unit", "vtd-unit-absent", "vtd-unit-left", or
// what it lacks.
struct vtd_unit *vtd_unit_of(const struct pci_dev *dev, struct problem *p);

// The units in use, one by one; NULL past the end.
struct vtd_unit *vtd_unit_get(size_t index);
