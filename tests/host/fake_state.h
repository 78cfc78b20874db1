// SPDX-License-Identifier: BSD-2-Clause
// What the parts of fake_machine.h share: its state.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/base/report_init.h"
#include "kernel/base/x86.h"
#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/cpu/trace.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/mem.h"
#include "kernel/run/block.h"
#include "kernel/run/loop.h"
#include "kernel/x86/energy.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/stamp.h"
#include "lib/string.h"

#include <cmocka.h> // last: it makes a macro of fail(), which kernel/report.h declares

#define FAKE_DISKS 4
#define FAKE_CPUS 16
#define FAKE_LBAS 4096
#define FAKE_IN_FLIGHT 4096
#define FAKE_ALLOCATIONS 4096
#define FAKE_TURN 8

struct fake_disk {
    struct block_dev dev; // first: requests point to it
    uint32_t reads[FAKE_LBAS];
    unsigned in_flight, most_in_flight;
    enum block_status bad_status; // of requests that touch bad_lba; BLOCK_OK: of none
    enum block_op bad_op;         // of these; a flush touches all
    uint64_t bad_lba;
    uint8_t *data; // what was written; NULL: stamps are all that there is
    uint32_t writes[FAKE_LBAS], trims[FAKE_LBAS];
    unsigned flushes;
    uint64_t lost_lba, torn_lba, misplaced_lba; // what their writes do, from the second one on
    uint64_t damaged_lba;                       // its data is damaged; NO_LBA: no block's is
    struct block_stream *stream;
    struct block_turn turns[FAKE_TURN]; // that have ended, and that it isn't told of yet
    unsigned turns_count;
};
#define NO_LBA UINT64_MAX

static struct {
    unsigned cpus, current;
    struct cpu_stats stats[FAKE_CPUS];
    struct cpu_msg *inbox[FAKE_CPUS], **inbox_end[FAKE_CPUS];
    struct cpu_timer *timers;
    unsigned timers_fired;
    uint64_t batch_tsc[FAKE_CPUS];
    unsigned batch; // completions that come at once
    uint64_t completed;
    bool has_streams;
    unsigned turn; // reads of a stream that come at once: FAKE_TURN at most
    uint64_t turns;
    uint64_t tsc;         // a nanosecond each: time passes where it is looked at
    uint64_t look_tsc;    // what a look takes
    uint64_t service_tsc; // what a read takes besides

    struct fake_disk disks[FAKE_DISKS];
    struct block_dev *first_disk;
    struct block_req *in_flight[FAKE_IN_FLIGHT];
    size_t in_flight_count;
    bool hold;       // no read completes
    bool no_overlap; // nothing in flight may touch blocks of a write, or of another read
    uint64_t submitted, urgent;
    void (*on_read)(const struct block_req *req); // it was submitted
    void (*on_other)(struct block_req *req);      // carries out what disks here don't know
    uint32_t random;

    struct irq irqs[FAKE_CPUS];
    uint64_t irq_counts[FAKE_CPUS][FAKE_CPUS];
    enum irq_mode mode;
    unsigned packages; // that the CPUs are in by turns; 0: none tells its energy
    bool interrupts_are_off;
    void (*on_interrupts)(void); // they were turned on
    bool msis_at_once;           // a read's MSI comes as it is submitted
    bool late_msis; // once there were reads: as interrupts go off, and while irqs are looked at

    struct fake_memory {
        char *at;
        size_t bytes;
        unsigned node; // as asked for
    } allocations[FAKE_ALLOCATIONS];
    size_t allocations_count;
    uint64_t free_bytes;
    uint64_t used_bytes; // if one piece lies behind the other
    bool trace_stopped;

    char console[1 << 16], json[1 << 16];
    unsigned errors;
    char error_what[64], error_message[512]; // the last one
    char errors_told[1 << 14];               // all
} fake;

#define FAKE_TSC_HZ 1000000000ull
#define FAKE_TSC_BEGIN (1ull << 40)
#define FAKE_LOOK_TSC 1000ull      // a look at the clock
#define FAKE_NODE(cpu) (7 + (cpu)) // each CPU has a NUMA node of its own
