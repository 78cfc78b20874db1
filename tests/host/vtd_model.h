// SPDX-License-Identifier: BSD-2-Clause
// A remapping unit at register level, behind mmio_model_read() and mmio_model_write(), together
// with the little of a machine that it needs: memory, time and address mapping. Written from the
// specification, apart from drivers/vtd/vtd_regs.h, and stricter than hardware: what breaks a rule
// of the specification is noted in `violation`, and remapping entries are cached until they are
// invalidated.
//
// For one test binary each: the functions are static or replace the kernel's.
#pragma once

#include "vtd_model_msi.h"
#include "vtd_model_queue.h"
#include "vtd_model_state.h"

// ---- commands (VT-d 11.4.4, 6.7, 6.9) ----

static void model_check_on(struct model_unit *m, uint32_t bit)
{
    if (bit == M_QIE && m->iqt)
        MODEL_BROKEN(m, "6.5.2: QIE with IQT %llx", (unsigned long long)m->iqt);
    if (bit == M_QIE && !model_is_memory(m->iqa & ~0xfffull, 4096))
        MODEL_BROKEN(m, "6.5.2: QIE, and the queue is not in memory");
    if (bit == M_SIRTP && m->irta & 0x7f0)
        MODEL_BROKEN(m, "11.4.10: reserved bits in IRTA");
    if (bit == M_TE)
        model_check_translation_on(m);
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
                       : bit == M_SRTP  ? "SRTP"
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
    if (bit == M_SRTP)
        model_set_root(m);
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
    if (changed == M_SRTP)
        m->gsts &= ~M_SRTP;
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

static uint64_t model_read_record(struct model_unit *m, unsigned i, size_t within, unsigned bytes)
{
    uint64_t value = m->records[i][within / 8];
    return bytes == 8 ? value : (uint32_t)(value >> 8 * (within % 8));
}

// Protected memory ends some reads after it was told to.
static uint32_t model_pmen(struct model_unit *m)
{
    if (!(m->cap & (M_CAP_PLMR | M_CAP_PHMR)))
        MODEL_BROKEN(m, "11.4.8.1: PMEN read on a unit without protected memory");
    if (m->deaf_pmen)
        return m->pmen;
    if (m->pmen_reads)
        m->pmen_reads--;
    else
        m->pmen = (m->pmen & ~1u) | m->pmen >> 31;
    return m->pmen;
}

static uint64_t model_protected(struct model_unit *m, uint64_t needs, uint64_t value)
{
    if (!(m->cap & needs))
        MODEL_BROKEN(m, "11.4.8: bounds of protected memory read of a unit without it");
    return value;
}

static uint64_t model_read(struct model_unit *m, size_t offset, unsigned bytes)
{
    size_t within;
    unsigned record = model_record_at(m, offset, &within);
    if (m->cap == ~0ull || m->gone)
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
    case 0x20 << 4 | 8:
        return m->rtaddr ? m->rtaddr : (uint64_t)m->ttm << 10;
    case 0x28 << 4 | 8:
        return m->ccmd;
    case 0x34 << 4 | 4:
        return m->fsts;
    case 0x38 << 4 | 4:
        return m->fectl;
    case 0x64 << 4 | 4:
        return model_pmen(m);
    case 0x68 << 4 | 4:
        return model_protected(m, M_CAP_PLMR, m->plm_base);
    case 0x6c << 4 | 4:
        return model_protected(m, M_CAP_PLMR, m->plm_limit);
    case 0x70 << 4 | 8:
        return model_protected(m, M_CAP_PHMR, m->phm_base);
    case 0x78 << 4 | 8:
        return model_protected(m, M_CAP_PHMR, m->phm_limit);
    case 0x80 << 4 | 8:
        return m->false_head && m->fsts & (M_FSTS_IQE | M_FSTS_ITE) ? m->false_head : m->iqh;
    case 0x88 << 4 | 8:
        return m->iqt;
    case 0xa0 << 4 | 4:
        return m->iectl;
    case 0xb0 << 4 | 8:
        return m->iqercd;
    case 0xb8 << 4 | 8:
        if (!(m->ecap & M_ECAP_IR))
            MODEL_BROKEN(m, "11.4.10: IRTA read of a unit without remapping");
        return m->irta;
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

static void model_write_protected(struct model_unit *m, uint64_t *bound, uint64_t value)
{
    if (m->pmen & 1u << 31 || m->pmen & 1)
        MODEL_BROKEN(m, "11.4.8.2: bounds of protected memory written while it is on");
    *bound = value & ~0xfffffull;
}

static void model_write(struct model_unit *m, size_t offset, uint64_t value, unsigned bytes)
{
    size_t within;
    unsigned record = model_record_at(m, offset, &within);
    if (m->gone)
        return;
    if (record < MODEL_RECORDS) {
        if (within == 12 && value & 1u << 31)
            model_clear_record(m, record);
        return;
    }
    switch (offset << 4 | bytes) {
    case 0x18 << 4 | 4:
        model_command(m, (uint32_t)value);
        return;
    case 0x20 << 4 | 8:
        m->rtaddr = value;
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
        if ((value ^ m->pmen) & 0x7fffffff)
            MODEL_BROKEN(m, "11.4.8.1: kept bits of PMEN changed");
        m->pmen = (m->pmen & 0x7fffffff) | ((uint32_t)value & 1u << 31);
        m->pmen_reads = m->delay;
        return;
    case 0x68 << 4 | 4:
        model_write_protected(m, &m->plm_base, value);
        return;
    case 0x6c << 4 | 4:
        model_write_protected(m, &m->plm_limit, value);
        return;
    case 0x70 << 4 | 8:
        model_write_protected(m, &m->phm_base, value);
        return;
    case 0x78 << 4 | 8:
        model_write_protected(m, &m->phm_limit, value);
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
        if (!(m->ecap & M_ECAP_IR))
            MODEL_BROKEN(m, "11.4.10: IRTA written on a unit without remapping");
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

// ---- the bus (PCIe Base 6.0, 2.4.1): writes arrive in order, and at the latest with the next read ----

static void model_arrive(struct model_unit *m)
{
    for (unsigned i = 0; i < m->posted_count; i++)
        model_write(m, m->posted[i].offset, m->posted[i].value, m->posted[i].bytes);
    m->posted_count = 0;
}

uint64_t mmio_model_read(const volatile void *reg, unsigned bytes)
{
    size_t offset;
    struct model_unit *m = model_find(reg, &offset, bytes);
    model_moment();
    model_busy = true;
    model_arrive(m);
    uint64_t value = model_read(m, offset, bytes);
    model_busy = false;
    model_moment();
    return value;
}

void mmio_model_write(volatile void *reg, uint64_t value, unsigned bytes)
{
    size_t offset;
    struct model_unit *m = model_find(reg, &offset, bytes);
    model_moment();
    model_busy = true;
    if (m->posted_count == MODEL_POSTED_WRITES)
        model_arrive(m);
    m->posted[m->posted_count++] = (struct model_write){ offset, value, bytes };
    if (!m->posts_writes)
        model_arrive(m);
    model_busy = false;
    model_moment();
}
