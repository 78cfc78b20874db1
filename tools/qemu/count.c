// SPDX-License-Identifier: BSD-2-Clause
// Each instruction of the marked program adds one to its CPU's counter as it is executed, by code
// that QEMU translates along with it; a block left early by an interrupt or a fault has counted
// what it did. At a mark, what the counter gained goes to the region that was the innermost.
//
// Only the code that the ELF file loads is counted, so firmware runs at its own speed and in no
// region.
#include "tools/qemu/count.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/qemu/marks.h"
#include "tools/qemu/qemu_abi.h"
#include "tools/qemu/qemu_count_abi.h"

#define LAP "lap"

struct lap {
    struct region_counts counts[REGIONS_MAX];
};

static struct {
    const char *path;
    struct marks marks;
    struct region_stack *cpus; // by index
    struct qemu_scoreboard *executed;
    struct region_stack *told; // what is printed
    unsigned told_cpus;
    unsigned lap; // the region; 0: nothing is marked so
    struct lap lap_begin, *laps;
    unsigned laps_count;
} count;

static uint64_t executed(unsigned cpu)
{
    return *(const uint64_t *)qemu_count.qemu_plugin_scoreboard_find(count.executed, cpu);
}

static struct region_counts region_sum(const struct region_stack *cpus, unsigned n, unsigned region)
{
    struct region_counts sum = { 0 };
    for (unsigned i = 0; i < n; i++) {
        sum.entries += cpus[i].counts[region].entries;
        sum.instructions += cpus[i].counts[region].instructions;
    }
    return sum;
}

// ---- laps: what was counted between two marks, as a row of its own ----

// Of other CPUs, what they had at their last marks.
static void read_all(struct lap *to)
{
    unsigned n = (unsigned)qemu_count.qemu_plugin_num_vcpus();
    for (unsigned region = 0; region < count.marks.regions; region++)
        to->counts[region] = region_sum(count.cpus, n, region);
}

static void end_lap(void)
{
    struct lap *laps = realloc(count.laps, (count.laps_count + 1) * sizeof(*laps));
    if (!laps)
        return;
    struct lap *lap = &laps[count.laps_count++];
    count.laps = laps;
    read_all(lap);
    for (unsigned region = 0; region < count.marks.regions; region++) {
        lap->counts[region].entries -= count.lap_begin.counts[region].entries;
        lap->counts[region].instructions -= count.lap_begin.counts[region].instructions;
    }
}

static void meet_mark(unsigned cpu, void *data)
{
    const struct mark *mark = data;
    struct region_stack *s = &count.cpus[cpu];
    if (mark->kind == MARK_KIND_BEGIN)
        region_begin(s, mark->region, executed(cpu));
    else
        region_end(s, mark->region, executed(cpu));
    if (mark->region != count.lap || !count.lap)
        return;
    if (mark->kind == MARK_KIND_BEGIN)
        read_all(&count.lap_begin);
    else
        end_lap();
}

static void hook_marks(struct qemu_insn *insn, uint64_t address, bool after)
{
    const struct mark *end = count.marks.list + count.marks.count;
    const struct mark *m = marks_find(&count.marks, address);
    for (; m && m < end && m->address == address; m++)
        if ((m->kind == MARK_KIND_END_AFTER) == after)
            qemu_count.qemu_plugin_register_vcpu_insn_exec_cb(insn, meet_mark, QEMU_CB_NO_REGS,
                                                              (void *)m);
}

// What is registered for one instruction happens in that order, before the instruction itself.
static void hook_instruction(struct qemu_insn *insn)
{
    struct qemu_u64 counter = { .scoreboard = count.executed };
    uint64_t address = qemu_count.qemu_plugin_insn_vaddr(insn);
    if (address < count.marks.code_begin || address >= count.marks.code_end)
        return;
    hook_marks(insn, address, false);
    qemu_count.qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, QEMU_INLINE_ADD_U64,
                                                                   counter, 1);
    hook_marks(insn, address, true);
}

// Up to plugin interface 6 called with (id, block), from 7 on with (block, what was registered).
static void translate(void *first, void *second)
{
    struct qemu_tb *tb = second == &count ? first : second;
    size_t n = qemu_count.qemu_plugin_tb_n_insns(tb);
    for (size_t i = 0; i < n; i++)
        hook_instruction(qemu_count.qemu_plugin_tb_get_insn(tb, i));
}

