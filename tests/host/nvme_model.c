// SPDX-License-Identifier: BSD-2-Clause
// The controller's side: registers and doorbells, and how it resets, goes and comes back.

#include "kernel/mem/dma.h"
#include "tests/host/nvme_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mmio.h"
#include "tests/host/nvme_world.h"

static unsigned stride(const struct model *m)
{
    return 4u << field_get(NVME_CAP_DSTRD, m->cap);
}

// ---- a controller ----

struct model *model_new(void)
{
    struct model *m = world_add();
    m->cap = field_put(NVME_CAP_MQES, 2047) | field_put(NVME_CAP_TO, 15) | NVME_CAP_CSS_NVM;
    m->vs = NVME_VERSION(1, 4);
    m->grants = 64;
    m->order = MODEL_FIFO;
    m->fail_opcode = m->ignore_opcode = m->fatal_opcode = -1;
    m->fail_cns = m->fail_nsid = m->fail_qid = ~0u;
    m->fail_status = NVME_STATUS_INVALID_FIELD;
    m->drop_lba = m->error_lba = ~0ull;
    m->error_status = NVME_STATUS(2, 0x81);
    m->errors_left = ~0u;
    m->differs_status = NVME_STATUS(2, 0x85);
    m->settling = true;
    memset(&m->id, ' ', offsetof(struct nvme_identify_controller, rab));
    memcpy(m->id.sn, "S123", 4);
    memcpy(m->id.mn, "Model Disk", 10);
    memcpy(m->id.fr, "1.0", 3);
    m->id.mdts = 7;
    m->id.sqes = 0x66;
    m->id.cqes = 0x44;
    m->id.nn = 256;
    model_add_namespace(m, 1, 9, 1 << 20);
    return m;
}

struct model_namespace *model_add_namespace(struct model *m, uint32_t nsid, unsigned block_shift,
                                            uint64_t blocks)
{
    struct model_namespace *ns = m->namespaces;
    while (ns->nsid)
        ns++;
    assert_true(ns < m->namespaces + MODEL_NAMESPACES);
    ns->nsid = nsid;
    ns->data.nsze = ns->data.ncap = ns->data.nuse = blocks;
    ns->data.lbaf[0] = (uint32_t)field_put(NVME_LBAF_LBADS, block_shift);
    return ns;
}

struct model_namespace *model_find_namespace(struct model *m, uint32_t nsid)
{
    for (unsigned i = 0; nsid && i < MODEL_NAMESPACES; i++)
        if (m->namespaces[i].nsid == nsid)
            return &m->namespaces[i];
    return nsid && nsid <= m->alike ? &m->namespaces[0] : NULL;
}

// ---- memory: physical addresses are the test's pointers ----

static unsigned blocked;

unsigned model_blocked(bool forget)
{
    unsigned count = blocked;
    blocked = forget ? 0 : blocked;
    return count;
}

bool model_reaches(const struct model *m, uint64_t phys)
{
    const struct pci_space *space = m->pci.space;
    bool reaches =
        m->pci_command & 4 &&
        (!space || (m->pci.granted && phys >= space->at && phys < space->at + space->bytes));
    blocked += !reaches;
    return reaches;
}

void *model_memory(const struct model *m, uint64_t phys)
{
    if (model_is_cmb(m, phys))
        return model_cmb_at(m, phys);
    require(m->pci_command & 4, "DMA without bus mastering");
    require(model_reaches(m, phys), "DMA to memory that it wasn't granted");
    require(m->pci.space || mem_is_dma((const void *)(uintptr_t)phys, 1),
            "DMA to memory that isn't for devices");
    return (void *)phys; // NOLINT
}

// ---- doorbells ----

void model_doorbell(struct model *m, size_t offset, uint32_t value)
{
    unsigned n = (unsigned)(offset / stride(m)), qid = n / 2;
    require(offset % stride(m) == 0 && qid < MODEL_QUEUES, "no doorbell at %zu", offset);
    struct model_queue *q = &m->queues[qid];
    require(!m->settling || m->pci.space, "a doorbell while not ready");
    if (m->settling || !(m->csts & NVME_CSTS_RDY)) // it fell, and the host need not know yet
        return;
    require(m->looks || world_may_ring(m, qid),
            "queue %u: a doorbell rung by a CPU that doesn't own it", qid);
    if (n % 2) {
        if (m->hostile && !q->cq)
            return;
        require(q->cq && value < q->cq_entries, "CQ %u head %u", qid, value);
        unsigned used = (q->cq_tail + q->cq_entries - q->cq_head) % q->cq_entries;
        unsigned taken = (value + q->cq_entries - q->cq_head) % q->cq_entries;
        require(taken <= used, "CQ %u head passes its tail", qid);
        q->cq_head = value;
        q->head_writes++;
        return;
    }
    if (m->hostile && (!q->sq || value >= q->sq_entries)) // it may have said that it made one
        return;
    require(q->sq && value < q->sq_entries, "SQ %u tail %u", qid, value);
    unsigned waiting = (q->sq_tail + q->sq_entries - q->sq_head) % q->sq_entries;
    require((value + q->sq_entries - q->sq_head) % q->sq_entries >= waiting || m->hostile,
            "SQ %u tail passes its head", qid);
    q->sq_tail = value;
    q->tail_writes++;
    if ((!qid || !m->lazy_fetch) && model_runs(m))
        model_fetch(m, qid, ~0u);
}

