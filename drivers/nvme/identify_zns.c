// SPDX-License-Identifier: BSD-2-Clause
// What a zoned namespace says of its zones. Sections are those of the Zoned Namespace Command Set
// Specification 1.1.

#include "drivers/nvme/identify.h"
#include "lib/string.h"

#define KINDS "nvme-identify"
#define NO_LIMIT UINT32_MAX
#define EXTENSION_UNIT 64u

// MAR and MOR are 0-based.
static uint32_t most_zones(uint32_t value)
{
    return value == NO_LIMIT ? 0 : value + 1;
}

static void take_resources(const char *name, const struct nvme_identify_zoned_namespace *data,
                           struct nvme_zoned *out, struct warnings *w)
{
    out->max_active = most_zones(data->mar);
    out->max_open = most_zones(data->mor);
    if (!out->max_active || (out->max_open && out->max_open <= out->max_active))
        return;
    if (out->max_open)
        warnings_add(w, KINDS, "%s: it can have %u zones open (MOR), but %u active (MAR)", name,
                     out->max_open, out->max_active);
    out->max_open = out->max_active; // an open zone is active (2.1.1.4)
}

bool nvme_parse_zoned(const char *name, const struct nvme_identify_zoned_namespace *data,
                      const struct nvme_identify_zoned_controller *ctrl,
                      const struct nvme_format *format, uint64_t max_transfer,
                      struct nvme_zoned *out, struct warnings *w, struct problem *p)
{
    const struct nvme_zone_format *zone = &data->lbafe[format->index];
    unsigned limit = ctrl ? ctrl->zasl : 0;

    *out = (struct nvme_zoned){ 0 };
    if (!zone->zsze || zone->zsze > format->blocks)
        return problem_set(p, "nvme-zone-size", "%s: zones of %llu blocks, in a namespace of %llu",
                           name, (unsigned long long)zone->zsze,
                           (unsigned long long)format->blocks);
    if (format->blocks % zone->zsze)
        warnings_add(w, KINDS, "%s: %llu blocks aren't whole zones of %llu", name,
                     (unsigned long long)format->blocks, (unsigned long long)zone->zsze);
    *out = (struct nvme_zoned){
        .zone_blocks = zone->zsze,
        .zones = format->blocks / zone->zsze,
        .max_append = limit && limit < 32 ? MIN(NVME_PAGE << limit, max_transfer) : max_transfer,
        .read_across = data->ozcs & NVME_OZCS_READ_ACROSS,
        .extension_bytes = zone->zdes * EXTENSION_UNIT,
    };
    take_resources(name, data, out, w);
    return true;
}

// ---- reports (3.4.2.2) ----

static const char *const states[16] = {
    [NVME_ZONE_EMPTY] = "empty",
    [NVME_ZONE_OPEN_IMPLICIT] = "implicitly open",
    [NVME_ZONE_OPEN_EXPLICIT] = "explicitly open",
    [NVME_ZONE_CLOSED] = "closed",
    [NVME_ZONE_READ_ONLY] = "read only",
    [NVME_ZONE_FULL] = "full",
    [NVME_ZONE_OFFLINE] = "offline",
};

// The write pointer means something only in zones that can be written (2.1.1.2).
static bool has_write_pointer(uint8_t state)
{
    return state >= NVME_ZONE_EMPTY && state <= NVME_ZONE_CLOSED;
}

static bool take_zone(const struct nvme_zone_descriptor *d, const struct nvme_zoned *zoned,
                      uint64_t start, struct block_zone *out)
{
    uint8_t state = (uint8_t)field_get(NVME_ZONE_STATE, d->state);
    *out = (struct block_zone){
        .start = d->start,
        .capacity = d->capacity,
        .write_pointer = d->start + d->capacity,
        .state = states[state],
    };
    if (field_get(NVME_ZONE_TYPE, d->type) != NVME_ZONE_SEQUENTIAL || !out->state ||
        d->start != start || !d->capacity || d->capacity > zoned->zone_blocks)
        return false;
    if (!has_write_pointer(state))
        return true;
    out->write_pointer = d->write_pointer;
    return d->write_pointer >= start && d->write_pointer <= start + d->capacity &&
           (state != NVME_ZONE_EMPTY || d->write_pointer == start);
}

bool nvme_parse_zones(const char *name, const void *report, size_t bytes,
                      const struct nvme_zoned *zoned, uint64_t first, struct block_zone *out,
                      size_t most, size_t *count, struct problem *p)
{
    struct nvme_zone_report header = { 0 };
    struct nvme_zone_descriptor d;

    *count = 0;
    if (bytes < sizeof(header))
        return problem_set(p, "nvme-zones", "%s: a report of zones of %zu bytes", name, bytes);
    memcpy(&header, report, sizeof(header));
    uint64_t there = MIN(header.zones, (uint64_t)(bytes - sizeof(header)) / sizeof(d));
    for (uint64_t i = 0; i < MIN(there, (uint64_t)most); i++) {
        uint64_t start = first + i * zoned->zone_blocks;
        memcpy(&d, (const uint8_t *)report + sizeof(header) + i * sizeof(d), sizeof(d));
        if (start / zoned->zone_blocks >= zoned->zones || !take_zone(&d, zoned, start, &out[i]))
            return problem_set(p, "nvme-zones",
                               "%s: its report of the zone at block %llu can't be: type %u, state "
                               "%u, from block %llu, capacity %llu, write pointer %llu",
                               name, (unsigned long long)start, d.type, d.state >> 4,
                               (unsigned long long)d.start, (unsigned long long)d.capacity,
                               (unsigned long long)d.write_pointer);
        ++*count;
    }
    return true;
}
