// SPDX-License-Identifier: BSD-2-Clause
// The type of device, and its life in QEMU: realize, configuration space, resets, the end.
#include "tools/qemu/dsa/device.h"

#include <stdlib.h>
#include <string.h>

#include "tools/qemu/dsa/complete.h"
#include "tools/qemu/strict.h"

#define REGION_BYTES 4096 // more than a MemoryRegion takes in any version
// Until the virtual CPUs have their turn again, so many steps, or so many bytes.
#define STEPS_AT_ONCE 64
#define BYTES_AT_ONCE (1 << 20)

static struct dsa *devices;

struct dsa *dsa_first(void)
{
    return devices;
}

struct dsa *dsa_of(struct qemu_object *function)
{
    for (struct dsa *d = devices; d; d = d->next)
        if (d->function == function)
            return d;
    refuse("a device of type " DSA_TYPE " has no state");
}

const char *dsa_name(const struct dsa *d)
{
    const char *name = qemu_pci.object_get_canonical_path_component(d->function);
    return name ? name : DSA_TYPE;
}

uint32_t dsa_config(const struct dsa *d, uint32_t at, int size)
{
    return qemu_pci.pci_default_read_config(d->function, at, size);
}

bool dsa_bus_master(const struct dsa *d)
{
    return dsa_config(d, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
}

bool dsa_ats_on(const struct dsa *d)
{
    return d->options.ats && (dsa_config(d, PCI_ATS_OFFSET + PCI_ATS_CONTROL, 2) & PCI_ATS_ENABLE);
}

// ---- work ----

void dsa_kick(struct dsa *d)
{
    if (d->work)
        qemu_pci.qemu_bh_schedule(d->work);
}

static void work(void *opaque)
{
    struct dsa *d = opaque;
    bool more = d->state != DSA_HALTED;
    d->requester = qemu_pci.pci_requester_id(d->function);
    d->moved = 0;
    dsa_complete_again(d);
    for (int i = 0; more && i < STEPS_AT_ONCE && d->moved < BYTES_AT_ONCE; i++) {
        more = dsa_engines_step(d);
        dsa_command_step(d);
    }
    if (d->state == DSA_HALTED)
        dsa_command_step(d);
    else if (more)
        dsa_kick(d);
}

// ---- resets ----

static void reset(void *opaque)
{
    struct dsa *d = opaque;
    dsa_engines_reset(d);
    dsa_registers_reset(d);
    d->state = DSA_DISABLED;
    d->reset_type = RESET_SOFTWARE;
    d->cmdstatus = 0;
    d->command.word = 0;
    d->command.stuck = false;
    memset(d->swerror, 0, sizeof(d->swerror));
    memset(d->slots, 0, d->options.wqs * PORTAL_BYTES / DESCRIPTOR_BYTES * sizeof(*d->slots));
}

static bool asks_for_reset(const struct dsa *d, uint32_t at, uint32_t value, int size)
{
    uint32_t control =
        qemu_pci.pci_find_capability(d->function, PCI_CAP_EXPRESS) + PCI_EXPRESS_DEVCTL;
    return at <= control && control + 2 <= at + (uint32_t)size &&
           (value >> 8 * (control - at) & PCI_EXPRESS_FLR);
}

static void write_config(struct qemu_object *function, uint32_t at, uint32_t value, int size)
{
    struct dsa *d = dsa_of(function);
    bool master = dsa_bus_master(d);
    qemu_pci.pci_default_write_config(function, at, value, size);
    if (asks_for_reset(d, at, value, size)) {
        reset(d);
        qemu_pci.pcie_cap_flr_write_config(function, at, value, size);
    } else if (master && !dsa_bus_master(d) && d->state != DSA_DISABLED && d->state != DSA_HALTED) {
        strict_breach(RULE_DSA_BUS_MASTER, "%s: the device was not Disabled", dsa_name(d));
        dsa_software_error(d, STATUS_CONFIG_CHANGE, NULL, 0, 0, 0);
        dsa_halt(d, RESET_FUNCTION);
    }
}

// ---- the object ----

static void *allocate(size_t count, size_t bytes)
{
    void *memory = calloc(count, bytes);
    if (!memory)
        refuse("out of memory");
    return memory;
}

static void init(struct qemu_object *function)
{
    qemu_pci_check();
    struct dsa *d = allocate(1, sizeof(*d));
    d->function = function;
    d->next = devices;
    devices = d;
    dsa_options_init(d);
}

static uint64_t power_of_two(uint64_t bytes)
{
    uint64_t power = 1;
    while (power < bytes)
        power *= 2;
    return power;
}

static void add_bars(struct dsa *d)
{
    d->bar0 = allocate(1, REGION_BYTES);
    d->bar2 = allocate(1, REGION_BYTES);
    qemu.memory_region_init_io(d->bar0, d->function, &dsa_register_ops, d, DSA_TYPE "-registers",
                               BAR0_BYTES);
    qemu.memory_region_init_io(d->bar2, d->function, &dsa_portal_ops, d, DSA_TYPE "-portals",
                               power_of_two(d->options.wqs * PORTAL_BYTES));
    qemu_pci.pci_register_bar(d->function, 0, QEMU_BAR_64 | QEMU_BAR_PREFETCH, d->bar0);
    qemu_pci.pci_register_bar(d->function, 2, QEMU_BAR_64 | QEMU_BAR_PREFETCH, d->bar2);
}

static bool add_capabilities(struct dsa *d, void **error)
{
    qemu_pci.pcie_endpoint_cap_init(d->function, 0);
    qemu_pci.pcie_cap_flr_init(d->function);
    if (d->options.ats)
        qemu_pci.pcie_ats_init(d->function, PCI_ATS_OFFSET, false);
    unsigned vectors = (unsigned)d->options.vectors;
    if (qemu_pci.msix_init(d->function, (uint16_t)vectors, d->bar0, 0, TABLE_MSIX, d->bar0, 0,
                           TABLE_PBA, 0, error))
        return false;
    for (unsigned i = 0; i < vectors; i++)
        qemu_pci.msix_vector_use(d->function, i);
    return true;
}

static void realize(struct qemu_object *function, void **error)
{
    struct dsa *d = dsa_of(function);
    add_bars(d);
    if (!add_capabilities(d, error))
        return;
    d->slots = allocate(d->options.wqs * PORTAL_BYTES / DESCRIPTOR_BYTES, sizeof(*d->slots));
    for (unsigned i = 0; i < d->options.wqs; i++)
        d->wqs[i].ring = allocate(d->options.total_size, sizeof(struct dsa_descriptor));
    d->memory = qemu_pci.pci_device_iommu_address_space(function);
    d->work = qemu_pci.qemu_bh_new_full(work, d, DSA_TYPE, NULL);
    reset(d);
    qemu.qemu_register_reset(reset, d);
}

static void leave(struct qemu_object *function)
{
    struct dsa *d = dsa_of(function);
    qemu_pci.qemu_unregister_reset(reset, d);
    qemu_pci.qemu_bh_delete(d->work);
    d->work = NULL;
    qemu_pci.msix_uninit(function, d->bar0, d->bar0);
}

static void finalize(struct qemu_object *function)
{
    struct dsa *d = dsa_of(function), **link = &devices;
    while (*link != d)
        link = &(*link)->next;
    *link = d->next;
    for (unsigned i = 0; i < MAX_WQS; i++)
        free(d->wqs[i].ring);
    free(d->slots);
    free(d);
}

static void init_class(struct qemu_class *class, const void *data)
{
    struct qemu_pci_class *c = qemu_pci_class_of(class);
    if (!c)
        return;
    c->realize = realize;
    c->exit = leave;
    c->config_write = write_config;
    c->vendor = DSA_VENDOR;
    c->device = DSA_DEVICE;
    c->class_id = DSA_CLASS;
    c->subsystem_vendor = DSA_SUBSYSTEM_VENDOR;
    c->subsystem = DSA_SUBSYSTEM;
    dsa_options_add(class);
}

void dsa_register_type(void)
{
    static const struct qemu_interface interfaces[] = { { "pci-express-device" }, { NULL } };
    static const struct qemu_type type = {
        .name = DSA_TYPE,
        .parent = "pci-device",
        .instance_init = init,
        .instance_finalize = finalize,
        .class_init = init_class,
        .interfaces = interfaces,
    };
    qemu_register_type(&type);
}
