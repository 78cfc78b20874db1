// SPDX-License-Identifier: BSD-2-Clause
// Finds QEMU's symbols, and refuses a QEMU whose internals the model wasn't checked against.
#include "tools/qemu/qemu_abi.h"
#include "tools/qemu/qemu_count_abi.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// The layouts in qemu_abi.h hold from the first major version to before the second.
#define FIRST_MAJOR 10
#define END_MAJOR 12

#define CF_PARALLEL BIT32(15)

// More than a MemoryRegion takes in any of these versions (272 to 288 bytes).
#define REGION_BYTES 4096

struct qemu_abi qemu;
struct qemu_count_abi qemu_count;

void refuse(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, MODEL_NAME ": ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    exit(EXIT_FAILURE);
}

void *qemu_find(const char *symbol)
{
    void *address = dlsym(RTLD_DEFAULT, symbol);
    if (!address)
        refuse("this QEMU does not export %s; use qemu-system-x86_64 as Debian builds it", symbol);
    return address;
}

static void check_version(void)
{
    const struct qemu_version *info = qemu.qmp_query_version(NULL);
    snprintf(qemu.version, sizeof(qemu.version), "%d.%d.%d", (int)info->qemu->major,
             (int)info->qemu->minor, (int)info->qemu->micro);
    if (info->qemu->major < FIRST_MAJOR || info->qemu->major >= END_MAJOR)
        refuse("QEMU %s is not supported; use a version from %d.0 to before %d.0", qemu.version,
               FIRST_MAJOR, END_MAJOR);
}

// Each QEMU takes a range of versions, and the ranges of 10.0 (2 to 4) and 11.1 (7) don't meet. The
// one function that the model defines for it, qemu_plugin_install(), is the same in all of them.
int qemu_plugin_interface(void)
{
    struct qemu_version *(*query)(void **) = dlsym(RTLD_DEFAULT, "qmp_query_version");
    const struct qemu_version *info = query ? query(NULL) : NULL;
    if (!info || info->qemu->major < 11)
        return 4;
    return info->qemu->major == 11 && info->qemu->minor == 0 ? 6 : 7;
}

void qemu_abi_init(void)
{
    qemu.qmp_query_version = qemu_find("qmp_query_version");
    check_version();
#define QEMU_FIND(type, name, parameters) qemu.name = qemu_find(#name);
    QEMU_FUNCTIONS(QEMU_FIND)
#undef QEMU_FIND
    qemu.address_space_memory = qemu_find("address_space_memory");
}

void qemu_count_abi_init(void)
{
#define QEMU_FIND(type, name, parameters) qemu_count.name = qemu_find(#name);
    QEMU_COUNT_FUNCTIONS(QEMU_FIND)
#undef QEMU_FIND
}

void qemu_use_atomics(int max_cpus)
{
    for (int i = 0; i < max_cpus; i++) {
        struct qemu_object *cpu = qemu.qemu_get_cpu(i);
        if (cpu)
            qemu.tcg_cflags_set(cpu, CF_PARALLEL);
    }
}

static struct qemu_region *new_region(const struct qemu_region_ops *ops, void *opaque,
                                      const char *name, uint64_t size)
{
    struct qemu_region *region = calloc(1, REGION_BYTES);
    if (!region)
        refuse("out of memory");
    qemu.memory_region_init_io(region, NULL, ops, opaque, name, size);
    return region;
}

void qemu_overlay(struct qemu_region *base, const char *name, const struct qemu_region_ops *ops)
{
    struct qemu_region *overlay = new_region(ops, NULL, name, qemu.memory_region_size(base));
    qemu.memory_region_add_subregion_overlap(base, 0, overlay, 1);
}

void qemu_add_port(uint64_t port, const char *name, const struct qemu_region_ops *ops)
{
    struct qemu_region *region = new_region(ops, NULL, name, 1);
    qemu.memory_region_add_subregion_overlap(qemu.get_system_io(), port, region, 1);
}

void qemu_add_memory(uint64_t address, uint64_t size, int priority, const char *name,
                     const struct qemu_region_ops *ops)
{
    struct qemu_region *region = new_region(ops, NULL, name, size);
    qemu.memory_region_add_subregion_overlap(qemu.get_system_memory(), address, region, priority);
}

struct qemu_region *qemu_child_region(struct qemu_object *parent, const char *part)
{
    return (struct qemu_region *)qemu.object_resolve_path_component(parent, part);
}

struct probe {
    uint64_t addr, data;
    unsigned size;
    struct qemu_attrs attrs;
};

static qemu_result probe_write(void *opaque, uint64_t addr, uint64_t data, unsigned size,
                               struct qemu_attrs attrs)
{
    *(struct probe *)opaque = (struct probe){ addr, data, size, attrs };
    return QEMU_ERROR;
}

void qemu_abi_probe(void)
{
    static const struct qemu_region_ops ops = {
        .write_with_attrs = probe_write,
        .endianness = QEMU_LITTLE_ENDIAN,
        .valid = { .min_access_size = 4, .max_access_size = 4 },
        .impl = { .min_access_size = 4, .max_access_size = 4 },
    };
    static struct probe seen;
    struct qemu_attrs attrs = { .fields = (uint32_t)field_put(QEMU_ATTRS_REQUESTER_ID, 0xa55a) };
    struct qemu_region *region = new_region(&ops, &seen, MODEL_NAME "-probe", 4096);
    qemu_result result =
        qemu.memory_region_dispatch_write(region, 0x124, 0x12345678, QEMU_SIZE_4, attrs);

    if (result != QEMU_ERROR || seen.addr != 0x124 || seen.data != 0x12345678 || seen.size != 4 ||
        seen.attrs.fields != attrs.fields || seen.attrs.unspecified)
        refuse("QEMU %s hands on memory accesses in another form than expected", qemu.version);
}
