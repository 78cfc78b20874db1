// SPDX-License-Identifier: BSD-2-Clause
// Turns filename= into block devices.
#include "apps/disks.h"

#include "lib/format.h"
#include "lib/string.h"

static bool add(struct disks *d, struct block_dev *dev, struct problem *p)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->list[i] == dev)
            return problem_set(p, "job-disk-twice", "filename= names %s twice; name it once",
                               dev->name);
    if (d->count == DISKS_MAX)
        return problem_set(p, "job-too-many-disks",
                           "more than %u disks; choose some with filename=", DISKS_MAX);
    d->list[d->count++] = dev;
    return true;
}

static bool no_such_disk(const char *name, size_t length, struct problem *p)
{
    char there[160];
    int used = 0;
    for (struct block_dev *dev = block_first(); dev && (size_t)used < sizeof(there);
         dev = dev->next)
        used += format_text(there + used, sizeof(there) - (size_t)used, " %s", dev->name);
    return problem_set(
        p, "job-no-such-disk", "filename=: no disk is named \"%.*s\"; there are:%s%s",
        (int)MIN(length, (size_t)24), name, there, (size_t)used < sizeof(there) ? "" : "...");
}

static bool add_named(struct disks *d, const char *names, size_t length, struct problem *p)
{
    for (size_t at = 0, end; at <= length; at = end + 1) {
        for (end = at; end < length && names[end] != ':'; end++)
            ;
        struct block_dev *dev = end > at ? block_find(names + at, end - at) : NULL;
        if (!dev)
            return no_such_disk(names + at, end - at, p);
        if (!add(d, dev, p))
            return false;
    }
    return true;
}

static bool add_all(struct disks *d, struct problem *p)
{
    for (struct block_dev *dev = block_first(); dev; dev = dev->next)
        if (!add(d, dev, p))
            return false;
    return true;
}

bool disks_select(const struct cmdline *c, struct disks *out, struct problem *p)
{
    const struct cmdline_value *names = cmdline_get(c, "filename");
    out->count = 0;
    if (!block_first())
        return problem_set(
            p, "job-no-disk",
            "there is no disk to read: attach an NVMe disk; if one is attached, the lines "
            "above say why it can't be used");
    bool ok = names->text ? add_named(out, names->text, names->length, p) : add_all(out, p);
    if (!ok)
        out->count = 0;
    return ok;
}
