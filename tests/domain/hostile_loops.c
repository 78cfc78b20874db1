// SPDX-License-Identifier: BSD-2-Clause
// Programs that never come round their loop.
#include "lib/types.h"
#include "tests/domain/hostile.h"

static const char *const names[] = { "spin for ever", "sleep without an end in a callback",
                                     "print without an end" };

static const char *name_of(unsigned which)
{
    return names[which];
}

static void run(unsigned which, uint64_t *state)
{
    for (;;) {
        if (which == 1)
            (void)hostile_call(DOMAIN_CALL_SLEEP, ~0ull, 0, 0);
        if (which == 2)
            (void)hostile_call(DOMAIN_CALL_PRINT, DOMAIN_TEXT_INFO, (uint64_t)"again and again",
                               15);
        __asm__ volatile("pause");
    }
}

const struct hostile_kind hostile_loops = { "loops", ARRAY_SIZE(names), name_of, run };
