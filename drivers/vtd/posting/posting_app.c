// SPDX-License-Identifier: BSD-2-Clause
// app=selftest test=posting: what remapping units really do with interrupt requests, unit by unit, with a
// disk's controller to send them. No disk's data is read or written.

#include "drivers/vtd/posting/posting_report.h"
#include "kernel/base/report.h"
#include "kernel/run/app.h"
#include "kernel/run/machine.h"

static const struct posting_check *const topics[] = {
    checks_delivery, checks_descriptor, checks_entries, checks_faults, checks_end,
};

static unsigned count_checks(void)
{
    unsigned count = 0;
    for (size_t t = 0; t < ARRAY_SIZE(topics); t++)
        for (const struct posting_check *c = topics[t]; c->name; c++)
            count++;
    return count;
}

static void run_check(struct rig *r, const struct posting_check *check, struct verdict *v)
{
    if (check->posts && !(r->unit->cap & VTD_CAP_PI)) {
        verdict_skip(v, "the unit can't post (CAP.PI, bit 59, is 0)");
        return;
    }
    check->run(r, v);
    vtd_faults_clear(r->unit);
    rig_calm(v);
}

static void run_all(struct rig *r, bool several, struct posting_sum *sum)
{
    for (size_t t = 0; t < ARRAY_SIZE(topics); t++)
        for (const struct posting_check *c = topics[t]; c->name; c++) {
            struct verdict v = { 0 };
            run_check(r, c, &v);
            posting_report(sum, r, several, c, &v);
        }
}

// One device behind each unit; others behind one that was tested already are passed over.
static bool is_first(const struct irq_generator *generator, const struct vtd_unit *unit)
{
    struct problem ignored;
    for (struct irq_generator *g = irq_generator_first(); g != generator; g = g->next)
        if (!g->dev->domain && vtd_unit_of(g->dev, &ignored) == unit)
            return false;
    return true;
}

static bool is_tested(const struct irq_generator *g)
{
    struct problem p;
    const struct vtd_unit *unit = g->dev->domain ? NULL : vtd_unit_of(g->dev, &p);
    return unit && is_first(g, unit);
}

static unsigned count_units(void)
{
    unsigned units = 0;
    for (struct irq_generator *g = irq_generator_first(); g; g = g->next)
        units += is_tested(g);
    return units;
}

static void test_unit(struct irq_generator *g, bool several, struct posting_sum *sum)
{
    static struct rig rig;
    struct problem p;
    info("# VT-d unit behind which %s (%s) is", g->name, g->dev->name);
    if (rig_up(&rig, g, &p))
        run_all(&rig, several, sum);
    else
        error_problem(&p);
    rig_down(&rig);
}

static void run(const struct cmdline *c)
{
    struct posting_sum sum;
    unsigned units = count_units();
    if (irq_get_mode() == IRQ_MSI || !units) {
        error(
            "posting-no-unit",
            "test=posting needs a remapping unit with an NVMe disk behind it, outside of a VMD: %s",
            irq_get_mode() == IRQ_MSI ? "irq=msi leaves units off" : "there is none");
        return;
    }
    check_set_unreachable(cmdline_is(c, "unreachable", "1"));
    machine_report();
    posting_report_plan(&sum, units * count_checks());
    for (struct irq_generator *g = irq_generator_first(); g; g = g->next)
        if (is_tested(g))
            test_unit(g, units > 1, &sum);
    posting_report_sum(&sum);
}

static const struct option options[] = {
    { .name = "unreachable",
      .kind = OPTION_CHOICE,
      .fallback = "1",
      .choices = "0|1",
      .help = "units are also led to an address where nothing is" },
    { .name = NULL },
};

APP(app_posting) = {
    .name = "posting",
    .help = "what remapping units do with interrupt requests; also app=selftest test=posting",
    .options = options,
    .run = run,
};
