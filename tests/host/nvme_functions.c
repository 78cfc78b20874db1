// SPDX-License-Identifier: BSD-2-Clause
// kernel/pci's part in virtual functions: they come as controllers that are models of their own.

#include "tests/host/nvme_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/x86/time.h"
#include "tests/host/nvme_world.h"

static struct model *of(const struct pci_dev *dev)
{
    return container_of(dev, struct model, pci);
}

unsigned pci_virtual_most(const struct pci_dev *dev)
{
    return of(dev)->functions_most;
}

bool pci_virtual_start(struct pci_dev *dev, unsigned count, struct problem *p)
{
    struct model *m = of(dev);
    assert_in_range(count, 1, m->functions_most);
    if (m->functions_refused)
        return problem_set(p, "pci-sriov", "%s: they have no addresses", dev->name);
    m->functions_on = count;
    m->functions_since = time_ns();
    return true;
}

static void take_namespaces(struct model *vf, const struct model *m, uint16_t id)
{
    memset(vf->namespaces, 0, sizeof(vf->namespaces));
    for (unsigned i = 0; i < MODEL_NAMESPACES; i++)
        if (m->allocated[i].nsid && m->allocated[i].owned && m->allocated[i].owner == id)
            model_add_namespace(vf, m->allocated[i].nsid, 9, 1 << 20);
}

static void add(struct model *m, unsigned i)
{
    const struct nvme_secondary *is = &m->secondaries.list[i];
    struct model *vf = model_new();
    m->functions[i] = vf;
    vf->pci.physical = &m->pci;
    vf->pci.virtual_index = (uint16_t)i;
    vf->pci.msix.vectors = is->resources[NVME_VIRTUAL_INTERRUPTS];
    vf->grants = MAX(is->resources[NVME_VIRTUAL_QUEUES], 2u) - 1u;
    vf->id.cntlid = is->id;
    take_namespaces(vf, m, is->id);
}

unsigned pci_virtual_find(struct pci_dev *dev)
{
    struct model *m = of(dev);
    assert_true(m->functions_on);
    assert_true(time_ns() - m->functions_since >= PCI_VIRTUAL_NS);
    dev->virtual.count = (uint16_t)(m->functions_on - m->functions_missing);
    for (unsigned i = 0; i < dev->virtual.count; i++)
        add(m, i);
    return dev->virtual.count;
}

void pci_virtual_stop(struct pci_dev *dev)
{
    struct model *m = of(dev);
    for (unsigned i = 0; i < dev->virtual.count; i++) {
        assert_false(m->functions[i]->pci_command & 4);
        assert_false(m->secondaries.list[i].state);
        m->functions[i]->pci.removed = true;
    }
    m->functions_on = dev->virtual.count = 0;
}

bool pci_reset(struct pci_dev *dev, void (*delay_ns)(uint64_t), struct problem *p)
{
    struct model *m = of(dev);
    assert_false(m->pci_command & 4);
    assert_false(m->csts & NVME_CSTS_RDY);
    if (m->functions_refused_reset)
        return problem_set(p, "pci-reset", "%s: it doesn't come back", dev->name);
    delay_ns(100 * NS_PER_MS);
    m->cc = m->csts = 0;
    model_reset(m);
    m->function_resets++;
    for (unsigned kind = 0; kind < NVME_VIRTUAL_KINDS; kind++)
        if (!m->keeps_all)
            m->primary.kinds[kind].primary = m->primary_next[kind];
    return true;
}
