// SPDX-License-Identifier: BSD-2-Clause
// What a namespace says of itself: how it is formatted, what that asks of each command, and what
// sizes and places suit it. Sections are those of the NVM Command Set Specification 1.0.

#include "drivers/nvme/identify.h"
#include "drivers/nvme/prp.h"

#define KINDS "nvme-identify" // one warning for each namespace, however much is odd
#define BLOCK_SHIFT_MIN 9     // LBADS below is reserved (4.1.5.1)
#define BLOCK_SHIFT_MAX 16    // larger blocks don't exist; the limit keeps shifts sane
#define PROTECTION_TYPES 3u
#define BOUNDARY_LEAST NVME_PAGE // shorter ones would do more harm than good
#define BLOCKS_MOST 0x10000ull   // NLB is 16 bits, 0-based
#define FORMATS_PLAIN 16u        // more than these are there only where extended ones are enabled

// Protection information by PIF (5.2.1): all of it, its guard, and how many bits there are for the
// storage tag and the reference tag together, of which the storage tag may have so many.
static const struct layout {
    uint8_t bytes, guard, tags, storage_least, storage_most;
} layouts[] = {
    { 8, 16, 32, 0, 32 },
    { 16, 32, 80, 16, 64 },
    { 16, 64, 48, 0, 48 },
};

// ---- the format ----

unsigned nvme_format_index(const struct nvme_identify_namespace *data)
{
    unsigned index = (unsigned)field_get(NVME_FLBAS_LOW, data->flbas);
    if (data->nlbaf + data->nulbaf >= 16)
        index |= (unsigned)field_get(NVME_FLBAS_HIGH, data->flbas) << 4;
    return index;
}

static bool take_blocks(const char *name, const struct nvme_identify_namespace *data,
                        uint64_t max_transfer_bytes, struct nvme_format *out, struct problem *p)
{
    unsigned index = nvme_format_index(data);
    unsigned shift = (unsigned)field_get(NVME_LBAF_LBADS, data->lbaf[index]);

    if (index > data->nlbaf)
        return problem_set(p, "nvme-format", "%s: FLBAS names format %u of %u", name, index,
                           data->nlbaf + 1u);
    if (shift < BLOCK_SHIFT_MIN || shift > BLOCK_SHIFT_MAX || 1ull << shift > max_transfer_bytes)
        return problem_set(p, "nvme-block-size",
                           "%s: blocks of 2^%u bytes: only 512 bytes to 64 KiB, and no more than "
                           "one command's %llu KiB, are supported",
                           name, shift, (unsigned long long)(max_transfer_bytes / KIB));
    if (data->nsze > UINT64_MAX >> shift)
        return problem_set(p, "nvme-size", "%s: NSZE of 0x%llx blocks is past 2^64 bytes", name,
                           (unsigned long long)data->nsze);
    out->block_shift = shift;
    out->index = index;
    out->metadata = (uint16_t)field_get(NVME_LBAF_MS, data->lbaf[index]);
    return true;
}

static bool take_protection_type(const char *name, const struct nvme_identify_namespace *data,
                                 unsigned bytes, struct nvme_format *out, struct warnings *w,
                                 struct problem *p)
{
    unsigned type = (unsigned)field_get(NVME_DPS_TYPE, data->dps);

    if (type > PROTECTION_TYPES)
        return problem_set(p, "nvme-protection",
                           "%s: DPS names protection type %u, which isn't "
                           "one: reformat it",
                           name, type);
    if (type && out->metadata < bytes) {
        warnings_add(w, KINDS,
                     "%s: DPS names protection type %u, but %u bytes of metadata have no "
                     "room for it: taken for none",
                     name, type, out->metadata);
        type = 0;
    }
    if (type && !(data->dpc & BIT32(type - 1)))
        warnings_add(w, KINDS, "%s: it has protection type %u, which DPC, %02xh, lacks", name, type,
                     data->dpc);
    out->protection = (uint8_t)type;
    return true;
}

static const struct layout *layout_of(uint32_t elbaf)
{
    uint64_t pif = field_get(NVME_ELBAF_PIF, elbaf);
    return pif < ARRAY_SIZE(layouts) ? &layouts[pif] : NULL;
}

static bool is_known(const char *name, uint32_t elbaf, struct problem *p)
{
    const struct layout *layout = layout_of(elbaf);
    unsigned storage = (unsigned)field_get(NVME_ELBAF_STS, elbaf);
    if (!layout)
        return problem_set(p, "nvme-guard",
                           "%s: its protection information is of a kind (PIF 3) that isn't known "
                           "here: reformat it",
                           name);
    if (storage < layout->storage_least || storage > layout->storage_most)
        return problem_set(p, "nvme-guard",
                           "%s: beside a guard of %u bits a storage tag of %u bits can't be: "
                           "reformat it",
                           name, layout->guard, storage);
    return true;
}

