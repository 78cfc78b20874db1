// SPDX-License-Identifier: BSD-2-Clause
// PCI functions and timers of QEMU's.
#include "tools/qemu/qemu_device_abi.h"

#include <dlfcn.h>

#define TIMER_BYTES 512 // more than a QEMUTimer takes in any version

static struct {
#define QEMU_POINTER(type, name, parameters) type(*name) parameters;
    QEMU_DEVICE_FUNCTIONS(QEMU_POINTER)
#undef QEMU_POINTER
} device;

static void find_all(void)
{
    if (device.pci_bus_num)
        return;
#define QEMU_FIND(type, name, parameters) device.name = qemu_find(#name);
    QEMU_DEVICE_FUNCTIONS(QEMU_FIND)
#undef QEMU_FIND
}

struct qemu_object *qemu_find_function(const char *id, struct qemu_address_space **memory)
{
    struct qemu_object *function = NULL;
    find_all();
    if (device.pci_qdev_find_device(id, &function) || !function)
        return NULL;
    *memory = device.pci_device_iommu_address_space(function);
    return function;
}

static int call_for_function(struct qemu_object *o, void *opaque)
{
    void (**fn)(struct qemu_object *) = opaque;
    if (device.object_dynamic_cast(o, "pci-device"))
        (*fn)(o);
    return 0;
}

void qemu_each_function(void (*fn)(struct qemu_object *function))
{
    find_all();
    device.object_child_foreach_recursive(device.object_get_root(), call_for_function, &fn);
}

uint32_t qemu_config_read(struct qemu_object *function, uint32_t offset, int bytes)
{
    return device.pci_default_read_config(function, offset, bytes);
}

uint16_t qemu_requester_id(struct qemu_object *function)
{
    int64_t devfn = device.object_property_get_int(function, "addr", NULL);
    int bus = device.pci_bus_num(device.qdev_get_parent_bus(function));
    return (uint16_t)(bus << 8 | (devfn & 0xff));
}

static _Alignas(16) uint8_t timer[TIMER_BYTES];

void qemu_timer_start(void (*fn)(void *opaque), int64_t ns)
{
    find_all();
    device.timer_init_full(timer, NULL, QEMU_CLOCK_VIRTUAL, 1, 0, fn, NULL);
    qemu_timer_again(ns);
}

void qemu_timer_again(int64_t ns)
{
    device.timer_mod_ns(timer, device.qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns);
}

// Its names until QEMU 8.2, and since.
static void lock(void)
{
    void (*fn)(const char *file, int line) = dlsym(RTLD_DEFAULT, "bql_lock_impl");
    if (!fn)
        fn = qemu_find("qemu_mutex_lock_iothread_impl");
    fn(__FILE__, __LINE__);
}

static void unlock(void)
{
    void (*fn)(void) = dlsym(RTLD_DEFAULT, "bql_unlock");
    if (!fn)
        fn = qemu_find("qemu_mutex_unlock_iothread");
    fn();
}

static void paused(struct qemu_object *cpu, void *opaque)
{
    void (**fn)(void) = opaque;
    lock();
    (*fn)();
    unlock();
}

void qemu_when_paused(void (*fn)(void))
{
    static void (*next)(void);
    next = fn;
    device.async_safe_run_on_cpu(qemu.qemu_get_cpu(0), paused, &next);
}
