// SPDX-License-Identifier: BSD-2-Clause
// Where functions are that a probe of eight for each device doesn't find: ARI devices' (PCIe Base
// 6.0, 7.8.8) and virtual ones (9.3.3).

#include "kernel/base/report.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/pci_list.h"
#include "kernel/pci/pci_regs.h"

unsigned pci_ari_next(const struct pci_dev *dev)
{
    unsigned ari = pci_find_ext_cap(dev, PCI_EXT_CAP_ARI);
    return ari ? (unsigned)field_get(PCI_ARI_CAP_NEXT, pci_read16(dev, ari + PCI_ARI_CAP)) : 0;
}

bool pci_forwards_ari(const struct pci_dev *port)
{
    unsigned express = port ? pci_find_cap(port, PCI_CAP_EXP) : 0;
    return express &&
           field_get(PCI_EXP_FLAGS_VERSION, pci_read16(port, express + PCI_EXP_FLAGS)) >= 2 &&
           pci_read16(port, express + PCI_EXP_DEVICE_CONTROL2) & PCI_EXP_DEVICE_CONTROL2_ARI;
}

// What they would need to be told apart (9.3.3.9, 9.3.3.10); NULL: nothing is wrong.
const char *pci_virtual_fault(const struct pci_dev *dev, const struct pci_virtual *v)
{
    if (v->count > pci_read16(dev, v->cap + PCI_SRIOV_TOTAL_VFS))
        return "more than TotalVFs";
    if (!v->offset)
        return "the first is where the physical function is (First VF Offset is 0)";
    if (v->count > 1 && !v->stride)
        return "all are in one place (VF Stride is 0)";
    return NULL;
}

unsigned pci_virtual_cap(const struct pci_dev *dev)
{
    unsigned cap = pci_find_ext_cap(dev, PCI_EXT_CAP_SRIOV);
    return cap <= PCI_CONFIG_BYTES - PCI_SRIOV_BYTES ? cap : 0;
}

struct pci_virtual pci_virtual_as_set(const struct pci_dev *dev, unsigned cap)
{
    return (struct pci_virtual){
        .cap = (uint16_t)cap,
        .count = pci_read16(dev, cap + PCI_SRIOV_NUM_VFS),
        .offset = pci_read16(dev, cap + PCI_SRIOV_VF_OFFSET),
        .stride = pci_read16(dev, cap + PCI_SRIOV_VF_STRIDE),
        .device = pci_read16(dev, cap + PCI_SRIOV_VF_DEVICE),
    };
}

void pci_read_virtual(struct pci_dev *dev)
{
    unsigned cap = pci_virtual_cap(dev);
    if (!cap || !(pci_read16(dev, cap + PCI_SRIOV_CONTROL) & PCI_SRIOV_CONTROL_VF_ENABLE))
        return;
    struct pci_virtual v = pci_virtual_as_set(dev, cap);
    const char *fault = pci_virtual_fault(dev, &v);
    if (!fault)
        dev->virtual = v;
    else
        warn("pci-sriov", "%s: its %u virtual functions are left out: %s", dev->name, v.count,
             fault);
}
