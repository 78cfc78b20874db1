// SPDX-License-Identifier: BSD-2-Clause
// What test=posting tells: KTAP on the console, a JSON `test` for each test and one for all.
#pragma once

#include "drivers/vtd/posting/check.h"

struct posting_sum {
    unsigned planned, done, passed, failed, skipped;
    uint64_t began_ns;
};

void posting_report_plan(struct posting_sum *sum, unsigned tests);
// `several`: more units than one are tested, and names say whose.
void posting_report(struct posting_sum *sum, const struct rig *r, bool several,
                    const struct posting_check *check, const struct verdict *v);
void posting_report_sum(const struct posting_sum *sum);