static uint64_t low_bits(unsigned bits)
{
    return bits < 64 ? (1ull << bits) - 1 : UINT64_MAX;
}

// The controller makes protection information, and checks and strips it (PRACT): the reference tags
// are the low bits of each LBA, but for type 3, whose tags nobody checks (5.2.2, 5.2.3). Storage
// tags are zeros, and not checked.
static void set_control(struct nvme_format *out, uint32_t elbaf)
{
    if (!out->protection)
        return;
    out->control = NVME_PRINFO_PRACT | NVME_PRINFO_GUARD;
    if (out->protection != 3)
        out->tag_mask =
            low_bits(layout_of(elbaf)->tags - (unsigned)field_get(NVME_ELBAF_STS, elbaf));
    if (out->tag_mask)
        out->control |= NVME_PRINFO_REF;
}

// Metadata that are protection information and nothing else never reach the host (5.2.2.1, 5.2.2.2).
// All others do: apart from the data, where a buffer takes them, or in between.
static bool take_metadata(const char *name, const struct nvme_identify_namespace *data,
                          const struct nvme_identify_nvm_namespace *nvm, struct nvme_format *out,
                          struct warnings *w, struct problem *p)
{
    bool between = data->flbas & NVME_FLBAS_EXTENDED;
    uint32_t elbaf = nvm ? nvm->elbaf[out->index] : 0;
    unsigned bytes = layout_of(elbaf) ? layout_of(elbaf)->bytes : 0;

    out->extended =
        out->index >= FORMATS_PLAIN || (elbaf & (uint32_t)(NVME_ELBAF_PIF | NVME_ELBAF_STS));
    if (!take_protection_type(name, data, bytes, out, w, p) ||
        (out->protection && !is_known(name, elbaf, p)))
        return false;
    set_control(out, elbaf);
    if (!out->metadata || (out->protection && out->metadata == bytes))
        return true;
    if (between)
        return problem_set(p, "nvme-metadata",
                           "%s: its format has %u bytes of metadata behind the data of each block: "
                           "reformat it without, or with metadata apart, to use it here",
                           name, out->metadata);
    if (!(data->mc & NVME_MC_SEPARATE))
        warnings_add(w, KINDS, "%s: its metadata are apart, which MC, %02xh, lacks", name,
                     data->mc);
    out->metadata_buffer = out->metadata;
    return true;
}

bool nvme_parse_format(const char *name, const struct nvme_identify_namespace *data,
                       const struct nvme_identify_nvm_namespace *nvm, uint64_t max_transfer,
                       struct nvme_format *out, struct warnings *w, struct problem *p)
{
    struct nvme_format format = { .blocks = data->nsze };

    *out = (struct nvme_format){ 0 };
    if (!data->nsze)
        return true;
    if (!take_blocks(name, data, max_transfer, &format, p) ||
        !take_metadata(name, data, nvm, &format, w, p))
        return false;
    *out = format;
    return true;
}

// ---- limits ----

static uint32_t most_blocks(const struct nvme_format *format, uint64_t max_transfer)
{
    uint64_t most = MIN(max_transfer >> format->block_shift, BLOCKS_MOST);
    if (format->metadata_buffer)
        most = MIN(most, NVME_METADATA_MAX / format->metadata_buffer);
    return (uint32_t)most;
}

// NOIOB, or what a vendor has instead (`stripe`).
static uint64_t take_boundary(const char *name, const struct nvme_identify_namespace *data,
                              const struct nvme_format *format, uint64_t stripe, struct warnings *w)
{
    uint64_t bytes = (uint64_t)data->noiob << format->block_shift;
    if (bytes && bytes < BOUNDARY_LEAST) {
        warnings_add(w, KINDS,
                     "%s: NOIOB of %u blocks would make commands of less than a page: not "
                     "used",
                     name, data->noiob);
        return 0;
    }
    return bytes ? bytes : ALIGN_DOWN(stripe, 1ull << format->block_shift);
}

// 0 is what the controller says for all namespaces, or no boundary.
static uint64_t own_or(bool counts, uint16_t own, uint64_t common)
{
    return counts && own ? own + 1ull : common;
}

static uint64_t one_based(uint16_t blocks)
{
    return blocks ? blocks + 1ull : 0;
}

static bool starts_past(uint64_t offset, uint64_t boundary)
{
    return boundary && offset >= boundary;
}

static void take_atomicity(const char *name, const struct nvme_identify_namespace *data,
                           const struct nvme_abilities *c, unsigned shift, struct block_limits *out,
                           struct warnings *w)
{
    bool own = data->nsfeat & NVME_NSFEAT_ATOMIC;
    uint64_t normal = own_or(own, data->nawun, c->atomic);
    uint64_t power = own_or(own, data->nawupf, c->atomic_power_fail);
    uint64_t boundary = one_based(data->nabsn), boundary_power = one_based(data->nabspf);

