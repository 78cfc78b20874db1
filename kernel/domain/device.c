// SPDX-License-Identifier: BSD-2-Clause
// The functions that domains may have, and what drivers take and tell when they set one up.

#include "kernel/domain/device.h"

#include "lib/string.h"

static struct {
    struct domain_device *first, **end;
} devices = { .end = &devices.first };

void domain_device_add(struct domain_device *d)
{
    d->next = NULL;
    *devices.end = d;
    devices.end = &d->next;
}

static bool has_disk(const struct domain_device *d, const char *disk)
{
    const char *name;
    for (unsigned i = 0; (name = d->ops->disk(d, i)); i++)
        if (strcmp(name, disk) == 0)
            return true;
    return false;
}

struct domain_device *domain_device_of(const char *disk)
{
    struct domain_device *d = devices.first;
    while (d && !has_disk(d, disk))
        d = d->next;
    return d;
}

uint64_t domain_take_memory(struct domain_grant *g, uint64_t bytes, uint64_t align)
{
    uint64_t at = ALIGN_UP(g->memory, align);
    if (at > g->memory_end || bytes > g->memory_end - at)
        return 0;
    g->memory = at + bytes;
    return at;
}

bool domain_tell_queue(struct domain_grant *g, const struct domain_queue *queue)
{
    if (g->queues_count == g->queues_most)
        return false;
    g->queues[g->queues_count++] = *queue;
    return true;
}

bool domain_tell_disk(struct domain_grant *g, const void *disk, size_t bytes)
{
    if (bytes > g->disks_room - g->disks_bytes)
        return false;
    memcpy(g->disks + g->disks_bytes, disk, bytes);
    g->disks_bytes += bytes;
    g->disks_count++;
    return true;
}
