// SPDX-License-Identifier: BSD-2-Clause
// Says what is particular about a namespace.

#include "drivers/nvme/show.h"

#include "kernel/base/report.h"
#include "lib/format.h"

const char *nvme_size_text(uint64_t bytes, char *to, size_t room)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    size_t unit = 0;
    uint64_t tenths = bytes * 10;

    if (bytes > UINT64_MAX / 10)
        tenths = bytes / 1024 * 10, unit++;
    for (; tenths >= 10240 && unit + 1 < ARRAY_SIZE(units); unit++)
        tenths /= 1024;
    format_text(to, room, tenths % 10 ? "%llu.%llu %s" : "%llu%.0llu %s",
                (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10), units[unit]);
    return to;
}

static unsigned queues_in_cmb(const struct nvme_ctrl *c)
{
    unsigned count = 0;
    for (unsigned i = 0; i < c->queues_count; i++)
        count += c->queues[i]->qp.sq_is_theirs;
    return count;
}

// ---- tools ----

static void add(struct json *j, const char *key, uint64_t value)
{
    if (value)
        json_u64(j, key, value);
}

static void add_zones(struct json *j, const struct nvme_zoned *zoned,
                      const struct block_limits *limits)
{
    if (!zoned->zones)
        return;
    json_u64(j, "zone_size", limits->zone);
    json_u64(j, "zones", zoned->zones);
    add(j, "max_open_zones", zoned->max_open);
    add(j, "max_active_zones", zoned->max_active);
    json_u64(j, "max_append", limits->max_append);
}

void nvme_show_json(struct json *j, const struct nvme_ns *ns)
{
    const struct block_limits *limits = &ns->dev.limits;
    if (ns->dev.same_as)
        json_text(j, "same_as", ns->dev.same_as->name);
    if (ns->way)
        json_text(j, "ana_state", nvme_ana_text(ns->way));
    json_u64(j, "cmb_queues", queues_in_cmb(ns->ctrl));
    add(j, "metadata", limits->metadata);
    add(j, "protection", ns->protection);
    add(j, "boundary", limits->boundary);
    json_u64(j, "atomic_write", limits->atomic_write);
    json_u64(j, "atomic_write_power_fail", limits->atomic_power_fail);
    add(j, "write_granularity", limits->write_granularity);
    add(j, "write_optimal", limits->write_optimal);
    add(j, "deallocate_granularity", limits->deallocate_granularity);
    add(j, "max_copy", limits->max_copy);
    json_bool(j, "write_cache", limits->write_cache);
    if (limits->read_only)
        json_bool(j, "read_only", true);
    add_zones(j, &ns->zoned, limits);
}

// ---- people ----

static void say(char *line, size_t room, size_t *used, const char *fmt, ...) PRINTF_LIKE(4, 5);
static void say(char *line, size_t room, size_t *used, const char *fmt, ...)
{
    va_list args;
    if (*used && *used < room)
        *used += (size_t)format_text(line + *used, room - *used, ", ");
    va_start(args, fmt);
    if (*used < room)
        *used += (size_t)format_text_v(line + *used, room - *used, fmt, args);
    va_end(args);
}

void nvme_show_line(const struct nvme_ns *ns)
{
    const struct block_limits *limits = &ns->dev.limits;
    char line[320] = "", size[16];
    size_t used = 0;
    unsigned cmb_queues = queues_in_cmb(ns->ctrl);

    if (ns->dev.same_as)
        say(line, sizeof(line), &used, "the same disk as %s, by controller %u of its subsystem",
            ns->dev.same_as->name, ns->ctrl->abilities.id);
    if (ns->way && ns->way != NVME_ANA_OPTIMIZED)
        say(line, sizeof(line), &used, "reached by a way that is in state \"%s\"",
            nvme_ana_text(ns->way));
    if (cmb_queues)
        say(line, sizeof(line), &used, "%u of its queues in its memory (CMB)", cmb_queues);
    if (ns->zoned.zones)
        say(line, sizeof(line), &used, "%llu zones of %s", (unsigned long long)ns->zoned.zones,
            nvme_size_text(limits->zone, size, sizeof(size)));
    if (ns->protection)
        say(line, sizeof(line), &used, "protection type %u, which the disk checks", ns->protection);
    if (limits->metadata && !ns->protection)
        say(line, sizeof(line), &used, "%u bytes of metadata for each block, which are not used",
            limits->metadata);
    if (limits->boundary)
        say(line, sizeof(line), &used, "commands are cut each %s",
            nvme_size_text(limits->boundary, size, sizeof(size)));
    if (limits->read_only)
        say(line, sizeof(line), &used, "write protected");
    if (used)
        info("%-10s %s", ns->dev.name, line);
}

// ---- all of it ----

static void print_line(const struct nvme_ctrl *c, const struct block_dev *dev)
{
    char size[16], block[16], transfer[16], urgent[32] = "";
    if (c->queues_count > c->plain_count)
        format_text(urgent, sizeof(urgent), ", and %u urgent", c->queues_count - c->plain_count);
    info("%-10s %s  %-24s %-20s %-8s %9s in blocks of %s, %s a command, %u queue%s of %u%s",
         dev->name, c->dev->name, dev->model, dev->serial, c->id.firmware,
         nvme_size_text(dev->blocks * dev->block_size, size, sizeof(size)),
         nvme_size_text(dev->block_size, block, sizeof(block)),
         nvme_size_text(dev->max_transfer, transfer, sizeof(transfer)), c->plain_count,
         c->plain_count == 1 ? "" : "s", c->limits.queue_entries - 1, urgent);
}

static void print_json(const struct nvme_ctrl *c, const struct block_dev *dev)
{
    char text[1024];
    struct json j;

    json_begin(&j, text, sizeof(text), "nvme");
    json_text(&j, "filename", dev->name);
    json_text(&j, "pci", c->dev->name);
    if (c->dev->physical)
        json_text(&j, "physical", c->dev->physical->name);
    json_text(&j, "model", dev->model);
    json_text(&j, "serial", dev->serial);
    json_text(&j, "firmware", c->id.firmware);
    json_u64(&j, "nsid", dev->nsid);
    json_u64(&j, "size", dev->blocks * dev->block_size);
    json_u64(&j, "block_size", dev->block_size);
    json_u64(&j, "max_transfer", dev->max_transfer);
    json_u64(&j, "queues", c->plain_count);
    json_u64(&j, "urgent_queues", c->queues_count - c->plain_count);
    json_u64(&j, "queue_depth", c->limits.queue_entries - 1);
    json_u64(&j, "vectors", c->queues_count);
    if (c->dev->node != NODE_ANY)
        json_u64(&j, "node", c->dev->node);
    nvme_show_json(&j, dev->driver);
    report_json(&j);
}

void nvme_show_ctrl(const struct nvme_ctrl *c)
{
    if (c->running && !c->namespaces)
        info("%s: it has no namespace that can be read", c->label);
    for (const struct nvme_ns *ns = c->running ? c->namespaces : NULL; ns; ns = ns->next) {
        print_line(c, &ns->dev);
        nvme_show_line(ns);
        print_json(c, &ns->dev);
    }
}
