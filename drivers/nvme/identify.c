// SPDX-License-Identifier: BSD-2-Clause
// Identify data and capabilities come from a device: nothing is believed before it is checked.

#include "drivers/nvme/identify.h"

#include "drivers/nvme/prp.h"
#include "drivers/nvme/qpair.h"
#include "lib/string.h"

#define SHUTDOWN_LEAST_MS 5000ull // also where RTD3E tells nothing
#define SHUTDOWN_MOST_MS 60000ull

static unsigned log2_floor(uint64_t n)
{
    return 63 - (unsigned)__builtin_clzll(n);
}

static uint64_t ready_deadline(uint64_t cap, uint32_t crto)
{
    uint64_t units = MAX(field_get(NVME_CAP_TO, cap), 1ull);
    if (cap & NVME_CAP_CRWMS)
        units = MAX(units, field_get(NVME_CRTO_CRWMT, crto));
    return units * NVME_TIMEOUT_UNIT_MS;
}

bool nvme_parse_cap(const char *name, uint64_t cap, uint32_t crto, struct nvme_limits *out,
                    struct problem *p)
{
    uint64_t page_shift = 12 + field_get(NVME_CAP_MPSMIN, cap);

    if (field_get(NVME_CAP_CSS, cap) && !(cap & (NVME_CAP_CSS_NVM | NVME_CAP_CSS_ALL)))
        return problem_set(
            p, "nvme-no-nvm",
            "%s: CAP.CSS is %02llxh and lacks the NVM command set: not a disk for us", name,
            (unsigned long long)field_get(NVME_CAP_CSS, cap));
    if (page_shift > 12)
        return problem_set(p, "nvme-page-size",
                           "%s: CAP.MPSMIN asks for pages of %llu KiB; only 4 KiB are supported",
                           name, (1ull << page_shift) / KIB);
    unsigned most = 1u << log2_floor(MAX(field_get(NVME_CAP_MQES, cap), 1ull) + 1);
    most = MIN(most, NVME_QUEUE_ENTRIES_MOST + 0u);
    *out = (struct nvme_limits){
        .queue_entries = MIN(most, NVME_QUEUE_ENTRIES + 0u),
        .entries_most = most,
        .stride = 4u << field_get(NVME_CAP_DSTRD, cap),
        .ready_ms = ready_deadline(cap, crto),
        .has_cmbmsc = cap & NVME_CAP_CMBS,
        .weighted = cap & NVME_CAP_AMS_WRR,
        .command_sets = cap & NVME_CAP_CSS_ALL,
    };
    return true;
}

// BAR 1 is the upper half of BAR 0 (3.1.3.11).
bool nvme_parse_cmb(uint32_t cmbloc, uint32_t cmbsz, struct nvme_cmb_place *out, struct problem *p)
{
    unsigned bar = (unsigned)field_get(NVME_CMBLOC_BIR, cmbloc);
    unsigned unit = (unsigned)field_get(NVME_CMBSZ_SZU, cmbsz);
    *out = (struct nvme_cmb_place){ 0 };
    if (!(cmbsz & NVME_CMBSZ_SQS) || !field_get(NVME_CMBSZ_SZ, cmbsz))
        return true;
    if (bar == 1 || bar > 5 || unit > NVME_CMBSZ_SZU_LAST)
        return problem_set(p, "nvme-cmb",
                           "CMBLOC 0x%x and CMBSZ 0x%x name BAR %u, or units, that are none",
                           cmbloc, cmbsz, bar);
    *out = (struct nvme_cmb_place){
        .bar = bar,
        .offset = field_get(NVME_CMBLOC_OFST, cmbloc) << (12 + 4 * unit),
        .bytes = field_get(NVME_CMBSZ_SZ, cmbsz) << (12 + 4 * unit),
    };
    return true;
}

// One entry stays free, or a full queue would look empty (NVMe Base 2.0, 3.3.1.2).
unsigned nvme_entries_for(unsigned commands, unsigned most)
{
    return MIN(2u << log2_floor(commands), most);
}

// ASCII padded with blanks, by the book; some firmware pads with zeros or leaves dirt.
static void trim(char *to, const char *from, size_t bytes)
{
    while (bytes && (*from == ' ' || *from == 0))
        from++, bytes--;
    while (bytes && (from[bytes - 1] == ' ' || from[bytes - 1] == 0))
        bytes--;
    for (; bytes; bytes--, from++)
        *to++ = *from > ' ' && *from < 127 ? *from : *from == ' ' ? ' ' : '?';
    *to = 0;
}

static bool entry_size_ok(uint8_t es, uint64_t log2_bytes)
{
    return field_get(NVME_ES_REQUIRED, es) <= log2_bytes &&
           log2_bytes <= field_get(NVME_ES_LARGEST, es);
}

static uint64_t shutdown_deadline(uint32_t rtd3e)
{
    return MIN(MAX(DIV_UP((uint64_t)rtd3e, NS_PER_MS / NS_PER_US), SHUTDOWN_LEAST_MS),
               SHUTDOWN_MOST_MS);
}

static uint64_t max_transfer(uint8_t mdts)
{
    unsigned most = log2_floor(NVME_TRANSFER_MAX / NVME_PAGE);
    return NVME_PAGE << (mdts ? MIN((unsigned)mdts, most) : most);
}

bool nvme_parse_controller(const char *name, const struct nvme_identify_controller *data,
                           struct nvme_id *out, struct problem *p)
{
    if (!entry_size_ok(data->sqes, log2_floor(sizeof(struct nvme_sqe))) ||
        !entry_size_ok(data->cqes, log2_floor(sizeof(struct nvme_cqe))))
        return problem_set(
            p, "nvme-entry-size",
            "%s: Identify SQES %02xh, CQES %02xh: no queue entries of 64 and 16 bytes", name,
            data->sqes, data->cqes);
    if (data->cntrltype > 1)
        return problem_set(
            p, "nvme-not-io",
            "%s: CNTRLTYPE is %u: a discovery or administrative controller, without disks", name,
            data->cntrltype);
    *out = (struct nvme_id){
        .max_transfer = max_transfer(data->mdts),
        .shutdown_ms = shutdown_deadline(data->rtd3e),
        .namespaces = MIN(MAX(data->nn, 1u), NVME_NSID_LAST), // 0 is against the specification
    };
    trim(out->serial, data->sn, sizeof(data->sn));
    trim(out->model, data->mn, sizeof(data->mn));
    trim(out->firmware, data->fr, sizeof(data->fr));
    return true;
}

bool nvme_parse_list(const uint32_t list[NVME_NSID_LIST_ENTRIES], uint32_t after, uint32_t last,
                     size_t *count)
{
    size_t i = 0;
    for (*count = 0; i < NVME_NSID_LIST_ENTRIES && list[i]; i++) {
        if (list[i] <= after || list[i] > last)
            return false;
        after = list[i];
    }
    *count = i;
    while (i < NVME_NSID_LIST_ENTRIES && !list[i])
        i++;
    return i == NVME_NSID_LIST_ENTRIES;
}
