// SPDX-License-Identifier: BSD-2-Clause
// The disks' state before and after.
#include "apps/health.h"

#include "apps/arena.h"
#include "apps/table.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "lib/decimal.h"
#include "lib/format.h"

#define KELVIN 273
#define COLUMNS 10

struct health {
    const struct disks *disks;
    struct health_disk {
        bool known;
        uint16_t kelvin; // the newest sample's
        struct block_health before, after;
    } list[];
};

static bool ask(struct block_dev *dev, struct block_health *out)
{
    return dev->health && dev->health(dev, out);
}

struct health *health_begin(const struct disks *disks)
{
    struct health *h = arena_alloc(arena_of_run(), sizeof(*h) + disks->count * sizeof(h->list[0]),
                                   CACHE_LINE, NODE_ANY);
    h->disks = disks;
    for (size_t i = 0; i < disks->count; i++)
        h->list[i].known = ask(disks->list[i], &h->list[i].before);
    for (size_t i = 0; i < disks->count; i++)
        h->list[i].kelvin = h->list[i].before.kelvin;
    return h;
}

void health_sample(struct health *h)
{
    for (size_t i = 0; i < h->disks->count; i++) {
        struct block_dev *dev = h->disks->list[i];
        uint16_t kelvin = h->list[i].known && dev->sample_health ? dev->sample_health(dev) : 0;
        if (kelvin)
            h->list[i].kelvin = kelvin;
    }
}

uint16_t health_kelvin(const struct health *h, size_t disk)
{
    return h ? h->list[disk].kelvin : 0;
}

static const char *size_text(uint64_t bytes, char *to, size_t room)
{
    char digits[DECIMAL_BYTES];
    const uint64_t words[2] = { bytes };
    return decimal_si(decimal_text(words, 1, digits), to, room);
}

static void add_row(struct table *t, const char *name, const struct health_disk *d)
{
    char size[24];
    table_cell(t, "%s", name);
    table_cell(t, "%d C", (int)d->before.kelvin - KELVIN);
    table_cell(t, "%d C", (int)d->after.kelvin_most - KELVIN);
    table_cell(t, "%d C", (int)d->after.kelvin - KELVIN);
    table_cell(t, "%u%%", d->after.used_percent);
    table_cell(t, "%u%%", d->after.spare_percent);
    table_cell(t, "%sB", size_text(d->after.bytes_read - d->before.bytes_read, size, sizeof(size)));
    table_cell(t, "%sB",
               size_text(d->after.bytes_written - d->before.bytes_written, size, sizeof(size)));
    table_cell(t, "%lu", d->after.media_errors - d->before.media_errors);
    table_cell(t, "%lu", d->after.logged_errors - d->before.logged_errors);
}

static void send(const char *name, const struct health_disk *d)
{
    char buffer[512];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "health");
    json_text(&j, "filename", name);
    json_u64(&j, "kelvin_before", d->before.kelvin);
    json_u64(&j, "kelvin_most", d->after.kelvin_most);
    json_u64(&j, "kelvin_after", d->after.kelvin);
    json_u64(&j, "critical_warning", d->after.warnings);
    json_u64(&j, "percent_used", d->after.used_percent);
    json_u64(&j, "avail_spare", d->after.spare_percent);
    json_u64(&j, "bytes_read", d->after.bytes_read - d->before.bytes_read);
    json_u64(&j, "bytes_written", d->after.bytes_written - d->before.bytes_written);
    json_u64(&j, "media_errors", d->after.media_errors - d->before.media_errors);
    json_u64(&j, "num_err_log_entries", d->after.logged_errors - d->before.logged_errors);
    json_u64(&j, "hot_minutes", d->after.hot_minutes - d->before.hot_minutes);
    report_json(&j);
}

static void warn_of(const char *name, const struct health_disk *d)
{
    uint64_t errors = d->after.media_errors - d->before.media_errors;
    if (errors)
        warn("disk-media", "%s: %lu more error%s of its media than before: replace it", name,
             errors, errors == 1 ? "" : "s");
    if (d->after.warnings)
        warn("disk-health",
             "%s: it warns of its own state (SMART critical warning 0x%02x): app=nvme "
             "cmd=smart-log tells more",
             name, d->after.warnings);
}

void health_report(const struct health *h)
{
    static const char *const heads[COLUMNS] = { "disk",         "before",       "most", "after",
                                                "used",         "spare",        "read", "written",
                                                "media errors", "errors logged" };
    struct table table;
    if (!h)
        return;
    size_t cells = (h->disks->count + 1) * COLUMNS;
    table_init(&table, COLUMNS, 1,
               arena_alloc(arena_of_run(), cells * TABLE_CELL_BYTES, CACHE_LINE, NODE_ANY), cells);
    for (size_t i = 0; i < COLUMNS; i++)
        table_cell(&table, "%s", heads[i]);
    for (size_t i = 0; i < h->disks->count; i++) {
        struct health_disk d = h->list[i];
        const char *name = h->disks->list[i]->name;
        if (!d.known || !ask(h->disks->list[i], &d.after))
            continue;
        add_row(&table, name, &d);
        send(name, &d);
        warn_of(name, &d);
    }
    if (table_rows(&table) > 1) {
        table_print(&table);
        info("%s", "");
    }
}
