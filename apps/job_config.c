// SPDX-License-Identifier: BSD-2-Clause
// The job's options, and how its work is shared out. Pure.
#include "apps/job.h"
#include "kernel/base/cpus.h"

#define BS_MAX (64 * MIB)

const struct option job_options[] = {
    DISKS_OPTION,
    { .name = "rw",
      .kind = OPTION_CHOICE,
      .fallback = "randread",
      .choices = "randread|read",
      .help = "random or sequential reads" },
    { .name = "bs",
      .kind = OPTION_SIZE,
      .fallback = "4k",
      .min = 512,
      .max = BS_MAX,
      .help = "bytes of a read" },
    { .name = "iodepth",
      .kind = OPTION_NUMBER,
      .fallback = "32",
      .min = 1,
      .max = 4096,
      .help = "reads in flight for each disk and CPU" },
    { .name = "runtime",
      .kind = OPTION_TIME,
      .fallback = "5s",
      .max = 365ull * 86400 * 1000000,
      .help = "how long; 0: until as much as the region was read once" },
    { .name = "size",
      .kind = OPTION_SIZE,
      .fallback = "0",
      .help = "the region used at the start of each disk; 0: all of it" },
    { .name = "numjobs",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = CPU_MAX,
      .help = "CPUs used for each disk; 0: all" },
    { .name = "verify",
      .kind = OPTION_CHOICE,
      .fallback = "none",
      .choices = "none|crc32c|0|1",
      .help = "check the stamps that mkdisk wrote" },
    { .name = "clat",
      .kind = OPTION_CHOICE,
      .fallback = "exact",
      .choices = "exact|batch",
      .help = "time each completion, or all that one look at a queue finds at once" },
    { .name = "urgent",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 100,
      .help = "percent of reads that use an urgent queue, see nvme.urgent=" },
    { .name = NULL },
};

bool job_configure(const struct cmdline *c, unsigned cpus, struct job_config *out,
                   struct problem *p)
{
    unsigned numjobs = (unsigned)cmdline_number(c, "numjobs");
    if (numjobs > cpus)
        return problem_set(p, "job-numjobs",
                           "numjobs=%u: only %u CPUs are in use; give at most that many", numjobs,
                           cpus);
    *out = (struct job_config){
        .random = cmdline_is(c, "rw", "randread"),
        .verify = cmdline_is(c, "verify", "crc32c") || cmdline_is(c, "verify", "1"),
        .batch = cmdline_is(c, "clat", "batch"),
        .bs = (uint32_t)cmdline_number(c, "bs"),
        .iodepth = (unsigned)cmdline_number(c, "iodepth"),
        .runtime_us = cmdline_number(c, "runtime"),
        .size = cmdline_number(c, "size"),
        .numjobs = numjobs ? numjobs : cpus,
        .urgent = (unsigned)cmdline_number(c, "urgent"),
    };
    return true;
}

uint64_t job_region(const struct job_config *config, const struct block_dev *dev)
{
    uint64_t blocks = dev->blocks;
    if (config->size)
        blocks = MIN(blocks, config->size / dev->block_size);
    return blocks / (config->bs / dev->block_size);
}

bool job_check_disk(const struct job_config *config, const struct block_dev *dev, struct problem *p)
{
    if (config->bs % dev->block_size)
        return problem_set(p, "job-bs",
                           "bs=%u: %s has blocks of %u bytes; give a multiple of that, e.g. bs=%u",
                           config->bs, dev->name, dev->block_size,
                           (uint32_t)DIV_UP(config->bs, dev->block_size) * dev->block_size);
    if (!job_region(config, dev))
        return problem_set(p, "job-size",
                           "%s: one read of bs=%u doesn't fit into size=%lu of a disk of %lu bytes",
                           dev->name, config->bs, config->size, dev->blocks * dev->block_size);
    return true;
}

void job_share(uint64_t region, unsigned index, unsigned count, uint64_t *first, uint64_t *end)
{
    uint64_t each = region / count, rest = region % count;
    *first = each * index + MIN(index, rest);
    *end = *first + each + (index < rest);
}

unsigned job_cpu_of(const struct job_config *config, size_t disk, unsigned index, unsigned cpus)
{
    return (unsigned)((disk * config->numjobs + index) % cpus);
}
