// SPDX-License-Identifier: BSD-2-Clause
// The job's options, and how its work is shared out. Pure.
#include "apps/job.h"
#include "kernel/base/cpus.h"

#define BS_MAX (64 * MIB)
#define MIXED 101 // percent of writes: what rwmixread= leaves

const struct option job_options[] = {
    DISKS_OPTION,
    { .name = "rw",
      .kind = OPTION_CHOICE,
      .fallback = "randread",
      .choices = "randread|read|randwrite|write|randrw|rw|readwrite|randtrim|trim",
      .help = "random or sequential reads, writes, both, or trims; see allow-write=" },
    { .name = "rwmixread",
      .kind = OPTION_NUMBER,
      .fallback = "50",
      .max = 100,
      .help = "percent of reads where rw= is rw or randrw" },
    { .name = "bs",
      .kind = OPTION_SIZE,
      .fallback = "4k",
      .min = 512,
      .max = BS_MAX,
      .help = "bytes of an I/O" },
    { .name = "iodepth",
      .kind = OPTION_NUMBER,
      .fallback = "32",
      .min = 1,
      .max = 4096,
      .help = "I/Os in flight for each disk and CPU" },
    { .name = "runtime",
      .kind = OPTION_TIME,
      .fallback = "5s",
      .max = 365ull * 86400 * 1000000,
      .help = "how long; 0: until as much as the region was read or written once" },
    { .name = "ramp_time",
      .kind = OPTION_TIME,
      .fallback = "0",
      .max = 365ull * 86400 * 1000000,
      .help = "how long it runs before it measures" },
    { .name = "rate_iops",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 100000000,
      .help = "I/Os a second for each disk and CPU; 0: as many as there can be" },
    { .name = "fsync",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 1u << 30,
      .help = "writes after which the disk is flushed; 0: never" },
    { .name = "writefua",
      .kind = OPTION_CHOICE,
      .fallback = "0",
      .choices = "0|1",
      .help = "1: writes are durable when they end (FUA)" },
    { .name = "seed",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .help = "of random places and written data; 0: data differs in each run" },
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
      .help = "check what the job wrote, or what mkdisk or an earlier job did" },
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
    { .name = "verify_by",
      .kind = OPTION_CHOICE,
      .fallback = "auto",
      .choices = "auto|cpu|accelerator",
      .help = "who sums what was read; auto: an accelerator, where it is faster" },
    { .name = "slat",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 1,
      .help = "1: time each submission, too, and leave it out of clat" },
    { .name = "bins",
      .kind = OPTION_NUMBER,
      .fallback = "0",
      .max = 1,
      .help = "1: send whole histograms, as fio's json+ does" },
    { .name = NULL },
};

