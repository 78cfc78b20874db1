// SPDX-License-Identifier: BSD-2-Clause
#include "tools/qemu/dsa/statistics.h"

#include <inttypes.h>

#include "tools/qemu/dsa/device.h"

void dsa_print_table(void)
{
    for (const struct dsa *d = dsa_first(); d; d = d->next)
        fprintf(
            stderr,
            "  %s: %" PRIu64 " descriptors, %" PRIu64 " dropped, %" PRIu64 " completed, %" PRIu64
            " of them failed, %" PRIu64 " interrupts, %" PRIu64 " commands\n",
            dsa_name(d), d->statistics.submitted, d->statistics.dropped, d->statistics.completed,
            d->statistics.failed, d->statistics.interrupts, d->statistics.commands);
}

void dsa_print_json(FILE *out)
{
    const char *separator = ",\"dsa\":[";
    for (const struct dsa *d = dsa_first(); d; d = d->next) {
        fprintf(out,
                "%s{\"id\":\"%s\",\"submitted\":%" PRIu64 ",\"dropped\":%" PRIu64
                ",\"completed\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"interrupts\":%" PRIu64
                ",\"commands\":%" PRIu64 "}",
                separator, dsa_name(d), d->statistics.submitted, d->statistics.dropped,
                d->statistics.completed, d->statistics.failed, d->statistics.interrupts,
                d->statistics.commands);
        separator = ",";
    }
    if (dsa_first())
        fprintf(out, "]");
}
