// SPDX-License-Identifier: BSD-2-Clause
// The modelled unit's invalidation queue (VT-d 6.5.2). Part of vtd_model.h.
#pragma once

#include "vtd_model_dma.h"
#include "vtd_model_state.h"

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
        return m->refusal;
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
    if (m->time_outs) { // 11.4.7.1, ITE: what waits is aborted, and no more is fetched
        m->time_outs--;
        model_condition(m);
        m->fsts |= M_FSTS_ITE;
        model_send_event(m);
        return 0;
    }
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
    if (wide ? !(m->ecap & (M_ECAP_SMTS | M_ECAP_ADMS)) : m->ttm != 0)
        return 5; // table 26
    uint64_t at = (m->iqa & ~0xfffull) + m->iqh;
    if (!model_is_memory(at, model_step(m)))
        return 2;
    memcpy(d, (const void *)(uintptr_t)at, model_step(m));
    unsigned type = (unsigned)((d[0] & 0xf) | (d[0] >> 9 & 7) << 4);
    m->last_was_wait = type == 5;
    if (d[2] || d[3])
        return 4;
    if (type == 1)
        return (int)model_invalidate_contexts(m, d[0], d[1]);
    if (type == 2)
        return (int)model_invalidate_pages(m, d[0], d[1]);
    if (type == 4)
        return (int)model_iec(m, d[0], d[1]);
    return type == 5 ? model_wait(m, d[0], d[1]) : 3;
}

static void model_run_queue(struct model_unit *m)
{
    uint64_t size = 4096ull << (m->iqa & 7);
    while (m->gsts & M_QIE && !m->gone && m->iqh != m->iqt &&
           !(m->fsts & (M_FSTS_IQE | M_FSTS_ITE))) {
        int error = m->iqt % model_step(m) || m->iqt >= size ? 6 : model_descriptor(m);
        if (error < 0)
            return;
        if (error) {
            model_queue_error(m, (unsigned)error);
            return;
        }
        m->iqh = (m->iqh + model_step(m)) % size;
        m->refused = 0;
        if (m->pace) {
            m->queue_due = model_ticks + m->pace;
            return;
        }
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
