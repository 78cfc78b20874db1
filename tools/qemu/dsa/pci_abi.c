// SPDX-License-Identifier: BSD-2-Clause
// Types and PCI devices of QEMU's.
#include "tools/qemu/dsa/pci_abi.h"

#include <dlfcn.h>
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

// QEMU makes classes of all types at its start, also of those that no machine has: what is missing is told
// when a device is made.
static const char *missing;

static void *find(const char *symbol)
{
    void *address = dlsym(RTLD_DEFAULT, symbol);
    if (!address)
        missing = symbol;
    return address;
}

static void find_all(void)
{
#define QEMU_FIND(type, name, parameters) qemu_pci.name = find(#name);
    QEMU_PCI_FUNCTIONS(QEMU_FIND)
#undef QEMU_FIND
}

static bool is_known(const struct qemu_pci_class *c)
{
    return c->realize && c->vendor == KNOWN_VENDOR && c->device == KNOWN_DEVICE &&
           c->class_id == KNOWN_CLASS;
}

struct qemu_pci_class *qemu_pci_class_of(struct qemu_class *class)
{
    find_all();
    const uint8_t *known = missing ? NULL : (const void *)qemu_pci.object_class_by_name(KNOWN_TYPE);
    for (size_t at = 0; known && at + sizeof(struct qemu_pci_class) <= CLASS_BYTES; at += 8)
        if (is_known((const void *)(known + at)))
            return (void *)((uint8_t *)class + at);
    if (!missing)
        missing = "a class of PCI devices that is built as expected";
    return NULL;
}

void qemu_pci_check(void)
{
    if (missing)
        refuse("a device of the model's own needs %s, which QEMU %s lacks", missing, qemu.version);
}
