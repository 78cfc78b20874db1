// SPDX-License-Identifier: BSD-2-Clause

#include "drivers/vtd/posting/posting_report.h"

#include "kernel/base/panel.h"
#include "kernel/base/report.h"
#include "kernel/base/result.h"
#include "kernel/x86/time.h"
#include "lib/format.h"

void posting_report_plan(struct posting_sum *sum, unsigned tests)
{
    *sum = (struct posting_sum){ .planned = tests, .began_ns = time_ns() };
    info("KTAP version 1");
    info("1..%u", tests);
}

static void count(struct posting_sum *sum, const struct verdict *v)
{
    sum->done++;
    sum->passed += v->kind == VERDICT_PASS;
    sum->failed += v->kind == VERDICT_FAIL;
    sum->skipped += v->kind == VERDICT_SKIP;
}

static void show(const struct posting_sum *sum, const char *name)
{
    struct panel p = {
        .title = "test=posting",
        .what = name,
        .elapsed_s = (time_ns() - sum->began_ns) / NS_PER_S,
        .left_s = PANEL_UNKNOWN,
        .permille = sum->planned ? sum->done * 1000 / sum->planned : PANEL_UNKNOWN,
        .errors = sum->failed,
    };
    panel_show(&p);
}

static void send(const struct posting_sum *sum, const struct rig *r,
                 const struct posting_check *check, const struct verdict *v)
{
    char buffer[640];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "test");
    json_text(&j, "name", "posting");
    json_text(&j, "case", check->name);
    json_u64(&j, "number", sum->done);
    json_format(&j, "unit", "0x%llx", (unsigned long long)r->unit->base);
    json_text(&j, "device", r->generator->name);
    json_text(&j, "section", check->section);
    json_bool(&j, "ok", v->kind != VERDICT_FAIL);
    json_text(&j, "status", verdict_name(v));
    json_text(&j, "message", v->text);
    report_json(&j);
}

void posting_report(struct posting_sum *sum, const struct rig *r, bool several,
                    const struct posting_check *check, const struct verdict *v)
{
    char line[KTAP_BYTES], name[64];
    format_text(name, sizeof(name), "%s", check->name);
    if (several)
        format_text(name, sizeof(name), "%llx.%s", (unsigned long long)r->unit->base, check->name);
    count(sum, v);
    if (ktap_remark(line, sizeof(line), name, v))
        info("%s", line);
    ktap_result(line, sizeof(line), sum->done, name, v);
    info("%s", line);
    send(sum, r, check, v);
    show(sum, name);
}

static void send_sum(const struct posting_sum *sum)
{
    char buffer[256];
    struct json j;
    bool ok = !sum->failed && sum->done == sum->planned;
    json_begin(&j, buffer, sizeof(buffer), "test");
    json_text(&j, "name", "posting");
    json_bool(&j, "ok", ok);
    json_text(&j, "status", ok ? "ok" : "failed");
    json_u64(&j, "cases", sum->planned);
    json_u64(&j, "passed", sum->passed);
    json_u64(&j, "failed", sum->failed);
    json_u64(&j, "skipped", sum->skipped);
    report_json(&j);
}

void posting_report_sum(const struct posting_sum *sum)
{
    info("# posting: %u passed, %u failed, %u skipped", sum->passed, sum->failed, sum->skipped);
    result_say("posting: %u passed, %u failed, %u skipped", sum->passed, sum->failed, sum->skipped);
    send_sum(sum);
    if (sum->failed)
        error("posting-failed",
              "%u of %u tests of posting failed: each \"not ok\" above says what was seen, and "
              "docs/posting-test.md what it means",
              sum->failed, sum->planned);
}
