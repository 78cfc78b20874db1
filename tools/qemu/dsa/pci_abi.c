// SPDX-License-Identifier: BSD-2-Clause
// Types and PCI devices of QEMU's.
#include "tools/qemu/dsa/pci_abi.h"

#include <stddef.h>

// A device of stock QEMU whose class is looked through for its ids, to learn where they lie.
#define KNOWN_TYPE "pci-testdev"
#define KNOWN_VENDOR 0x1b36
#define KNOWN_DEVICE 0x0005
#define KNOWN_CLASS 0x00ff
#define CLASS_BYTES                                                                                \
    304 // fewer than a PCIDeviceClass takes in any version, no fewer than it takes to find them

struct qemu_pci_abi qemu_pci;

void qemu_register_type(const struct qemu_type *type)
{
    void *(*type_register_static)(const struct qemu_type *) = qemu_find("type_register_static");
    type_register_static(type);
}

static void find_all(void)
{
#define QEMU_FIND(type, name, parameters) qemu_pci.name = qemu_find(#name);
    QEMU_PCI_FUNCTIONS(QEMU_FIND)
#undef QEMU_FIND
}

// How far from the start of a class its PCI part lies.
static size_t pci_part(void)
{
    const uint8_t *known = (const void *)qemu_pci.object_class_by_name(KNOWN_TYPE);
    for (size_t at = 0; known && at + sizeof(struct qemu_pci_class) <= CLASS_BYTES; at += 8) {
        const struct qemu_pci_class *c = (const void *)(known + at);
        if (c->realize && c->vendor == KNOWN_VENDOR && c->device == KNOWN_DEVICE &&
            c->class_id == KNOWN_CLASS)
            return at;
    }
    refuse("the classes of PCI devices of QEMU %s are built in another way than expected",
           qemu.version);
}

struct qemu_pci_class *qemu_pci_class_of(struct qemu_class *c)
{
    find_all();
    return (void *)((uint8_t *)c + pci_part());
}
