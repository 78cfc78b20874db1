// SPDX-License-Identifier: BSD-2-Clause
// A QEMU plugin that breaks a device on purpose: one of its registers reads as other bits than the
// device has, and may lose what is written to it. Everything else reaches the device.
//
//   type=nvme,path=nvme0,region=nvme[0]   which device, and which of its register windows
//   offset=0x1c,mask=1,value=0            the register, and what its masked bits read as
//   drop=1                                writes to the register are lost,
//   writes=1                              as many of them
//   arm=0x14,armbits=1,armcount=2         begins with the second write to 0x14 that sets bit 0, so
//                                         that the firmware still finds the device whole
//   reads=3                               is over after so many reads of the register
#include <stdlib.h>
#include <string.h>

#include "tools/qemu/qemu_abi.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 2;
EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

static struct {
    const char *type, *path, *region;
    uint64_t offset, mask, value, drop;
    uint64_t arm, armbits, armcount, reads, writes;
} override = { .path = "", .reads = UINT64_MAX, .writes = UINT64_MAX };

static struct qemu_region *stock;

static bool covers(uint64_t addr, unsigned size, uint64_t offset)
{
    return addr <= offset && offset < addr + size;
}

static bool armed(void)
{
    return override.armcount == 0 && override.reads;
}

static void watch(uint64_t addr, unsigned size, uint64_t data)
{
    if (override.armcount && covers(addr, size, override.arm) &&
        (data >> (override.arm - addr) * 8 & override.armbits))
        override.armcount--;
}

static enum qemu_memop memop(unsigned size)
{
    return (enum qemu_memop)__builtin_ctz(size);
}

static qemu_result read_register(void *opaque, uint64_t addr, uint64_t *data, unsigned size,
                                 struct qemu_attrs attrs)
{
    qemu_result result = qemu.memory_region_dispatch_read(stock, addr, data, memop(size), attrs);
    if (armed() && covers(addr, size, override.offset)) {
        unsigned shift = (unsigned)(override.offset - addr) * 8;
        *data = (*data & ~(override.mask << shift)) | override.value << shift;
        override.reads--;
    }
    return result;
}

static qemu_result write_register(void *opaque, uint64_t addr, uint64_t data, unsigned size,
                                  struct qemu_attrs attrs)
{
    watch(addr, size, data);
    if (armed() && override.drop && override.writes && covers(addr, size, override.offset)) {
        override.writes--;
        return QEMU_OK;
    }
    return qemu.memory_region_dispatch_write(stock, addr, data, memop(size), attrs);
}

static const struct qemu_region_ops ops = {
    .read_with_attrs = read_register,
    .write_with_attrs = write_register,
    .endianness = QEMU_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};

static void parse(const char *argument)
{
    static const struct {
        const char *name;
        const char **text;
        uint64_t *number;
    } options[] = {
        { "type=", &override.type, NULL },       { "path=", &override.path, NULL },
        { "region=", &override.region, NULL },   { "offset=", NULL, &override.offset },
        { "mask=", NULL, &override.mask },       { "value=", NULL, &override.value },
        { "drop=", NULL, &override.drop },       { "arm=", NULL, &override.arm },
        { "armbits=", NULL, &override.armbits }, { "armcount=", NULL, &override.armcount },
        { "reads=", NULL, &override.reads },     { "writes=", NULL, &override.writes },
    };
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        size_t length = strlen(options[i].name);
        if (strncmp(argument, options[i].name, length))
            continue;
        if (options[i].text)
            *options[i].text = strdup(argument + length);
        else
            *options[i].number = strtoull(argument + length, NULL, 0);
        return;
    }
    refuse("override: unknown argument '%s'", argument);
}

static void attach(struct qemu_notifier *n, void *data)
{
    struct qemu_object *device = qemu.object_resolve_path_type(override.path, override.type, NULL);
    stock = device ? qemu_child_region(device, override.region) : NULL;
    if (!stock)
        refuse("override: found no %s of one %s at '%s'", override.region, override.type,
               override.path);
    qemu_overlay(stock, "override", &ops);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    static struct qemu_notifier machine_done = { .notify = attach };
    for (int i = 0; i < argc; i++)
        parse(argv[i]);
    qemu_abi_init();
    if (!override.type || !override.region)
        refuse("override: give type= and region=");
    qemu.qemu_add_machine_init_done_notifier(&machine_done);
    return 0;
}
