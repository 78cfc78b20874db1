// SPDX-License-Identifier: BSD-2-Clause
// Tables of text.
#include "apps/table.h"

#include "lib/format.h"
#include "lib/string.h"

#define GAP 2 // spaces between columns

static_assert(GAP * (TABLE_COLUMNS_MAX - 1) + TABLE_COLUMNS_MAX * (TABLE_CELL_BYTES - 1) <
                  TABLE_LINE_BYTES,
              "a full row fits");

void table_init(struct table *t, unsigned columns, uint32_t left, char (*cells)[TABLE_CELL_BYTES],
                size_t cells_max)
{
    *t = (struct table){
        .cells = cells,
        .cells_max = cells_max,
        .columns = MIN(columns, (unsigned)TABLE_COLUMNS_MAX),
        .left = left,
    };
}

void table_cell(struct table *t, const char *fmt, ...)
{
    if (t->cells_count == t->cells_max)
        return;
    uint8_t *width = &t->widths[t->cells_count % t->columns];
    char *cell = t->cells[t->cells_count++];
    va_list args;
    va_start(args, fmt);
    format_text_v(cell, TABLE_CELL_BYTES, fmt, args);
    va_end(args);
    *width = MAX(*width, (uint8_t)strlen(cell));
}

size_t table_rows(const struct table *t)
{
    return t->cells_count / t->columns;
}

const char *table_line(const struct table *t, size_t row, char *to)
{
    size_t used = 0, end = 0;
    for (unsigned c = 0; c < t->columns; c++) {
        int width = t->widths[c];
        if (t->left >> c & 1)
            width = -width;
        used += (size_t)format_text(to + used, TABLE_LINE_BYTES - used, "%*s%*s", c ? GAP : 0, "",
                                    width, t->cells[row * t->columns + c]);
    }
    for (size_t i = 0; i < used; i++)
        if (to[i] != ' ')
            end = i + 1;
    to[end] = 0;
    return to;
}
