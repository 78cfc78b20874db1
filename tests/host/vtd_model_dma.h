// SPDX-License-Identifier: BSD-2-Clause
// The modelled unit's translation of DMA in legacy mode (VT-d 3.4, 3.7, 6.2), its caches, and protected
// memory (11.4.8). Part of vtd_model.h. What was found once is used until it is invalidated.
#pragma once

#include "vtd_model_state.h"

#define M_CAP_SAGAW(levels) (1ull << (8 + (levels) - 2))
#define M_CAP_MGAW(bits) ((uint64_t)((bits) - 1) << 16)
#define M_CAP_SLLPS(sizes) ((uint64_t)(sizes) << 34)
#define M_CAP_CM (1ull << 7)
#define M_CAP_ND(n) ((uint64_t)(n))
#define M_CAP_DRD (1ull << 55)
#define M_CAP_DWD (1ull << 54)
#define M_CAP_ESRTPS (1ull << 63)

#define MODEL_CONTEXTS 32
#define MODEL_TRANSLATIONS 64

// What a unit without snooping reads is what was flushed.
static bool model_read_table(const struct model_unit *m, uint64_t phys, void *to, size_t bytes)
{
    if (!model_is_memory(phys, bytes))
        return false;
    size_t at = phys - (uint64_t)(uintptr_t)model_memory;
    memcpy(to, (m->ecap & M_ECAP_C ? model_memory : model_dram) + at, bytes);
    return true;
}

static unsigned model_domain_bits(const struct model_unit *m)
{
    return 4 + 2 * (unsigned)(m->cap & 7);
}

static unsigned model_context_reason(const struct model_unit *m, uint16_t source, uint64_t entry[2])
{
    uint64_t root[2] = { 0 };
    if (!model_read_table(m, (m->root & ~0xfffull) + 16ull * (source >> 8), root, 16))
        return 8;
    if (!(root[0] & 1))
        return 1;
    if (root[0] & 0xffe || root[1])
        return 0xa;
    if (!model_read_table(m, (root[0] & ~0xfffull) + 16ull * (source & 0xff), entry, 16))
        return 9;
    if (!(entry[0] & 1))
        return 2;
    if (entry[0] & 0xff0 || entry[1] >> (8 + model_domain_bits(m)) || entry[1] & 0x80)
        return 0xb;
    unsigned levels = (unsigned)(entry[1] & 7) + 2;
    return entry[0] & 0xc || levels > 5 || !(m->cap & M_CAP_SAGAW(levels)) ? 3 : 0;
}

// Of the cache, else of memory; a present one is kept, and where CAP.CM is set an absent one, too.
static unsigned model_context(struct model_unit *m, uint16_t source, uint64_t entry[2])
{
    for (unsigned i = 0; i < MODEL_CONTEXTS; i++) {
        const struct model_context *c = &m->contexts[i];
        if (!c->valid || c->source != source)
            continue;
        memcpy(entry, c->entry, sizeof(c->entry));
        return c->reason;
    }
    unsigned reason = model_context_reason(m, source, entry);
    if (reason && !(m->cap & M_CAP_CM))
        return reason;
    struct model_context *c = &m->contexts[m->next_context++ % MODEL_CONTEXTS];
    *c = (struct model_context){ .valid = true, .source = source, .reason = reason };
    memcpy(c->entry, entry, sizeof(c->entry));
    return reason;
}

static bool model_page_is_sane(const struct model_unit *m, uint64_t entry, unsigned level)
{
    unsigned sizes = (unsigned)(m->cap >> 34 & 0xf);
    bool large = entry & 1u << 7;
    if (entry & (0x7ull << 8 | 0xcull | 0xfffull << 52))
        return false;
    if (level == 1)
        return true; // PS is ignored there
    if (!large)
        return true;
    if (level > 3 || !(sizes & 1u << (level - 2)))
        return false;
    return !(entry & ((1ull << (9 * level + 3)) - 0x1000));
}

static unsigned model_walk(const struct model_unit *m, const uint64_t context[2], uint64_t address,
                           bool write, uint64_t *to)
{
    uint64_t table = context[0] & ~0xfffull, entry;
    unsigned level = (unsigned)(context[1] & 7) + 2;
    unsigned most = (unsigned)(m->cap >> 16 & 0x3f) + 1;
    if (address >> MIN(9 * level + 12, most))
        return 4;
    for (;; --level) {
        if (!model_read_table(m, table + 8 * (address >> (9 * level + 3) & 511), &entry, 8))
            return 7;
        if (!(entry & (write ? 2 : 1)))
            return write ? 5 : 6;
        if (!model_page_is_sane(m, entry, level))
            return 0xc;
        if (level == 1 || entry & 1u << 7)
            break;
        table = entry & 0xffffffffff000ull;
    }
    uint64_t within = (1ull << (9 * level + 3)) - 1;
    *to = (entry & 0xffffffffff000ull & ~within) | (address & within);
    return 0;
}

