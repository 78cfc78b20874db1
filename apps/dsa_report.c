// SPDX-License-Identifier: BSD-2-Clause
// The table of app=dsa, as the Linux patch set has it, and its JSON. A completion has one MSI; of those
// that come while the last one wasn't taken yet, one is taken.
#include "apps/dsa.h"

#include "apps/arena.h"
#include "apps/human.h"
#include "apps/latency.h"
#include "apps/table.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "lib/format.h"
#include "lib/json.h"
#include "lib/muldiv.h"

#define COLUMNS 8

const char *dsa_op_name(enum copy_op op)
{
    static const char *const names[COPY_OPS] = { "memmove", "memfill", "crc", "compare", "noop" };
    return names[op];
}

static uint64_t rate(const struct dsa_sum *sum, uint64_t each)
{
    return mul_div(sum->completed * each, NS_PER_S, latency_ns(sum->tsc));
}

void dsa_report_row(const struct dsa_config *config, const struct dsa_row *row)
{
    char text[768];
    const struct dsa_sum *sum = &row->sum;
    struct json j;
    json_begin(&j, text, sizeof(text), "dsa_job");
    json_text(&j, "irq", irq_mode_name(row->mode));
    json_u64(&j, "loops", row->loops);
    json_text(&j, "op", dsa_op_name(config->op));
    json_u64(&j, "bs", config->bs);
    json_u64(&j, "iodepth", config->iodepth);
    json_u64(&j, "batch", config->batch);
    json_u64(&j, "devices", sum->devices);
    json_u64(&j, "wqs", sum->wqs);
    json_u64(&j, "cpus", sum->cpus);
    json_u64(&j, "submitted", sum->submitted);
    json_u64(&j, "completed", sum->completed);
    json_u64(&j, "errors", sum->errors);
    json_u64(&j, "verify_errors", sum->verify_errors);
    json_u64(&j, "twice", sum->twice);
    json_u64(&j, "runtime", latency_ns(sum->tsc) / NS_PER_MS);
    json_u64(&j, "completions_per_s", rate(sum, 1));
    json_u64(&j, "bw_bytes", rate(sum, config->bs));
    json_u64(&j, "msis", sum->msis);
    json_u64(&j, "notifications", sum->notifications);
    json_milli(&j, "notifications_per_completion",
               mul_div(sum->notifications, 1000, sum->completed));
    json_u64(&j, "cycles_per_completion", sum->completed ? sum->busy_tsc / sum->completed : 0);
    json_u64(&j, "reads", row->reads);
    report_json(&j);
}

static void add(struct table *t, const struct dsa_config *config, const struct dsa_row *row)
{
    const struct dsa_sum *sum = &row->sum;
    char text[HUMAN_BYTES];
    table_cell(t, "%s", irq_mode_name(row->mode));
    if (row->mode == IRQ_POSTED)
        table_cell(t, "%u", row->loops);
    else
        table_cell(t, "-");
    table_cell(t, "%s", human_ratio(text, rate(sum, 1), 1000000, 3));
    table_cell(t, "%s", human_ratio(text, rate(sum, config->bs) * 8, 1000000000, 1));
    table_cell(t, "%s", human_ratio(text, sum->msis, sum->completed, 3));
    table_cell(t, "%s", human_ratio(text, sum->notifications, sum->completed, 3));
    table_cell(t, "%s", human_count(text, sum->completed ? sum->busy_tsc / sum->completed : 0));
    table_cell(t, "%s", human_count(text, row->reads));
}

void dsa_report_table(const struct dsa_config *config, const struct dsa_row *rows, unsigned count)
{
    static const char *const names[COLUMNS] = {
        "irq", "loops", "M/s", "Gbit/s", "MSIs taken", "notif", "cycles", "reads",
    };
    struct table t;
    char size[HUMAN_BYTES], batches[32] = "";
    size_t cells = (size_t)COLUMNS * (count + 1);
    table_init(&t, COLUMNS, 1,
               arena_alloc(arena_of_run(), cells * TABLE_CELL_BYTES, CACHE_LINE, NODE_ANY), cells);
    for (unsigned i = 0; i < COLUMNS; i++)
        table_cell(&t, "%s", names[i]);
    for (unsigned i = 0; i < count; i++)
        if (rows[i].there)
            add(&t, config, &rows[i]);
    if (table_rows(&t) == 1)
        return;
    if (config->batch > 1)
        format_text(batches, sizeof(batches), " in batches of %u", config->batch);
    info("%s", "");
    info(
        "completions by delivery (MSIs, notifications and cycles of each): %s of %s%s, iodepth %u, "
        "%u work queue%s of %u accelerator%s, %u "
        "CPU%s",
        dsa_op_name(config->op), human_size(size, config->bs), batches, config->iodepth,
        rows[0].sum.wqs, rows[0].sum.wqs == 1 ? "" : "s", rows[0].sum.devices,
        rows[0].sum.devices == 1 ? "" : "s", rows[0].sum.cpus, rows[0].sum.cpus == 1 ? "" : "s");
    table_print(&t);
    info("%s", "");
}
