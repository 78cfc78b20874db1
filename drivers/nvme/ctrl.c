// SPDX-License-Identifier: BSD-2-Clause
// A controller from the state firmware left it in to running, and down again (NVMe Base 2.0, 3.5.1
// and 3.6.1).

#include "drivers/nvme/ctrl.h"

#include "drivers/nvme/admin.h"
#include "drivers/nvme/cmb.h"
#include "drivers/nvme/quirks.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/msi.h"
#include "kernel/pci/pci_regs.h"
#include "kernel/x86/time.h"
#include "lib/mmio.h"

#define RESET_DELAY_NS (2500 * NS_PER_MS)
#define ANSWER_MS 1000ull // as long as a function may take after a reset (PCIe Base 6.0, 2.3.1.1)
#define PM1725_ENTRIES 64u
#define LONG_ENTRIES 1024u

static uint32_t read_csts(const struct nvme_ctrl *c)
{
    return mmio_read32(mmio_at(c->regs, NVME_CSTS));
}

static void write_cc(struct nvme_ctrl *c, uint32_t cc)
{
    mmio_write32(mmio_at(c->regs, NVME_CC), cc);
}

// ---- registers ----

uint64_t nvme_ctrl_settle_ns(const struct nvme_ctrl *c)
{
    return c->quirks & NVME_QUIRK_RESET_DELAY ? RESET_DELAY_NS : 0;
}

static void wait_after_reset(const struct nvme_ctrl *c)
{
    time_delay_ns(nvme_ctrl_settle_ns(c));
}

// Decoding without bus mastering: what firmware left running must not reach memory before its
// reset. Waking the function may have been one.
static bool map_registers(struct nvme_ctrl *c, struct problem *p)
{
    bool woken;
    if (c->quirks & NVME_QUIRK_REFUSED)
        return problem_set(p, "nvme-refused", "%s (%04x:%04x) can't be driven: %s", c->label,
                           c->dev->vendor, c->dev->device, nvme_quirk(c->dev)->reason);
    pci_stop_bus_master(c->dev);
    if (!pci_power_on(c->dev, time_delay_ns, &woken, p))
        return false;
    if (woken)
        wait_after_reset(c);
    pci_enable_memory(c->dev);
    return pci_map_bar(c->dev, 0, NVME_DOORBELLS + 16, &c->regs, p);
}

static uint64_t read_cap(const struct nvme_ctrl *c)
{
    return mmio_read64(mmio_at(c->regs, NVME_CAP));
}

// All ones come from nobody, or from a controller that isn't back from a reset yet; all zeros from
// nobody.
static bool read_cap_and_version(struct nvme_ctrl *c, uint64_t *cap, struct problem *p)
{
    bool answers = poll_until(read_cap(c) != ~0ull, ANSWER_MS * NS_PER_MS);
    *cap = read_cap(c);
    c->version = mmio_read32(mmio_at(c->regs, NVME_VS));
    if (answers && (*cap || c->version))
        return true;
    return problem_set(p, "nvme-absent",
                       "%s: its registers read all %s: nothing answers at 0x%llx (BAR 0); the "
                       "controller is gone, or firmware gave it no address that reaches it",
                       c->label, answers ? "zeros" : "ones",
                       (unsigned long long)c->dev->bars[0].base);
}

static unsigned depth; // 0: not told

static bool sgl_wanted = true;

void nvme_ctrl_set_sgl(bool wanted)
{
    sgl_wanted = wanted;
}

void nvme_ctrl_set_depth(unsigned commands)
{
    depth = commands;
}

// What has no meaning by the specification (3.1.3.1) is seen all the same.
static void allow_for_odd_cap(struct nvme_ctrl *c, uint64_t cap)
{
    if (!field_get(NVME_CAP_MQES, cap)) {
        if (c->quirks & NVME_QUIRK_MQES_64)
            c->limits.queue_entries = PM1725_ENTRIES;
        warn("nvme-queue-size",
             "%s: CAP.MQES is 0, but a queue has two entries at least: taken for %u; update its "
             "firmware",
             c->label, c->limits.queue_entries);
    }
    if (!field_get(NVME_CAP_CSS, cap))
        warn("nvme-css", "%s: CAP.CSS is 0: it names no command set; taken for the NVM command set",
             c->label);
    if (depth)
        c->limits.queue_entries = nvme_entries_for(depth, c->limits.entries_most);
    else if (c->quirks & NVME_QUIRK_LONG_QUEUES)
        c->limits.queue_entries = MIN(c->limits.entries_most, LONG_ENTRIES);
    if (c->quirks & NVME_QUIRK_ONE_COMMAND)
        c->limits.queue_entries = 2;
}