void count_init(uint64_t id, const char *path, int max_cpus)
{
    count.path = path;
    marks_load(&count.marks, path);
    qemu_count_abi_init();
    for (unsigned region = 0; region < count.marks.regions; region++)
        if (!strcmp(count.marks.names[region], LAP))
            count.lap = region;
    count.cpus = calloc((size_t)max_cpus, sizeof(*count.cpus));
    count.executed = qemu_count.qemu_plugin_scoreboard_new(sizeof(uint64_t));
    if (!count.cpus || !count.executed)
        refuse("out of memory");
    qemu_count.qemu_plugin_register_vcpu_tb_trans_cb(id, translate, &count);
}

void count_reset(void)
{
    if (!count.path)
        return;
    for (unsigned i = 0; i < (unsigned)qemu_count.qemu_plugin_num_vcpus(); i++) {
        region_account(&count.cpus[i], executed(i));
        count.cpus[i].depth = 0;
    }
}

// ---- told at exit ----

static uint64_t unbalanced_sum(const struct region_stack *cpus, unsigned n)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += cpus[i].unbalanced;
    return sum;
}

static void print_row(const char *who, unsigned region, struct region_counts c)
{
    if (!c.entries && !c.instructions)
        return;
    fprintf(stderr, "  %-5s %-19s %14" PRIu64 " %16" PRIu64, who, count.marks.names[region],
            c.entries, c.instructions);
    if (c.entries)
        fprintf(stderr, " %14.1f", (double)c.instructions / (double)c.entries);
    fprintf(stderr, "\n");
}

static void print_rows(const char *who, const struct region_stack *cpus, unsigned n)
{
    for (unsigned region = 0; region < count.marks.regions; region++)
        print_row(who, region, region_sum(cpus, n, region));
}

static void print_region(FILE *out, unsigned region, struct region_counts c)
{
    fprintf(out, "%s\"%s\":{\"entries\":%" PRIu64 ",\"instructions\":%" PRIu64 "}",
            region ? "," : "", count.marks.names[region], c.entries, c.instructions);
}

static void print_object(FILE *out, const struct region_stack *cpus, unsigned n)
{
    fprintf(out, "\"unbalanced\":%" PRIu64 ",\"regions\":{", unbalanced_sum(cpus, n));
    for (unsigned region = 0; region < count.marks.regions; region++)
        print_region(out, region, region_sum(cpus, n, region));
    fprintf(out, "}");
}

static void print_laps(FILE *out)
{
    fprintf(out, ",\"laps\":[");
    for (unsigned i = 0; i < count.laps_count; i++) {
        fprintf(out, "%s{", i ? "," : "");
        for (unsigned region = 0; region < count.marks.regions; region++)
            print_region(out, region, count.laps[i].counts[region]);
        fprintf(out, "}");
    }
    fprintf(out, "]");
}

// The counters as they stand, in a copy: other CPUs may still be running. What a CPU did since its
// last mark is added.
static unsigned settle(void)
{
    unsigned n = (unsigned)qemu_count.qemu_plugin_num_vcpus();
    count.told = calloc(n, sizeof(*count.told));
    if (!count.told)
        return 0;
    for (unsigned i = 0; i < n; i++) {
        count.told[i] = count.cpus[i];
        region_account(&count.told[i], executed(i));
    }
    return n;
}

void count_print_table(void)
{
    if (!count.path)
        return;
    unsigned n = count.told_cpus = settle();
    fprintf(stderr, MODEL_NAME ": instructions of %s\n", count.path);
    fprintf(stderr, "  %-5s %-19s %14s %16s %14s\n", "CPU", "region", "entries", "instructions",
            "per entry");
    for (unsigned i = 0; n > 1 && i < n; i++) {
        char who[12];
        snprintf(who, sizeof(who), "%u", i);
        print_rows(who, &count.told[i], 1);
    }
    print_rows("all", count.told, n);
    fprintf(stderr, "  %-40s %16" PRIu64 "\n", "unbalanced marks", unbalanced_sum(count.told, n));
}

void count_print_json(FILE *out)
{
    if (!count.path)
        return;
    unsigned n = count.told_cpus;
    fprintf(out, ",");
    print_object(out, count.told, n);
    print_laps(out);
    fprintf(out, ",\"cpus\":[");
    for (unsigned i = 0; i < n; i++) {
        fprintf(out, "%s{\"cpu\":%u,", i ? "," : "", i);
        print_object(out, &count.told[i], 1);
        fprintf(out, "}");
    }
    fprintf(out, "]");
}
