// SPDX-License-Identifier: BSD-2-Clause
// One remapping unit, its registers, its queue and its tables, and what the files here do with it. Inside
// drivers/vtd only; others use vtd.h.
#pragma once

#include <stdatomic.h>

#include "drivers/vtd/dmar.h"
#include "drivers/vtd/fault_text.h"
#include "drivers/vtd/left.h"
#include "drivers/vtd/vtd.h"
#include "drivers/vtd/vtd_regs.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/tables.h"
#include "lib/cache.h"
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
    uint32_t end;        // entries from here on were never taken
};

#define VTD_LEVELS_LEAST 3 // 39 bits
#define VTD_LEVELS_MOST 5  // 57 bits

// What functions that it is granted to reach: of VT-d's domains one, by the same id in each unit. Its
// second-level tables (VT-d 3.7, 9.8) of 5 levels begin with those of 4, and these with those of 3: units of any
// width share them, each from a root of its own.
struct pci_space {
    uint16_t id; // 0 stands for absent entries where CAP.CM is set (VT-d 6.2.2.1)
    struct tables tables;
    uint64_t *roots[VTD_LEVELS_MOST + 1]; // by levels
};

enum vtd_unit_state {
    VTD_UNIT_ABSENT,  // the table names it, and nothing that makes sense answers there
    VTD_UNIT_LEFT,    // put aside, since it failed and no device of ours needs it
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
    struct vtd_left left;
    bool fenced;     // it translates, by our tables
    unsigned levels; // of the page tables,
    uint64_t limit;  // and of the addresses that they translate
    struct vtd_entry *root;
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

// Else what it reads of tables is flushed from the cache.
static inline bool vtd_snoops(const struct vtd_unit *u)
{
    return u->ecap & VTD_ECAP_C;
}

static inline void vtd_flush(const struct vtd_unit *u, const void *at, size_t bytes)
{
    if (!vtd_snoops(u))
        cache_flush(at, bytes);
}

// ---- unit.c ----

// Maps the registers, fault records included, and reads what the unit can do. False: they read as what is
// switched off reads, ones or zeros, or can't be where the table says ("vtd-unit-absent").
bool vtd_unit_map(struct vtd_unit *u, struct problem *p);

// Queue, remapping, x2APIC ids: each missing one is a problem of its own ("vtd-no-qi",
// "vtd-no-ir", "vtd-no-eim").
bool vtd_unit_check(const struct vtd_unit *u, struct problem *p);

// "vtd-no-posting".
bool vtd_unit_can_post(const struct vtd_unit *u, struct problem *p);

// Has one bit of the global command register be so: writes it where it isn't so already, and waits for its
// status. The only place that writes it (VT-d 11.4.4.1). "vtd-timeout" if the unit doesn't follow.
bool vtd_gcmd(const struct vtd_unit *u, uint32_t bit, bool on, struct problem *p);

// Makes stores to remapping structures visible to a unit whose chipset buffers them (CAP.RWBF,
// VT-d 6.8); nothing to do elsewhere. Invalidation does the same by itself.
bool vtd_flush_write_buffer(const struct vtd_unit *u, struct problem *p);

// ---- takeover.c ----

// Ends whatever firmware, or we, left on: events, remapping, translation, protected memory, invalidation
// queue, old faults; no address stays in a register. The unit passes all DMA and all interrupts through
// afterwards. What stays is, with keep_fence, firmware's translation and protected memory, which keep DMA out
// until vtd_turn_translation_on() has tables of ours; and translation that could hang a display.
bool vtd_take_over(struct vtd_unit *u, bool keep_fence, struct problem *p);

// ---- firmware_fence.c ----

// Ends protected memory, where there is any.
bool vtd_end_protection(const struct vtd_unit *u, struct problem *p);

// False where turning translation off, if it is on, could hang the display behind the unit ("vtd-unit-left").
bool vtd_may_end_translation(const struct vtd_unit *u, struct problem *p);

// Ends translation by tables of another mode than ours, if it is on; where the unit can, all memory is protected
// from then on.
bool vtd_leave_other_mode(const struct vtd_unit *u, struct problem *p);

// ---- queue.c: callers hold u->lock, or are alone ----

bool vtd_queue_start(struct vtd_unit *u, struct problem *p);

// Each returns when the unit has dropped the entries from its cache and the interrupts that went
// through them have arrived (VT-d 6.5.2.8, 6.5.5). "vtd-queue-error": the unit refused the request,
// "vtd-queue-stuck": it gave no answer.
bool vtd_invalidate_all(struct vtd_unit *u, struct problem *p);
// Of 2^mask entries, `index` being the first; mask is at most ECAP.MHMV.
bool vtd_invalidate_entries(struct vtd_unit *u, uint16_t index, unsigned mask, struct problem *p);

// Of the tables for DMA: everything; one sender's context, with the pages of the domain that it reached; a
// domain's pages alone. Contexts go before pages, which are cached by what the context says (VT-d 6.5.3.1,
// table 28), and these drain DMA that is under way, where the unit can.
bool vtd_invalidate_translations(struct vtd_unit *u, struct problem *p);
bool vtd_invalidate_source(struct vtd_unit *u, uint16_t source, uint16_t domain, struct problem *p);
bool vtd_invalidate_domain(struct vtd_unit *u, uint16_t domain, struct problem *p);

// ---- table.c ----

// An empty table that the unit uses as soon as remapping is on.
bool vtd_table_start(struct vtd_unit *u, struct problem *p);

// A free entry for irq; it stays absent until it is written. "vtd-table-full".
bool vtd_table_take(struct vtd_unit *u, struct irq *irq, uint32_t *index, struct problem *p);

// Empties the entry and gives it back; if the unit doesn't confirm, the entry is never used again.
bool vtd_table_release(struct vtd_unit *u, uint32_t index, struct problem *p);

// Replaces an entry; on return the unit knows no older one. Any CPU, not in interrupt context.
bool vtd_table_write(struct vtd_unit *u, uint32_t index, struct irte entry, struct problem *p);

// Enters who uses the entry, or, without an index, some entry that this sender may use. False: nobody.
bool vtd_table_owner(struct vtd_unit *u, struct vtd_fault *f);

// ---- context.c: boot CPU, u->lock held ----

// The ids that its requests may bear, as the unit sees them, one by one: its own, and that of the bridge which
// speaks for it. False past the end.
bool vtd_source_of(const struct pci_dev *dev, size_t index, uint16_t *source);
#define for_each_source(dev, source)                                                               \
    for (uint16_t source, at_ = 0; vtd_source_of(dev, at_, &source); at_++)

// Has the unit translate by its root table, whatever it did before, with no moment in between at which
// it would let through what neither firmware's tables nor ours do. All bus masters are off.
bool vtd_turn_translation_on(struct vtd_unit *u, struct problem *p);

// Lets a sender reach the space; another space that it was granted, what firmware reserved, gives way. And
// ends that: nothing of its DMA arrives from then on.
bool vtd_context_grant(struct vtd_unit *u, uint16_t source, const struct pci_space *s,
                       struct problem *p);
bool vtd_context_revoke(struct vtd_unit *u, uint16_t source, struct problem *p);

// The id of the space that it reaches; 0: none.
uint16_t vtd_context_domain(const struct vtd_unit *u, uint16_t source);

// Its entry; makes room for it, without u->lock, since without memory the run ends here.
struct vtd_entry *vtd_context_prepare(struct vtd_unit *u, uint16_t source);

// What the unit blocks of this sender isn't told. It has no entry.
bool vtd_context_silence(struct vtd_unit *u, uint16_t source, struct problem *p);

// ---- space.c: boot CPU ----

// Spaces: what functions reach, the DMA arena or memory of their own, each by tables and a domain id of its own.

// The first space, with id 1. The units in use translate addresses below `limit`, by pages of up to that level; not
// all of them need to snoop. Spaces of before are no more.
struct pci_space *vtd_spaces_begin(unsigned largest, bool snooped, uint64_t limit,
                                   struct problem *p);

// An empty one. "domain-ids": no id is left.
struct pci_space *vtd_space_create(struct problem *p);

// Has functions find [at, at + bytes) at `phys`. "domain-map": it can't be there, or something else is;
// or a unit doesn't confirm it.
bool vtd_space_map(struct pci_space *s, uint64_t at, uint64_t phys, uint64_t bytes,
                   struct problem *p);

// How many ids the unit knows, 0 among them.
uint32_t vtd_domains(const struct vtd_unit *u);

// ---- fence.c: the fence around DMA (dma=); others use vtd.h, and pci_enable() ----

// Chooses tables that all units in use can translate by, and has the DMA arena mapped in them. Boot CPU, once,
// after the units were taken over. "dma-no-translation" names a unit that can't.
bool vtd_fence_plan(struct problem *p);

// All units translate: from now on pci_enable() grants, and pci_stop_bus_master() revokes.
void vtd_fence_raise(void);
bool vtd_fence_is_on(void);

// ---- undriven.c ----

// Enters the functions that nobody drives into the contexts of their unit, whose root table is empty. With `rmrr`,
// those that firmware has reserved memory for keep that. "dma-reserved", "dma-domains": the unit can't do that.
bool vtd_undriven_settle(struct vtd_unit *u, bool rmrr, vtd_is_driven driven, struct problem *p);

// ---- faults.c ----

// Sends the unit's fault events to that vector and CPU (VT-d 5.1.6.2) and unmasks them.
void vtd_faults_start(const struct vtd_unit *u, uint8_t vector, uint32_t apic_id);

// Tells of what has come up to now, and is owed. Boot CPU, at the end.
void vtd_faults_finish(void);

// How many records there are; and one of them as it stands, where it is in use.
size_t vtd_fault_records(const struct vtd_unit *u);
bool vtd_fault_read(const struct vtd_unit *u, size_t index, struct vtd_fault *f);

// Forgets all recorded faults and queue errors.
void vtd_faults_clear(const struct vtd_unit *u);

// ---- fault_report.c: from the boot CPU's loop ----

// Starts counting from zero.
void fault_report_reset(void);

// Of one, as its record has it; enters what the driver knows of it.
void fault_report(struct vtd_unit *u, struct vtd_fault *f);

// That the unit had no record free for some.
void fault_report_lost(const struct vtd_unit *u);

// Of those that were too many to be told one by one, once that is due. Returns when it will be due; 0: nothing is
// owed.
uint64_t fault_report_owed(uint64_t now);

// ---- what.c ----

// What lies at an address that was blocked, in words. Any CPU.
const char *vtd_what_lies_at(uint64_t at);

// Whether firmware reserved the memory there for that sender.
bool vtd_is_reserved_at(const struct vtd_fault *f);

// ---- units.c ----

// Reads the DMAR table, warns of what is odd in it, and enters its units, as absent. NULL: "no-vtd", or a
// problem of dmar_parse(). Boot CPU, once.
struct dmar *vtd_units_read(struct problem *p);

// Finds out what each unit is needed for, once it is known which ones are absent. NULL: all of them are
// needed.
void vtd_units_find_needs(vtd_is_driven driven);

// The units that the table names, in each state, one by one; NULL past the end.
struct vtd_unit *vtd_unit_named(size_t index);
#define for_each_named_unit(u) for_each_of (struct vtd_unit, u, vtd_unit_named)

// What the DMAR table says, once it was read.
const struct dmar *vtd_units_table(void);

// The ranges of memory that firmware reserved for a function.
#define for_each_reserved(dev, range)                                                              \
    for (size_t scope_ = 0; scope_ != SIZE_MAX; scope_ = SIZE_MAX)                                 \
        for (const struct dmar_reserved *range;                                                    \
             scope_next_reserved(vtd_units_table(), dev, &scope_, &range);)

// The unit that the device's interrupts and DMA go through. "vtd-no-unit", "vtd-unit-absent", "vtd-unit-
// left", or what it lacks.
struct vtd_unit *vtd_unit_of(const struct pci_dev *dev, struct problem *p);

// The units in use, one by one; NULL past the end.
struct vtd_unit *vtd_unit_get(size_t index);
#define for_each_unit(u) for_each_of (struct vtd_unit, u, vtd_unit_get)