// Doorbells end where the MSI-X table begins, if that is behind them: a doorbell rung in there would
// change a message; or where the controller memory buffer does.
static uint64_t doorbell_bytes(const struct nvme_ctrl *c)
{
    uint64_t offset, end = MIN(c->dev->bars[0].bytes, PCI_MAP_BYTES_MAX);
    unsigned bar;
    if (c->dev->msix.cap) {
        msix_table_place(c->dev, &bar, &offset);
        end = bar == 0 ? MIN(end, offset) : end;
    }
    if (c->cmb.place.bytes && c->cmb.place.bar == 0)
        end = MIN(end, c->cmb.place.offset);
    return end > NVME_DOORBELLS ? end - NVME_DOORBELLS : 0;
}

unsigned nvme_ctrl_queues_fit(const struct nvme_ctrl *c)
{
    uint64_t pairs = doorbell_bytes(c) / c->limits.stride / 2; // the first is the admin queue's
    return pairs ? (unsigned)MIN(pairs - 1, (uint64_t)CPU_MAX) : 0;
}

// Doorbells of the admin queue and of one I/O queue are the least that is of use.
static bool read_limits(struct nvme_ctrl *c, struct problem *p)
{
    uint64_t cap;
    if (!read_cap_and_version(c, &cap, p))
        return false;
    uint32_t crto = cap & NVME_CAP_CRWMS ? mmio_read32(mmio_at(c->regs, NVME_CRTO)) : 0;
    if (!nvme_parse_cap(c->label, cap, crto, &c->limits, p))
        return false;
    allow_for_odd_cap(c, cap);
    if (nvme_ctrl_queues_fit(c))
        return true;
    return problem_set(
        p, "nvme-bar",
        "%s: BAR 0 of %llu bytes has no room for doorbells %u bytes apart (CAP.DSTRD), or the "
        "MSI-X table is in their place",
        c->label, (unsigned long long)c->dev->bars[0].bytes, c->limits.stride);
}

// ---- disable, enable ----

// All ones are no answer: during a reset some controllers have none for 200 ms and more.
static bool has_settled(const struct nvme_ctrl *c, uint32_t wanted, uint32_t *csts)
{
    *csts = read_csts(c);
    return *csts != NVME_ALL_ONES &&
           ((*csts & NVME_CSTS_RDY) == wanted || (wanted && (*csts & NVME_CSTS_CFS)));
}

// What is left of the time that CAP.TO allows since EN was written; others may have been waited for
// meanwhile.
static uint64_t ready_ns_left(const struct nvme_ctrl *c)
{
    uint64_t end = c->written_ns + c->limits.ready_ms * NS_PER_MS, now = time_ns();
    return end > now ? end - now : 0;
}

bool nvme_ctrl_waits(const struct nvme_ctrl *c, uint32_t wanted)
{
    uint32_t csts;
    if (c->settled_ns > time_ns())
        return true;
    return ready_ns_left(c) && !has_settled(c, wanted, &csts);
}

// Waits for RDY, within the time that CAP.TO allows.
static bool wait_ready(struct nvme_ctrl *c, uint32_t wanted, struct problem *p)
{
    uint32_t csts = 0;
    bool in_time = poll_until(has_settled(c, wanted, &csts), ready_ns_left(c));

    if (!in_time && csts == NVME_ALL_ONES)
        return problem_set(p, "nvme-absent",
                           "%s: its registers read all ones for %llu ms (CAP.TO): it is gone",
                           c->label, (unsigned long long)c->limits.ready_ms);
    if (!in_time)
        return problem_set(p, "nvme-not-ready",
                           "%s: CSTS.RDY did not become %u within %llu ms (CAP.TO), CSTS is 0x%x: "
                           "the controller hangs; a power cycle may help",
                           c->label, wanted != 0, (unsigned long long)c->limits.ready_ms, csts);
    if (wanted && (csts & NVME_CSTS_CFS))
        return problem_set(p, "nvme-fatal",
                           "%s: it reports a fatal error (CSTS.CFS) while it starts", c->label);
    return true;
}

void nvme_ctrl_disable(struct nvme_ctrl *c)
{
    uint32_t cc = mmio_read32(mmio_at(c->regs, NVME_CC));
    write_cc(c, cc & ~(NVME_CC_EN | NVME_CC_SHN));
}

// EN must not fall before RDY has risen (3.1.3.5), unless the controller failed. A controller that
// firmware enabled or shut down is reset all the same.
static void disable(struct nvme_ctrl *c)
{
    uint32_t cc = mmio_read32(mmio_at(c->regs, NVME_CC));
    uint32_t csts;

    if (cc & NVME_CC_EN) {
        if (!poll_until(has_settled(c, NVME_CSTS_RDY, &csts), c->limits.ready_ms * NS_PER_MS))
            warn("nvme-left-enabled",
                 "%s: firmware left it enabled and not ready; it is reset regardless", c->label);
        nvme_ctrl_disable(c);
        c->settled_ns = time_ns() + nvme_ctrl_settle_ns(c);
    }
    c->written_ns = time_ns();
}

