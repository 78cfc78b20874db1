// SPDX-License-Identifier: BSD-2-Clause
// Where nothing is, and what a device mustn't reach.

#include "drivers/vtd/unit.h"
#include "drivers/vtd/posting/check_fault.h"
#include "kernel/base/x86.h"
#include "kernel/mem/mem.h"
#include "lib/string.h"

#define CPUID_ADDRESS_SIZES 0x80000008 // bits of physical addresses in EAX 7:0 (SDM vol. 2, CPUID)
#define REASON_WRITE 0x05              // no permission to write (VT-d 7.1.3, table 26)
#define REASON_BEYOND 0x04             // beyond the width of addresses
#define PATTERN 0xa5

static bool unreachable = true;

void check_set_unreachable(bool allowed)
{
    unreachable = allowed;
}

// The last bytes of what both the CPUs and the units can address.
static bool find_nothing(uint64_t bytes, uint64_t *address, struct verdict *v)
{
    unsigned width = vtd_units_table()->width, cpus = cpuid(CPUID_ADDRESS_SIZES, 0).a & 0xff;
    width = width ? MIN(width, cpus) : cpus;
    *address = (1ull << width) - bytes;
    if (!unreachable)
        return verdict_skip(v, "left out (unreachable=0)");
    return !mem_has_ram(*address, bytes) ||
           verdict_skip(v, "there is RAM at 0x%llx, up to the last address",
                        (unsigned long long)*address);
}

bool check_unreachable_table(struct rig *r, struct verdict *v)
{
    struct verdict back = { 0 };
    uint64_t nothing, bytes = r->other_count * sizeof(struct irte);
    if (!find_nothing(bytes, &nothing, v))
        return false;
    uint64_t irta = nothing | (rig_other_irta(r) & ~VTD_IRTA_IRTA);
    fault_prepare(r);
    bool ok = rig_switch(r, irta, true, v) && rig_send(r, v) && fault_expect(r, 0x23, r->entry, v);
    return rig_switch(r, rig_irta(r), true, &back) ? ok : verdict_fail(v, "%s", back.text);
}

bool check_unreachable_descriptor(struct rig *r, struct verdict *v)
{
    uint64_t nothing;
    if (!find_nothing(PAGE_BYTES, &nothing, v))
        return false;
    fault_prepare(r);
    return rig_write(r, r->entry, irte_posted(nothing, 0x60, false, r->from), v) &&
           rig_send(r, v) && fault_expect(r, 0x27, r->entry, v);
}

// ---- the fence ----

static bool is_untouched(const struct rig *r, struct verdict *v)
{
    const volatile uint8_t *page = r->page;
    for (size_t i = 0; i < PAGE_BYTES; i++)
        if (page[i] != PATTERN)
            return verdict_fail(v, "the device wrote to memory that it wasn't granted");
    return true;
}

static bool is_recorded(struct rig *r, uint64_t address, unsigned reason, struct verdict *v)
{
    struct vtd_fault f = { 0 };
    if (!fault_wait(r, v))
        return false;
    fault_first(r, &f);
    vtd_faults_clear(r->unit);
    if (f.interrupt || f.reason != reason || f.reads)
        return verdict_fail(v, "reason %02xh (of a %s) was recorded, and not %02xh of a write",
                            f.reason, f.reads ? "read" : "write", reason);
    if (!irte_source_allows(r->from, f.source))
        return verdict_fail(v, "source %04x was recorded, which isn't %s", f.source,
                            r->generator->dev->name);
    return f.address == address ||
           verdict_fail(v, "address 0x%llx was recorded, and not 0x%llx",
                        (unsigned long long)f.address, (unsigned long long)address);
}

// Its own interrupt, which would find an entry of a test before, is masked meanwhile.
static bool write_to(struct rig *r, uint64_t address, struct verdict *v)
{
    struct irq_generator *g = r->generator;
    struct problem p;
    if (!vtd_fence_is_on())
        return verdict_skip(v, "every device reaches all memory (dma=open)");
    if (!rig_aim(r, 0x60, false, v))
        return false;
    fault_prepare(r);
    msix_mask(g->dev, g->index, true);
    bool sent = g->write_page(g, address, &p);
    msix_mask(g->dev, g->index, false);
    return sent || verdict_fail(v, "%s", p.message);
}

// A page of RAM that is nobody's else: a fence that lets it through harms nothing.
bool check_fence(struct rig *r, struct verdict *v)
{
    memset(r->page, PATTERN, PAGE_BYTES);
    return write_to(r, mem_phys(r->page), v) && is_untouched(r, v) &&
           is_recorded(r, mem_phys(r->page), REASON_WRITE, v) && is_untouched(r, v);
}

// Past what the unit's tables can translate.
bool check_fence_beyond(struct rig *r, struct verdict *v)
{
    uint64_t beyond = 1ull << (12 + 9 * r->unit->levels);
    if (!unreachable)
        return verdict_skip(v, "left out (unreachable=0)");
    return write_to(r, beyond, v) && is_recorded(r, beyond, REASON_BEYOND, v);
}
