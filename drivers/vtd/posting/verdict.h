// SPDX-License-Identifier: BSD-2-Clause
// What a test of posting found, and the line of KTAP (version 1, as the Linux kernel documents it in
// dev-tools/ktap) that says so. Pure.
#pragma once

#include "lib/types.h"

enum verdict_kind {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_SKIP, // what it needs isn't there
};

struct verdict {
    enum verdict_kind kind;
    char text[200]; // why it failed or was skipped; of one that passed, a remark or nothing
};

// The first one stands. Return false, and verdict_note() true: tests are chains of steps.
bool verdict_fail(struct verdict *v, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool verdict_skip(struct verdict *v, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool verdict_note(struct verdict *v, const char *fmt, ...) PRINTF_LIKE(2, 3);

// The name in JSON: "passed", "failed", "skipped".
const char *verdict_name(const struct verdict *v);

// "ok 3 sn-posts", "not ok 3 sn-posts", "ok 3 asleep # SKIP irq=poll never sleeps". Returns its full length.
#define KTAP_BYTES 320
int ktap_result(char *to, size_t bytes, unsigned number, const char *name, const struct verdict *v);
// "# sn-posts: ON was set"; an empty text where there is nothing to say but the result. It comes ahead
// of that.
int ktap_remark(char *to, size_t bytes, const char *name, const struct verdict *v);