// CSTS is left alone for as long as the controller asks for that.
bool nvme_ctrl_wait(struct nvme_ctrl *c, uint32_t wanted, struct problem *p)
{
    uint64_t now = time_ns();
    if (c->settled_ns > now)
        time_delay_ns(c->settled_ns - now);
    return wait_ready(c, wanted, p);
}

void nvme_ctrl_enable(struct nvme_ctrl *c)
{
    const struct nvme_qpair *q = c->admin;
    mmio_write32(mmio_at(c->regs, NVME_AQA),
                 (uint32_t)(field_put(NVME_AQA_ASQS, q->mask) | field_put(NVME_AQA_ACQS, q->mask)));
    mmio_write64(mmio_at(c->regs, NVME_ASQ), q->sq_address);
    mmio_write64(mmio_at(c->regs, NVME_ACQ), mem_phys(q->cq));
    nvme_cmb_enable(c);
    // 4 KiB pages, round robin, the NVM command set if there is no other: zeros.
    write_cc(c, (uint32_t)(NVME_CC_EN | field_put(NVME_CC_AMS, c->weighted ? NVME_CC_AMS_WRR : 0) |
                           field_put(NVME_CC_IOSQES, 6) | field_put(NVME_CC_IOCQES, 4) |
                           field_put(NVME_CC_CSS, c->limits.command_sets ? NVME_CC_CSS_ALL : 0)));
}

// ---- start ----

// Nothing that was in memory when firmware or we disabled it counts: only now may it reach memory.
static bool start_admin(struct nvme_ctrl *c, struct problem *p)
{
    if (!pci_enable(c->dev, p))
        return false;
    nvme_admin_start(c);
    nvme_ctrl_enable(c);
    c->written_ns = time_ns();
    return true;
}

bool nvme_ctrl_restart(struct nvme_ctrl *c, struct problem *p)
{
    if (!pci_enable(c->dev, p))
        return false;
    nvme_admin_reset(c);
    nvme_ctrl_enable(c);
    c->written_ns = time_ns();
    return nvme_ctrl_wait(c, NVME_CSTS_RDY, p);
}

static bool identify(struct nvme_ctrl *c, struct problem *p)
{
    if (!nvme_identify(c, NVME_CNS_CONTROLLER, 0, "Identify Controller", p) ||
        !nvme_parse_controller(c->label, c->page, &c->id, p))
        return false;
    c->warnings = mem_alloc(sizeof(*c->warnings), CACHE_LINE, c->dev->node);
    nvme_parse_abilities(c->label, c->page, c->quirks, &c->abilities, c->warnings);
    c->abilities.sgl &= sgl_wanted;
    warn_all(c->warnings);
    return true;
}

bool nvme_ctrl_reset(struct nvme_ctrl *c, struct problem *p)
{
    if (!map_registers(c, p) || !read_limits(c, p))
        return false;
    disable(c);
    return true;
}

bool nvme_ctrl_start(struct nvme_ctrl *c, struct problem *p)
{
    if (!nvme_ctrl_wait(c, 0, p))
        return false;
    nvme_cmb_find(c);
    return start_admin(c, p);
}

bool nvme_ctrl_identify(struct nvme_ctrl *c, struct problem *p)
{
    return nvme_ctrl_wait(c, NVME_CSTS_RDY, p) && identify(c, p);
}

// No register is touched if it was never mapped.
void nvme_ctrl_stop(struct nvme_ctrl *c)
{
    if (c->regs && read_csts(c) != NVME_ALL_ONES)
        write_cc(c, 0);
    pci_stop_bus_master(c->dev);
}

// ---- shutdown ----

static bool is_shut_down(const struct nvme_ctrl *c)
{
    uint32_t csts = read_csts(c);
    return csts == NVME_ALL_ONES || field_get(NVME_CSTS_SHST, csts) == NVME_CSTS_SHST_COMPLETE;
}

void nvme_ctrl_shutdown(struct nvme_ctrl *c)
{
    uint32_t cc = mmio_read32(mmio_at(c->regs, NVME_CC));
    field_set(&cc, NVME_CC_SHN, NVME_CC_SHN_NORMAL);
    write_cc(c, cc);
    if (!poll_until(is_shut_down(c), c->id.shutdown_ms * NS_PER_MS))
        warn("nvme-shutdown", "%s: no end of its shutdown within %llu ms", c->label,
             (unsigned long long)c->id.shutdown_ms);
}
