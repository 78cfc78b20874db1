// SPDX-License-Identifier: BSD-2-Clause
// What the burn-in does with a disk, step by step.
#include "apps/burnin.h"
#include "kernel/base/report.h"
#include "lib/bits.h"
#include "lib/string.h"

const struct burnin_step_kind burnin_steps[BURNIN_STEPS] = {
    [BURNIN_WRITE] = { "write", BLOCK_WRITE, true, false },
    [BURNIN_READ] = { "read", BLOCK_READ, false, true },
    [BURNIN_COMPARE] = { "compare", BLOCK_COMPARE, false, true },
    [BURNIN_VERIFY] = { "verify", BLOCK_VERIFY, false, false },
    [BURNIN_ZEROES] = { "zeroes", BLOCK_WRITE_ZEROES, true, false },
    [BURNIN_TRIM] = { "trim", BLOCK_DEALLOCATE, true, false },
    [BURNIN_COPY] = { "copy", BLOCK_COPY, true, true },
    [BURNIN_FLUSH] = { "sync", BLOCK_FLUSH, false, false },
};

static bool find(const char *name, size_t length, enum burnin_step *step)
{
    for (*step = 0; *step < BURNIN_FLUSH; ++*step)
        if (strlen(burnin_steps[*step].name) == length &&
            !memcmp(burnin_steps[*step].name, name, length))
            return true;
    return false;
}

static void add(struct burnin_plan *plan, enum burnin_step step)
{
    plan->steps[plan->count++] = step;
    if (burnin_steps[step].changes)
        plan->steps[plan->count++] = BURNIN_FLUSH;
}

// What is known once the step is over: a trim leaves whatever the disk likes.
static bool is_known_after(enum burnin_step step, bool known)
{
    return step == BURNIN_WRITE || step == BURNIN_ZEROES || (known && step != BURNIN_TRIM);
}

static bool take(const char *name, size_t length, bool *known, struct burnin_plan *out,
                 struct problem *p)
{
    enum burnin_step step;
    if (!find(name, length, &step))
        return problem_set(p, "burnin-steps",
                           "steps=: \"%.*s\" is none of write, read, compare, verify, zeroes, trim "
                           "and copy",
                           (int)length, name);
    if (burnin_steps[step].looks && !*known)
        return problem_set(
            p, "burnin-steps",
            "steps=: what %s would look at isn't known; put write or zeroes ahead of "
            "it",
            burnin_steps[step].name);
    if (out->count + 2 > ARRAY_SIZE(out->steps))
        return problem_set(p, "burnin-steps",
                           "steps=: more than %u steps; use passes=", BURNIN_STEPS_MOST);
    *known = is_known_after(step, *known);
    add(out, step);
    return true;
}

bool burnin_plan_parse(const struct cmdline_value *words, struct burnin_plan *out,
                       struct problem *p)
{
    bool known = false;
    const char *at = words->text, *end = at + words->length;
    for (out->count = 0;; at++) {
        const char *from = at;
        while (at < end && *at != ':')
            at++;
        if (!take(from, (size_t)(at - from), &known, out, p))
            return false;
        if (at == end)
            return true;
    }
}

// ---- for a disk ----

static void leave_out(const struct block_dev *dev, enum burnin_step step, bool has)
{
    warn("burnin-step", "%s: step %s is left out: %s", dev->name, burnin_steps[step].name,
         has ? "nothing is known of what is there then" : "the disk has no such command");
}

void burnin_plan_for(const struct burnin_plan *all, const struct block_dev *dev,
                     struct burnin_plan *out)
{
    bool known = false;
    out->count = 0;
    for (unsigned i = 0; i < all->count; i++) {
        enum burnin_step step = all->steps[i];
        bool has = dev->ops & BIT32(burnin_steps[step].op);
        if (step == BURNIN_FLUSH)
            continue; // it comes with its step
        if (!has || (burnin_steps[step].looks && !known)) {
            leave_out(dev, step, has);
            continue;
        }
        known = is_known_after(step, known);
        add(out, step);
    }
}

unsigned burnin_plan_counts(const struct burnin_plan *plan, enum burnin_step step)
{
    unsigned count = 0;
    for (unsigned i = 0; i < plan->count; i++)
        count += plan->steps[i] == step;
    return count;
}

uint64_t burnin_step_places(const struct burnin_disk *d, enum burnin_step step, uint64_t *first)
{
    uint64_t half = d->places / 2;
    *first = step == BURNIN_COPY ? half : 0;
    return step == BURNIN_COPY ? half : step == BURNIN_FLUSH ? 0 : d->places;
}
