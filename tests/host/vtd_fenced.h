// SPDX-License-Identifier: BSD-2-Clause
// A machine whose DMA is fenced, and what its devices reach. As vtd_machine.h, for one test binary each.
#pragma once

#include "drivers/vtd/unit.h"
#include "vtd_machine.h"

#define DISK (&machine_devs[0])
#define OTHER (&machine_devs[1])
#define BEHIND_A_BRIDGE (&machine_devs[3])
#define BESIDE_IT (&machine_devs[4])
#define PIECE (8 * GIB)
#define PIECE_BYTES (6 * MIB)
#define REASON_BUS 1
#define REASON_FUNCTION 2
#define REASON_WIDTH 4
#define REASON_WRITE 5
#define REASON_READ 6

static struct problem p;

static inline bool drives(const struct pci_dev *dev)
{
    return dev == DISK;
}

static inline struct model_unit *fenced_unit(void)
{
    struct model_unit *m = machine_one_unit();
    vtd_set_driven(drives);
    vtd_set_dma(VTD_DMA_FENCE);
    return m;
}

// Bits of the model's capabilities that are the other way round.
struct fenced_kind {
    uint64_t cap, ecap;
};

// Over the test's own `kinds`, with a new machine for each.
#define for_each_kind(m)                                                                           \
    for (unsigned kind = 0; kind < ARRAY_SIZE(kinds); kind++)                                      \
        if ((m = fenced_unit(), m->cap ^= kinds[kind].cap, m->ecap ^= kinds[kind].ecap,            \
             machine_enable(), true))

static inline int end(void **state)
{
    vtd_set_driven(NULL);
    vtd_set_dma(VTD_DMA_OPEN);
    for (unsigned i = 0; i < MACHINE_DEVS; i++) {
        machine_devs[i].class_code = 0;
        machine_devs[i].granted = false;
        machine_devs[i].space = NULL;
        machine_devs[i].domain = NULL;
        machine_devs[i].requester = machine_devs[i].bdf;
    }
    return 0;
}

static inline void map(uint64_t base, uint64_t bytes)
{
    assert_true(model_dma_map(base, bytes, &p));
}

static inline void grant(struct pci_dev *dev)
{
    assert_true(machine_fence->grant(dev, &p));
    dev->granted = true;
}

static inline void revoke(struct pci_dev *dev)
{
    assert_true(machine_fence->revoke(dev, &p));
    dev->granted = false;
}

static inline unsigned reads(struct model_unit *m, const struct pci_dev *dev, uint64_t at)
{
    unsigned reason = model_dma(m, dev->requester, at, false);
    assert_true(reason || dev->space || m->arrived_at == at);
    return reason;
}

static inline unsigned writes(struct model_unit *m, const struct pci_dev *dev, uint64_t at)
{
    unsigned reason = model_dma(m, dev->requester, at, true);
    assert_true(reason || dev->space || m->arrived_at == at);
    return reason;
}

// The device reaches exactly the piece.
static inline void assert_reaches(struct model_unit *m, const struct pci_dev *dev, uint64_t base,
                                  uint64_t bytes)
{
    assert_int_equal(reads(m, dev, base), 0);
    assert_int_equal(writes(m, dev, base + bytes - 1), 0);
    assert_int_equal(writes(m, dev, base + bytes / 2), 0);
    assert_int_equal(writes(m, dev, base - 1), REASON_WRITE);
    assert_int_equal(reads(m, dev, base + bytes), REASON_READ);
}
