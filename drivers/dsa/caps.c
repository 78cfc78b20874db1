// SPDX-License-Identifier: BSD-2-Clause
// Device ids and capability registers, as values.

#include "drivers/dsa/caps.h"

#include "drivers/dsa/dsa_regs.h"

#define REMEDY "it isn't used: update the firmware, or turn it off in its set-up"

static const struct {
    uint16_t device;
    const char *model;
} ids[] = {
    { 0x0b25, "Sapphire Rapids" },
    { 0x11fb, "Granite Rapids D" },
    { 0x1212, "Diamond Rapids" },
};

const char *dsa_find_model(uint16_t vendor, uint16_t device)
{
    for (size_t i = 0; vendor == DSA_VENDOR && i < ARRAY_SIZE(ids); i++)
        if (ids[i].device == device)
            return ids[i].model;
    return NULL;
}

static bool check_kind(const struct dsa_regs *r, const char *name, struct dsa_caps *c,
                       struct problem *p)
{
    if (r->version == UINT32_MAX || r->gencap == UINT64_MAX)
        return problem_set(p, "dsa-silent",
                           "%s: Intel DSA: its registers read all ones: is it still there? Switch "
                           "the machine off and on",
                           name);
    c->major = (unsigned)field_get(DSA_VERSION_MAJOR, r->version);
    c->minor = (unsigned)field_get(DSA_VERSION_MINOR, r->version);
    if (c->major < 1)
        return problem_set(p, "dsa-version", "%s: Intel DSA: version 0x%x isn't known: " REMEDY,
                           name, r->version);
    if (!(r->gencap & DSA_GENCAP_CONFIGURABLE))
        return problem_set(
            p, "dsa-fixed",
            "%s: Intel DSA: it can't be configured (GENCAP 0x%llx), as a virtual one: "
            "pass the whole device through",
            name, (unsigned long long)r->gencap);
    return true;
}

// A WQ needs an entry of the MSI-X table besides the first, and its portals.
static bool count_queues(const struct dsa_regs *r, const char *name, struct dsa_caps *c,
                         struct problem *p)
{
    uint64_t wqs = field_get(DSA_WQCAP_WQS, r->wqcap);
    c->entries = (unsigned)field_get(DSA_WQCAP_TOTAL_SIZE, r->wqcap);
    c->wqcfg_bytes = 1u << (DSA_WQCFG_BYTES_SHIFT + field_get(DSA_WQCAP_WQCFG_SIZE, r->wqcap));
    if (!wqs || !c->entries || !(r->wqcap & DSA_WQCAP_DEDICATED))
        return problem_set(
            p, "dsa-queues",
            "%s: Intel DSA: no dedicated work queue can be had (WQCAP 0x%llx): " REMEDY, name,
            (unsigned long long)r->wqcap);
    if (r->vectors < 2)
        return problem_set(p, "dsa-vectors",
                           "%s: Intel DSA: %u MSI-X vectors, and two are needed: " REMEDY, name,
                           r->vectors);
    wqs = MIN(wqs, (uint64_t)c->entries);
    wqs = MIN(wqs, r->vectors - 1ull);
    c->queues = (unsigned)MIN(wqs, r->portal_bytes / DSA_PORTALS_BYTES);
    return c->queues ||
           problem_set(p, "dsa-tables",
                       "%s: Intel DSA: BAR %u has 0x%llx bytes, no room for a portal: " REMEDY,
                       name, DSA_BAR_PORTALS, (unsigned long long)r->portal_bytes);
}

static bool count_engines(const struct dsa_regs *r, const char *name, struct dsa_caps *c,
                          struct problem *p)
{
    c->engines = (unsigned)MIN(field_get(DSA_ENGCAP_ENGINES, r->engcap), 64ull);
    c->groups = (unsigned)field_get(DSA_GRPCAP_GROUPS, r->grpcap);
    if (r->grpcap & DSA_GRPCAP_READ_BUFFER_CONTROL)
        c->read_buffers = (unsigned)field_get(DSA_GRPCAP_READ_BUFFERS, r->grpcap);
    return (c->engines && c->groups) ||
           problem_set(p, "dsa-engines", "%s: Intel DSA: %u engines and %u groups: " REMEDY, name,
                       c->engines, c->groups);
}

