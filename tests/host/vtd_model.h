// SPDX-License-Identifier: BSD-2-Clause
// A remapping unit at register level, behind mmio_model_read() and mmio_model_write(), together with
// the little of a machine that it needs: memory, time and address mapping. Written from the
// specification, apart from drivers/vtd/vtd_regs.h, and stricter than hardware: what breaks a rule
// of the specification is noted in `violation`, and remapping entries are cached until they are
// invalidated.
//
// For one test binary each: the functions are static or replace the kernel's.
#pragma once

#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <string.h>

#include "kernel/mem.h"
#include "kernel/time.h"
#include "lib/cache.h"
#include "lib/mmio.h"
#include "lib/types.h"

// ---- memory and time ----

#define MODEL_MEMORY (8 << 20)
#define MODEL_TIME_STEP_NS 10000 // time_ns() moves on by that

static uint8_t model_memory[MODEL_MEMORY] __attribute__((aligned(MODEL_MEMORY)));
static uint8_t model_dram[MODEL_MEMORY]; // what a unit without snooping reads
static size_t model_memory_used;
static unsigned model_last_node; // of the last mem_alloc()
static uint64_t model_now;

static void model_tick(void);

uint64_t time_ns(void)
{
    model_now += MODEL_TIME_STEP_NS;
    model_tick();
    return model_now;
}

void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    size_t at = ALIGN_UP(model_memory_used, MAX(align, (size_t)CACHE_LINE));
    if (at + bytes > MODEL_MEMORY)
        abort();
    ASAN_UNPOISON_MEMORY_REGION(model_memory + at, bytes);
    memset(model_memory + at, 0, bytes);
    model_memory_used = at + bytes + CACHE_LINE; // a gap, for the sanitizer
    model_last_node = node;
    return model_memory + at;
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
    for (uintptr_t i = first; i < end; i += 8)
        memcpy(model_dram + i, model_memory + i, 8);
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
#define M_CAP_PLMR (1ull << 5)
#define M_CAP_RWBF (1ull << 4)
#define M_CAP_RECORDS(offset, count) ((uint64_t)(offset) / 16 << 24 | (uint64_t)((count)-1) << 40)
#define M_ECAP_C (1ull << 0)
#define M_ECAP_QI (1ull << 1)
#define M_ECAP_IR (1ull << 3)
#define M_ECAP_EIM (1ull << 4)
#define M_ECAP_PRS (1ull << 29)
#define M_ECAP_SMTS (1ull << 43)
#define M_ECAP_IRO(offset) ((uint64_t)(offset) / 16 << 8)

#define M_FSTS_PFO (1u << 0)
#define M_FSTS_PPF (1u << 1)
#define M_FSTS_IQE (1u << 4)
#define M_FSTS_ICE (1u << 5)
#define M_FSTS_ITE (1u << 6)

#define MODEL_RECORDS 16
#define MODEL_ENTRIES 65536
#define MODEL_WINDOW 0x10000

struct model_entry {
    uint64_t low, high;
};

struct model_unit {
    // What it is; set by the test.
    uint64_t base, cap, ecap;
    unsigned delay;        // GSTS reads that a command takes
    unsigned lag;          // ticks of time until the queue is looked at
    uint32_t deaf;         // commands that it never carries out
    bool stubborn_pmen;    // protected memory that doesn't end
    bool hang_waits;       // wait descriptors that never complete
    unsigned bad_requests; // so many invalidations to refuse (IQE)
    unsigned ttm;          // RTADDR's translation mode, as firmware left it

    // What it holds.
    uint32_t gsts, fsts, fectl, iectl, pectl, fedata, feaddr, feuaddr, pmen;
    uint64_t iqh, iqt, iqa, iqercd, irta, ccmd, iotlb;
    uint64_t irta_in_use; // as of the last SIRTP
    uint64_t records[MODEL_RECORDS][2];
    unsigned next_record;
    uint32_t pending;     // a command under way
    bool pending_on;
    unsigned pending_reads;
    uint64_t queue_due;   // model_ticks at which the queue is looked at; 0: nothing to do
    bool last_was_wait, cache_clean;
    uint64_t refused; // offset of the request refused last, plus 1
    size_t mapped;        // bytes of its registers