// ---- trouble ----

static bool is_away(const struct model *m)
{
    return world_now() < m->away_until || m->lost_config;
}

bool model_runs(const struct model *m)
{
    uint32_t state = m->csts & (NVME_CSTS_RDY | NVME_CSTS_CFS | NVME_CSTS_PP);
    bool reaches_memory = m->pci_command & 4;
    return !m->removed && !is_away(m) && !m->power_state && reaches_memory &&
           state == NVME_CSTS_RDY;
}

void model_go_away(struct model *m, uint64_t ns)
{
    m->away_until = world_now() + ns;
    m->cc = m->csts = 0;
    model_reset(m);
    if (!m->forgets)
        return;
    m->lost_config = true;
    model_lose_cmb(m);
    memset(m->lost_message, true, sizeof(m->lost_message));
    memset(m->masked, true, sizeof(m->masked));
}

// What came in the meantime is taken when it goes on.
void model_pause(struct model *m, bool paused)
{
    if (paused) {
        m->csts |= NVME_CSTS_PP;
        return;
    }
    m->csts &= ~NVME_CSTS_PP;
    for (unsigned q = 0; q < MODEL_QUEUES && model_runs(m); q++)
        model_fetch(m, q, ~0u);
}

// ---- registers ----

static void follow_enable(struct model *m)
{
    bool on = m->cc & NVME_CC_EN;
    if (world_now() < m->change_at)
        return;
    if (on && m->fatal_at_enable)
        m->csts |= NVME_CSTS_CFS;
    if (on && !m->never_ready && !m->fatal_at_enable) {
        m->csts |= NVME_CSTS_RDY;
        m->settling = false;
    }
    if (!on && !m->stuck_ready)
        m->csts &= ~(NVME_CSTS_RDY | NVME_CSTS_CFS | NVME_CSTS_SHST);
}

void model_reset(struct model *m)
{
    m->resets++;
    m->reset_at = world_now();
    m->csts &= ~NVME_CSTS_PP;
    m->shadows = m->shadow_events = 0;
    m->pending_count = 0;
    for (unsigned q = 0; q < MODEL_QUEUES; q++)
        m->wild_at[q] = m->queues[q].cq ? m->queues[q].cq : m->wild_at[q];
    if (!m->haunted)
        m->lost_count = 0;
    m->listeners_count = m->events_count = m->told_types = 0;
    memset(m->features, 0, sizeof(m->features));
    m->extended = false;
    memset(m->queues, 0, sizeof(m->queues));
}

static void reset(struct model *m)
{
    require(m->ours || !(m->pci_command & 4), "firmware's queues may still reach memory");
    model_reset(m);
}

static void start(struct model *m, uint32_t cc)
{
    struct model_queue *q = &m->queues[0];
    require(!(m->csts & NVME_CSTS_RDY), "CC.EN set while CSTS.RDY is 1");
    require(!(cc & (NVME_CC_MPS | NVME_CC_SHN)), "CC is 0x%x", cc);
    require(field_get(NVME_CC_AMS, cc) <= !!(m->cap & NVME_CAP_AMS_WRR), "CC.AMS");
    require(m->pci_command & 4, "CC.EN set without bus mastering");
    require(field_get(NVME_CC_CSS, cc) == (m->cap & NVME_CAP_CSS_ALL ? 6 : 0), "CC.CSS");
    require(field_get(NVME_CC_IOSQES, cc) == 6 && field_get(NVME_CC_IOCQES, cc) == 4,
            "entry sizes");
    require(m->asq && m->acq && m->asq % NVME_PAGE == 0 && m->acq % NVME_PAGE == 0, "ASQ, ACQ");
    memset(q, 0, sizeof(*q));
    m->ours = true;
    m->starts++;
    m->removed = m->gone_at_enable;
    q->sq = m->asq;
    q->cq = m->acq;
    q->sq_entries = (unsigned)field_get(NVME_AQA_ASQS, m->aqa) + 1;
    q->cq_entries = (unsigned)field_get(NVME_AQA_ACQS, m->aqa) + 1;
    q->phase = true;
    q->interrupts = true; // always, on vector 0
}

