// SPDX-License-Identifier: BSD-2-Clause
// Whatever a controller says of its namespaces, zones and ways: the rest of the driver relies on
// what the parsers accept.

#include <stdlib.h>
#include <string.h>

#include "drivers/nvme/identify.h"
#include "drivers/nvme/pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static union {
    uint8_t bytes[NVME_PAGE];
    struct nvme_identify_controller controller;
    struct nvme_identify_namespace ns;
    struct nvme_identify_nvm_namespace nvm_ns;
    struct nvme_identify_nvm_controller nvm;
    struct nvme_identify_zoned_namespace zoned_ns;
    struct nvme_identify_zoned_controller zoned;
} page;

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void must_be_text(const char *s, size_t room)
{
    must(memchr(s, 0, room) != NULL);
    for (; *s; s++)
        must(*s >= ' ' && *s < 127);
}

static void must_be_told(const struct warnings *w)
{
    must(w->count <= 1); // of one kind
    for (size_t i = 0; i < w->count; i++)
        must_be_text(w->kinds[i].first.message, sizeof(w->kinds[i].first.message));
}

static struct nvme_abilities check_abilities(void)
{
    struct nvme_abilities a;
    struct warnings w = { .count = 0 };
    unsigned quirks;

    memcpy(&quirks, page.bytes + 3900, sizeof(quirks));
    nvme_parse_abilities("nvme0", &page.controller, quirks, &a, &w);
    must_be_told(&w);
    must_be_text(a.subsystem, sizeof(a.subsystem));
    must(strncmp(a.subsystem, "nqn.", 4) == 0);
    must(a.atomic >= a.atomic_power_fail && a.atomic_power_fail > 0);
    must(!(a.stripe & (a.stripe - 1)) && a.stripe <= 4 * GIB);
    must(!a.ana || (a.ana_groups && a.ana_ms));
    must(!a.warning_kelvin || !a.critical_kelvin || a.warning_kelvin <= a.critical_kelvin);
    return a;
}

// Every block once, and each command within all limits.
static void check_pieces(const struct nvme_format *format, const struct block_limits *l)
{
    struct nvme_cuts cuts = {
        .most = (uint32_t)(l->max_transfer >> format->block_shift),
        .boundary = (uint32_t)(l->boundary >> format->block_shift),
    };
    uint64_t lba = page.ns.nuse % format->blocks;
    uint32_t blocks = 1 + page.ns.nlbaf % 100u;

    for (uint32_t done = 0; done < blocks;) {
        uint32_t n = nvme_piece(&cuts, lba + done, blocks - done);
        must(n > 0 && n <= cuts.most && n <= blocks - done);
        must(!cuts.boundary ||
             (lba + done) / cuts.boundary == (lba + done + n - 1) / cuts.boundary);
        done += n;
    }
}

static void check_limits(const struct nvme_format *format, const struct nvme_abilities *a,
                         uint64_t max_transfer)
{
    struct block_limits l;
    struct warnings w = { .count = 0 };

    nvme_parse_limits("nvme0n1", &page.ns, format, a, max_transfer, &l, &w);
    must_be_told(&w);
    must(l.max_transfer >= l.block_size && l.max_transfer <= max_transfer);
    must(l.max_transfer / l.block_size * format->metadata_buffer <= NVME_METADATA_MAX);
    must(l.boundary % l.block_size == 0 && (!l.boundary || l.boundary >= NVME_PAGE));
    must(l.atomic_write >= l.atomic_power_fail && l.atomic_power_fail >= l.block_size);
    must(!l.atomic_boundary || l.atomic_boundary >= l.atomic_write);
    must(l.max_copy >= l.max_copy_source && !l.max_copy_source == !l.copy_sources);
    must(l.max_copy_source % l.block_size == 0 && l.max_copy_source <= 65535ull * l.block_size);
    nvme_parse_nvm_controller(&page.nvm, a, &l);
    must(l.max_zeroes <= 65536ull * l.block_size && l.max_verify <= 65536ull * l.block_size);
    must(l.max_zeroes % l.block_size == 0 && l.max_verify % l.block_size == 0);
    check_pieces(format, &l);
}

static struct nvme_format check_format(const struct nvme_abilities *a, uint64_t max_transfer)
{
    struct nvme_format f;
    struct problem p;
    struct warnings w = { .count = 0 };

    bool usable = nvme_parse_format("nvme0n1", &page.ns, &page.nvm_ns, max_transfer, &f, &w, &p);
    must_be_told(&w);
    if (!usable)
        must_be_text(p.message, sizeof(p.message));
    must(usable || !f.blocks);
    if (!f.blocks)
        return f;
    must(f.block_shift >= 9 && f.block_shift <= 16 && 1ull << f.block_shift <= max_transfer);
    must(!f.metadata_buffer || f.metadata_buffer == f.metadata);
    must(f.protection <= 3 && (f.protection != 0) == (f.control != 0));
    must(f.protection || !f.tag_mask);
    must(!(f.tag_mask & (f.tag_mask + 1)));
    must(!f.protection || f.metadata >= 8);
    check_limits(&f, a, max_transfer);
    return f;
}

static void check_zones(const struct nvme_format *format, uint64_t max_transfer)
{
    struct nvme_zoned z;
    struct block_zone zones[8];
    struct problem p;
    struct warnings w = { .count = 0 };
    size_t count, bytes = page.ns.ncap % (sizeof(page) + 1);

    if (!format->blocks ||
        !nvme_parse_zoned("nvme0n1", &page.zoned_ns, &page.zoned, format, max_transfer, &z, &w, &p))
        return;
    must_be_told(&w);
    must(z.zones && z.zones <= format->blocks / z.zone_blocks);
    must(z.max_append && z.max_append <= max_transfer);
    must(!z.max_active || (z.max_open && z.max_open <= z.max_active));
    nvme_parse_zones("nvme0n1", page.bytes, bytes, &z, 0, zones, ARRAY_SIZE(zones), &count, &p);
    must(count <= ARRAY_SIZE(zones));
    for (size_t i = 0; i < count; i++) {
        must(zones[i].start == i * z.zone_blocks && zones[i].capacity <= z.zone_blocks);
        must(zones[i].write_pointer >= zones[i].start && zones[i].state);
        must(zones[i].write_pointer <= zones[i].start + zones[i].capacity);
    }
}

static void check_ways(void)
{
    struct nvme_identity id;
    struct warnings w = { .count = 0 };
    enum nvme_ana_state state;

    nvme_parse_identity(&page.ns, &id);
    nvme_parse_descriptors("nvme0n1", page.bytes, &id, &w);
    must_be_told(&w);
    struct nvme_way way = { "nqn.", "S", 1, 1, &id }, other = { "nqn.", "S", 2, 1, &id };
    must(nvme_is_same_disk(&way, &other) == id.shared);
    if (nvme_parse_ana(page.bytes, page.ns.ncap % (sizeof(page) + 1), page.ns.anagrpid, &state))
        must(nvme_ana_text(state) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    memset(&page, 0, sizeof(page));
    memcpy(&page, bytes, MIN(count, sizeof(page)));
    uint64_t max_transfer = NVME_PAGE << page.bytes[4000] % 9;
    struct nvme_abilities a = check_abilities();
    struct nvme_format format = check_format(&a, max_transfer);
    check_zones(&format, max_transfer);
    check_ways();
    return 0;
}
