// SPDX-License-Identifier: BSD-2-Clause
// Loads the plugin as QEMU would, in place of a QEMU that it must refuse: of another version,
// without the symbols, or (COMPLETE) with all of them, one of which behaves otherwise.
//   fake-qemu PLUGIN VERSION [what differs]
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/qemu/qemu_abi.h"

static int version[3];
static const char *change = "none";

struct qemu_version *qmp_query_version(void **error);
struct qemu_version *qmp_query_version(void **error)
{
    static struct qemu_version_number number;
    static struct qemu_version info = { .qemu = &number };
    number = (struct qemu_version_number){ version[0], version[1], version[2] };
    return &info;
}

#ifdef COMPLETE
#define EXPORT(type, name, parameters)                                                             \
    type name parameters;                                                                          \
    type name parameters

static const struct qemu_region_ops *region_ops;
static void *region_opaque;

char address_space_memory[8];
EXPORT(void, qemu_add_machine_init_done_notifier, (struct qemu_notifier * n))
{
    n->notify(n, NULL);
}
EXPORT(struct qemu_object *, object_resolve_path_type,
       (const char *path, const char *type, bool *ambiguous))
{
    return NULL;
}
EXPORT(void *, type_register_static, (const void *type))
{
    return NULL;
}
EXPORT(void, memory_region_init_io,
       (struct qemu_region * region, struct qemu_object *owner, const struct qemu_region_ops *ops,
        void *opaque, const char *name, uint64_t size))
{
    region_ops = ops;
    region_opaque = opaque;
}
EXPORT(qemu_result, memory_region_dispatch_write,
       (struct qemu_region * region, uint64_t addr, uint64_t value, enum qemu_memop op,
        struct qemu_attrs attrs))
{
    unsigned size = 1u << op;
    if (!strcmp(change, "value"))
        value = __builtin_bswap32((uint32_t)value);
    if (!strcmp(change, "size"))
        size = 8;
    if (!strcmp(change, "address"))
        addr += 4;
    if (!strcmp(change, "attributes"))
        attrs.fields <<= 1;
    qemu_result result = region_ops->write_with_attrs(region_opaque, addr, value, size, attrs);
    return !strcmp(change, "result") ? QEMU_OK : result;
}

// Never called.
#define ABSENT(name)                                                                               \
    void name(void);                                                                               \
    void name(void)                                                                                \
    {                                                                                              \
        abort();                                                                                   \
    }
ABSENT(qemu_register_reset)
ABSENT(qemu_get_cpu)
ABSENT(tcg_cflags_set)
ABSENT(object_resolve_path_component)
ABSENT(get_system_io)
ABSENT(get_system_memory)
ABSENT(memory_region_add_subregion_overlap)
ABSENT(memory_region_size)
ABSENT(memory_region_dispatch_read)
ABSENT(memory_region_from_host)
ABSENT(address_space_map)
ABSENT(address_space_unmap)
ABSENT(address_space_rw)
#endif

int main(int argc, char **argv)
{
    if (argc < 3 || sscanf(argv[2], "%d.%d.%d", &version[0], &version[1], &version[2]) != 3)
        return 0;
    if (argc > 3)
        change = argv[3];
    void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!plugin) {
        fprintf(stderr, "%s\n", dlerror());
        return 0;
    }
    if (!strcmp(change, "interface"))
        return printf("%d\n", *(int *)dlsym(plugin, "qemu_plugin_version")) < 0;
    int (*install)(uint64_t, const struct qemu_info *, int, char **);
    *(void **)&install = dlsym(plugin, "qemu_plugin_install");
    return install(1, &(struct qemu_info){ .target_name = "x86_64" }, 0, NULL);
}
