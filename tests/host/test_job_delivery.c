// SPDX-License-Identifier: BSD-2-Clause
// What the job tells of each CPU's delivery: the table, the JSON, and that they are of the run.
#include "apps/job.h"
#include "kernel/base/cpus.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

// CPUs with 1000 in each counter, before and after the run; tests add what happened in it.
static struct job *quiet_job(unsigned cpus)
{
    static struct job_cpu all[FAKE_CPUS];
    static struct job job;
    job = (struct job){ .cpus_count = cpus, .cpus = all };
    fake_start(cpus, 0, 512, 512);
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        struct job_counters c = { .tsc = 1000 };
        uint64_t *counters = (uint64_t *)&c.stats;
        for (size_t i = 0; i < sizeof(c.stats) / sizeof(uint64_t); i++)
            counters[i] = 1000;
        all[cpu] = (struct job_cpu){ .before = c, .after = c };
    }
    return &job;
}

static void test_table_has_rows_where_something_happened(void **state)
{
    struct job *job = quiet_job(2);
    struct job_counters *first = &job->cpus[0].after, *second = &job->cpus[1].after;
    first->tsc += 1000;
    first->stats.idle_tsc += 125;
    first->stats.msis += 205;
    first->stats.notifications += 67;
    first->stats.per_harvest[0] += 12345;
    first->stats.loops[7] += 9;
    second->tsc += 3000;
    second->stats.idle_tsc += 2999;
    second->stats.msis += 3;
    second->stats.sleeps += 5;
    second->stats.per_harvest[2] += 4;
    job_report_delivery(job);
    assert_string_equal(fake.console, "delivery                      CPU0  CPU1\n"
                                      "busy:                        87.5%  0.0%\n"
                                      "MSIs:                          205     3\n"
                                      "notifications:                  67     0\n"
                                      "sleeps:                          0     5\n"
                                      "harvests of 1 vector:        12345     0\n"
                                      "harvests of 3-4 vectors:         0     4\n"
                                      "notifications, 7+ harvests:      9     0\n");
}

static void test_nothing_happened(void **state)
{
    job_report_delivery(quiet_job(1));
    assert_string_equal(fake.console, "delivery  CPU0\nbusy:     0.0%\n");
}

// Each in the place of its own, by its number.
static void test_every_counter_is_told(void **state)
{
    static const char *const rows[] = {
        "MSIs:  1\n",
        "notifications:  2\n",
        "spins:  3\n",
        "sleeps:  4\n",
        "wake-ups:  5\n",
        "window harvests:  6\n",
        "moderated harvests:  7\n",
        "posts missed by MWAIT:  8\n",
        "harvests of 1 vector:  10\n",
        "harvests of 2 vectors:  11\n",
        "harvests of 3-4 vectors:  12\n",
        "harvests of 5-8 vectors:  13\n",
        "harvests of 9-16 vectors:  14\n",
        "harvests of 17-32 vectors:  15\n",
        "harvests of 33-64 vectors:  16\n",
        "harvests of 65-128 vectors:  17\n",
        "harvests of 129-256 vectors:  18\n",
        "notifications, 0 harvests:  20\n",
        "notifications, 1 harvest:  21\n",
        "notifications, 2 harvests:  22\n",
        "notifications, 3 harvests:  23\n",
        "notifications, 4 harvests:  24\n",
        "notifications, 5 harvests:  25\n",
        "notifications, 6 harvests:  26\n",
        "notifications, 7+ harvests:  27\n",
    };
    struct job *job = quiet_job(1);
    struct job_counters *after = &job->cpus[0].after;
    after->tsc += 100;
    after->stats.idle_tsc += 1;
    after->stats.msis += 1;
    after->stats.notifications += 2;
    after->stats.spins += 3;
    after->stats.sleeps += 4;
    after->stats.wakes += 5;
    after->stats.windows += 6;
    after->stats.moderated += 7;
    after->stats.mwait_misses += 8;
    for (unsigned i = 0; i < CPU_STATS_BUCKETS; i++)
        after->stats.per_harvest[i] += 10 + i;
    for (unsigned i = 0; i < CPU_STATS_LOOPS; i++)
        after->stats.loops[i] += 20 + i;
    job_report_delivery(job);

    const char *line = strchr(strchr(fake.console, '\n') + 1, '\n') + 1; // below head and "busy"
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++, line = strchr(line, '\n') + 1) {
        size_t label = (size_t)(strchr(rows[i], ':') - rows[i]) + 1;
        assert_memory_equal(line, rows[i], label);
        assert_int_equal(strtoul(line + label, NULL, 10), strtoul(rows[i] + label, NULL, 10));
    }
    assert_string_equal(line, "");
    assert_string_equal(fake.json,
                        "{\"type\":\"delivery\",\"cpu\":0,\"cycles\":100,\"busy_cycles\":99,"
                        "\"msis\":1,\"notifications\":2,\"spins\":3,\"sleeps\":4,\"wakes\":5,"
                        "\"windows\":6,\"moderated\":7,\"mwait_misses\":8,"
                        "\"vectors_per_harvest\":[10,11,12,13,14,15,16,17,18],"
                        "\"harvests_per_notification\":[20,21,22,23,24,25,26,27]}\n");
}

