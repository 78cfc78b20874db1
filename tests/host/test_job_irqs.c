// SPDX-License-Identifier: BSD-2-Clause
// The job's table of interrupts, and its JSON: each number in its row and in its CPU's column.
#include "apps/job.h"
#include "kernel/base/cpus.h"
#include "kernel/mem/mem.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

#define BEFORE 1000 // in each counter, before the run

static struct job job;

static uint64_t *counters(void)
{
    uint64_t *counts = mem_alloc(job.irqs_count * sizeof(*counts), CACHE_LINE, NODE_ANY);
    for (size_t i = 0; i < job.irqs_count; i++)
        counts[i] = BEFORE;
    return counts;
}

// So many CPUs, and one irq for each of `irqs`, nothing counted in the run.
static void make_job(unsigned cpus, unsigned irqs)
{
    fake_start(MAX(cpus, irqs), 0, 512, 512);
    fake.irqs[irqs - 1].next = NULL;
    job = (struct job){ .cpus_count = cpus, .irqs_count = irqs };
    job.irqs = mem_alloc(irqs * sizeof(*job.irqs), CACHE_LINE, NODE_ANY);
    for (unsigned i = 0; i < irqs; i++)
        job.irqs[i] = &fake.irqs[i];
    job.cpus = mem_alloc(cpus * sizeof(*job.cpus), CACHE_LINE, NODE_ANY);
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        job.cpus[cpu].before.irqs = counters();
        job.cpus[cpu].after.irqs = counters();
        uint64_t *before = (uint64_t *)&job.cpus[cpu].before.stats;
        for (size_t i = 0; i < sizeof(struct cpu_stats) / sizeof(uint64_t); i++)
            before[i] = BEFORE;
        job.cpus[cpu].after.stats = job.cpus[cpu].before.stats;
    }
}

static void test_table_and_objects(void **state)
{
    make_job(2, 3);
    static const struct irq_chip remapped = { .name = "VTD-REMAP" };
    fake.irqs[1].chip = &remapped;
    fake.irqs[2].cpu = 1;
    job.cpus[0].after.irqs[0] += 12345;
    job.cpus[1].after.irqs[0] += 1;
    job.cpus[1].after.irqs[1] += 678;
    job.cpus[0].after.irqs[2] += 90;
    struct cpu_stats *first = &job.cpus[0].after.stats, *second = &job.cpus[1].after.stats;
    first->notifications += 11;
    second->notifications += 12;
    first->timers += 21;
    second->timers += 22;
    first->ipis += 31;
    second->ipis += 32;
    first->faults += 41;
    second->faults += 42;
    first->spurious += 51;
    second->spurious += 52;
    job_report_irqs(&job);
    assert_string_equal(fake.console, "           CPU0  CPU1\n"
                                      "nvme0q1:  12345     1  VTD-POST\n"
                                      "nvme0q2:      0   678  VTD-REMAP\n"
                                      "nvme0q3:     90     0  VTD-POST\n"
                                      "PMN:         11    12  posted MSI notifications\n"
                                      "LOC:         21    22  local timer\n"
                                      "IPI:         31    32  wake-ups by other CPUs\n"
                                      "FLT:         41    42  VT-d faults\n"
                                      "SPU:         51    52  spurious\n");
    assert_string_equal(
        fake.json,
        "{\"type\":\"irq\",\"name\":\"nvme0q1\",\"chip\":\"VTD-POST\",\"cpu\":0,\"vector\":32,"
        "\"count\":12346,\"counts\":[12345,1]}\n"
        "{\"type\":\"irq\",\"name\":\"nvme0q2\",\"chip\":\"VTD-REMAP\",\"cpu\":1,\"vector\":33,"
        "\"count\":678,\"counts\":[0,678]}\n"
        "{\"type\":\"irq\",\"name\":\"nvme0q3\",\"chip\":\"VTD-POST\",\"cpu\":1,\"vector\":34,"
        "\"count\":90,\"counts\":[90,0]}\n"
        "{\"type\":\"irq\",\"name\":\"PMN\",\"count\":23,\"counts\":[11,12]}\n"
        "{\"type\":\"irq\",\"name\":\"LOC\",\"count\":43,\"counts\":[21,22]}\n"
        "{\"type\":\"irq\",\"name\":\"IPI\",\"count\":63,\"counts\":[31,32]}\n"
        "{\"type\":\"irq\",\"name\":\"FLT\",\"count\":83,\"counts\":[41,42]}\n"
        "{\"type\":\"irq\",\"name\":\"SPU\",\"count\":103,\"counts\":[51,52]}\n");
}

