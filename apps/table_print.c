// SPDX-License-Identifier: BSD-2-Clause
// Puts a table on the console.
#include "apps/table.h"
#include "kernel/base/report.h"

void table_print(const struct table *t)
{
    char line[TABLE_LINE_BYTES];
    for (size_t row = 0; row < table_rows(t); row++)
        info("%s", table_line(t, row, line));
}
