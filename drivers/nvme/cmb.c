// SPDX-License-Identifier: BSD-2-Clause
// Where the controller's memory is, and what lies in it.
//
// It is mapped uncached. A command on the straight path is five stores, which write-combining wouldn't
// make fewer: a line that isn't full goes out piece by piece (SDM vol. 3, 12.3.1), and then a fence
// would have to stand before each doorbell.

#include "drivers/nvme/cmb.h"

#include "kernel/base/report.h"
#include "kernel/pci/msi.h"
#include "lib/mmio.h"

#define USED_MOST (16 * MIB) // what the longest queues of 64 CPUs take

static bool wanted;

void nvme_cmb_set(bool is_wanted)
{
    wanted = is_wanted;
}

// What stands in CMBMSC outlives resets of the controller, and systems (3.7.2): firmware or whoever ran
// before may have left there an address that is RAM by now.
void nvme_cmb_enable(const struct nvme_ctrl *c)
{
    const struct nvme_cmb *cmb = &c->cmb;
    bool on = cmb->place.bytes && !cmb->off;
    uint64_t control = on ? NVME_CMBMSC_CRE | NVME_CMBMSC_CMSE | cmb->address : 0;
    if (c->limits.has_cmbmsc)
        mmio_write64(mmio_at(c->regs, NVME_CMBMSC), control);
}

// The controller takes the address of its BAR for the buffer's: no other memory has that, and so have
// those without CMBMSC it.
static bool takes_address(struct nvme_ctrl *c, struct problem *p)
{
    nvme_cmb_enable(c);
    if (!c->limits.has_cmbmsc || !(mmio_read32(mmio_at(c->regs, NVME_CMBSTS)) & NVME_CMBSTS_CBAI))
        return true;
    return problem_set(p, "nvme-cmb", "the controller refuses it at 0x%llx (CMBSTS.CBAI)",
                       (unsigned long long)c->cmb.address);
}

// Not where the registers or the messages of MSI-X are.
static bool is_apart(const struct nvme_ctrl *c, const struct nvme_cmb_place *place)
{
    uint64_t table;
    unsigned bar;
    if (place->bar == 0 && place->offset < NVME_DOORBELLS + 4ull * c->limits.stride)
        return false;
    if (!c->dev->msix.cap)
        return true;
    msix_table_place(c->dev, &bar, &table);
    return bar != place->bar || table + c->dev->msix.vectors * 16ull <= place->offset ||
           table >= place->offset + place->bytes;
}

// All of it has to be there: the controller takes each address up to its end for its own.
static bool map(struct nvme_ctrl *c, const struct nvme_cmb_place *place, struct problem *p)
{
    if (!pci_map_bar_part(c->dev, place->bar, place->offset, MIN(place->bytes, USED_MOST),
                          &c->cmb.window, p))
        return false;
    if (place->offset + place->bytes <= c->dev->bars[place->bar].bytes && is_apart(c, place))
        return true;
    return problem_set(p, "nvme-cmb",
                       "its 0x%llx bytes at 0x%llx of BAR %u run over something else, or past the "
                       "BAR's 0x%llx bytes",
                       (unsigned long long)place->bytes, (unsigned long long)place->offset,
                       place->bar, (unsigned long long)c->dev->bars[place->bar].bytes);
}

static bool find(struct nvme_ctrl *c, struct problem *p)
{
    struct nvme_cmb_place place;
    if (c->limits.has_cmbmsc)
        mmio_write64(mmio_at(c->regs, NVME_CMBMSC), NVME_CMBMSC_CRE);
    uint32_t size = mmio_read32(mmio_at(c->regs, NVME_CMBSZ));
    uint32_t location = mmio_read32(mmio_at(c->regs, NVME_CMBLOC));
    if (!nvme_parse_cmb(location, size, &place, p))
        return false;
    if (!place.bytes)
        return true;
    if (!map(c, &place, p))
        return false;
    c->cmb.place = place;
    c->cmb.address = c->dev->bars[place.bar].base + place.offset;
    return takes_address(c, p);
}

void nvme_cmb_find(struct nvme_ctrl *c)
{
    struct problem p;
    c->cmb = (struct nvme_cmb){ 0 };
    if (!wanted || c->version < NVME_VERSION(1, 2) || find(c, &p))
        return;
    c->cmb = (struct nvme_cmb){ 0 };
    warn("nvme-cmb", "%s: its controller memory buffer isn't used: %s; queues are in RAM", c->label,
         p.message);
}

volatile void *nvme_cmb_take(struct nvme_ctrl *c, uint64_t bytes, uint64_t *address)
{
    struct nvme_cmb *cmb = &c->cmb;
    uint64_t at = cmb->taken, end = MIN(cmb->place.bytes, USED_MOST);
    bytes = ALIGN_UP(bytes, NVME_PAGE);
    if (bytes > end - at)
        return NULL;
    cmb->taken += bytes;
    *address = cmb->address + at;
    return mmio_at(cmb->window, at);
}

void nvme_cmb_close(struct nvme_ctrl *c)
{
    c->cmb.taken = MIN(c->cmb.place.bytes, USED_MOST);
}
