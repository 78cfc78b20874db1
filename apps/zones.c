// SPDX-License-Identifier: BSD-2-Clause
// app=zones: what zones a disk has, and one of them appended to, finished or reset.
#include "apps/disks.h"
#include "apps/human.h"
#include "kernel/base/report.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "kernel/run/app.h"
#include "kernel/run/loop.h"
#include "lib/string.h"

#define REPORT_BYTES 4096u
#define ZONES_AT_ONCE (REPORT_BYTES / 64)

struct work {
    struct block_dev *dev;
    uint8_t *buffer; // of this disk alone: one that doesn't answer may still write to it
    bool done;
};

static void done(struct block_req *req)
{
    struct work *w = req->arg;
    w->done = true;
}

// One request, to its end; `lba` is also where an append's data went.
static bool carry_out(struct work *w, enum block_op op, uint64_t *lba, uint32_t blocks)
{
    struct block_req req = {
        .dev = w->dev,
        .op = op,
        .lba = *lba,
        .blocks = blocks,
        .buffer = w->buffer,
        .done = done,
        .arg = w,
    };
    w->done = false;
    block_submit(&req);
    cpu_run_until(&w->done);
    *lba = req.lba;
    if (req.status != BLOCK_OK)
        error("zones-io", "%s: the disk refused it at LBA %llu (status 0x%x)", w->dev->name,
              (unsigned long long)req.lba, req.detail);
    return req.status == BLOCK_OK;
}

// ---- reports ----

static void print_zone(const struct block_dev *dev, const struct block_zone *zone)
{
    uint64_t number = zone->start / (dev->limits.zone / dev->block_size);
    uint64_t used = zone->write_pointer - zone->start;
    char text[256];
    struct json j;

    info("%-10s zone %llu at LBA %llu: %s, %llu of %llu blocks", dev->name,
         (unsigned long long)number, (unsigned long long)zone->start, zone->state,
         (unsigned long long)used, (unsigned long long)zone->capacity);
    json_begin(&j, text, sizeof(text), "zone");
    json_text(&j, "filename", dev->name);
    json_u64(&j, "zone", number);
    json_u64(&j, "start", zone->start);
    json_u64(&j, "capacity", zone->capacity);
    json_u64(&j, "write_pointer", zone->write_pointer);
    json_text(&j, "state", zone->state);
    report_json(&j);
}

