// SPDX-License-Identifier: BSD-2-Clause
// A DMAR table parsed, and what came of it. For one test binary each.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dmar_build.h"
#include "drivers/vtd/dmar.h"
#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"

static struct dmar d;
static struct warnings w;
static struct problem p;

static inline bool parse(struct blob *b)
{
    static void *copy;
    free(copy); // scopes point into it until the next call
    copy = blob_copy(b, b->length);
    w.count = 0;
    return dmar_parse(copy, b->length, &d, &w, &p);
}

// Parsed, with warnings of one kind and no other.
#define assert_warned(b, id)                                                                       \
    do {                                                                                           \
        assert_true(parse(b));                                                                     \
        assert_int_equal(w.count, 1);                                                              \
        assert_string_equal(w.kinds[0].first.what, id);                                            \
    } while (0)

#define assert_refused(b, id)                                                                      \
    do {                                                                                           \
        assert_false(parse(b));                                                                    \
        assert_string_equal(p.what, id);                                                           \
    } while (0)
