// SPDX-License-Identifier: BSD-2-Clause
// The device's properties: limits that stand once there is a machine, and what can be done to it while it
// runs, by -device or by qom-set. All of them are strings to QEMU.
#include "tools/qemu/dsa/device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REPORT(error, ...)                                                                         \
    qemu_pci.error_setg_internal((error), __FILE__, __LINE__, __func__, __VA_ARGS__)

struct number_option {
    const char *name;
    size_t at; // in struct dsa_options
    uint64_t least, most, standard;
};

#define OPTION(field) offsetof(struct dsa_options, field)

static const struct number_option numbers[] = {
    { "wqs", OPTION(wqs), 1, MAX_WQS, 8 },
    { "groups", OPTION(groups), 1, MAX_GROUPS, 4 },
    { "engines", OPTION(engines), 1, MAX_ENGINES, 4 },
    { "vectors", OPTION(vectors), 1, MAX_VECTORS, 9 },
    { "total-size", OPTION(total_size), 1, MAX_TOTAL_SIZE, 128 },
    { "max-transfer", OPTION(max_transfer), 0, 31, 31 },
    { "max-batch", OPTION(max_batch), 1, 15, 10 },
    { "max-handles", OPTION(max_handles), 0, MAX_VECTORS, MAX_VECTORS },
};

struct switch_option {
    const char *name;
    size_t at;
};

static const struct switch_option switches[] = {
    { "handles", OPTION(handles) },
    { "opcfg", OPTION(opcfg) },
    { "ats", OPTION(ats) },
    { "hold", OPTION(hold) },
};

static const char *const plants[DSA_PLANTS_END] = {
    [DSA_PLANT_NONE] = "none",       [DSA_PLANT_TWICE] = "twice",     [DSA_PLANT_NEVER] = "never",
    [DSA_PLANT_GARBAGE] = "garbage", [DSA_PLANT_SILENT] = "silent",   [DSA_PLANT_EARLY] = "early",
    [DSA_PLANT_FULL] = "full",       [DSA_PLANT_ASTRAY] = "astray",   [DSA_PLANT_FAULT] = "fault",
    [DSA_PLANT_ERROR] = "error",     [DSA_PLANT_CORRUPT] = "corrupt", [DSA_PLANT_HALT] = "halt",
    [DSA_PLANT_REVOKE] = "revoke",   [DSA_PLANT_STUCK] = "stuck",
};

static uint64_t *number_in(struct dsa *d, const struct number_option *o)
{
    return (uint64_t *)((uint8_t *)&d->options + o->at);
}

void dsa_options_init(struct dsa *d)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        *number_in(d, &numbers[i]) = numbers[i].standard;
}

bool dsa_planted(struct dsa *d, enum dsa_plant plant)
{
    return d->plant == plant && ++d->plant_count % d->plant_every == 0;
}

static bool parse_number(const char *text, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 0);
    return !errno && *text >= '0' && *text <= '9' && !*end;
}

static void set_number(struct dsa *d, const struct number_option *o, const char *text, void **error)
{
    uint64_t value;
    if (d->work)
        REPORT(error, DSA_TYPE ": %s can't be changed any more", o->name);
    else if (!parse_number(text, &value) || value < o->least || value > o->most)
        REPORT(error, DSA_TYPE ": %s=%s is none of %llu to %llu", o->name, text,
               (unsigned long long)o->least, (unsigned long long)o->most);
    else
        *number_in(d, o) = value;
}

static void set_switch(struct dsa *d, const struct switch_option *o, const char *text, void **error)
{
    bool on = !strcmp(text, "on");
    if (!on && strcmp(text, "off"))
        REPORT(error, DSA_TYPE ": %s is on or off, not %s", o->name, text);
    else if (d->work && o->at != OPTION(hold))
        REPORT(error, DSA_TYPE ": %s can't be changed any more", o->name);
    else
        *(bool *)((uint8_t *)&d->options + o->at) = on;
    dsa_kick(d);
}

// KIND, or KIND:N for each N-th descriptor or command.
static void set_plant(struct dsa *d, const char *text, void **error)
{
    uint64_t every = 1;
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    for (enum dsa_plant p = DSA_PLANT_NONE; p < DSA_PLANTS_END; p++) {
        if (strlen(plants[p]) != length || strncmp(plants[p], text, length) ||
            (colon && (!parse_number(colon + 1, &every) || !every)))
            continue;
        d->plant = p;
        d->plant_every = every;
        d->plant_count = 0;
        dsa_kick(d);
        return;
    }
    REPORT(error, DSA_TYPE ": plant=%s is none that it knows", text);
}

static void set_halt(struct dsa *d, const char *text, void **error)
{
    if (!strcmp(text, "software"))
        dsa_halt(d, RESET_SOFTWARE);
    else if (!strcmp(text, "function"))
        dsa_halt(d, RESET_FUNCTION);
    else
        REPORT(error, DSA_TYPE ": halt is software or function, the reset that it needs, not %s",
               text);
}

static void set_revoke(struct dsa *d, const char *text, void **error)
{
    if (!d->options.handles || strcmp(text, "on"))
        REPORT(error, DSA_TYPE ": revoke=on is for a device with handles=on");
    else
        dsa_revoke(d);
}

static const struct action {
    const char *name;
    void (*set)(struct dsa *, const char *text, void **error);
} actions[] = { { "plant", set_plant }, { "halt", set_halt }, { "revoke", set_revoke } };

// ---- QEMU's side ----

static void set(struct dsa *d, const char *name, const char *text, void **error)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (!strcmp(numbers[i].name, name))
            set_number(d, &numbers[i], text, error);
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
        if (!strcmp(switches[i].name, name))
            set_switch(d, &switches[i], text, error);
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (strcmp(actions[i].name, name))
            continue;
        else if (!d->work && actions[i].set != set_plant)
            REPORT(error, DSA_TYPE ": %s is for a machine that runs", name);
        else
            actions[i].set(d, text, error);
}

static void set_property(struct qemu_object *function, struct qemu_visitor *v, const char *name,
                         void *opaque, void **error)
{
    char *text = NULL;
    if (!qemu_pci.visit_type_str(v, name, &text, error))
        return;
    set(dsa_of(function), name, text, error);
    free(text);
}

static void add(struct qemu_class *class, const char *name)
{
    qemu_pci.object_class_property_add(class, name, "str", NULL, set_property, NULL, NULL);
}

void dsa_options_add(struct qemu_class *class)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        add(class, numbers[i].name);
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
        add(class, switches[i].name);
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        add(class, actions[i].name);
}
