// SPDX-License-Identifier: BSD-2-Clause
// Sentences for the loader's warnings.

#include "init/loader_warnings.h"

#include "kernel/base/report.h"

static void memory_map(const struct handoff_warned *w)
{
    warn("memory-map",
         "firmware's memory map has %llu descriptors that no x86-64 machine can have (the first: "
         "0x%llx pages at 0x%llx): they are passed over; update the firmware",
         (unsigned long long)w->count, (unsigned long long)w->values[1],
         (unsigned long long)w->values[0]);
}

static void load_options(const struct handoff_warned *w)
{
    warn("load-options",
         "%llu bytes of load options are not UCS-2 text: not used (with efibootmgr, use --unicode)",
         (unsigned long long)w->values[0]);
}

static void spcr(const struct handoff_warned *w)
{
    static const char *const faults[] = {
        [HANDOFF_SPCR_SHORT] = "its length",
        [HANDOFF_SPCR_INTERFACE] = "its interface type, which is no 16550's",
        [HANDOFF_SPCR_SPACE] = "its address space, neither ports nor memory",
        [HANDOFF_SPCR_ADDRESS] = "its address, where no UART can be",
    };
    const char *fault = w->values[0] < ARRAY_SIZE(faults) ? faults[w->values[0]] : NULL;
    warn("spcr",
         "ACPI SPCR: firmware's console can't be followed for %s (0x%llx): use console= if this is "
         "not it",
         fault ? fault : "an unknown reason", (unsigned long long)w->values[1]);
}

void loader_warnings(const struct handoff *h)
{
    static void (*const tell[HANDOFF_WARNINGS])(const struct handoff_warned *w) = {
        [HANDOFF_WARN_MEMORY_MAP] = memory_map,
        [HANDOFF_WARN_LOAD_OPTIONS] = load_options,
        [HANDOFF_WARN_SPCR] = spcr,
    };
    for (size_t i = 0; i < HANDOFF_WARNINGS; i++)
        if (h->warnings[i].count)
            tell[i](&h->warnings[i]);
}
