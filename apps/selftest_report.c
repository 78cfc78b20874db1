// SPDX-License-Identifier: BSD-2-Clause
// What app=selftest tells in the end.

#include "apps/selftest.h"

#include "apps/human.h"
#include "apps/live.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/result.h"
#include "kernel/x86/time.h"

uint64_t selftest_steps(const struct selftest *t)
{
    const uint64_t *count = t->kind->rounds  ? &t->rounds
                            : t->kind->moves ? &t->moves
                            : t->kind->modes ? &t->modes
                                             : &t->changed;
    return __atomic_load_n(count, __ATOMIC_RELAXED);
}

void selftest_live_begin(const struct selftest *t)
{
    live_begin("self-test", NULL, "%s, %zu disk%s, %s", t->kind->name, t->load.disks.count,
               t->load.disks.count == 1 ? "" : "s", irq_mode_name(irq_get_mode()));
    live_show(&(struct live_state){ 0, LIVE_UNKNOWN, LIVE_UNKNOWN });
}

void selftest_live_show(const struct selftest *t)
{
    if (!live_is_shown())
        return;
    struct load_counts c = load_sum(&t->load);
    *live_disk(0) = (struct live_disk){
        .ios = c.completed,
        .bytes = c.completed * t->load.bs,
        .errors = c.errors + c.verify_errors,
        .permille = LIVE_UNKNOWN,
    };
    struct live_state state = live_done(time_ns() - t->began_ns, selftest_steps(t), t->wanted);
    live_show(&state);
}

static void send(const struct selftest *t, const struct load_counts *c, bool ok, uint64_t ns)
{
    char text[512];
    struct json j;
    json_begin(&j, text, sizeof(text), "test");
    json_text(&j, "name", t->kind->name);
    json_bool(&j, "ok", ok);
    json_text(&j, "status", ok ? "ok" : "failed");
    json_text(&j, "irq", irq_mode_name(irq_get_mode()));
    json_u64(&j, "cpus", cpu_count());
    json_u64(&j, "disks", t->load.disks.count);
    if (t->kind->rounds)
        json_u64(&j, "rounds", t->rounds);
    if (t->kind->moves)
        json_u64(&j, "moves", t->moves);
    if (t->changes)
        json_u64(&j, "changes", t->changed);
    if (t->kind->modes)
        json_u64(&j, "modes", t->modes);
    if (t->kind->rounds && t->kind->moves)
        json_u64(&j, "refused", t->refused);
    json_u64(&j, "failed", t->failed);
    json_u64(&j, "ios", c->completed);
    json_u64(&j, "submitted", c->submitted);
    json_u64(&j, "errors", c->errors);
    json_u64(&j, "verify_errors", c->verify_errors);
    json_text(&j, "verify", t->load.verify ? "crc32c" : "none");
    json_u64(&j, "runtime", ns / NS_PER_MS);
    report_json(&j);
}

// What failed by itself, a read or a step, was told where it happened.
void selftest_report(const struct selftest *t)
{
    char reads[HUMAN_BYTES], done[HUMAN_BYTES], time[HUMAN_BYTES];
    struct load_counts c = load_sum(&t->load);
    uint64_t ns = time_ns() - t->began_ns;
    if (c.submitted != c.completed)
        error("selftest-lost", "%lu reads were submitted and %lu completed", c.submitted,
              c.completed);
    else if (selftest_steps(t) != t->wanted)
        error("selftest-steps", "%lu of %lu %s were done", selftest_steps(t), t->wanted,
              t->kind->steps);
    bool ok = !report_failed();
    send(t, &c, ok, ns);
    result_say("%s: %s %s, %s reads", t->kind->name, human_count(done, selftest_steps(t)),
               t->kind->steps, human_count(reads, c.completed));
    info("selftest %s: %s: %s %s under %s reads in %s, %s, %s", t->kind->name, ok ? "ok" : "failed",
         human_count(done, selftest_steps(t)), t->kind->steps, human_count(reads, c.completed),
         human_time(time, ns), irq_mode_name(irq_get_mode()),
         t->load.verify ? "all data verified" : "data not verified");
}
