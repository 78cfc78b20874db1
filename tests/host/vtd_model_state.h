// SPDX-License-Identifier: BSD-2-Clause
// What the modelled machine and its remapping units hold: memory, time, the units' state, and their
// fault records. Part of vtd_model.h.
#pragma once

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <string.h>

#include "kernel/mem/map.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/x86/time.h"
#include "lib/cache.h"
#include "lib/mmio.h"
#include "lib/types.h"

// ---- memory and time ----

#define MODEL_MEMORY (16 << 20)
#define MODEL_TIME_STEP_NS 10000 // time_ns() moves on by that

static uint8_t model_memory[MODEL_MEMORY] __attribute__((aligned(MODEL_MEMORY)));
static uint8_t model_dram[MODEL_MEMORY]; // what a unit without snooping reads
static size_t model_memory_used;
static uint64_t model_memory_free; // as it says
static uint64_t model_now;

static void model_tick(void);

// A test's own event: whatever may happen between any two actions of the driver. It is called
// before and after each access to a register, each flush and each look at the time, but not for
// what it does itself.
static void (*model_between)(void);

static bool model_busy; // the model is at work: its state may not make sense just now

static void model_moment(void)
{
    static bool inside;
    if (!model_between || inside)
        return;
    inside = true;
    model_between();
    inside = false;
}

uint64_t time_ns(void)
{
    model_moment();
    model_busy = true;
    model_now += MODEL_TIME_STEP_NS;
    model_tick();
    model_busy = false;
    model_moment();
    return model_now;
}

// Where the last pieces of memory lie.
#define MODEL_PIECES 16
static struct model_piece {
    const void *at;
    unsigned node;
} model_pieces[MODEL_PIECES];
static unsigned model_pieces_count;

// ~1: none of them starts there.
static inline unsigned model_node_of(uint64_t phys)
{
    for (unsigned i = 0; i < MODEL_PIECES; i++)
        if ((uint64_t)(uintptr_t)model_pieces[i].at == phys)
            return model_pieces[i].node;
    return ~1u;
}

void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    size_t at = ALIGN_UP(model_memory_used, MAX(align, (size_t)CACHE_LINE));
    if (at + bytes > MODEL_MEMORY)
        abort();
    ASAN_UNPOISON_MEMORY_REGION(model_memory + at, bytes);
    memset(model_memory + at, 0, bytes);
    model_memory_used = at + bytes + CACHE_LINE; // a gap, for the sanitizer
    model_pieces[model_pieces_count++ % MODEL_PIECES] =
        (struct model_piece){ model_memory + at, node };
    return model_memory + at;
}

static uint64_t model_dma_limit, model_dma_bytes;
static mem_dma_map model_dma_map;
static uint64_t model_ram_end = 16 * GIB;

void mem_dma_init(uint64_t limit, uint64_t largest, mem_dma_map map)
{
    model_dma_limit = limit;
    model_dma_map = map;
}

uint64_t mem_dma_bytes(void)
{
    return model_dma_bytes;
}

uint64_t mem_dma_used(void)
{
    return model_dma_bytes;
}

bool mem_has_ram(uint64_t phys, uint64_t bytes)
{
    return phys < model_ram_end && phys + bytes > 4 * GIB;
}

uint64_t mem_ram_end(void)
{
    return model_ram_end;
}

const char *mem_what(uint64_t phys)
{
    return "RAM";
}

uint64_t mem_free_bytes(void)
{
    return model_memory_free;
}

uint64_t mem_phys(const volatile void *virt)
{
    return (uint64_t)(uintptr_t)virt;
}

static bool model_is_memory(uint64_t phys, size_t bytes)
{
    uint64_t base = (uint64_t)(uintptr_t)model_memory;
    return phys >= base && phys + bytes <= base + model_memory_used;
}

void cache_model_flush(const volatile void *at, size_t bytes)
{
    uintptr_t base = (uintptr_t)model_memory;
    uintptr_t first = ALIGN_DOWN((uintptr_t)at, CACHE_LINE) - base;
    uintptr_t end = ALIGN_UP((uintptr_t)at + bytes, (uintptr_t)CACHE_LINE) - base;
    model_moment();
    model_busy = true;
    for (uintptr_t i = first; i < end; i += 8)
        memcpy(model_dram + i, model_memory + i, 8);
    model_busy = false;
    model_moment();
}