static bool check_operations(const struct dsa_regs *r, const char *name, struct dsa_caps *c,
                             struct problem *p)
{
    static const uint64_t needed = BIT64(DSA_NOOP) | BIT64(DSA_MOVE) | BIT64(DSA_FILL);
    uint64_t missing = needed & ~r->opcap[0];
    c->operations = r->opcap[0];
    return !missing ||
           problem_set(p, "dsa-operations",
                       "%s: Intel DSA: it lacks operation 0x%x (OPCAP 0x%llx): " REMEDY, name,
                       (unsigned)__builtin_ctzll(missing), (unsigned long long)r->opcap[0]);
}

static bool fits(const struct dsa_regs *r, size_t at, uint64_t bytes)
{
    return at && at % 8 == 0 && at <= r->bar_bytes && bytes <= r->bar_bytes - at;
}

static bool find_tables(const struct dsa_regs *r, const char *name, struct dsa_caps *c,
                        struct problem *p)
{
    uint64_t wqs = field_get(DSA_WQCAP_WQS, r->wqcap);
    c->grpcfg = field_get(DSA_OFFSETS_GRPCFG, r->offsets[0]) * DSA_OFFSET_UNIT;
    c->wqcfg = field_get(DSA_OFFSETS_WQCFG, r->offsets[0]) * DSA_OFFSET_UNIT;
    c->msix_perm = field_get(DSA_OFFSETS_MSIX_PERM, r->offsets[0]) * DSA_OFFSET_UNIT;
    return (fits(r, c->grpcfg, (uint64_t)c->groups * DSA_GRPCFG_BYTES) &&
            fits(r, c->wqcfg, wqs * c->wqcfg_bytes) &&
            fits(r, c->msix_perm, (uint64_t)r->vectors * DSA_MSIX_PERM_BYTES)) ||
           problem_set(p, "dsa-tables",
                       "%s: Intel DSA: its tables (OFFSETS 0x%llx) reach out of BAR %u, which has "
                       "0x%llx bytes: " REMEDY,
                       name, (unsigned long long)r->offsets[0], DSA_BAR_REGISTERS,
                       (unsigned long long)r->bar_bytes);
}

// Sizes of transfers are 32-bit fields.
static bool find_limits(const struct dsa_regs *r, const char *name, struct dsa_caps *c,
                        struct problem *p)
{
    c->transfer_shift = (unsigned)field_get(DSA_GENCAP_MAX_TRANSFER, r->gencap);
    c->cache_control = r->gencap & DSA_GENCAP_CACHE_CONTROL;
    c->fault_info = r->gencap & DSA_GENCAP_FAULT_INFO;
    c->batch_shift = (unsigned)field_get(DSA_GENCAP_MAX_BATCH, r->gencap);
    return c->transfer_shift >= 12 ||
           problem_set(
               p, "dsa-limits",
               "%s: Intel DSA: a transfer has at most 2^%u bytes (GENCAP 0x%llx), less than a "
               "page: " REMEDY,
               name, c->transfer_shift, (unsigned long long)r->gencap);
}

// Without CMDCAP, those that version 1.0 has are there (9.2.14).
static bool check_commands(const struct dsa_regs *r, const char *name, struct dsa_caps *c,
                           struct problem *p)
{
    static const uint32_t needed = BIT32(DSA_ENABLE_DEVICE) | BIT32(DSA_DISABLE_DEVICE) |
                                   BIT32(DSA_RESET_DEVICE) | BIT32(DSA_ENABLE_WQ) |
                                   BIT32(DSA_DISABLE_WQ) | BIT32(DSA_DRAIN_WQ);
    bool has_cmdcap = r->gencap & DSA_GENCAP_CMDCAP;
    c->asks_handles = has_cmdcap && r->cmdcap & BIT32(DSA_REQUEST_HANDLE);
    c->has_abort = !has_cmdcap || r->cmdcap & BIT32(DSA_ABORT_ALL);
    return !has_cmdcap || !(needed & ~r->cmdcap) ||
           problem_set(p, "dsa-commands",
                       "%s: Intel DSA: it lacks command %u (CMDCAP 0x%x): " REMEDY, name,
                       (unsigned)__builtin_ctz(needed & ~r->cmdcap), r->cmdcap);
}

bool dsa_decode(const struct dsa_regs *r, const char *name, struct dsa_caps *c, struct problem *p)
{
    *c = (struct dsa_caps){ 0 };
    return check_kind(r, name, c, p) && count_queues(r, name, c, p) &&
           count_engines(r, name, c, p) && check_operations(r, name, c, p) &&
           find_tables(r, name, c, p) && find_limits(r, name, c, p) &&
           check_commands(r, name, c, p);
}
