// SPDX-License-Identifier: BSD-2-Clause
// app=dsa: accelerators under each way to deliver interrupts, as the Linux patch set measured them.
#pragma once

#include "apps/dsa_load.h"
#include "kernel/irq/irq.h"

#define DSA_ROWS_MAX 12

// A row of the table: a mode, and where notifications harvest, how often.
struct dsa_row {
    enum irq_mode mode;
    unsigned loops; // 0: as it was
    bool there;     // measured
    struct dsa_sum sum;
    uint64_t reads; // of disks, meanwhile
};

enum dsa_rows {
    DSA_ROWS_ALL,   // modes, and posted with 2 to 6 loops
    DSA_ROWS_MODES, // once each
    DSA_ROWS_NOW,   // the mode in force
};

// What else runs during a row.
struct dsa_beside {
    void (*begin)(struct dsa_row *row);
    void (*end)(struct dsa_row *row);
};

// Runs the rows and tells what came of them (dsa_table.c). `load` is open; `beside` may be NULL. Boot CPU.
void dsa_table_run(struct dsa_load *load, enum dsa_rows which, const struct dsa_beside *beside);

const char *dsa_op_name(enum copy_op op); // op= as the word has it

// A row as a line of the table and as JSON; and the table's end (dsa_report.c). Boot CPU.
void dsa_report_row(const struct dsa_config *config, const struct dsa_row *row);
void dsa_report_table(const struct dsa_config *config, const struct dsa_row *rows, unsigned count);