static unsigned model_translate(struct model_unit *m, const uint64_t context[2], uint64_t address,
                                bool write)
{
    uint16_t domain = (uint16_t)(context[1] >> 8);
    uint64_t to = 0;
    for (unsigned i = 0; i < MODEL_TRANSLATIONS; i++) {
        const struct model_translation *t = &m->translations[i];
        if (!t->valid || t->domain != domain || t->page != address >> 12)
            continue;
        m->arrived_at = t->to << 12 | (address & 0xfff);
        return t->reason;
    }
    unsigned reason = model_walk(m, context, address, write, &to);
    m->arrived_at = to;
    if (reason && !(m->cap & M_CAP_CM))
        return reason;
    m->translations[m->next_translation++ % MODEL_TRANSLATIONS] =
        (struct model_translation){ true, domain, address >> 12, reason, to >> 12 };
    return reason;
}

static bool model_is_protected(const struct model_unit *m, uint64_t address)
{
    if (!(m->pmen & 1))
        return false;
    return (address >= m->plm_base && address <= (m->plm_limit | 0xfffff)) ||
           (address >= m->phm_base && address <= (m->phm_limit | 0xfffff));
}

#define MODEL_PROTECTED 0x100

// A device's access: 0 where it gets through, to arrived_at, else why not. Faults are recorded unless FPD is set.
static inline unsigned model_dma(struct model_unit *m, uint16_t source, uint64_t address,
                                 bool write)
{
    uint64_t context[2] = { 0 };
    m->arrived_at = address;
    if (!(m->gsts & M_TE))
        return model_is_protected(m, address) ? MODEL_PROTECTED : 0;
    if (m->ttm)
        return 2; // by firmware's tables, which let nothing through
    unsigned reason = model_context(m, source, context);
    if (!reason)
        reason = model_translate(m, context, address, write);
    if (reason && !(context[0] & 2))
        model_fault(m, reason | (write ? 0 : 1u << 30), source, address & ~0xfffull);
    return reason;
}

// ---- commands ----

static void model_set_root(struct model_unit *m)
{
    unsigned ttm = (unsigned)(m->rtaddr >> 10 & 3);
    if (m->gsts & M_TE && ttm != m->ttm)
        MODEL_BROKEN(m, "11.4.5: translation mode %u becomes %u while TE is set", m->ttm, ttm);
    if (m->rtaddr & 0x3ff || !model_is_memory(m->rtaddr & ~0xfffull, 4096))
        MODEL_BROKEN(m, "11.4.5: RTADDR %llx", (unsigned long long)m->rtaddr);
    m->root = m->rtaddr;
    m->ttm = ttm;
    m->contexts_stale = m->pages_stale = !(m->cap & M_CAP_ESRTPS);
    if (m->cap & M_CAP_ESRTPS) {
        memset(m->contexts, 0, sizeof(m->contexts));
        memset(m->translations, 0, sizeof(m->translations));
    }
}

static void model_check_translation_on(struct model_unit *m)
{
    if (!(m->gsts & M_SRTP))
        MODEL_BROKEN(m, "6.6: TE before SRTP");
    if (m->contexts_stale || m->pages_stale)
        MODEL_BROKEN(m, "6.6: TE without invalidation of contexts and pages after SRTP");
}

// ---- invalidation (VT-d 6.5.2.1, 6.5.2.3): returns the error ----

static void model_check_domain(struct model_unit *m, unsigned granularity, unsigned domain)
{
    if (granularity != 1 && domain >> model_domain_bits(m))
        MODEL_BROKEN(m, "6.5.2.3: domain %u", domain);
}

static unsigned model_invalidate_contexts(struct model_unit *m, uint64_t low, uint64_t high)
{
    unsigned g = (unsigned)(low >> 4 & 3), source = (unsigned)(low >> 32 & 0xffff);
    char text[16] = "CC";
    if (low >> 50 || low & 0xf1c0 || high || !g)
        return 4;
    model_check_domain(m, g, (unsigned)(low >> 16 & 0xffff));
    for (unsigned i = 0; i < MODEL_CONTEXTS; i++) {
        struct model_context *c = &m->contexts[i];
        uint16_t domain = c->reason ? 0 : (uint16_t)(c->entry[1] >> 8);
        if (g == 1 || (domain == (uint16_t)(low >> 16) && (g == 2 || c->source == source)))
            c->valid = false;
    }
    m->contexts_stale &= g != 1;
    m->pages_stale = true; // 6.5.3.1, table 28: pages follow
    if (g == 3)
        snprintf(text, sizeof(text), "CC%04x", source);
    model_log(m, text);
    return 0;
}

static unsigned model_invalidate_pages(struct model_unit *m, uint64_t low, uint64_t high)
{
    unsigned g = (unsigned)(low >> 4 & 3), domain = (unsigned)(low >> 16 & 0xffff);
    uint64_t drains = (m->cap & M_CAP_DRD ? 0x80 : 0) | (m->cap & M_CAP_DWD ? 0x40 : 0);
    char text[16] = "TLB";
    if (low >> 32 || low & 0xff00 || high || !g || g == 3)
        return 4;
    model_check_domain(m, g, domain);
    if ((low & 0xc0) != drains)
        MODEL_BROKEN(m, "6.5.2.3: drains %llx", (unsigned long long)(low & 0xc0));
    for (unsigned i = 0; i < MODEL_TRANSLATIONS; i++)
        if (g == 1 || m->translations[i].domain == domain)
            m->translations[i].valid = false;
    if (!m->contexts_stale)
        m->pages_stale = false;
    if (g == 2)
        snprintf(text, sizeof(text), "TLB%u", domain);
    model_log(m, text);
    return 0;
}
