// SPDX-License-Identifier: BSD-2-Clause
// A machine for host tests of apps: CPUs that take turns, disks that complete in any order, and
// everything that an app prints kept for the test. Include it once in a test.
#pragma once

#include "tests/host/fake_disks.h"

// ---- its loop ----

static bool fake_run_message(unsigned cpu)
{
    struct cpu_msg *msg = fake.inbox[cpu];
    if (!msg)
        return false;
    fake.inbox[cpu] = msg->next;
    if (!msg->next)
        fake.inbox_end[cpu] = &fake.inbox[cpu];
    fake.current = cpu;
    msg->fn(msg);
    return true;
}

// CPUs read their messages late and at different times; nothing else may depend on it.
void cpu_run_until(const bool *stop)
{
    unsigned idle = 0;
    while (!*stop) {
        bool ran = fake_run_message(fake_random(fake.cpus));
        if (fake.in_flight_count && !fake.hold && fake_random(4)) {
            fake_complete_one();
            ran = true;
        }
        fake_run_timer();
        idle = ran ? 0 : idle + 1;
        assert_true(idle < 100000); // nothing left to do, and the app still waits
    }
    fake.current = 0;
}

// ---- interrupts ----

void interrupts_off(void)
{
    assert_false(fake.interrupts_are_off);
    if (fake.late_msis && fake.submitted)
        fake_count_msi();
    fake.interrupts_are_off = true;
}

void interrupts_on(void)
{
    assert_true(fake.interrupts_are_off);
    fake.interrupts_are_off = false;
    if (fake.on_interrupts)
        fake.on_interrupts();
}

struct irq *irq_first(void)
{
    if (fake.late_msis && fake.submitted && !fake.interrupts_are_off) {
        fake_count_msi();
    }
    return &fake.irqs[0];
}

enum irq_mode irq_get_mode(void)
{
    return fake.mode;
}

const char *irq_mode_name(enum irq_mode mode)
{
    return mode == IRQ_POSTED ? "posted" : "remapped";
}

// ---- for tests ----

static void fake_start(unsigned cpus, unsigned disks, uint32_t block_size, uint64_t blocks)
{
    memset(&fake, 0, sizeof(fake));
    fake.cpus = cpus;
    fake.mode = IRQ_POSTED;
    fake.free_bytes = GIB;
    fake.tsc = FAKE_TSC_BEGIN;
    fake.look_tsc = FAKE_LOOK_TSC;
    for (unsigned i = 0; i < cpus; i++) {
        fake.inbox_end[i] = &fake.inbox[i];
        static const struct irq_chip chip = { .name = "VTD-POST" };
        fake.irqs[i] = (struct irq){ .cpu = i,
                                     .chip = &chip,
                                     .vector = (uint8_t)(0x20 + i),
                                     .counts = fake.irq_counts[i],
                                     .next = i + 1 < cpus ? &fake.irqs[i + 1] : NULL };
        format_text(fake.irqs[i].name, sizeof(fake.irqs[i].name), "nvme0q%u", i + 1);
    }
    for (unsigned i = disks; i-- > 0;) {
        struct fake_disk *disk = &fake.disks[i];
        disk->damaged_lba = disk->lost_lba = disk->torn_lba = disk->misplaced_lba = NO_LBA;
        disk->dev = (struct block_dev){
            .nsid = 1,
            .block_size = block_size,
            .blocks = blocks,
            .channels = 1,
            .node = NODE_ANY,
            .next = fake.first_disk,
        };
        format_text(disk->dev.name, sizeof(disk->dev.name), "nvme%un1", i);
        format_text(disk->dev.serial, sizeof(disk->dev.serial), "SERIAL%u", i);
        fake.first_disk = &disk->dev;
    }
}

// What is written to the disk stays there; at first it holds zeros.
static __attribute__((unused)) void fake_writable(struct fake_disk *disk)
{
    disk->dev.writable = true;
    disk->dev.ops = (1u << BLOCK_OPS) - 1;
    disk->data = calloc(disk->dev.blocks, disk->dev.block_size);
}

static int fake_stop(void **state)
{
    for (unsigned i = 0; i < FAKE_DISKS; i++) {
        free(fake.disks[i].data);
        fake.disks[i].data = NULL;
    }
    for (size_t i = 0; i < fake.allocations_count; i++)
        free(fake.allocations[i].at);
    fake.allocations_count = 0;
    return 0;
}

// The one app that the test runs, with its words.
static __attribute__((unused)) void fake_run(const struct app *app, const char *words)
{
    const struct option *const tables[] = { app->options };
    struct cmdline c;
    struct problem p;
    if (!cmdline_parse(words, tables, 1, false, &c, &p))
        fail_msg("%s", p.message);
    app->run(&c);
}

static __attribute__((unused)) void expect_line(const char *where, const char *part)
{
    if (!strstr(where, part))
        fail_msg("\"%s\" isn't in:\n%s", part, where);
}
