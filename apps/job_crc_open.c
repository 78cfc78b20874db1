// SPDX-License-Identifier: BSD-2-Clause
// Who sums: an accelerator where it is faster than the CPU for blocks of that size, which is measured.
#include "apps/job_crc.h"

#include "apps/arena.h"
#include "apps/copy_pays.h"
#include "kernel/base/report.h"
#include "kernel/mem/mem.h"

static void open_worker(const struct job *job, struct job_worker *w)
{
    unsigned depth = w->iodepth;
    w->crcs = arena_alloc(job->arena, depth * sizeof(*w->crcs), CACHE_LINE, cpu_node(w->cpu->cpu));
    for (unsigned i = 0; i < depth; i++)
        job_crc_init(&w->crcs[i], w, &w->ios[i]);
}

static void tell(const struct copy_pays *pays, uint32_t bytes, bool by_device)
{
    unsigned at = copy_pays_index(bytes);
    char text[256];
    struct json j;
    info("verify=crc32c: by the %s: a sum of %u bytes takes the CPU %lu ns, the accelerator %lu ns",
         by_device ? "accelerator" : "CPU", COPY_PAYS_LEAST << at, pays->cpu_ns[at],
         pays->dev_ns[at]);
    json_begin(&j, text, sizeof(text), "crc");
    json_text(&j, "by", by_device ? "accelerator" : "cpu");
    json_u64(&j, "block_size", bytes);
    json_u64(&j, "cpu_ns", pays->cpu_ns[at]);
    json_u64(&j, "accelerator_ns", pays->dev_ns[at]);
    if (pays->least != UINT32_MAX)
        json_u64(&j, "pays_from", pays->least);
    report_json(&j);
}

static uint32_t largest_block(const struct disks *disks)
{
    uint32_t bytes = 0;
    for (size_t i = 0; i < disks->count; i++)
        bytes = MAX(bytes, disks->list[i]->block_size);
    return bytes;
}

static void open_workers(struct job *job, uint32_t least)
{
    for (size_t i = 0; i < job->workers_count; i++)
        if (job->workers[i]->dev->block_size >= least)
            open_worker(job, job->workers[i]);
}

// Reads of what a job writes itself are looked at by other means (lib/pattern.h).
void job_crc_open(struct job *job)
{
    struct copy_pays pays;
    uint32_t bytes = largest_block(&job->disks);
    enum job_verify_by by = job->config.verify_by;
    if (!job->config.verify || job_changes(&job->config) || by == JOB_VERIFY_CPU)
        return;
    if (!copy_pays_measure(COPY_CRC32C, &pays)) {
        if (by == JOB_VERIFY_ACCELERATOR)
            warn("job-verify-by", "verify_by=accelerator: there is none that sums: by the CPU");
        return;
    }
    if (by == JOB_VERIFY_ACCELERATOR) {
        pays.least = 1;
        copy_set_least(COPY_CRC32C, pays.least);
    }
    open_workers(job, pays.least);
    tell(&pays, bytes, bytes >= pays.least);
}
