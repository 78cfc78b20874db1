// SPDX-License-Identifier: BSD-2-Clause
// The bench's rows: which there are, in what order they run; and what is made of their repeats.
#include "apps/bench_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/bench_stat.h"
#include "lib/string.h"

#include <cmocka.h>

static struct bench_plan plan;

static struct bench_settings all_of(bool full, unsigned disks, unsigned modes)
{
    return (struct bench_settings){
        .tables = BENCH_USUAL,
        .full = full,
        .bs = 4096,
        .iodepth = 32,
        .loops = 3,
        .disks = disks,
        .modes = { IRQ_REMAPPED, IRQ_POSTED, IRQ_ADAPTIVE, IRQ_POLL },
        .modes_count = modes,
    };
}

static void make(unsigned table, bool full, unsigned disks, unsigned modes)
{
    struct bench_settings s = all_of(full, disks, modes);
    if (table < BENCH_TABLES)
        s.tables = 1u << table;
    bench_make_plan(&s, &plan);
}

// ---- rows ----

static void expect_disks(bool full, unsigned disks, const unsigned *wanted, unsigned count)
{
    make(BENCH_DISKS, full, disks, 2);
    assert_int_equal(plan.count, 2 * count);
    assert_int_equal(plan.groups, count);
    for (unsigned i = 0; i < plan.count; i++) {
        assert_int_equal(plan.rows[i].disks, wanted[i / 2]);
        assert_int_equal(plan.rows[i].mode, i % 2 ? IRQ_POSTED : IRQ_REMAPPED);
        assert_int_equal(plan.rows[i].bs, 4096);
        assert_int_equal(plan.rows[i].iodepth, 32);
        assert_int_equal(plan.rows[i].loops, 3);
        assert_int_equal(plan.rows[i].rate_iops, 0);
    }
}

// 1, 2, 4, 8 as far as there are so many, and all, once.
static void rows_of_the_disks_that_are_there(void **state)
{
    expect_disks(true, 1, (const unsigned[]){ 1 }, 1);
    expect_disks(true, 2, (const unsigned[]){ 1, 2 }, 2);
    expect_disks(true, 3, (const unsigned[]){ 1, 2, 3 }, 3);
    expect_disks(true, 8, (const unsigned[]){ 1, 2, 4, 8 }, 4);
    expect_disks(true, 24, (const unsigned[]){ 1, 2, 4, 8, 24 }, 5);
    expect_disks(false, 2, (const unsigned[]){ 1, 2 }, 2);
    expect_disks(false, 8, (const unsigned[]){ 1, 4, 8 }, 3);
    expect_disks(false, 16, (const unsigned[]){ 1, 4, 8, 16 }, 4);
}

static void sizes_and_depths(void **state)
{
    make(BENCH_BS, true, 8, 1);
    assert_int_equal(plan.count, 6);
    for (unsigned i = 0; i < plan.count; i++) {
        assert_int_equal(plan.rows[i].bs, 4096u << i);
        assert_int_equal(plan.rows[i].disks, 4);
    }
    make(BENCH_DEPTH, true, 3, 1);
    assert_int_equal(plan.count, 9);
    for (unsigned i = 0; i < plan.count; i++) {
        assert_int_equal(plan.rows[i].iodepth, 1u << i);
        assert_int_equal(plan.rows[i].disks, 3);
    }
    make(BENCH_BS, false, 8, 1);
    assert_int_equal(plan.count, 3);
    assert_int_equal(plan.rows[2].bs, 128 * 1024);
}

// Harvests are repeated by posted's notifications alone.
static void loops_where_there_are_notifications(void **state)
{
    make(BENCH_LOOPS, true, 8, 4);
    assert_int_equal(plan.count, 8);
    assert_int_equal(plan.groups, 1);
    for (unsigned i = 0; i < plan.count; i++) {
        assert_int_equal(plan.rows[i].loops, i + 1);
        assert_int_equal(plan.rows[i].mode, IRQ_POSTED);
        assert_int_equal(plan.rows[i].group, 0);
    }
    make(BENCH_LOOPS, true, 8, 1); // remapped
    assert_int_equal(plan.count, 0);
    assert_int_equal(plan.groups, 0);
}

static void rates_of_all_disks(void **state)
{
    static const uint64_t rates[] = { 1000, 10000, 100000, 0 };
    make(BENCH_LATENCY, true, 5, 1);
    assert_int_equal(plan.count, 4);
    for (unsigned i = 0; i < plan.count; i++) {
        assert_int_equal(plan.rows[i].rate_iops, rates[i]);
        assert_int_equal(plan.rows[i].disks, 5);
    }
    make(BENCH_BACKGROUND, true, 5, 1);
    assert_int_equal(plan.count, 3);
}

// Without a budget and with it, where notifications are.
static void budgets_by_turns(void **state)
{
    struct bench_settings s = all_of(true, 5, 4);
    s.tables = 1u << BENCH_RATE;
    bench_make_plan(&s, &plan);
    assert_int_equal(plan.count, 0);
    s.budget = 700;
    bench_make_plan(&s, &plan);
    assert_int_equal(plan.count, 3 * 4);
    assert_int_equal(plan.groups, 3);
    for (unsigned i = 0; i < plan.count; i++) {
        assert_int_equal(plan.rows[i].mode, i % 4 < 2 ? IRQ_POSTED : IRQ_ADAPTIVE);
        assert_int_equal(plan.rows[i].budget, i % 2 ? 700 : 0);
        assert_int_equal(bench_base(&plan, i), i - i % 2);
    }
    s.modes_count = 1; // remapped
    bench_make_plan(&s, &plan);
    assert_int_equal(plan.count, 0);
    s = all_of(true, 5, 4);
    s.budget = 700; // of the others, too
    bench_make_plan(&s, &plan);
    assert_int_equal(plan.rows[5].budget, 700);
    assert_int_equal(bench_base(&plan, 5), 4);
}

