// SPDX-License-Identifier: BSD-2-Clause
// A table of text with aligned columns. Pure, but for table_print().
#pragma once

#include "lib/types.h"

#define TABLE_COLUMNS_MAX 16
#define TABLE_CELL_BYTES 32 // longer text is cut off
#define TABLE_LINE_BYTES (TABLE_COLUMNS_MAX * (TABLE_CELL_BYTES + 1))

struct table {
    char (*cells)[TABLE_CELL_BYTES]; // the caller's, by rows
    size_t cells_max, cells_count;
    unsigned columns;
    uint32_t left; // bit n: column n is aligned to the left
    uint8_t widths[TABLE_COLUMNS_MAX];
};

void table_init(struct table *t, unsigned columns, uint32_t left, char (*cells)[TABLE_CELL_BYTES],
                size_t cells_max);

// The next cell, row by row. A cell past cells_max is left out.
void table_cell(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

// Complete rows so far.
size_t table_rows(const struct table *t);

// Row `row` as a line of text without trailing spaces; `to` has TABLE_LINE_BYTES. Returns `to`.
const char *table_line(const struct table *t, size_t row, char *to);

// Prints all rows, a line each (table_print.c).
void table_print(const struct table *t);
