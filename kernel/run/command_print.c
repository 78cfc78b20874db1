// SPDX-License-Identifier: BSD-2-Clause
// A raw word with its fields, on the console.

#include "kernel/base/report.h"
#include "kernel/run/command.h"

void command_print_fields(const char *name, uint64_t word, const struct command_field *fields,
                          size_t count)
{
    char text[COMMAND_FIELD_BYTES];
    info("%s %016llx", name, (unsigned long long)word);
    for (size_t i = 0; i < count; i++) {
        command_field_text(text, word, &fields[i]);
        info("    %s", text);
    }
}
