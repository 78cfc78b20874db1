// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/vtd/posting/check_fault.h"

void fault_prepare(struct rig *r)
{
    vtd_faults_clear(r->unit);
    rig_descriptor(r, r->target, 0);
}

size_t fault_count(const struct rig *r)
{
    struct vtd_fault f;
    size_t count = 0;
    for (size_t i = 0; i < vtd_fault_records(r->unit); i++)
        count += vtd_fault_read(r->unit, i, &f);
    return count;
}

bool fault_first(const struct rig *r, struct vtd_fault *f)
{
    uint32_t status = vtd_read32(r->unit, VTD_FSTS);
    size_t first = (size_t)field_get(VTD_FSTS_FRI, status);
    return status & VTD_FSTS_PPF && first < vtd_fault_records(r->unit) &&
           vtd_fault_read(r->unit, first, f);
}

bool fault_wait(struct rig *r, struct verdict *v)
{
    struct vtd_fault f;
    return poll_until(fault_first(r, &f), RIG_WAIT_NS) ||
           verdict_fail(v, "no fault was recorded (FSTS %08x, %lu records in use)",
                        vtd_read32(r->unit, VTD_FSTS), fault_count(r));
}

static bool is_cleared(struct rig *r, struct verdict *v)
{
    vtd_faults_clear(r->unit);
    uint32_t status = vtd_read32(r->unit, VTD_FSTS) & (VTD_FSTS_PPF | VTD_FSTS_PFO);
    size_t count = fault_count(r);
    return (!status && !count) ||
           verdict_fail(v, "after it was cleared, FSTS is %08x and %lu records are in use", status,
                        count);
}

bool fault_expect(struct rig *r, unsigned reason, uint16_t index, struct verdict *v)
{
    struct vtd_fault f = { 0 };
    if (!fault_wait(r, v))
        return false;
    fault_first(r, &f);
    if (f.reason != reason)
        return verdict_fail(v, "reason %02xh was recorded, and not %02xh", f.reason, reason);
    if (!irte_source_allows(r->from, f.source))
        return verdict_fail(v, "source %04x was recorded, which isn't %s", f.source,
                            r->generator->dev->name);
    if (f.has_index && f.index != index)
        return verdict_fail(v, "index %u was recorded, and not %u", f.index, index);
    return rig_expect(r, r->target, 0, v) && rig_expect_pir(r, (uint64_t[PI_WORDS]){ 0 }, v) &&
           is_cleared(r, v);
}