static void set_rw(const struct cmdline *c, struct job_config *out)
{
    static const struct {
        const char *rw;
        bool random, trims;
        unsigned writes;
    } kinds[] = {
        { "randread", true, false, 0 },       { "read", false, false, 0 },
        { "randwrite", true, false, 100 },    { "write", false, false, 100 },
        { "randrw", true, false, MIXED },     { "rw", false, false, MIXED },
        { "readwrite", false, false, MIXED }, { "randtrim", true, true, 100 },
        { "trim", false, true, 100 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (cmdline_is(c, "rw", kinds[i].rw)) {
            out->random = kinds[i].random;
            out->trims = kinds[i].trims;
            out->is_mixed = kinds[i].writes == MIXED;
            out->write_percent = kinds[i].writes;
        }
    if (out->is_mixed)
        out->write_percent = 100 - (unsigned)cmdline_number(c, "rwmixread");
}

const char *job_rw_name(const struct job_config *config)
{
    static const char *const names[][2] = {
        { "read", "randread" }, { "write", "randwrite" }, { "rw", "randrw" }, { "trim", "randtrim" }
    };
    unsigned kind = config->trims ? 3 : config->is_mixed ? 2 : config->write_percent ? 1 : 0;
    return names[kind][config->random];
}

static bool is_given(const struct cmdline *c, const char *name)
{
    return cmdline_get(c, name)->given;
}

// Words that this kind of job has no use for: what was meant by them isn't what would happen.
static bool check_words(const struct cmdline *c, const struct job_config *config, struct problem *p)
{
    if (is_given(c, "rwmixread") && !config->is_mixed)
        return problem_set(p, "job-rwmixread",
                           "rwmixread=%lu: rw=%s is no mix; use rw=rw or randrw, or leave it out",
                           cmdline_number(c, "rwmixread"), job_rw_name(config));
    if (config->fsync && !job_writes(config))
        return problem_set(p, "job-fsync",
                           "fsync=%u: nothing is written by rw=%s; leave it out, or use rw=write, "
                           "randwrite, rw or randrw",
                           config->fsync, job_rw_name(config));
    if (config->writefua && !job_writes(config))
        return problem_set(p, "job-writefua",
                           "writefua=1: nothing is written by rw=%s; leave it out, or use "
                           "rw=write, randwrite, rw or randrw",
                           job_rw_name(config));
    if (config->verify && config->trims)
        return problem_set(p, "job-verify",
                           "verify=crc32c: what rw=%s leaves has no content to check; leave it out",
                           job_rw_name(config));
    if (config->urgent && config->write_percent == 100)
        return problem_set(p, "job-urgent", "urgent=%u: nothing is read by rw=%s; leave it out",
                           config->urgent, job_rw_name(config));
    if (config->ramp_us && !config->runtime_us)
        return problem_set(p, "job-ramp-time",
                           "ramp_time= with runtime=0, which may be over before it; say runtime=, "
                           "too, or leave it out");
    return true;
}

enum block_op job_op(const struct job_config *config)
{
    return config->trims ? BLOCK_DEALLOCATE : job_writes(config) ? BLOCK_WRITE : BLOCK_READ;
}

bool job_writes(const struct job_config *config)
{
    return !config->trims && config->write_percent;
}

bool job_changes(const struct job_config *config)
{
    return config->trims || job_writes(config);
}

bool job_next_is_read(const struct job_config *config, uint64_t reads, uint64_t others)
{
    return reads * config->write_percent < (others + 1) * (100 - config->write_percent);
}

bool job_configure(const struct cmdline *c, unsigned cpus, struct job_config *out,
                   struct problem *p)
{
    unsigned numjobs = (unsigned)cmdline_number(c, "numjobs");
    if (numjobs > cpus)
        return problem_set(p, "job-numjobs",
                           "numjobs=%u: only %u CPUs are in use; give at most that many", numjobs,
                           cpus);
    *out = (struct job_config){
        .verify = cmdline_is(c, "verify", "crc32c") || cmdline_is(c, "verify", "1"),
        .batch = cmdline_is(c, "clat", "batch"),
        .bs = (uint32_t)cmdline_number(c, "bs"),
        .iodepth = (unsigned)cmdline_number(c, "iodepth"),
        .runtime_us = cmdline_number(c, "runtime"),
        .size = cmdline_number(c, "size"),
        .numjobs = numjobs ? numjobs : cpus,
        .urgent = (unsigned)cmdline_number(c, "urgent"),
        .ramp_us = cmdline_number(c, "ramp_time"),
        .rate_iops = cmdline_number(c, "rate_iops"),
        .fsync = (unsigned)cmdline_number(c, "fsync"),
        .writefua = cmdline_is(c, "writefua", "1"),
        .seed = cmdline_number(c, "seed"),
        .verify_by = (enum job_verify_by)cmdline_get(c, "verify_by")->number,
        .slat = cmdline_number(c, "slat"),
        .bins = cmdline_number(c, "bins"),
    };
    set_rw(c, out);
    return check_words(c, out, p);
}

uint64_t job_rate(const struct job_config *config, size_t number, size_t count)
{
    uint64_t rate = config->rate_iops;
    return config->rate_is_shared ? rate / count + (number < rate % count) : rate;
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
                           "%s: one I/O of bs=%u doesn't fit into size=%lu of a disk of %lu bytes",
                           dev->name, config->bs, config->size, dev->blocks * dev->block_size);
    if (job_writes(config))
        return disks_may_change(dev, BLOCK_WRITE, p);
    if (config->trims)
        return disks_may_change(dev, BLOCK_DEALLOCATE, p);
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
