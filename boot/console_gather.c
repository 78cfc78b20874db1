// SPDX-License-Identifier: BSD-2-Clause
// Where the run's output goes: what the command line says of it, and what firmware's SPCR table does.

#include "boot/acpi_tables.h"
#include "boot/console.h"
#include "boot/loader.h"
#include "boot/spcr.h"

static void read_spcr(struct handoff *h)
{
    size_t entry = 0;
    uint64_t value;
    const struct acpi_table *table = acpi_tables_next(h->rsdp, "SPCR", &entry);
    if (!table)
        return;
    enum handoff_spcr fault = spcr_parse(table, table->length, &h->console.spcr, &value);
    h->console.has_spcr = fault == HANDOFF_SPCR_USABLE;
    if (fault != HANDOFF_SPCR_USABLE && fault != HANDOFF_SPCR_OFF)
        h->warnings[HANDOFF_WARN_SPCR] = (struct handoff_warned){ 1, { fault, value } };
}

// Of a line that is too long, the kernel tells; its last word may be half a one.
bool console_gather(struct loader *l, struct problem *p)
{
    struct handoff *h = l->handoff;
    if (!h->cmdline_dropped && !console_read_words(h->cmdline, &h->console, p))
        return false;
    read_spcr(h);
    console_choose(&h->console);
    return true;
}