    if (power > normal || (boundary && boundary < normal) ||
        (boundary_power && boundary_power < power) || starts_past(data->nabo, boundary) ||
        starts_past(data->nabo, boundary_power)) {
        warnings_add(w, KINDS,
                     "%s: its atomic writes contradict one another (NAWUN %u, NAWUPF %u, "
                     "NABSN %u, NABSPF %u, NABO %u): taken for one block",
                     name, data->nawun, data->nawupf, data->nabsn, data->nabspf, data->nabo);
        normal = power = 1;
        boundary = boundary_power = 0;
    }
    out->atomic_write = normal << shift;
    out->atomic_power_fail = power << shift;
    out->atomic_boundary = boundary << shift;
    out->atomic_boundary_power_fail = boundary_power << shift;
    out->atomic_offset = boundary || boundary_power ? (uint64_t)data->nabo << shift : 0;
}

// NOWS below NPWG is what controllers have that don't know better (Linux: NVME_QUIRK_BOGUS_NOWS).
static void take_best_sizes(const struct nvme_identify_namespace *data, unsigned shift,
                            struct block_limits *out)
{
    if (!(data->nsfeat & NVME_NSFEAT_OPTPERF))
        return;
    out->write_granularity = (data->npwg + 1ull) << shift;
    out->write_alignment = (data->npwa + 1ull) << shift;
    out->deallocate_granularity = (data->npdg + 1ull) << shift;
    out->deallocate_alignment = (data->npda + 1ull) << shift;
    if (data->nows >= data->npwg)
        out->write_optimal = (data->nows + 1ull) << shift;
}

// 4.1.5.1; MCL is MSSRL at least.
static void take_copy(const char *name, const struct nvme_identify_namespace *data,
                      const struct nvme_abilities *c, unsigned shift, struct block_limits *out,
                      struct warnings *w)
{
    if (!(c->commands & NVME_ONCS_COPY))
        return;
    if (!data->mssrl || data->mcl < data->mssrl) {
        warnings_add(w, KINDS,
                     "%s: it copies %u blocks a range and %u in all (MSSRL, MCL): not used", name,
                     data->mssrl, data->mcl);
        return;
    }
    out->max_copy = (uint64_t)data->mcl << shift;
    out->max_copy_source = (uint64_t)data->mssrl << shift;
    out->copy_sources = data->msrc + 1u;
}

void nvme_parse_limits(const char *name, const struct nvme_identify_namespace *data,
                       const struct nvme_format *format, const struct nvme_abilities *c,
                       uint64_t max_transfer, struct block_limits *out, struct warnings *w)
{
    unsigned shift = format->block_shift;

    *out = (struct block_limits){
        .block_size = 1u << shift,
        .metadata = format->metadata,
        .max_transfer = (uint64_t)most_blocks(format, max_transfer) << shift,
        .boundary = take_boundary(name, data, format, c->stripe, w),
        .read_only = data->nsattr & NVME_NSATTR_PROTECTED,
        .write_cache = c->write_cache,
    };
    take_atomicity(name, data, c, shift, out, w);
    take_best_sizes(data, shift, out);
    take_copy(name, data, c, shift, out, w);
}

// ---- limits of commands without data (4.1.5.4) ----

// As MDTS, where the controller tells; else no more than a command with data has, though the
// specification knows no such limit: controllers do (Linux: nvme_init_non_mdts_limits()).
static uint64_t without_data(uint8_t size_limit, bool told, const struct block_limits *limits)
{
    uint64_t most = BLOCKS_MOST * limits->block_size;
    if (!told)
        most = MIN(limits->max_transfer, most);
    else if (size_limit && size_limit < 32)
        most = MIN(NVME_PAGE << size_limit, most);
    return ALIGN_DOWN(most, (uint64_t)limits->block_size);
}

static uint64_t most_deallocated(const struct nvme_identify_nvm_controller *data)
{
    uint64_t most = data && data->dmrsl ? data->dmrsl : UINT32_MAX;
    return data && data->dmsl ? MIN(most, data->dmsl) : most;
}

void nvme_parse_nvm_controller(const struct nvme_identify_nvm_controller *data,
                               const struct nvme_abilities *c, struct block_limits *limits)
{
    if (c->commands & NVME_ONCS_WRITE_ZEROES)
        limits->max_zeroes = without_data(data ? data->wzsl : 0, data, limits);
    if (c->commands & NVME_ONCS_VERIFY)
        limits->max_verify = without_data(data ? data->vsl : 0, data, limits);
    if (c->commands & NVME_ONCS_DSM)
        limits->max_deallocate = most_deallocated(data) * limits->block_size;
}
