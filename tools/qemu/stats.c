// SPDX-License-Identifier: BSD-2-Clause
// The counters as a table for people and as one JSON line for tools.
#include "tools/qemu/stats.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/qemu/attack.h"
#include "tools/qemu/count.h"
#include "tools/qemu/dsa/statistics.h"
#include "tools/qemu/faults.h"
#include "tools/qemu/qemu_abi.h"
#include "tools/qemu/rules.h"
#include "tools/qemu/snapshots.h"
#include "tools/qemu/strict.h"

struct model_stats stats;
static FILE *json;

void stats_count_post(const struct post *p)
{
    stats.posted++;
    stats.notified += p->outcome == POST_NOTIFIED;
    stats.overrode += p->overrode;
    stats.coalesced += p->outcome == POST_COALESCED;
    stats.suppressed += p->outcome == POST_SUPPRESSED;
    stats.repeated += p->repeated;
}

void stats_open_json(const char *path)
{
    json = fopen(path, "we");
    if (!json)
        refuse("can't write json=%s: %s", path, strerror(errno));
}

static void print_row(const char *label, uint64_t count)
{
    fprintf(stderr, "  %-44s %14" PRIu64 "\n", label, count);
}

static void print_fault_row(enum fault_reason reason)
{
    char label[64];
    snprintf(label, sizeof(label), "  %02xh %s", reason, fault_name(reason));
    print_row(label, stats.faults[reason]);
}

static void print_table(void)
{
    fprintf(stderr, MODEL_NAME ": interrupt posting on QEMU %s\n", qemu.version);
    print_row("not posted", stats.passed);
    print_row("posted", stats.posted);
    print_row("  notified", stats.notified);
    print_row("    although SN was set (urgent)", stats.overrode);
    print_row("  not notified: ON was set (coalesced)", stats.coalesced);
    print_row("  not notified: SN was set (suppressed)", stats.suppressed);
    print_row("  PIR bit was set already", stats.repeated);
    fprintf(stderr, "  faults\n");
    for (enum fault_reason r = FAULT_NONE; r < FAULT_END; r++)
        if (fault_name(r))
            print_fault_row(r);
    print_row("  not reported: FPD was set", stats.hidden_faults);
    strict_print_table();
    attack_print_table();
    dsa_print_table();
}

static void print_json(void)
{
    fprintf(json,
            "{\"type\":\"posted_model\",\"qemu\":\"%s\",\"passed\":%" PRIu64 ",\"posted\":%" PRIu64
            ",\"notified\":%" PRIu64 ",\"overrode\":%" PRIu64 ",\"coalesced\":%" PRIu64
            ",\"suppressed\":%" PRIu64 ",\"repeated\":%" PRIu64 ",\"faults\":{",
            qemu.version, stats.passed, stats.posted, stats.notified, stats.overrode,
            stats.coalesced, stats.suppressed, stats.repeated);
    const char *separator = "";
    for (enum fault_reason r = FAULT_NONE; r < FAULT_END; r++) {
        if (!fault_name(r))
            continue;
        fprintf(json, "%s\"%02xh\":%" PRIu64, separator, r, stats.faults[r]);
        separator = ",";
    }
    fprintf(json, "},\"hidden_faults\":%" PRIu64, stats.hidden_faults);
    strict_print_json(json);
    attack_print_json(json);
    dsa_print_json(json);
    count_print_json(json);
    snapshots_print_json(json);
    fprintf(json, "}\n");
    fclose(json);
}

void stats_print(void)
{
    rules_finish();
    print_table();
    count_print_table();
    if (json)
        print_json();
}
