// SPDX-License-Identifier: BSD-2-Clause
// app=hostile, for domains: breaks out, or tries to, in one way each life; which one, and with what
// values, follows from `seed` and the number of the life. None must harm anybody but the domain itself.
#include "tests/domain/hostile.h"

#include "kernel/base/report.h"
#include "kernel/run/app.h"
#include "lib/random.h"
#include "lib/string.h"

const struct domain_info *hostile_info(void)
{
    return (const struct domain_info *)DOMAIN_INFO;
}

long hostile_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "r8", "r9", "r10", "memory");
    return result;
}

void hostile_call_heard(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    while (hostile_call(number, a, b, c) == DOMAIN_BUSY)
        __asm__ volatile("pause");
}

uint64_t hostile_pick(uint64_t *state, const uint64_t *from, size_t count)
{
    return from[random_below(state, count)];
}

static const struct hostile_kind *const kinds[] = { &hostile_instructions, &hostile_memory,
                                                    &hostile_calls,        &hostile_arguments,
                                                    &hostile_queues,       &hostile_loops,
                                                    &hostile_storms };

static const struct hostile_kind *choose(const struct cmdline *c, uint64_t *state)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (cmdline_is(c, "kind", kinds[i]->name))
            return kinds[i];
    return kinds[random_below(state, ARRAY_SIZE(kinds))];
}

static void run(const struct cmdline *c)
{
    uint64_t state = cmdline_number(c, "seed") << 32 | hostile_info()->life;
    for (unsigned i = 0; i < 4; i++)
        (void)random_below(&state, 2); // neighbouring states begin alike
    const struct hostile_kind *kind = choose(c, &state);
    unsigned which = hostile_info()->life;
    if (cmdline_is(c, "kind", "any"))
        which = (unsigned)random_below(&state, kind->count);
    if (cmdline_get(c, "which")->given)
        which = (unsigned)cmdline_number(c, "which");
    which %= kind->count;
    info("life %u: %s %u, %s", hostile_info()->life, kind->name, which, kind->name_of(which));
    kind->run(which, &state);
    info("%s %u, %s: still here", kind->name, which, kind->name_of(which));
}

static const struct option options[] = {
    { .name = "kind",
      .kind = OPTION_CHOICE,
      .fallback = "any",
      .choices = "any|instructions|memory|calls|arguments|queues|loops|storms",
      .help = "what it does" },
    { .name = "which",
      .kind = OPTION_NUMBER,
      .max = 1000,
      .help = "of that kind; else one after the other" },
    { .name = "seed", .kind = OPTION_NUMBER, .fallback = "1", .help = "of all that is random" },
    { .name = NULL },
};

APP(app_hostile) = { "hostile", "tries to get out of its domain", options, run };
