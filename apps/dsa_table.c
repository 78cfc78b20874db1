// SPDX-License-Identifier: BSD-2-Clause
// Rows, one after the other: a mode each, and for posted ones the harvests per notification.
#include "apps/dsa.h"

#include "apps/arena.h"
#include "apps/bench.h"
#include "kernel/base/report.h"
#include "kernel/cpu/trace.h"
#include "kernel/run/app.h"
#include "lib/mark.h"

#define LOOPS_FIRST 2 // as in the patch set's table
#define LOOPS_LAST 6

// ---- rows ----

static void add_row(struct dsa_row *rows, unsigned *count, enum irq_mode mode, unsigned loops)
{
    struct problem p;
    if (irq_mode_is_possible(mode, &p))
        rows[(*count)++] = (struct dsa_row){ .mode = mode, .loops = loops };
}

static unsigned make_rows(enum dsa_rows which, struct dsa_row *rows)
{
    unsigned count = 0, usual = irq_get_config()->loops;
    if (which == DSA_ROWS_NOW) {
        add_row(rows, &count, irq_get_mode(), usual);
        return count;
    }
    add_row(rows, &count, IRQ_MSI, usual);
    add_row(rows, &count, IRQ_REMAPPED, usual);
    if (which == DSA_ROWS_MODES)
        add_row(rows, &count, IRQ_POSTED, usual);
    for (unsigned loops = LOOPS_FIRST; which == DSA_ROWS_ALL && loops <= LOOPS_LAST; loops++)
        add_row(rows, &count, IRQ_POSTED, loops);
    add_row(rows, &count, IRQ_ADAPTIVE, usual);
    return count;
}

static void check_row(const struct dsa_row *row)
{
    const struct dsa_sum *sum = &row->sum;
    if (sum->errors || sum->verify_errors || sum->twice || sum->completed != sum->submitted)
        error("dsa-run",
              "irq=%s: of %lu operations %lu ended, %lu in error, %lu with wrong data, %lu of them "
              "twice",
              irq_mode_name(row->mode), sum->submitted, sum->completed, sum->errors,
              sum->verify_errors, sum->twice);
}

// False: there is no use in going on.
static bool run_row(struct dsa_load *load, const struct dsa_beside *beside, struct dsa_row *row)
{
    struct problem p;
    if (!bench_set_mode(row->mode, row->loops, irq_get_config()->rate, &p)) {
        error_problem(&p);
        return false;
    }
    if (beside)
        beside->begin(row);
    MARK_BEGIN("lap");
    dsa_load_execute(load, &row->sum);
    MARK_END("lap");
    if (beside)
        beside->end(row);
    row->there = true;
    check_row(row);
    dsa_report_row(&load->config, row);
    return !row->sum.errors;
}

void dsa_table_run(struct dsa_load *load, enum dsa_rows which, const struct dsa_beside *beside)
{
    struct dsa_row *rows =
        arena_alloc(arena_of_run(), DSA_ROWS_MAX * sizeof(*rows), CACHE_LINE, NODE_ANY);
    const struct irq_config config = *irq_get_config();
    unsigned count = make_rows(which, rows);
    struct problem p;
    for (unsigned i = 0; i < count && !app_is_asked_to_stop(); i++)
        if (!run_row(load, beside, &rows[i]))
            break;
    trace_stop(); // what follows is no work
    bench_set_mode(config.mode, config.loops, config.rate, &p);
    dsa_report_table(&load->config, rows, count);
}
