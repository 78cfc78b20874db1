// SPDX-License-Identifier: BSD-2-Clause
// The order of commands and register writes (VT-d 6.5.2, 6.7, 11.4.4.1).
#include "tools/qemu/rules.h"

#include <string.h>

#include "tools/qemu/entry_cache.h"
#include "tools/qemu/model.h"
#include "tools/qemu/strict.h"

static struct {
    uint32_t command;                             // of the last write to GCMD, until GSTS is read
    bool invalidated;                             // all of the cache, since the last SIRTP
    bool contexts_invalidated, pages_invalidated; // all of them, since the last SRTP
    bool irta_open;                               // IRTA was written with IRE=1, and no SIRTP yet
    uint64_t iqa, irta, rtaddr; // as software wrote them: QEMU's unit drops reserved bits
} state;

void rules_reset(void)
{
    memset(&state, 0, sizeof(state));
    entry_cache_empty();
    rules_dma_forget();
}

static void check_root(uint32_t status)
{
    uint64_t rtaddr = state.rtaddr;
    if (rtaddr & RTADDR_RESERVED || !ram_at(rtaddr & RTADDR_BASE, 4096))
        strict_breach(RULE_RTADDR_VALUE, "SRTP with RTADDR %#llx", (unsigned long long)rtaddr);
    if ((status & GSTS_TES) && (rtaddr ^ model.rtaddr) & RTADDR_TTM)
        strict_breach(RULE_RTADDR_MODE, "SRTP with RTADDR %#llx after %#llx while TE=1",
                      (unsigned long long)rtaddr, (unsigned long long)model.rtaddr);
    state.contexts_invalidated = state.pages_invalidated = false;
    rules_dma_forget();
}

static void check_translation_on(uint32_t status)
{
    if (!(status & GSTS_RTPS))
        strict_breach(RULE_TE_TABLE, "TE set while GSTS.RTPS=0");
    else if (!state.pages_invalidated && !(stock_read64(REG_CAP) & CAP_ESRTPS))
        strict_breach(RULE_TE_CACHE, "TE set, but since SRTP no global invalidation of %s",
                      state.contexts_invalidated ? "pages after that of contexts" : "contexts");
    else
        rules_dma_begin();
}

static void check_table(void)
{
    uint64_t irta = state.irta;
    uint64_t bytes = (2ull << field_get(IRTA_S, irta)) * sizeof(struct irte);
    if (irta & IRTA_RESERVED)
        strict_breach(RULE_IRTA_VALUE, "SIRTP with IRTA %#llx, whose bits 10:4 are not zero",
                      (unsigned long long)irta);
    if ((irta & IRTA_EIME) && !(stock_read64(REG_ECAP) & ECAP_EIM))
        strict_breach(RULE_IRTA_VALUE, "SIRTP with EIME=1 in IRTA, though ECAP.EIM=0");
    if (!ram_at(irta & IRTA_BASE, bytes))
        strict_breach(RULE_IRTA_VALUE, "SIRTP with IRTA %#llx: its %llu bytes are not all RAM",
                      (unsigned long long)irta, (unsigned long long)bytes);
}

static void check_remapping_on(uint32_t status)
{
    if (!(status & GSTS_IRTPS))
        strict_breach(RULE_IRE_TABLE, "IRE set while GSTS.IRTPS=0");
    else if (!state.invalidated && !(stock_read64(REG_CAP) & CAP_ESIRTPS))
        strict_breach(RULE_IRE_CACHE,
                      "IRE set, but no global invalidation since SIRTP, and CAP.ESIRTPS=0");
}

static uint32_t queue_bytes(void)
{
    return 4096u << field_get(IQA_QS, state.iqa);
}

static void run_queue(uint32_t head, uint32_t tail)
{
    if (tail >= queue_bytes())
        return;
    rules_dma_look();
    struct invalidations done = rules_queue(state.iqa, head, tail);
    state.invalidated |= done.entries;
    state.contexts_invalidated |= done.contexts;
    state.pages_invalidated |= done.pages && state.contexts_invalidated;
}

static void check_queue_on(void)
{
    uint32_t tail = stock_read(REG_IQT);
    bool wide_known = stock_read64(REG_ECAP) & ECAP_SMTS;
    if (tail)
        strict_breach(RULE_IQT_START, "QIE set while IQT is %#x", tail);
    if ((state.iqa & IQA_RESERVED) || ((state.iqa & IQA_DW) && !wide_known))
        strict_breach(RULE_IQA_VALUE,
                      "QIE set with IQA %#llx: not aligned to a page, or DW=1 "
                      "where it is reserved",
                      (unsigned long long)state.iqa);
    if (!ram_at(state.iqa & IQA_BASE, queue_bytes()))
        strict_breach(RULE_IQA_VALUE, "QIE set with IQA %#llx: its %u bytes are not all RAM",
                      (unsigned long long)state.iqa, queue_bytes());
    run_queue(0, tail);
}

