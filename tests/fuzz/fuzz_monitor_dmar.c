// SPDX-License-Identifier: BSD-2-Clause
// The monitor's dmar command on any table: it reads nothing past its end, and each line fits.
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "kernel/acpi/acpi.h"
#include "kernel/base/report.h"
#include "kernel/run/command.h"
#include "lib/format.h"
#include "lib/string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct command command_dmar;
static struct acpi_header *table;

const struct acpi_header *acpi_find(const char *signature)
{
    return table;
}

void info(const char *fmt, ...)
{
    char line[256];
    va_list args;
    va_start(args, fmt);
    assert(format_text_v(line, sizeof(line), fmt, args) < (int)sizeof(line));
    va_end(args);
}

// Of its own size, so that a byte past the end is noticed. acpi_find() has checked the length.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct command_words words = { .word = { "dmar" }, .count = 1 };
    struct problem p;
    if (size < sizeof(*table))
        return 0;
    table = malloc(size);
    memcpy(table, data, size);
    table->length = (uint32_t)size;
    (void)command_dmar.run(&words, &p);
    free(table);
    return 0;
}