static size_t lines(void)
{
    size_t count = 0;
    for (const char *at = fake.console; (at = strchr(at, '\n')); at++)
        count++;
    return count;
}

// With as many as fit one table, rows of zeros are kept; with more, each table leaves out its own.
static void test_rows_of_zeros(void **state)
{
    make_job(8, 8);
    job_report_irqs(&job);
    assert_int_equal(lines(), 1 + 8 + 5);
    expect_line(fake.console,
                "nvme0q8:     0     0     0     0     0     0     0     0  VTD-POST\n");
    expect_line(fake.console,
                "SPU:         0     0     0     0     0     0     0     0  spurious\n");
    fake_stop(NULL);

    make_job(10, 10);
    job.cpus[7].after.irqs[3]++;
    job.cpus[8].after.irqs[9] += 5;
    job.cpus[9].after.stats.ipis += 6;
    job_report_irqs(&job);
    assert_string_equal(fake.console,
                        "          CPU0  CPU1  CPU2  CPU3  CPU4  CPU5  CPU6  CPU7\n"
                        "nvme0q4:     0     0     0     0     0     0     0     1  VTD-POST\n"
                        "           CPU8  CPU9\n"
                        "nvme0q10:     5     0  VTD-POST\n"
                        "IPI:          0     6  wake-ups by other CPUs\n");
}

static void test_the_largest_numbers_fit(void **state)
{
    make_job(FAKE_CPUS, 1);
    memset(fake.irqs[0].name, 'n', sizeof(fake.irqs[0].name) - 1);
    fake.irqs[0].cpu = CPU_MAX - 1;
    fake.irqs[0].vector = 255;
    for (unsigned cpu = 0; cpu < FAKE_CPUS; cpu++) {
        job.cpus[cpu].before.irqs[0] = 0;
        job.cpus[cpu].after.irqs[0] = UINT64_MAX;
    }
    job_report_irqs(&job); // report_json() here fails the test where the text was cut off
    expect_line(fake.json, ",18446744073709551615]}\n");
    expect_line(fake.console, "  18446744073709551615  VTD-POST\n");
}

// The structure and the counters of an irq, which may lie apart.
static void test_nodes_are_told(void **state)
{
    make_job(2, 2);
    struct irq *irq = mem_alloc(sizeof(*irq), CACHE_LINE, FAKE_NODE(1));
    *irq = fake.irqs[1];
    job.irqs[1] = irq;
    irq->counts = mem_alloc(2 * sizeof(uint64_t), CACHE_LINE, FAKE_NODE(1));
    fake.irqs[0].counts = mem_alloc(2 * sizeof(uint64_t), CACHE_LINE, FAKE_NODE(0));
    job_report_irqs(&job);
    expect_line(fake.json, "\"vector\":32,\"memory_nodes\":[7],\"count\":0");
    expect_line(fake.json, "\"vector\":33,\"memory_nodes\":[8],\"count\":0");
    irq->counts = fake.irqs[0].counts;
    fake.json[0] = 0;
    job_report_irqs(&job);
    expect_line(fake.json, "\"vector\":33,\"memory_nodes\":[8,7],\"count\":0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_table_and_objects, fake_stop),
        cmocka_unit_test_teardown(test_rows_of_zeros, fake_stop),
        cmocka_unit_test_teardown(test_the_largest_numbers_fit, fake_stop),
        cmocka_unit_test_teardown(test_nodes_are_told, fake_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
