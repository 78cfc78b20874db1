// SPDX-License-Identifier: BSD-2-Clause
// The controller memory buffer: what the host and the controller find in it, each at its own address.

#include "tests/host/nvme_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mem/mem.h"
#include "tests/host/nvme_world.h"

#define DIRT 0xa5 // what is in it before it is written
#define BASE 0xfe100000ull

static uint64_t unit_of(const struct model *m)
{
    return 4096ull << 4 * field_get(NVME_CMBSZ_SZU, m->cmbsz);
}

static uint64_t offset_of(const struct model *m)
{
    return field_get(NVME_CMBLOC_OFST, m->cmbloc) * unit_of(m);
}

static uint64_t size_of(const struct model *m)
{
    return field_get(NVME_CMBSZ_SZ, m->cmbsz) * unit_of(m);
}

static struct pci_bar *bar_of(const struct model *m)
{
    return (struct pci_bar *)&m->pci.bars[field_get(NVME_CMBLOC_BIR, m->cmbloc)];
}

void model_give_cmb(struct model *m, bool has_cmbmsc, unsigned bar, uint64_t bar_bytes,
                    unsigned unit, unsigned offset, unsigned size)
{
    m->cap |= has_cmbmsc ? NVME_CAP_CMBS : 0;
    m->cmbloc = (uint32_t)(field_put(NVME_CMBLOC_BIR, bar) | field_put(NVME_CMBLOC_OFST, offset));
    m->cmbsz = (uint32_t)(NVME_CMBSZ_SQS | field_put(NVME_CMBSZ_SZU, unit) |
                          field_put(NVME_CMBSZ_SZ, size));
    if (bar > 5)
        return;
    m->pci.bars[bar].bytes = bar_bytes;
    if (bar)
        m->pci.bars[bar].base = BASE;
    m->cmb_bar = mem_alloc(MAX(bar_bytes, 1ull), NVME_PAGE, WORLD_ELSEWHERE);
    memset(m->cmb_bar, DIRT, bar_bytes);
}

void model_lose_cmb(struct model *m)
{
    m->cmbmsc = 0;
    if (m->cmb_bar)
        memset(m->cmb_bar, DIRT, bar_of(m)->bytes);
}

uint32_t model_read_cmb(const struct model *m, size_t offset)
{
    bool shown = !(m->cap & NVME_CAP_CMBS) || (m->cmbmsc & NVME_CMBMSC_CRE);
    if (offset == NVME_CMBSTS) {
        require(m->cap & NVME_CAP_CMBS, "reads CMBSTS, which isn't there");
        return m->cmb_misplaced && (m->cmbmsc & NVME_CMBMSC_CMSE) ? NVME_CMBSTS_CBAI : 0;
    }
    return !shown ? 0 : offset == NVME_CMBLOC ? m->cmbloc : m->cmbsz;
}

// Where it begins for the controller; 0: nowhere.
static uint64_t begin_of(const struct model *m)
{
    if (!m->cmb_bar)
        return 0;
    if (!(m->cap & NVME_CAP_CMBS))
        return bar_of(m)->base + offset_of(m);
    return m->cmbmsc & NVME_CMBMSC_CMSE ? m->cmbmsc & NVME_CMBMSC_CBA : 0;
}

bool model_is_cmb(const struct model *m, uint64_t address)
{
    uint64_t begin = begin_of(m);
    return begin && address >= begin && address - begin < size_of(m);
}

void *model_cmb_at(const struct model *m, uint64_t address)
{
    uint64_t at = offset_of(m) + address - begin_of(m);
    require(at < bar_of(m)->bytes, "an address in the controller's memory past its BAR");
    return m->cmb_bar + at;
}

volatile void *model_map_cmb(const struct model *m, unsigned bar, uint64_t offset)
{
    require(&m->pci.bars[bar] == bar_of(m), "BAR %u is mapped, and nothing is there", bar);
    require(m->pci_command & 2, "memory without memory decoding");
    return m->cmb_bar + offset;
}