// One disk and all; one read at a time and 32, these by streams, too. So many reads.
static void cost_of_so_many_reads(void **state)
{
    make(BENCH_COST, false, 8, 4);
    assert_int_equal(plan.count, 5 * 4);
    for (unsigned i = 0; i < plan.count; i++) {
        static const unsigned disks[] = { 1, 1, 8, 8, 8 }, depths[] = { 1, 32, 1, 32, 32 };
        const struct bench_row *row = &plan.rows[i];
        assert_int_equal(row->disks, disks[i / 4]);
        assert_int_equal(row->iodepth, depths[i / 4]);
        assert_int_equal(row->reads, row->iodepth == 1 ? 6000 : 37000);
        assert_int_equal(row->batch, i / 4 == 4);
    }
    make(BENCH_COST, true, 1, 1);
    assert_int_equal(plan.count, 2);
}

// Each worker has a read a second at least.
static void cpus_of_a_rate(void **state)
{
    struct bench_row row = { .disks = 24, .rate_iops = 1000 };
    assert_int_equal(bench_numjobs(&row, 8), 8);
    assert_int_equal(bench_numjobs(&row, 128), 41);
    row.disks = 256;
    assert_int_equal(bench_numjobs(&row, 128), 3);
    row.rate_iops = 100;
    assert_int_equal(bench_numjobs(&row, 128), 1);
    row.rate_iops = 0;
    assert_int_equal(bench_numjobs(&row, 128), 128);
}

// All tables find room on the largest machine, and a quick bench has each table in it.
static void all_rows_find_room(void **state)
{
    unsigned tables = 0;
    make(BENCH_TABLES, true, 24, BENCH_MODES);
    assert_int_equal(plan.count, BENCH_MODES * (5 + 6 + 9 + 4 + 3) + 8);
    assert_true(plan.count < BENCH_ROWS_MAX);
    make(BENCH_TABLES, false, 24, BENCH_MODES);
    for (unsigned i = 0; i < plan.count; i++)
        tables |= 1u << plan.rows[i].table;
    assert_int_equal(tables, BENCH_USUAL & ~(1u << BENCH_RATE)); // which a budget adds
}

// ---- order ----

// Each run of each row once, and the modes of a group by turns.
static void check_turns(unsigned repeats)
{
    static unsigned seen[BENCH_ROWS_MAX];
    unsigned runs = 0;
    memset(seen, 0, sizeof(seen));
    for (unsigned group = 0; group < plan.groups; group++) {
        unsigned first, end;
        bench_group(&plan, group, &first, &end);
        assert_true(end > first && end - first <= BENCH_GROUP_MAX);
        for (unsigned i = 0; i < (end - first) * repeats; i++, runs++) {
            struct bench_run run = bench_turn(&plan, group, i);
            assert_in_range(run.row, first, end - 1);
            assert_int_equal(run.row, first + i % (end - first));
            assert_int_equal(run.repeat, seen[run.row]);
            seen[run.row]++;
        }
    }
    assert_int_equal(runs, plan.count * repeats);
    for (unsigned i = 0; i < plan.count; i++)
        assert_int_equal(seen[i], repeats);
}

static void modes_take_turns(void **state)
{
    make(BENCH_TABLES, true, 24, 4);
    check_turns(5);
    make(BENCH_TABLES, false, 3, 1);
    check_turns(1);
}

// ---- figures ----

static void medians(void **state)
{
    uint64_t odd[] = { 30, 10, 20 }, even[] = { 40, 10, 30, 20 }, one[] = { 7 };
    uint64_t large[] = { UINT64_MAX, UINT64_MAX - 2 };
    struct bench_stat s = bench_stat(odd, 3);
    assert_int_equal(s.median, 20);
    assert_int_equal(s.min, 10);
    assert_int_equal(s.max, 30);
    assert_int_equal(bench_spread(&s), 500);
    assert_int_equal(bench_stat(even, 4).median, 25);
    s = bench_stat(one, 1);
    assert_int_equal(s.median, 7);
    assert_int_equal(bench_spread(&s), 0);
    assert_int_equal(bench_stat(large, 2).median, UINT64_MAX - 1);
    s = bench_stat(NULL, 0);
    assert_int_equal(s.median + s.min + s.max + bench_spread(&s), 0);
}

static void gains(void **state)
{
    assert_int_equal(bench_gain(834, 1943), 1329);
    assert_int_equal(bench_gain(1943, 834), -570);
    assert_int_equal(bench_gain(5, 5), 0);
    assert_int_equal(bench_gain(0, 5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_the_disks_that_are_there),
        cmocka_unit_test(sizes_and_depths),
        cmocka_unit_test(loops_where_there_are_notifications),
        cmocka_unit_test(rates_of_all_disks),
        cmocka_unit_test(budgets_by_turns),
        cmocka_unit_test(cost_of_so_many_reads),
        cmocka_unit_test(cpus_of_a_rate),
        cmocka_unit_test(all_rows_find_room),
        cmocka_unit_test(modes_take_turns),
        cmocka_unit_test(medians),
        cmocka_unit_test(gains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
