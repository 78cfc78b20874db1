// SPDX-License-Identifier: BSD-2-Clause
// One more part of QEMU's internals: what a PCI device of the plugin's own stands on.
#pragma once

#include "tools/qemu/qemu_abi.h"

struct qemu_class;   // ObjectClass
struct qemu_visitor; // Visitor
struct qemu_bh;      // QEMUBH

struct qemu_interface { // InterfaceInfo
    const char *type;
};

// TypeInfo.
struct qemu_type {
    const char *name, *parent;
    size_t instance_size, instance_align;
    void (*instance_init)(struct qemu_object *);
    void (*instance_post_init)(struct qemu_object *);
    void (*instance_finalize)(struct qemu_object *);
    bool abstract;
    size_t class_size;
    void (*class_init)(struct qemu_class *, const void *data);
    void (*class_base_init)(struct qemu_class *, const void *data);
    const void *class_data;
    const struct qemu_interface *interfaces;
};

// The part of PCIDeviceClass that follows its DeviceClass.
struct qemu_pci_class {
    void (*realize)(struct qemu_object *, void **error);
    void (*exit)(struct qemu_object *);
    uint32_t (*config_read)(struct qemu_object *, uint32_t at, int size);
    void (*config_write)(struct qemu_object *, uint32_t at, uint32_t value, int size);
    uint16_t vendor, device;
    uint8_t revision;
    uint16_t class_id, subsystem_vendor, subsystem;
};

#define QEMU_BAR_64 0x04
#define QEMU_BAR_PREFETCH 0x08

typedef void qemu_property(struct qemu_object *, struct qemu_visitor *, const char *name,
                           void *opaque, void **error);

// clang-format off
#define QEMU_PCI_FUNCTIONS(FUNCTION)                                                               \
    FUNCTION(struct qemu_class *, object_class_by_name, (const char *))                            \
    FUNCTION(void *, object_class_property_add,                                                    \
             (struct qemu_class *, const char *name, const char *type, qemu_property *get,         \
              qemu_property *set, qemu_property *release, void *opaque))                           \
    FUNCTION(const char *, object_get_canonical_path_component, (const struct qemu_object *))      \
    FUNCTION(bool, visit_type_str,                                                                 \
             (struct qemu_visitor *, const char *name, char **value, void **error))                \
    FUNCTION(void, error_setg_internal,                                                            \
             (void **error, const char *file, int line, const char *function,                      \
              const char *format, ...))                                                            \
    FUNCTION(void, pci_register_bar,                                                               \
             (struct qemu_object *, int bar, uint8_t type, struct qemu_region *))                  \
    FUNCTION(uint32_t, pci_default_read_config, (struct qemu_object *, uint32_t at, int size))     \
    FUNCTION(void, pci_default_write_config,                                                       \
             (struct qemu_object *, uint32_t at, uint32_t value, int size))                        \
    FUNCTION(uint8_t, pci_find_capability, (struct qemu_object *, uint8_t id))                     \
    FUNCTION(uint16_t, pci_requester_id, (struct qemu_object *))                                   \
    FUNCTION(int, pcie_endpoint_cap_init, (struct qemu_object *, uint8_t offset))                  \
    FUNCTION(void, pcie_cap_flr_init, (struct qemu_object *))                                      \
    FUNCTION(void, pcie_cap_flr_write_config,                                                      \
             (struct qemu_object *, uint32_t at, uint32_t value, int size))                        \
    FUNCTION(void, pcie_ats_init, (struct qemu_object *, uint16_t offset, bool aligned))           \
    FUNCTION(int, msix_init,                                                                       \
             (struct qemu_object *, uint16_t entries, struct qemu_region *table, uint8_t table_bar,\
              unsigned table_offset, struct qemu_region *pba, uint8_t pba_bar,                     \
              unsigned pba_offset, uint8_t capability, void **error))                              \
    FUNCTION(void, msix_uninit,                                                                    \
             (struct qemu_object *, struct qemu_region *table, struct qemu_region *pba))           \
    FUNCTION(void, msix_vector_use, (struct qemu_object *, unsigned))                              \
    FUNCTION(void, msix_notify, (struct qemu_object *, unsigned))                                  \
    FUNCTION(struct qemu_address_space *, pci_device_iommu_address_space, (struct qemu_object *))  \
    FUNCTION(void, qemu_unregister_reset, (void (*reset)(void *), void *opaque))                   \
    FUNCTION(struct qemu_bh *, qemu_bh_new_full,                                                   \
             (void (*fn)(void *opaque), void *opaque, const char *name, void *guard))              \
    FUNCTION(void, qemu_bh_schedule, (struct qemu_bh *))                                           \
    FUNCTION(void, qemu_bh_delete, (struct qemu_bh *))
// clang-format on

struct qemu_pci_abi {
#define QEMU_POINTER(type, name, parameters) type(*name) parameters;
    QEMU_PCI_FUNCTIONS(QEMU_POINTER)
#undef QEMU_POINTER
};

extern struct qemu_pci_abi qemu_pci;

// Adds a type of device, which QEMU looks up when a machine asks for one.
void qemu_register_type(const struct qemu_type *);
// What of a PCI device's class is to be filled in; NULL in a QEMU that isn't built as expected. Finds the
// functions above.
struct qemu_pci_class *qemu_pci_class_of(struct qemu_class *);
// Refuses such a QEMU.
void qemu_pci_check(void);