static void write_cc(struct model *m, uint32_t cc)
{
    uint32_t old = m->cc;
    m->cc = cc;
    m->change_at = world_now() + m->ready_delay_ns;
    if ((old ^ cc) & NVME_CC_EN) {
        m->deaf_until = world_now() + m->deaf_ns;
        m->settling = true;
    }
    if (!(old & NVME_CC_EN) && (cc & NVME_CC_EN))
        start(m, cc);
    if ((old & NVME_CC_EN) && !(cc & NVME_CC_EN))
        reset(m);
    if (field_get(NVME_CC_SHN, cc) == NVME_CC_SHN_NORMAL && !m->never_shut_down)
        field_set(&m->csts, NVME_CSTS_SHST, NVME_CSTS_SHST_COMPLETE);
}

static bool is_slow(const struct model *m)
{
    unsigned id = m->pci.device;
    return m->slow_reset ||
           (m->pci.vendor == 0x144d && (id == 0xa821 || id == 0xa822 || id == 0xa826));
}

static bool is_long(size_t offset)
{
    return offset == NVME_CAP || offset == NVME_ASQ || offset == NVME_ACQ || offset == NVME_CMBMSC;
}

static uint64_t read_register(struct model *m, size_t offset)
{
    switch (offset) {
    case NVME_CAP:
        return m->cap;
    case NVME_VS:
        return m->vs;
    case NVME_CC:
        return m->cc;
    case NVME_CSTS:
        if (is_slow(m) && m->resets)
            require(world_now() - m->reset_at >= 2400 * NS_PER_MS, "CSTS read too soon");
        follow_enable(m);
        return m->csts;
    case NVME_CRTO:
        require(m->cap & NVME_CAP_CRWMS, "reads CRTO, which isn't there");
        return m->crto;
    case NVME_CMBLOC:
    case NVME_CMBSZ:
    case NVME_CMBSTS:
        return model_read_cmb(m, offset);
    }
    fail_msg("the host broke a rule: reads offset 0x%zx", offset);
    return 0;
}

uint64_t model_read(struct model *m, size_t offset, unsigned bytes)
{
    require(m->pci_command & 2, "registers without memory decoding");
    require(bytes == (is_long(offset) ? 8 : 4), "offset 0x%zx read as %u bytes", offset, bytes);
    if (m->zeros || m->power_state) // as QEMU's, asleep
        return 0;
    if (m->removed || is_away(m) || world_now() < m->deaf_until)
        return ~0ull;
    return read_register(m, offset);
}

void model_write(struct model *m, size_t offset, uint64_t value, unsigned bytes)
{
    require(bytes == (is_long(offset) ? 8 : 4), "write of %u bytes", bytes);
    if (m->removed || is_away(m) || m->power_state)
        return;
    if (offset >= NVME_DOORBELLS) {
        model_check_shadow(m, offset - NVME_DOORBELLS, (uint32_t)value);
        m->doorbells++;
        return model_doorbell(m, offset - NVME_DOORBELLS, (uint32_t)value);
    }
    require(offset == NVME_CC || !(m->cc & NVME_CC_EN), "0x%zx written while enabled", offset);
    if (offset == NVME_CC)
        write_cc(m, (uint32_t)value);
    else if (offset == NVME_AQA)
        m->aqa = (uint32_t)value;
    else if (offset == NVME_ASQ)
        m->asq = value;
    else if (offset == NVME_ACQ)
        m->acq = value;
    else if (offset == NVME_CMBMSC && (m->cap & NVME_CAP_CMBS))
        m->cmbmsc = value;
    else
        fail_msg("the host broke a rule: writes offset 0x%zx", offset);
}

// Tests with a model of PCI find the controller by that.
__attribute__((weak)) uint64_t mmio_model_read(const volatile void *reg, unsigned bytes)
{
    size_t offset;
    struct model *m = world_find(reg, &offset);
    return model_read(m, offset, bytes);
}

__attribute__((weak)) void mmio_model_write(volatile void *reg, uint64_t value, unsigned bytes)
{
    size_t offset;
    struct model *m = world_find(reg, &offset);
    model_write(m, offset, value, bytes);
}