// ---- the unit ----

#define M_TE (1u << 31)
#define M_SRTP (1u << 30)
#define M_WBF (1u << 27)
#define M_QIE (1u << 26)
#define M_IRE (1u << 25)
#define M_SIRTP (1u << 24)
#define M_CFI (1u << 23)

#define M_CAP_PI (1ull << 59)
#define M_CAP_ESIRTPS (1ull << 62)
#define M_CAP_PHMR (1ull << 6)
#define M_CAP_PLMR (1ull << 5)
#define M_CAP_RWBF (1ull << 4)
#define M_CAP_RECORDS(offset, count) ((uint64_t)(offset) / 16 << 24 | (uint64_t)((count) - 1) << 40)
#define M_ECAP_C (1ull << 0)
#define M_ECAP_QI (1ull << 1)
#define M_ECAP_IR (1ull << 3)
#define M_ECAP_EIM (1ull << 4)
#define M_ECAP_PRS (1ull << 29)
#define M_ECAP_SMTS (1ull << 43)
#define M_ECAP_ADMS (1ull << 52)
#define M_ECAP_IRO(offset) ((uint64_t)(offset) / 16 << 8)

#define M_FSTS_PFO (1u << 0)
#define M_FSTS_PPF (1u << 1)
#define M_FSTS_IQE (1u << 4)
#define M_FSTS_ICE (1u << 5)
#define M_FSTS_ITE (1u << 6)

#define MODEL_RECORDS 256
#define MODEL_ENTRIES 65536
#define MODEL_WINDOW 0x10000

struct model_entry {
    uint64_t low, high;
};

// What it has found of a function, and of an address; a reason: that there is nothing.
struct model_context {
    bool valid;
    uint16_t source;
    unsigned reason;
    uint64_t entry[2];
};

struct model_translation {
    bool valid;
    uint16_t domain;
    uint64_t page;
    unsigned reason;
    uint64_t to; // page
};

#define MODEL_POSTED_WRITES 64
struct model_write {
    size_t offset;
    uint64_t value;
    unsigned bytes;
};

struct model_unit {
    // What it is; set by the test.
    uint64_t base, cap, ecap;
    unsigned delay;        // GSTS or PMEN reads that a command takes
    unsigned lag;          // ticks of time until the queue is looked at
    unsigned pace;         // and more for each further descriptor
    bool posts_writes;     // writes to registers wait for the next read of one
    uint32_t deaf;         // commands that it never carries out
    bool deaf_pmen;        // protected memory that doesn't end
    bool hang_waits;       // wait descriptors that never complete
    unsigned bad_requests; // so many invalidations to refuse (IQE)
    unsigned time_outs;    // so many waits to abort (ITE)
    unsigned refusal;      // with this in IQERCD.IQEI
    uint64_t false_head;   // what IQH says while the queue has stopped; 0: the truth
    bool gone;             // it answers with ones, and does nothing
    unsigned ttm;          // translation mode in use; firmware's at first

    // What it holds.
    uint32_t gsts, fsts, fectl, iectl, pectl, fedata, feaddr, feuaddr, pmen;
    uint64_t iqh, iqt, iqa, iqercd, irta, ccmd, iotlb;
    uint64_t irta_in_use;  // as of the last SIRTP
    uint64_t rtaddr, root; // the latter as of the last SRTP
    uint64_t plm_base, plm_limit, phm_base, phm_limit;
    struct model_context contexts[32];
    struct model_translation translations[64];
    unsigned next_context, next_translation;
    uint64_t arrived_at;              // the last access that was translated
    bool contexts_stale, pages_stale; // not invalidated since they had to be
    uint64_t records[MODEL_RECORDS][2];
    unsigned next_record;
    uint32_t pending; // a command under way
    bool pending_on;
    unsigned pending_reads, pmen_reads;
    uint64_t queue_due; // model_ticks at which the queue is looked at; 0: nothing to do
    bool last_was_wait, cache_clean;
    uint64_t refused; // offset of the request refused last, plus 1
    size_t mapped;    // bytes of its registers
    struct model_write posted[MODEL_POSTED_WRITES];
    unsigned posted_count;