    // What it saw.
    char violation[160];  // the first rule broken
    char log[1024];       // commands and invalidations, in order
    unsigned events;      // fault events sent
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
    m->fectl = m->iectl = m->pectl = 1u << 31;
    m->window = model_windows[i];
    return m;
}

static void model_reset_all(void)
{
    memset(model_units, 0, sizeof(model_units));
    memset(model_dram, 0xff, sizeof(model_dram)); // what was in memory before
    ASAN_POISON_MEMORY_REGION(model_memory, sizeof(model_memory));
    model_memory_used = 0;
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

// ---- the invalidation queue (VT-d 6.5.2) ----

static uint32_t model_step(const struct model_unit *m)
{
    return m->iqa & 1u << 11 ? 32 : 16;
}

static void model_queue_error(struct model_unit *m, unsigned info)
{
    model_condition(m);
    m->fsts |= M_FSTS_IQE;
    m->iqercd = info;
    model_send_event(m);
}

// Interrupt entry cache: all, or by index and mask.
static unsigned model_iec(struct model_unit *m, uint64_t low, uint64_t high)
{
    uint64_t im = low >> 27 & 0x1f, first = low >> 32 & 0xffff;
    char text[16];
    if (low & ~0x0000fffff8000e1full || high || im > (m->ecap >> 20 & 0xf))
        return 4;
    if (m->bad_requests || m->refused == m->iqh + 1) { // stays bad until it is replaced
        m->bad_requests -= !!m->bad_requests;
        m->refused = m->iqh + 1;
        return 3;
    }
    if (!(low & 0x10)) {
        memset(m->cached, 0, sizeof(m->cached));
        m->cache_clean = true;
        m->global_invalidations++;
        model_log(m, "IEC");
        return 0;
    }
    for (uint64_t i = first & ~((1ull << im) - 1); i <= (first | ((1ull << im) - 1)); i++)
        m->cached[i] = false;
    m->entry_invalidations++;
    snprintf(text, sizeof(text), "IEC%u", (unsigned)first);
    model_log(m, text);
    return 0;
}

// Returns the error (IQERCD.IQEI), 0: none, or -1: it never completes.
static int model_wait(struct model_unit *m, uint64_t low, uint64_t high)
{
    uint32_t data = (uint32_t)(low >> 32);
    if (low & 0xfffff100 || high & 3)
        return 4;
    if (m->hang_waits)
        return -1;
    if (low & 0x20) {
        if (!model_is_memory(high, 4))
            MODEL_BROKEN(m, "6.5.2.9: status address %llx is not memory", (unsigned long long)high);
        else
            *(uint32_t *)(uintptr_t)high = data;
    }
    return 0;
}

static int model_descriptor(struct model_unit *m)
{
    uint64_t d[4] = { 0 };
    bool wide = model_step(m) == 32;
    if (wide ? !(m->ecap & M_ECAP_SMTS) : m->ttm != 0)
        return 5; // table 26
    uint64_t at = (m->iqa & ~0xfffull) + m->iqh;
    if (!model_is_memory(at, model_step(m)))
        return 2;
    memcpy(d, (const void *)(uintptr_t)at, model_step(m));
    unsigned type = (unsigned)((d[0] & 0xf) | (d[0] >> 9 & 7) << 4);
    m->last_was_wait = type == 5;
    if (d[2] || d[3])
        return 4;
    if (type == 4)
        return (int)model_iec(m, d[0], d[1]);
    return type == 5 ? model_wait(m, d[0], d[1]) : 3;
}

static void model_run_queue(struct model_unit *m)
{
    uint64_t size = 4096ull << (m->iqa & 7);
    while (m->gsts & M_QIE && m->iqh != m->iqt && !(m->fsts & (M_FSTS_IQE | M_FSTS_ITE))) {
        int error = m->iqt % model_step(m) || m->iqt >= size ? 6 : model_descriptor(m);
        if (error < 0)
            return;
        if (error) {
            model_queue_error(m, (unsigned)error);
            return;
        }
        m->iqh = (m->iqh + model_step(m)) % size;
        m->refused = 0;
    }
}

static void (*model_on_tick)(void); // a test's own, each time time_ns() is asked

static void model_tick(void)
{
    model_ticks++;
    if (model_on_tick)
        model_on_tick();
    for (unsigned i = 0; i < MODEL_UNITS; i++)
        if (model_units[i].queue_due && model_ticks >= model_units[i].queue_due) {
            model_units[i].queue_due = 0;
            model_run_queue(&model_units[i]);
        }
}

static void model_ring(struct model_unit *m)
{
    m->queue_due = model_ticks + m->lag;
    if (!m->lag) {
        m->queue_due = 0;
        model_run_queue(m);
    }
}

// ---- commands (VT-d 11.4.4, 6.7, 6.9) ----

static void model_check_on(struct model_unit *m, uint32_t bit)
{
    if (bit == M_QIE && m->iqt)
        MODEL_BROKEN(m, "6.5.2: QIE with IQT %llx", (unsigned long long)m->iqt);
    if (bit == M_QIE && !model_is_memory(m->iqa & ~0xfffull, 4096))
        MODEL_BROKEN(m, "6.5.2: QIE, and the queue is not in memory");
    if (bit == M_SIRTP && m->irta & 0x7f0)
        MODEL_BROKEN(m, "11.4.10: reserved bits in IRTA");
    if (bit != M_IRE)
        return;
    if (!(m->gsts & M_SIRTP))
        MODEL_BROKEN(m, "6.7: IRE before SIRTP");
    if (!m->cache_clean && !(m->cap & M_CAP_ESIRTPS))
        MODEL_BROKEN(m, "6.7: IRE without a global invalidation after SIRTP");
    if (!(m->irta_in_use & 1u << 11))
        MODEL_BROKEN(m, "11.4.10: IRE without EIME, and CPUs use x2APIC ids");
}

static void model_check_off(struct model_unit *m, uint32_t bit)
{
    bool stopped = m->fsts & (M_FSTS_IQE | M_FSTS_ITE);
    if (bit == M_QIE && !stopped && (m->iqh != m->iqt || (m->iqt && !m->last_was_wait)))
        MODEL_BROKEN(m, "6.5.2: QIE off while the queue is not at rest");
    if (bit == M_QIE && m->gsts & M_IRE)
        MODEL_BROKEN(m, "QIE off while remapping is on: entries can't be invalidated");
    if (bit & (M_SIRTP | M_SRTP | M_WBF))
        MODEL_BROKEN(m, "11.4.4.1: a one-shot bit cleared");
}

static void model_log_command(struct model_unit *m, uint32_t bit, bool on)
{
    char text[16];
    const char *name = bit == M_TE      ? "TE"
                       : bit == M_QIE   ? "QIE"
                       : bit == M_IRE   ? "IRE"
                       : bit == M_CFI   ? "CFI"
                       : bit == M_SIRTP ? "SIRTP"
                       : bit == M_WBF   ? "WBF"
                                        : "?";
    snprintf(text, sizeof(text), "%s%s", name, on ? "+" : "-");
    model_log(m, text);
}

static void model_complete(struct model_unit *m)
{
    uint32_t bit = m->pending;
    if (bit & m->deaf)
        return;
    m->pending = 0;
    if (bit == M_WBF) {
        m->gsts &= ~M_WBF;
        return;
    }
    m->gsts = m->pending_on ? m->gsts | bit : m->gsts & ~bit;
    if (bit == M_SIRTP) {
        m->irta_in_use = m->irta;
        if (m->cap & M_CAP_ESIRTPS)
            memset(m->cached, 0, sizeof(m->cached));
    }
    if (bit == M_QIE && !m->pending_on)
        m->iqh = 0;
    if (!(m->gsts & (M_TE | M_IRE)))
        m->next_record = 0; // 7.2.1
}

static void model_command(struct model_unit *m, uint32_t value)
{
    uint32_t changed = value ^ (m->gsts & 0x96ffffff);
    if (m->pending)
        MODEL_BROKEN(m, "6.9: GCMD written while a command is under way");
    if (__builtin_popcount(changed) != 1) {
        MODEL_BROKEN(m, "11.4.4.1: GCMD changes the bits %08x at once", changed);
        return;
    }
    bool on = value & changed;
    model_log_command(m, changed, on);
    if (on)
        model_check_on(m, changed);
    else
        model_check_off(m, changed);
    if (changed == M_SIRTP) {
        m->gsts &= ~M_SIRTP;
        m->cache_clean = false;
    }
    if (changed == M_WBF)
        m->gsts |= M_WBF;
    m->pending = changed;
    m->pending_on = on;
    m->pending_reads = m->delay;
    if (!m->delay)
        model_complete(m);
}

static uint32_t model_status(struct model_unit *m)
{
    if (m->pending && m->pending_reads && --m->pending_reads == 0)
        model_complete(m);
    return m->gsts;
}

// ---- registers ----

static struct model_unit *model_find(const volatile void *reg, size_t *offset, unsigned bytes)
{
    const volatile uint8_t *at = reg;
    for (unsigned i = 0; i < MODEL_UNITS; i++) {
        struct model_unit *m = &model_units[i];
        if (!m->window || at < m->window || at >= m->window + MODEL_WINDOW)
            continue;
        *offset = (size_t)(at - m->window);
        if (*offset + bytes > m->mapped)
            MODEL_BROKEN(m, "register %zx is not mapped", *offset);
        if (*offset % bytes)
            MODEL_BROKEN(m, "register %zx is not aligned", *offset);
        return m;
    }
    abort();
}

// The fault record that lies there; MODEL_RECORDS: none.
static unsigned model_record_at(const struct model_unit *m, size_t offset, size_t *within)
{
    size_t first = 16 * (size_t)(m->cap >> 24 & 0x3ff);
    if (offset < first || offset >= first + 16 * model_record_count(m))
        return MODEL_RECORDS;
    *within = (offset - first) % 16;
    return (unsigned)((offset - first) / 16);
}

static void (*model_on_record_read)(void); // the device's chance to fault once more

static uint64_t model_read_record(struct model_unit *m, unsigned i, size_t within, unsigned bytes)
{
    if (model_on_record_read)
        model_on_record_read();
    uint64_t value = m->records[i][within / 8];
    return bytes == 8 ? value : (uint32_t)(value >> 8 * (within % 8));
}

uint64_t mmio_model_read(const volatile void *reg, unsigned bytes)
{
    size_t offset, within;
    struct model_unit *m = model_find(reg, &offset, bytes);
    unsigned record = model_record_at(m, offset, &within);
    if (m->cap == ~0ull)
        return ~0ull;
    if (offset == 16 * (m->ecap >> 8 & 0x3ff) + 8 && bytes == 8)
        return m->iotlb;
    if (record < MODEL_RECORDS)
        return model_read_record(m, record, within, bytes);
    switch (offset << 4 | bytes) {
    case 0x00 << 4 | 4:
        return 0x40;
    case 0x08 << 4 | 8:
        return m->cap;
    case 0x10 << 4 | 8:
        return m->ecap;
    case 0x1c << 4 | 4:
        return model_status(m);
    case 0x28 << 4 | 8:
        return m->ccmd;
    case 0x34 << 4 | 4:
        return m->fsts;
    case 0x38 << 4 | 4:
        return m->fectl;
    case 0x64 << 4 | 4:
        return m->pmen;
    case 0x80 << 4 | 8:
        return m->iqh;
    case 0x88 << 4 | 8:
        return m->iqt;
    case 0xa0 << 4 | 4:
        return m->iectl;
    case 0xb0 << 4 | 8:
        return m->iqercd;
    case 0xe0 << 4 | 4:
        return m->pectl;
    default:
        MODEL_BROKEN(m, "read of %u bytes at register %zx", bytes, offset);
        return 0;
    }
}

static void model_write_status(struct model_unit *m, uint32_t value)
{
    m->fsts &= ~(value & (M_FSTS_PFO | M_FSTS_IQE | M_FSTS_ICE | M_FSTS_ITE));
    if (!(m->fsts & (M_FSTS_PFO | M_FSTS_PPF | M_FSTS_IQE | M_FSTS_ICE | M_FSTS_ITE)))
        m->fectl &= ~(1u << 30);
    model_ring(m); // a queue that stopped goes on
}

// IP is not to be written; bits 29:0 are kept by software.
static void model_write_control(struct model_unit *m, uint32_t *control, uint32_t value)
{
    if ((value ^ *control) & 0x3fffffff)
        MODEL_BROKEN(m, "11.4.7.2: kept bits of an event control changed");
    *control = (*control & 1u << 30) | (value & ~(1u << 30));
}

static void (*model_on_write)(void); // a test's own, before each write

void mmio_model_write(volatile void *reg, uint64_t value, unsigned bytes)
{
    size_t offset, within;
    if (model_on_write)
        model_on_write();
    struct model_unit *m = model_find(reg, &offset, bytes);
    unsigned record = model_record_at(m, offset, &within);
    if (record < MODEL_RECORDS) {
        if (within == 12 && value & 1u << 31)
            model_clear_record(m, record);
        return;
    }
    switch (offset << 4 | bytes) {
    case 0x18 << 4 | 4:
        model_command(m, (uint32_t)value);
        return;
    case 0x34 << 4 | 4:
        model_write_status(m, (uint32_t)value);
        return;
    case 0x38 << 4 | 4:
        model_write_control(m, &m->fectl, (uint32_t)value);
        model_send_event(m);
        return;
    case 0x3c << 4 | 4:
        m->fedata = (uint32_t)value;
        return;
    case 0x40 << 4 | 4:
        m->feaddr = (uint32_t)value;
        return;
    case 0x44 << 4 | 4:
        m->feuaddr = (uint32_t)value;
        return;
    case 0x64 << 4 | 4:
        m->pmen = m->stubborn_pmen ? m->pmen : (uint32_t)value & ~1u;
        return;
    case 0x88 << 4 | 8:
        m->iqt = value;
        model_ring(m);
        return;
    case 0x90 << 4 | 8:
        if (m->gsts & M_QIE)
            MODEL_BROKEN(m, "11.4.9.3: IQA written while the queue is on");
        m->iqa = value;
        return;
    case 0xa0 << 4 | 4:
        if (!(m->ecap & M_ECAP_QI))
            MODEL_BROKEN(m, "11.4.9.5: IECTL written on a unit without a queue");
        model_write_control(m, &m->iectl, (uint32_t)value);
        return;
    case 0xb8 << 4 | 8:
        if (m->gsts & M_IRE)
            MODEL_BROKEN(m, "11.4.10: IRTA written while remapping is on");
        m->irta = value;
        return;
    case 0xe0 << 4 | 4:
        if (!(m->ecap & M_ECAP_PRS))
            MODEL_BROKEN(m, "11.4.11.5: PECTL written on a unit without page requests");
        model_write_control(m, &m->pectl, (uint32_t)value);
        return;
    default:
        MODEL_BROKEN(m, "write of %u bytes to register %zx", bytes, offset);
    }
}

// ---- interrupts (VT-d 5.1.4, 5.2.3) ----

struct model_result {
    unsigned reason; // of the fault; 0: it arrived
    bool posted;
    uint8_t vector;
    uint32_t destination; // remapped
    uint64_t descriptor;  // posted
};

static bool model_source_ok(uint64_t high, uint16_t source)
{
    uint16_t sid = (uint16_t)high;
    static const uint16_t masks[] = { 0xffff, 0xfffb, 0xfff9, 0xfff8 };
    switch (high >> 18 & 3) {
    case 0:
        return true;
    case 1:
        return !((sid ^ source) & masks[high >> 16 & 3]);
    default:
        return source >> 8 >= sid >> 8 && source >> 8 <= (sid & 0xff);
    }
}

// Reserved bits of a present entry (VT-d 9.9, 9.10), with EIME=1.
static bool model_reserved(const struct model_unit *m, struct model_entry e)
{
    if ((e.high >> 18 & 3) == 3)
        return true;
    if (!(e.low & 1u << 15))
        return e.low & 0xff007000 || e.high & ~0xfffffull;
    return !(m->cap & M_CAP_PI) || e.low & 0x0000003fff0030fcull || e.high & 0xfff00000;
}

static struct model_entry model_fetch(struct model_unit *m, uint32_t index)
{
    uint64_t at = (m->irta_in_use & ~0xfffull) + 16ull * index;
    struct model_entry e;
    if (!m->cached[index]) {
        const uint8_t *memory = m->ecap & M_ECAP_C ? model_memory : model_dram;
        memcpy(&e, memory + (at - (uint64_t)(uintptr_t)model_memory), sizeof(e));
        m->cache[index] = e;
        m->cached[index] = e.low & 1; // CAP.CM=0: only present ones
    }
    return e = m->cache[index];
}

static unsigned model_blocked(struct model_unit *m, unsigned reason, uint16_t source, uint32_t index)
{
    model_fault(m, reason, source, (uint64_t)index << 48);
    return reason;
}

// A device's message. A posted one sets its bit in the descriptor.
static inline struct model_result model_msi(struct model_unit *m, uint16_t source,
                                            uint64_t address, uint32_t data)
{
    struct model_result r = { 0 };
    uint32_t index = (uint32_t)(address >> 5 & 0x7fff) | (address & 4 ? 0x8000 : 0);
    if (!(m->gsts & M_IRE) || !(address & 0x10)) {
        if (m->gsts & M_IRE)
            r.reason = model_blocked(m, 0x25, source, 0);
        r.vector = (uint8_t)data;
        r.destination = (uint32_t)(address >> 12 & 0xff);
        return r;
    }
    if (address & 8)
        index += data & 0xffff;
    if (index >= 2u << (m->irta_in_use & 0xf)) {
        r.reason = model_blocked(m, 0x21, source, index);
        return r;
    }
    struct model_entry e = model_fetch(m, index);
    if (!(e.low & 1))
        r.reason = model_blocked(m, 0x22, source, index);
    else if (model_reserved(m, e))
        r.reason = model_blocked(m, 0x24, source, index);
    else if (!model_source_ok(e.high, source))
        r.reason = model_blocked(m, 0x26, source, index);
    if (r.reason)
        return r;
    r.posted = e.low & 1u << 15;
    r.vector = (uint8_t)(e.low >> 16);
    if (!r.posted) {
        r.destination = (uint32_t)(e.low >> 32);
        return r;
    }
    r.descriptor = (e.low >> 32 & 0xffffffc0) | (e.high & 0xffffffff00000000);
    ((uint64_t *)(uintptr_t)r.descriptor)[r.vector / 64] |= 1ull << (r.vector % 64);
    return r;
}
