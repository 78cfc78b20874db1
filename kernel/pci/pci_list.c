// SPDX-License-Identifier: BSD-2-Clause
// The functions that were found, in chunks, as there are few on most machines.

#include "kernel/pci/pci_list.h"

#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"

#define CHUNK_DEVS 64
#define CHUNKS (PCI_LIST_MAX / CHUNK_DEVS)

static struct {
    struct pci_dev *chunks[CHUNKS];
    size_t count;
    bool any_removed; // else nobody looks for one, of thousands
} devs;

struct pci_dev *pci_get(size_t index)
{
    return index < devs.count ? &devs.chunks[index / CHUNK_DEVS][index % CHUNK_DEVS] : NULL;
}

static struct pci_dev *add_at_end(void)
{
    size_t chunk = devs.count / CHUNK_DEVS;
    if (chunk == CHUNKS)
        return NULL;
    if (!devs.chunks[chunk])
        devs.chunks[chunk] =
            mem_alloc(CHUNK_DEVS * sizeof(struct pci_dev), alignof(struct pci_dev), NODE_ANY);
    struct pci_dev *dev = &devs.chunks[chunk][devs.count++ % CHUNK_DEVS];
    *dev = (struct pci_dev){ 0 };
    return dev;
}

static struct pci_dev *find_removed(uint32_t segment, uint16_t bdf)
{
    struct pci_dev *dev;
    for (size_t i = 0; devs.any_removed && (dev = pci_get(i)); i++)
        if (dev->removed && dev->segment == segment && dev->bdf == bdf)
            return dev;
    return NULL;
}

// Memory that was made for one function serves the next.
struct pci_dev *pci_list_add(uint32_t segment, uint16_t bdf)
{
    struct pci_dev *dev = find_removed(segment, bdf);
    if (dev)
        *dev = (struct pci_dev){ .kept = dev->kept, .errors = dev->errors };
    else
        dev = add_at_end();
    if (!dev)
        return NULL;
    dev->segment = segment;
    dev->bdf = bdf;
    return dev;
}

void pci_list_drop(struct pci_dev *dev)
{
    if (dev == pci_get(devs.count - 1))
        devs.count--;
    else
        pci_list_remove(dev);
}

void pci_list_remove(struct pci_dev *dev)
{
    dev->removed = devs.any_removed = true;
}

void pci_list_clear(void)
{
    devs.count = 0;
    devs.any_removed = false;
}

size_t pci_list_count(void)
{
    return devs.count;
}
