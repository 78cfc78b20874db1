// SPDX-License-Identifier: BSD-2-Clause
// Turns filename= into block devices.
#include "apps/disks.h"

#include "kernel/run/allow_write.h"
#include "lib/bits.h"
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

// Each disk once, by its first way.
static bool add_all(struct disks *d, struct problem *p)
{
    for (struct block_dev *dev = block_first(); dev; dev = dev->next)
        if (!dev->same_as && !add(d, dev, p))
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

bool disks_may_change(const struct block_dev *dev, enum block_op op, struct problem *p)
{
    char word[ALLOW_WRITE_WORD];
    if (!dev->writable)
        return problem_set(p, "disk-not-allowed",
                           "%s (serial \"%s\") may not be written to; if all that it holds may be "
                           "lost, say allow-write=%s",
                           dev->name, dev->serial, allow_write_word(dev->serial, word));
    if (dev->same_as)
        return problem_set(p, "disk-two-ways",
                           "%s is the same disk as %s, which another controller leads to: name "
                           "that one",
                           dev->name, dev->same_as->name);
    if (dev->limits.zone)
        return problem_set(p, "disk-zoned",
                           "%s is zoned: it is written to in the order of its zones alone, which "
                           "no app does; leave it out",
                           dev->name);
    if (dev->ops & BIT32(op))
        return true;
    if (op == BLOCK_DEALLOCATE)
        return problem_set(p, "disk-no-trim",
                           "%s has no Dataset Management command, which trims; leave it out",
                           dev->name);
    return problem_set(p, "disk-read-only",
                       "%s is write protected by its controller; leave it out, or end the "
                       "protection there",
                       dev->name);
}
