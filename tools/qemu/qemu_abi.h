// SPDX-License-Identifier: BSD-2-Clause
// The part of QEMU's internals that the model stands on: no QEMU header is packaged, so the few
// functions and structures it needs are declared here, and found and checked when it is loaded.
#pragma once

#include "lib/bits.h"

#define MODEL_NAME "onebell-posted"

struct qemu_object;        // Object
struct qemu_region;        // MemoryRegion; starts with its Object
struct qemu_address_space; // AddressSpace

// MemTxAttrs of 10.x and 11.x: bit fields in the first word, a bool in the byte after it.
struct qemu_attrs {
    uint32_t fields;
    uint8_t unspecified; // 1: the requester gave no attributes, hence no id
    uint8_t reserved[3];
};
static_assert(sizeof(struct qemu_attrs) == 8, "passed by value, in one register");
#define QEMU_ATTRS_REQUESTER_ID BITS32(21, 6)
#define QEMU_ATTRS_NONE ((struct qemu_attrs){ .unspecified = 1 })

typedef uint32_t qemu_result; // MemTxResult
#define QEMU_OK 0u
#define QEMU_ERROR BIT32(0)

// MemOp: the log of the size; zero bits above it mean little endian.
enum qemu_memop { QEMU_SIZE_4 = 2 };
enum qemu_endian { QEMU_LITTLE_ENDIAN = 2 };

// MemoryRegionOps.
struct qemu_region_ops {
    uint64_t (*read)(void *opaque, uint64_t addr, unsigned size);
    void (*write)(void *opaque, uint64_t addr, uint64_t data, unsigned size);
    qemu_result (*read_with_attrs)(void *opaque, uint64_t addr, uint64_t *data, unsigned size,
                                   struct qemu_attrs attrs);
    qemu_result (*write_with_attrs)(void *opaque, uint64_t addr, uint64_t data, unsigned size,
                                    struct qemu_attrs attrs);
    enum qemu_endian endianness;
    struct { // what the guest may do
        unsigned min_access_size, max_access_size;
        bool unaligned;
        bool (*accepts)(void *opaque, uint64_t addr, unsigned size, bool is_write,
                        struct qemu_attrs attrs);
    } valid;
    struct { // what QEMU makes of it before it calls the functions above
        unsigned min_access_size, max_access_size;
        bool unaligned;
    } impl;
};

// qemu_info_t.
struct qemu_info {
    const char *target_name;
    struct {
        int min, cur;
    } interface_version;
    bool system_emulation;
    struct {
        int smp_vcpus, max_vcpus;
    } system;
};

// Notifier, with its list links.
struct qemu_notifier {
    void (*notify)(struct qemu_notifier *n, void *data);
    void *links[2];
};

// VersionTriple, VersionInfo.
struct qemu_version_number {
    int64_t major, minor, micro;
};
struct qemu_version {
    const struct qemu_version_number *qemu;
    const char *package;
};

// FUNCTION(return type, name, parameters)
// clang-format off
#define QEMU_FUNCTIONS(FUNCTION)                                                                   \
    FUNCTION(struct qemu_version *, qmp_query_version, (void **error))                             \
    FUNCTION(void, qemu_add_machine_init_done_notifier, (struct qemu_notifier *))                  \
    FUNCTION(void, qemu_register_reset, (void (*reset)(void *), void *opaque))                     \
    FUNCTION(struct qemu_object *, qemu_get_cpu, (int index))                                      \
    FUNCTION(void, tcg_cflags_set, (struct qemu_object *cpu, uint32_t flags))                      \
    FUNCTION(struct qemu_object *, object_resolve_path_type,                                       \
             (const char *path, const char *type, bool *ambiguous))                                \
    FUNCTION(struct qemu_object *, object_resolve_path_component,                                  \
             (struct qemu_object *, const char *part))                                             \
    FUNCTION(void, memory_region_init_io,                                                          \
             (struct qemu_region *, struct qemu_object *owner, const struct qemu_region_ops *,     \
              void *opaque, const char *name, uint64_t size))                                      \
    FUNCTION(struct qemu_region *, get_system_io, (void))                                          \
    FUNCTION(struct qemu_region *, get_system_memory, (void))                                      \
    FUNCTION(void, memory_region_add_subregion_overlap,                                            \
             (struct qemu_region *, uint64_t offset, struct qemu_region *sub, int priority))       \
    FUNCTION(uint64_t, memory_region_size, (struct qemu_region *))                                 \
    FUNCTION(qemu_result, memory_region_dispatch_read,                                             \
             (struct qemu_region *, uint64_t addr, uint64_t *value, enum qemu_memop,               \
              struct qemu_attrs))                                                                  \
    FUNCTION(qemu_result, memory_region_dispatch_write,                                            \
             (struct qemu_region *, uint64_t addr, uint64_t value, enum qemu_memop,                \
              struct qemu_attrs))                                                                  \
    FUNCTION(struct qemu_region *, memory_region_from_host, (void *host, uint64_t *offset))        \
    FUNCTION(void *, address_space_map,                                                            \
             (struct qemu_address_space *, uint64_t addr, uint64_t *length, bool is_write,         \
              struct qemu_attrs))                                                                  \
    FUNCTION(void, address_space_unmap,                                                            \
             (struct qemu_address_space *, void *host, uint64_t length, bool is_write,             \
              uint64_t written))                                                                   \
    FUNCTION(qemu_result, address_space_rw,                                                        \
             (struct qemu_address_space *, uint64_t addr, struct qemu_attrs, void *buffer,         \
              uint64_t length, bool is_write))
// clang-format on

struct qemu_abi {
#define QEMU_POINTER(type, name, parameters) type(*name) parameters;
    QEMU_FUNCTIONS(QEMU_POINTER)
#undef QEMU_POINTER
    struct qemu_address_space *address_space_memory;
    char version[24];
};

extern struct qemu_abi qemu;

// The plugin interface version to claim, which QEMU reads right after loading.
int qemu_plugin_interface(void);
// Finds every symbol and checks the version; refuses a QEMU that lacks one or has another layout.
void qemu_abi_init(void);
// Sends one access through QEMU to a region of the model's own and checks what arrives. Needs the
// machine.
void qemu_abi_probe(void);
// Has the instructions of the virtual CPUs that are atomic translated to such. QEMU leaves that out
// where there can be but one CPU, as if devices never changed memory by atomic access.
void qemu_use_atomics(int max_cpus);
// A new region over `base`, from its first byte, that takes its accesses. It has no owner: were it
// the IOMMU, QEMU's re-entrancy guard would block the IOMMU's own registers from inside it.
void qemu_overlay(struct qemu_region *base, const char *name, const struct qemu_region_ops *ops);
// A region of one byte at an I/O port.
void qemu_add_port(uint64_t port, const char *name, const struct qemu_region_ops *ops);
// A region of the machine's memory; those of higher priority lie above it.
void qemu_add_memory(uint64_t address, uint64_t size, int priority, const char *name,
                     const struct qemu_region_ops *ops);
// The child `part` of an object, or NULL.
struct qemu_region *qemu_child_region(struct qemu_object *parent, const char *part);

// A symbol that QEMU exports, or refuses.
void *qemu_find(const char *symbol);

// One line to stderr and a failed exit. Of the two ways to say that it doesn't return, cppcheck knows this one.
__attribute__((__noreturn__)) void refuse(const char *format, ...) PRINTF_LIKE(1, 2);