static void test_the_largest_numbers_fit(void **state)
{
    struct job *job = quiet_job(1);
    memset(&job->cpus[0].before, 0, sizeof(struct job_counters));
    memset(&job->cpus[0].after, 0xff, sizeof(struct job_counters));
    job_report_delivery(job); // report_json() here fails the test where the text was cut off
    expect_line(fake.json, ",18446744073709551615]}\n");
}

// The counter of idle cycles and the TSC are not read at once.
static void test_idle_for_longer_than_the_run(void **state)
{
    struct job *job = quiet_job(1);
    job->cpus[0].after.tsc += 10;
    job->cpus[0].after.stats.idle_tsc += 11;
    assert_int_equal(job_busy_cycles(job, 0), 0);
    job_report_delivery(job);
    expect_line(fake.console, "busy:     0.0%\n");
    expect_line(fake.json, "\"cycles\":10,\"busy_cycles\":0,");
}

static void test_many_cpus_have_a_table_for_each_eight(void **state)
{
    struct job *job = quiet_job(11);
    job->cpus[2].after.stats.spins++;
    job->cpus[9].after.stats.sleeps++;
    job->cpus[10].after.stats.sleeps += 2;
    job_report_delivery(job);
    const char *second = strstr(fake.console + 1, "delivery");
    assert_non_null(second);
    assert_null(strstr(second + 1, "delivery"));
    assert_non_null(strstr(fake.console, "spins:"));
    assert_true(strstr(fake.console, "spins:") < second);
    assert_string_equal(second, "delivery  CPU8  CPU9  CPU10\n"
                                "busy:     0.0%  0.0%   0.0%\n"
                                "sleeps:      0     1      2\n");
    expect_line(fake.json, "{\"type\":\"delivery\",\"cpu\":10,");
}

static uint64_t sum_of_msis(void)
{
    uint64_t sum = 0;
    const char *at = fake.json;
    while ((at = strstr(at, "{\"type\":\"delivery\"")))
        sum += strtoull(strstr(at++, "\"msis\":") + strlen("\"msis\":"), NULL, 10);
    return sum;
}

// MSIs are counted by CPU and by irq: an interrupt between the two readings would show.
static void test_counters_are_of_one_moment(void **state)
{
    fake_start(1, 2, 512, 512);
    fake.late_msis = true;
    fake_run(&app_job, "runtime=0");
    const char *total = strstr(fake.json, "\"filename\":\"all\"");
    assert_non_null(total);
    total = strstr(total, "\"msis\":") + strlen("\"msis\":");
    assert_int_equal(sum_of_msis(), strtoull(total, NULL, 10));
    expect_line(fake.console, "\ndelivery ");
}

// The first reads' MSIs are the run's as well.
static void test_counters_begin_before_the_first_read(void **state)
{
    fake_start(2, 2, 512, 512);
    fake.msis_at_once = true;
    fake_run(&app_job, "runtime=0");
    assert_int_equal(sum_of_msis(), fake.submitted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_table_has_rows_where_something_happened, fake_stop),
        cmocka_unit_test_teardown(test_nothing_happened, fake_stop),
        cmocka_unit_test_teardown(test_every_counter_is_told, fake_stop),
        cmocka_unit_test_teardown(test_the_largest_numbers_fit, fake_stop),
        cmocka_unit_test_teardown(test_idle_for_longer_than_the_run, fake_stop),
        cmocka_unit_test_teardown(test_many_cpus_have_a_table_for_each_eight, fake_stop),
        cmocka_unit_test_teardown(test_counters_are_of_one_moment, fake_stop),
        cmocka_unit_test_teardown(test_counters_begin_before_the_first_read, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
