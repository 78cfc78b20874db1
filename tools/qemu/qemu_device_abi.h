// SPDX-License-Identifier: BSD-2-Clause
// Another part of QEMU's internals: PCI functions as others see them, and timers. Found when it is asked
// for.
#pragma once

#include "tools/qemu/qemu_abi.h"

enum qemu_clock { QEMU_CLOCK_VIRTUAL = 1 }; // of the guest

// clang-format off
#define QEMU_DEVICE_FUNCTIONS(FUNCTION)                                                            \
    FUNCTION(int, pci_qdev_find_device, (const char *id, struct qemu_object **function))           \
    FUNCTION(struct qemu_address_space *, pci_device_iommu_address_space, (struct qemu_object *))  \
    FUNCTION(void *, qdev_get_parent_bus, (const struct qemu_object *))                            \
    FUNCTION(int, pci_bus_num, (void *bus))                                                        \
    FUNCTION(struct qemu_object *, object_get_root, (void))                                        \
    FUNCTION(int, object_child_foreach_recursive,                                                  \
             (struct qemu_object *, int (*fn)(struct qemu_object *, void *), void *opaque))        \
    FUNCTION(void *, object_dynamic_cast, (struct qemu_object *, const char *type))                \
    FUNCTION(uint32_t, pci_default_read_config, (struct qemu_object *, uint32_t, int bytes))       \
    FUNCTION(int64_t, object_property_get_int, (struct qemu_object *, const char *, void **error)) \
    FUNCTION(void, timer_init_full,                                                                \
             (void *timer, void *group, int clock, int scale, int attributes,                      \
              void (*fn)(void *), void *opaque))                                                   \
    FUNCTION(void, timer_mod_ns, (void *timer, int64_t at))                                        \
    FUNCTION(int64_t, qemu_clock_get_ns, (int clock))                                              \
    FUNCTION(void, async_safe_run_on_cpu,                                                          \
             (struct qemu_object *cpu, void (*fn)(struct qemu_object *, void *), void *opaque))
// clang-format on

// A PCI function by its id, and what it sees as memory. NULL: there is none.
struct qemu_object *qemu_find_function(const char *id, struct qemu_address_space **memory);

// Calls fn for each PCI function of the machine.
void qemu_each_function(void (*fn)(struct qemu_object *function));

uint32_t qemu_config_read(struct qemu_object *function, uint32_t offset, int bytes);

// Its requester id, which changes with the numbers that firmware gives to buses.
uint16_t qemu_requester_id(struct qemu_object *function);

// The one timer: calls fn under QEMU's big lock after so much of the guest's time; and once more.
void qemu_timer_start(void (*fn)(void *opaque), int64_t ns);
void qemu_timer_again(int64_t ns);

// Calls fn under QEMU's big lock, a little later, while no CPU of the guest's runs.
void qemu_when_paused(void (*fn)(void));
