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

void loader_warnings(const struct handoff *h)
{
    static void (*const tell[HANDOFF_WARNINGS])(const struct handoff_warned *w) = {
        [HANDOFF_WARN_MEMORY_MAP] = memory_map,
        [HANDOFF_WARN_LOAD_OPTIONS] = load_options,
    };
    for (size_t i = 0; i < HANDOFF_WARNINGS; i++)
        if (h->warnings[i].count)
            tell[i](&h->warnings[i]);
}
