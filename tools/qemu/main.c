// SPDX-License-Identifier: BSD-2-Clause
// The QEMU plugin: checks its arguments and QEMU, and lays itself over the machine's intel-iommu
// once the machine is complete.
#include <stdlib.h>
#include <string.h>

#include "tools/qemu/attack.h"
#include "tools/qemu/count.h"
#include "tools/qemu/dsa/device.h"
#include "tools/qemu/faults.h"
#include "tools/qemu/model.h"
#include "tools/qemu/plant.h"
#include "tools/qemu/rules.h"
#include "tools/qemu/snapshots.h"
#include "tools/qemu/stats.h"
#include "tools/qemu/strict.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version;
EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);

static int max_cpus;

__attribute__((constructor)) static void claim_interface(void)
{
    qemu_plugin_version = qemu_plugin_interface();
}

static struct {
    const char *json, *count, *snapshots;
    bool strict, instructions, attack_writes, attack_revoked, stock;
} arguments = { .attack_writes = true };

// The value of `argument` if it has this name, else NULL.
static const char *value_of(const char *argument, const char *name)
{
    size_t length = strlen(name);
    return strncmp(argument, name, length) || !argument[length] ? NULL : argument + length;
}

static bool parse_switch(const char *argument, const char *name, bool *on)
{
    const char *value = value_of(argument, name);
    if (!value || (strcmp(value, "on") && strcmp(value, "off")))
        return false;
    *on = !strcmp(value, "on");
    return true;
}

static void parse_argument(const char *argument)
{
    const char *value;
    if ((value = value_of(argument, "json=")))
        arguments.json = value;
    else if ((value = value_of(argument, "count=")))
        arguments.count = value;
    else if ((value = value_of(argument, "snapshots=")))
        arguments.snapshots = value;
    else if ((value = value_of(argument, "plant=")))
        plant_choose(value);
    else if ((value = value_of(argument, "attack=")))
        attack_add(value);
    else if (!parse_switch(argument, "strict=", &arguments.strict) &&
             !parse_switch(argument, "attack-writes=", &arguments.attack_writes) &&
             !parse_switch(argument, "attack-revoked=", &arguments.attack_revoked) &&
             !parse_switch(argument, "instructions=", &arguments.instructions) &&
             !parse_switch(argument, "stock=", &arguments.stock))
        refuse("unknown argument '%s'; there are json=FILE, count=ELF, snapshots=PORT, "
               "instructions=on, attack=ID, attack-writes=off, attack-revoked=on, plant=NAME, "
               "strict=on and stock=on",
               argument);
}

static void find_unit(void)
{
    struct qemu_object *unit = qemu.object_resolve_path_type("", "intel-iommu", NULL);
    if (!unit)
        refuse("the machine has no remapping unit; add -device intel-iommu,intremap=on,eim=on");
    model.registers = qemu_child_region(unit, "intel_iommu[0]");
    model.window = qemu_child_region(unit, "vtd-ir[0]");
    if (!model.registers || !model.window)
        refuse("the intel-iommu of QEMU %s is built in another way than expected", qemu.version);
    if (!(stock_read64(REG_ECAP) & ECAP_IR))
        refuse("the remapping unit does not remap interrupts; use intel-iommu,intremap=on");
}

static void find_apic(void)
{
    struct qemu_object *cpu = qemu.qemu_get_cpu(0);
    struct qemu_region *apic = cpu ? qemu_child_region(cpu, "lapic") : NULL;
    if (apic)
        model.apic = qemu_child_region((struct qemu_object *)apic, "apic-msi[0]");
    if (apic && !model.apic)
        model.apic = qemu_child_region((struct qemu_object *)apic, "kvm-apic-msi[0]");
    if (!model.apic)
        refuse("found no local APIC that takes messages in QEMU %s", qemu.version);
}

static void reset(void *opaque)
{
    faults_reset();
    rules_reset();
    count_reset();
}

static void attach_to_unit(void)
{
    find_unit();
    find_apic();
    faults_init();
    qemu_use_atomics(max_cpus);
    qemu_overlay(model.registers, MODEL_NAME "-registers", &registers_ops);
    qemu_overlay(model.window, MODEL_NAME "-window", &window_ops);
    snapshots_attach();
    attack_attach();
    qemu.qemu_register_reset(reset, NULL);
    atexit(stats_print);
}

static void attach(struct qemu_notifier *n, void *data)
{
    qemu_abi_probe();
    if (!arguments.stock)
        attach_to_unit();
    no_tpm_attach();
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
    static struct qemu_notifier machine_done = { .notify = attach };
    max_cpus = info->system.max_vcpus;
    for (int i = 0; i < argc; i++)
        parse_argument(argv[i]);
    if (arguments.json)
        stats_open_json(arguments.json);
    qemu_abi_init();
    dsa_register_type();
    if (arguments.strict)
        strict_init();
    attack_set_writes(arguments.attack_writes);
    attack_set_revoked(arguments.attack_revoked);
    if (arguments.count)
        count_init(id, arguments.count, max_cpus);
    if (arguments.snapshots)
        snapshots_init(arguments.snapshots);
    if (arguments.instructions)
        snapshots_count_instructions(id);
    qemu.qemu_add_machine_init_done_notifier(&machine_done);
    return 0;
}