    // What it saw.
    char violation[160]; // the first rule broken
    char log[1024];      // commands and invalidations, in order
    unsigned events;     // fault events sent
    uint64_t event_address;
    uint32_t event_data;
    unsigned entry_invalidations, global_invalidations;
    struct model_entry cache[MODEL_ENTRIES];
    bool cached[MODEL_ENTRIES];
    uint8_t *window; // never read or written: only its addresses are used
};

#define MODEL_UNITS 3
static struct model_unit model_units[MODEL_UNITS];
static uint8_t model_windows[MODEL_UNITS][MODEL_WINDOW] __attribute__((aligned(4096)));
static uint64_t model_ticks;

static struct model_unit *model_reset(unsigned i, uint64_t base, uint64_t cap, uint64_t ecap)
{
    struct model_unit *m = &model_units[i];
    memset(m, 0, sizeof(*m));
    m->base = base;
    m->cap = cap;
    m->ecap = ecap;
    m->refusal = 3;
    m->fectl = m->iectl = m->pectl = 1u << 31;
    m->window = model_windows[i];
    return m;
}

static void model_reset_all(void)
{
    memset(model_units, 0, sizeof(model_units));
    model_between = NULL;
    memset(model_dram, 0xff, sizeof(model_dram)); // what was in memory before
    ASAN_POISON_MEMORY_REGION(model_memory, sizeof(model_memory));
    model_memory_used = model_pieces_count = 0;
    memset(model_pieces, 0, sizeof(model_pieces));
    model_memory_free = GIB;
}

#define MODEL_BROKEN(m, ...)                                                                       \
    do {                                                                                           \
        if (!(m)->violation[0])                                                                    \
            snprintf((m)->violation, sizeof((m)->violation), __VA_ARGS__);                         \
    } while (0)

static void model_log(struct model_unit *m, const char *text)
{
    size_t used = strlen(m->log);
    snprintf(m->log + used, sizeof(m->log) - used, "%s%s", used ? " " : "", text);
}

bool mem_may_be_mmio(uint64_t phys, size_t bytes)
{
    return phys + bytes <= 1ull << 46;
}

volatile void *mem_map_mmio(uint64_t phys, size_t bytes)
{
    for (unsigned i = 0; i < MODEL_UNITS; i++)
        if (model_units[i].window && model_units[i].base == phys) {
            model_units[i].mapped = bytes;
            return model_units[i].window;
        }
    abort();
}

// ---- faults (VT-d 7.2, 7.3) ----

static void model_send_event(struct model_unit *m)
{
    if (!(m->fectl & 1u << 30) || m->fectl & 1u << 31)
        return;
    m->fectl &= ~(1u << 30);
    m->events++;
    m->event_address = (uint64_t)m->feuaddr << 32 | m->feaddr;
    m->event_data = m->fedata;
}

// Before the status changes: whether the change is an event.
static void model_condition(struct model_unit *m)
{
    if (!(m->fsts & (M_FSTS_PFO | M_FSTS_PPF | M_FSTS_IQE | M_FSTS_ICE | M_FSTS_ITE)))
        m->fectl |= 1u << 30;
}

static unsigned model_record_count(const struct model_unit *m)
{
    return (unsigned)(m->cap >> 40 & 0xff) + 1;
}

static void model_fault(struct model_unit *m, unsigned reason, uint16_t source, uint64_t info)
{
    uint64_t *r = m->records[m->next_record];
    if (m->fsts & M_FSTS_PFO)
        return;
    if (r[1] >> 63) {
        m->fsts |= M_FSTS_PFO;
        return;
    }
    model_condition(m);
    r[0] = info;
    r[1] = 1ull << 63 | (uint64_t)reason << 32 | source;
    if (!(m->fsts & M_FSTS_PPF))
        m->fsts = (m->fsts & ~0xff00u) | M_FSTS_PPF | m->next_record << 8;
    m->next_record = (m->next_record + 1) % model_record_count(m);
    model_send_event(m);
}

static void model_clear_record(struct model_unit *m, unsigned i)
{
    m->records[i][1] &= ~(1ull << 63);
    for (unsigned n = 0; n < model_record_count(m); n++)
        if (m->records[n][1] >> 63)
            return;
    m->fsts &= ~M_FSTS_PPF;
}
