// SPDX-License-Identifier: BSD-2-Clause
// The disks that an app works on: filename=nvme0n1:nvme1n1, or all there are.
#pragma once

#include "kernel/base/cmdline.h"
#include "kernel/run/block.h"
#include "lib/problem.h"

#define DISKS_MAX 256

struct disks {
    struct block_dev *list[DISKS_MAX];
    size_t count;
};

// The option's entry in an app's table.
#define DISKS_OPTION                                                                               \
    { .name = "filename",                                                                          \
      .kind = OPTION_TEXT,                                                                         \
      .help = "disks, such as nvme0n1:nvme1n1; default: all" }

// Problems: "job-no-disk" (there are none), "job-no-such-disk" (names those there are),
// "job-disk-twice", "job-too-many-disks"; the list is then empty.
bool disks_select(const struct cmdline *c, struct disks *out, struct problem *p);

// May an app ask this of the disk, which changes what is on it? Problems: "disk-not-allowed" (says
// what to write into allow-write=), "disk-two-ways", "disk-read-only", "disk-no-trim",
// "disk-zoned".
bool disks_may_change(const struct block_dev *dev, enum block_op op, struct problem *p);
