// SPDX-License-Identifier: BSD-2-Clause
// What the model did, counted; told when QEMU ends.
#pragma once

#include "tools/qemu/descriptor.h"

// posted = notified + coalesced + suppressed. All under QEMU's big lock.
struct model_stats {
    uint64_t passed;     // requests while remapping was on that were not posted
    uint64_t posted;     // PIR bits set, or found set
    uint64_t notified;   // notification interrupts sent
    uint64_t overrode;   // of these: URG, with SN set
    uint64_t coalesced;  // ON was set already
    uint64_t suppressed; // SN was set
    uint64_t repeated;   // posts whose PIR bit was set already
    uint64_t faults[FAULT_END];
    uint64_t hidden_faults; // not reported, because of FPD
};

extern struct model_stats stats;

void stats_count_post(const struct post *p);

// Opens the file that gets the JSON line at exit; NULL where there is none to write.
void stats_open_json(const char *path);
// The table to stderr, the JSON line to its file. At exit.
void stats_print(void);