// Some zones from `first` on, as many as fit; 0: it failed.
static size_t report_some(struct work *w, uint64_t first, size_t most)
{
    static struct block_zone zones[ZONES_AT_ONCE];
    struct problem p;
    size_t count;
    uint64_t lba = first;
    uint32_t bytes = MAX(REPORT_BYTES, w->dev->block_size);

    memset(w->buffer, 0, bytes);
    if (!carry_out(w, BLOCK_ZONE_REPORT, &lba, bytes / w->dev->block_size))
        return 0;
    if (!w->dev->read_zones(w->dev, w->buffer, REPORT_BYTES, first, zones,
                            MIN(most, ZONES_AT_ONCE + 0ul), &count, &p)) {
        error_problem(&p);
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        print_zone(w->dev, &zones[i]);
    return count;
}

static void report_all(struct work *w)
{
    uint64_t zone = w->dev->limits.zone / w->dev->block_size;
    size_t count;
    for (uint64_t lba = 0; lba < w->dev->blocks; lba += count * zone) {
        count = report_some(w, lba, ZONES_AT_ONCE);
        if (!count)
            return;
    }
}

// ---- changes ----

// Appends a pattern and looks whether it can be read where the disk says that it is.
static void append(struct work *w, uint64_t lba, uint32_t blocks)
{
    size_t bytes = (size_t)blocks * w->dev->block_size;
    for (size_t i = 0; i < bytes; i++)
        w->buffer[i] = (uint8_t)(i * 7 + i / w->dev->block_size);
    if (!carry_out(w, BLOCK_ZONE_APPEND, &lba, blocks))
        return;
    uint64_t at = lba;
    memset(w->buffer, 0, bytes);
    if (!carry_out(w, BLOCK_READ, &lba, blocks))
        return;
    for (size_t i = 0; i < bytes; i++)
        if (w->buffer[i] != (uint8_t)(i * 7 + i / w->dev->block_size)) {
            error("zones-data", "%s: byte %zu of what was appended at LBA %llu is another",
                  w->dev->name, i, (unsigned long long)at);
            return;
        }
    info("%-10s %u blocks appended at LBA %llu, and read back", w->dev->name, blocks,
         (unsigned long long)at);
}

// ---- what is to be done ----

static const struct {
    const char *name;
    enum block_op op;
} steps[] = {
    { "report", BLOCK_ZONE_REPORT },
    { "append", BLOCK_ZONE_APPEND },
    { "finish", BLOCK_ZONE_FINISH },
    { "reset", BLOCK_ZONE_RESET },
};

static bool find_step(const char *name, size_t length, enum block_op *op)
{
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (strlen(steps[i].name) == length && !memcmp(steps[i].name, name, length)) {
            *op = steps[i].op;
            return true;
        }
    return false;
}

// The next step of the list; false at its end.
static bool next_step(const struct cmdline_value *list, size_t *at, enum block_op *op, bool *known)
{
    size_t from = *at;
    if (from > list->length)
        return false;
    while (*at < list->length && list->text[*at] != ':')
        ++*at;
    *known = find_step(list->text + from, *at - from, op);
    ++*at;
    return true;
}

static bool all_known(const struct cmdline_value *list)
{
    enum block_op op;
    bool known;
    for (size_t at = 0; next_step(list, &at, &op, &known);)
        if (!known) {
            error("zones-do", "do=%.*s: each of its steps is report, append, finish or reset",
                  (int)list->length, list->text);
            return false;
        }
    return true;
}

static bool fits(const struct work *w, uint64_t number, uint32_t blocks)
{
    uint64_t zones = w->dev->blocks / (w->dev->limits.zone / w->dev->block_size);
    uint64_t most = w->dev->limits.max_append / w->dev->block_size;
    if (number >= zones)
        error("zones-number", "zone=%llu: %s has zones 0 to %llu", (unsigned long long)number,
              w->dev->name, (unsigned long long)(zones - 1));
    else if (blocks > most)
        error("zones-blocks", "blocks=%u: %s takes appends of up to %llu blocks", blocks,
              w->dev->name, (unsigned long long)most);
    else
        return true;
    return false;
}

static void take_step(struct work *w, enum block_op op, uint64_t lba, uint32_t blocks)
{
    struct problem p;
    uint64_t at = lba;
    if (op != BLOCK_ZONE_REPORT && !w->dev->writable && !disks_may_change(w->dev, op, &p))
        return error_problem(&p);
    if (op == BLOCK_ZONE_APPEND)
        append(w, lba, blocks);
    else if (op != BLOCK_ZONE_REPORT && !carry_out(w, op, &at, 1))
        return;
    report_some(w, lba, 1);
}

static void work_on(struct work *w, const struct cmdline *c)
{
    uint64_t number = cmdline_number(c, "zone");
    uint32_t blocks = (uint32_t)cmdline_number(c, "blocks");
    enum block_op op = BLOCK_ZONE_REPORT;
    bool known;

    if (!fits(w, number, blocks))
        return;
    for (size_t at = 0; next_step(cmdline_get(c, "do"), &at, &op, &known);) {
        if (op == BLOCK_ZONE_REPORT && !cmdline_get(c, "zone")->given)
            report_all(w);
        else
            take_step(w, op, number * (w->dev->limits.zone / w->dev->block_size), blocks);
    }
}

static void run(const struct cmdline *c)
{
    struct disks disks;
    struct problem p;
    unsigned found = 0;

    if (!all_known(cmdline_get(c, "do")))
        return;
    if (!disks_select(c, &disks, &p))
        return error_problem(&p);
    for (size_t i = 0; i < disks.count; i++) {
        struct work w = { .dev = disks.list[i] };
        if (!w.dev->read_zones)
            continue;
        found++;
        w.buffer = mem_alloc_dma(MAX(w.dev->max_transfer, REPORT_BYTES + 0ull), PAGE_BYTES,
                                 block_buffer_node(w.dev, 0));
        work_on(&w, c);
    }
    if (!found)
        error("zones-none", "none of these disks has zones");
}

static const struct option options[] = {
    DISKS_OPTION,
    { .name = "do",
      .kind = OPTION_TEXT,
      .fallback = "report",
      .help = "report, append, finish or reset, several with colons; all but report need "
              "allow-write=" },
    { .name = "zone",
      .kind = OPTION_NUMBER,
      .max = UINT64_MAX,
      .help = "its number; default: each" },
    { .name = "blocks",
      .kind = OPTION_NUMBER,
      .fallback = "1",
      .min = 1,
      .max = 2048,
      .help = "blocks to append" },
    { .name = NULL },
};

APP(app_zones) = {
    .name = "zones",
    .help = "zones of disks that have some",
    .options = options,
    .run = run,
};
