// SPDX-License-Identifier: BSD-2-Clause
// The best of several tables with one signature.

#include "kernel/acpi/acpi.h"
#include "kernel/base/report.h"

// Refused ones are told of where another takes their place; the last one is the caller's to tell of.
bool acpi_read(const char signature[4], acpi_parser parse, void *out, struct problem *p)
{
    static struct warnings w; // too large for a stack
    const struct acpi_header *usable = NULL, *next;
    problem_set(p, "acpi-no-table", "ACPI has no usable table %.4s", signature);
    for (const struct acpi_header *t = acpi_find(signature); t; t = next) {
        w.count = 0;
        next = acpi_find_next(signature, t);
        bool taken = parse(t, out, &w, p);
        warn_all(&w);
        if (taken && w.count == 0)
            return true;
        if (taken)
            usable = usable ? usable : t;
        else if (next || usable)
            warn(p->what, "%s: another table %.4s is used", p->message, signature);
    }
    return usable && parse(usable, out, &w, p);
}
