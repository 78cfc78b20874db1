// SPDX-License-Identifier: BSD-2-Clause
// The info page: the structure, then the program's words, then queues, then disks.

#include "kernel/domain/info.h"

#include "kernel/base/cpus.h"
#include "kernel/domain/life.h"
#include "kernel/irq/irq.h"
#include "kernel/x86/time.h"
#include "kernel/x86/time_init.h"
#include "lib/string.h"

#define QUEUES_MOST 512u
#define ALIGNMENT 64u

static uint8_t *at(const struct domain *d, uint32_t offset)
{
    return (uint8_t *)d->info + offset;
}

void domain_info_begin(struct domain *d)
{
    struct domain_info *info = d->info;
    size_t words = strlen(d->words->words) + 1;
    memset(info, 0, DOMAIN_INFO_BYTES);
    info->abi = DOMAIN_ABI;
    memcpy(info->name, d->words->name, sizeof(info->name));
    info->cpus = d->team.cpus_count;
    info->irq_mode = irq_get_mode();
    info->spin_ns = irq_get_config()->spin_ns;
    info->memory = d->words->memory;
    info->tsc_hz = time_tsc_hz();
    info->tsc_at_zero = time_tsc_at(0);
    info->node = cpu_node(d->seats[0].cpu);
    info->life = d->lives;
    info->words = sizeof(*info);
    info->words_bytes = (uint32_t)words;
    memcpy(at(d, info->words), d->words->words, words);
    info->queues = ALIGN_UP(info->words + (uint32_t)words, ALIGNMENT);
    info->disks =
        ALIGN_UP(info->queues + QUEUES_MOST * (uint32_t)sizeof(struct domain_queue), ALIGNMENT);
    d->grant = (struct domain_grant){
        .space = d->reach,
        .cpus = d->team.cpus_count,
        .seats = d->seats,
        .memory_start = DOMAIN_MEMORY,
        .memory = DOMAIN_MEMORY,
        .memory_end = DOMAIN_MEMORY + d->words->memory,
        .queues = (struct domain_queue *)at(d, info->queues),
        .queues_most = QUEUES_MOST,
        .disks = at(d, info->disks),
        .disks_room = DOMAIN_INFO_BYTES - info->disks,
    };
}

void domain_info_end(struct domain *d)
{
    struct domain_info *info = d->info;
    const struct domain_grant *g = &d->grant;
    info->queues_count = g->queues_count;
    info->disks_count = g->disks_count;
    info->disk_bytes = g->disks_count ? (uint32_t)(g->disks_bytes / g->disks_count) : 0;
    info->memory_used = g->memory - DOMAIN_MEMORY;
    info->bytes = info->disks + (uint32_t)g->disks_bytes;
}