static void check_queue_off(void)
{
    uint32_t head = stock_read(REG_IQH), tail = stock_read(REG_IQT);
    if (head != tail)
        strict_breach(RULE_QIE_OFF, "QIE cleared while IQH is %#x and IQT %#x", head, tail);
}

static void check_open_irta(uint32_t command)
{
    if (!state.irta_open)
        return;
    if (!(command & GCMD_SIRTP) && (command & GCMD_IRE))
        strict_breach(RULE_IRTA_SIRTP, "IRTA was written, and then GCMD (%#x) without SIRTP",
                      command);
    state.irta_open = false;
}

static void gcmd_write(uint32_t value)
{
    uint32_t status = stock_read(REG_GSTS);
    uint32_t changed = (value ^ status) & GCMD_STATES, command = changed | (value & GCMD_ONE_SHOTS);

    if (state.command)
        strict_breach(RULE_GCMD_BUSY, "GCMD written (%#x), and GSTS not read since command %#x",
                      value, state.command);
    if (__builtin_popcount(command) > 1)
        strict_breach(RULE_GCMD_ONE, "GCMD %#x with GSTS %#x commands %d things at once (%#x)",
                      value, status, __builtin_popcount(command), command);
    state.command = command;
    check_open_irta(value);
    if (command & GCMD_SIRTP) {
        check_table();
        state.invalidated = false;
    }
    if (command & GCMD_SRTP)
        check_root(status);
    if (changed & value & GCMD_TE)
        check_translation_on(status);
    if (changed & ~value & GCMD_TE)
        rules_dma_finish();
    if (changed & value & GCMD_IRE)
        check_remapping_on(status);
    if (changed & ~value & GCMD_IRE)
        entry_cache_check();
    if (changed & value & GCMD_QIE)
        check_queue_on();
    if (changed & ~value & GCMD_QIE)
        check_queue_off();
}

static void write_half(uint64_t *whole, bool upper, uint32_t value)
{
    field_set(whole, upper ? BITS64(63, 32) : BITS64(31, 0), value);
}

static void irta_write(uint32_t offset, uint32_t value)
{
    write_half(&state.irta, offset != REG_IRTA, value);
    state.irta_open = stock_read(REG_GSTS) & GSTS_IRES;
}

static void iqa_write(uint32_t offset, uint32_t value)
{
    if (stock_read(REG_GSTS) & GSTS_QIES) {
        strict_breach(RULE_IQA_WHILE_ON, "IQA written (%#x to offset %#x) while QIE=1", value,
                      offset);
        return;
    }
    write_half(&state.iqa, offset != REG_IQA, value);
}

static void iqt_write(uint32_t value)
{
    bool wide = state.iqa & IQA_DW;
    if ((value & IQT_RESERVED) || (wide && (value & 16)))
        strict_breach(RULE_IQT_VALUE, "IQT %#x has reserved bits set", value);
    else if ((stock_read(REG_GSTS) & GSTS_QIES) && value >= queue_bytes())
        strict_breach(RULE_IQT_VALUE, "IQT %#x is beyond a queue of %u bytes", value,
                      queue_bytes());
    else if ((stock_read(REG_GSTS) & GSTS_QIES) && !(stock_read(REG_FSTS) & FSTS_IQE))
        run_queue(stock_read(REG_IQH), value);
}

void rules_register_write(uint32_t offset, uint32_t value)
{
    switch (offset) {
    case REG_GCMD:
        gcmd_write(value);
        break;
    case REG_RTADDR:
    case REG_RTADDR + 4:
        write_half(&state.rtaddr, offset != REG_RTADDR, value);
        break;
    case REG_IQA:
    case REG_IQA + 4:
        iqa_write(offset, value);
        break;
    case REG_IQT:
        iqt_write(value);
        break;
    case REG_IQT + 4:
        if (value)
            strict_breach(RULE_IQT_VALUE, "IQT has reserved bits set in its upper half (%#x)",
                          value);
        break;
    case REG_IRTA:
    case REG_IRTA + 4:
        irta_write(offset, value);
        break;
    default:
        break;
    }
}

// Commands are done in the write itself here, so that any read shows it.
void rules_register_read(uint32_t offset)
{
    if (offset != REG_GSTS)
        return;
    if (state.command & (GCMD_TE | GCMD_SRTP))
        rules_dma_look();
    state.command = 0;
}

void rules_finish(void)
{
    if (strict_on() && (stock_read(REG_GSTS) & GSTS_IRES))
        entry_cache_check();
    if (strict_on())
        rules_dma_finish();
    if (state.irta_open)
        strict_breach(RULE_IRTA_SIRTP, "IRTA was written with IRE=1, and never SIRTP after it");
}
