// SPDX-License-Identifier: BSD-2-Clause
// Namespaces that aren't plain blocks: metadata, protection information, zones; what Identify tells
// of them beyond CNS 0; and what their commands must look like.

#include "tests/host/nvme_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_world.h"

#define PRINFO BITS32(29, 26)
#define METADATA 0x6d // what reads of it return

// ---- Identify ----

static void add_descriptor(uint8_t *page, size_t *end, uint8_t type, const void *id, uint8_t bytes)
{
    static const uint8_t none[16];
    if (!memcmp(id, none, bytes))
        return;
    page[*end] = type;
    page[*end + 1] = bytes;
    memcpy(page + *end + 4, id, bytes);
    *end += 4u + bytes;
}

static uint32_t list_descriptors(const struct model_namespace *ns, uint8_t *page)
{
    size_t end = 0;
    add_descriptor(page, &end, NVME_NIDT_NGUID, ns->data.nguid, 16);
    add_descriptor(page, &end, NVME_NIDT_EUI64, ns->data.eui64, 8);
    add_descriptor(page, &end, NVME_NIDT_UUID, ns->uuid, 16);
    page[end] = NVME_NIDT_CSI;
    page[end + 1] = 1;
    page[end + 4] = ns->csi;
    return 0;
}

static uint32_t of_a_command_set(struct model *m, const struct model_namespace *ns, unsigned cns,
                                 unsigned csi, uint8_t *page)
{
    if (cns == NVME_CNS_CSI_CONTROLLER && csi == NVME_CSI_NVM)
        memcpy(page, &m->nvm, sizeof(m->nvm));
    else if (cns == NVME_CNS_CSI_CONTROLLER && csi == NVME_CSI_ZONED)
        page[0] = m->zasl;
    else if (cns == NVME_CNS_CSI_NAMESPACE && csi == NVME_CSI_NVM && ns)
        ((struct nvme_identify_nvm_namespace *)page)->elbaf[0] = ns->elbaf;
    else if (cns == NVME_CNS_CSI_NAMESPACE && csi == NVME_CSI_ZONED && ns && ns->csi == csi)
        memcpy(page, &ns->zoned, sizeof(ns->zoned));
    else
        return NVME_STATUS_INVALID_FIELD;
    return 0;
}

uint32_t model_identify_more(struct model *m, const struct nvme_sqe *sqe)
{
    unsigned csi = (unsigned)field_get(NVME_IDENTIFY_CSI, sqe->cdw11);
    const struct model_namespace *ns =
        model_find_namespace(m, (uint32_t)field_get(NVME_SQE_NSID, sqe->head));
    uint8_t *page = model_memory(m, sqe->prp1);

    if (!m->tells_more)
        return NVME_STATUS_INVALID_FIELD;
    memset(page, 0, NVME_PAGE);
    if (sqe->cdw10 == NVME_CNS_INDEPENDENT_NAMESPACE && ns && ns->csi) {
        page[1] = ns->independent_nmic;
        page[4] = ns->independent_group;
        return 0;
    }
    if (sqe->cdw10 == NVME_CNS_DESCRIPTORS)
        return ns ? list_descriptors(ns, page) : NVME_STATUS_INVALID_NAMESPACE;
    return of_a_command_set(m, ns, sqe->cdw10, csi, page);
}

// ---- commands ----

static bool moves_data(unsigned opcode)
{
    return opcode == NVME_CMD_READ || opcode == NVME_CMD_WRITE;
}

static uint32_t wanted_prinfo(unsigned type, unsigned opcode)
{
    if (!type)
        return 0;
    require(opcode != NVME_CMD_COMPARE, "a comparison where there are metadata");
    if (opcode == NVME_CMD_WRITE_ZEROES) // 3.2.8: PRCHK is 0
        return NVME_PRINFO_PRACT;
    uint32_t checks = NVME_PRINFO_GUARD | (type == 3 ? 0 : NVME_PRINFO_REF);
    return checks | (opcode == NVME_CMD_VERIFY ? 0 : NVME_PRINFO_PRACT);
}

static void use_metadata(struct model *m, const struct nvme_sqe *sqe, unsigned opcode,
                         uint64_t bytes)
{
    uint8_t *at = model_memory(m, sqe->mptr);
    require(sqe->mptr && sqe->mptr % 4 == 0, "metadata without a buffer");
    for (uint64_t i = 0; i < bytes; i++) {
        require(opcode == NVME_CMD_READ || !at[i], "metadata of a write that are no zeros");
        at[i] = opcode == NVME_CMD_READ ? METADATA : 0;
    }
}

// Of an LBA: what the storage tag leaves (NVM Command Set 1.0, 5.2.1).
static uint64_t reference_bits(uint32_t elbaf)
{
    static const unsigned tags[] = { 32, 80, 48 };
    unsigned bits =
        tags[field_get(NVME_ELBAF_PIF, elbaf)] - (unsigned)field_get(NVME_ELBAF_STS, elbaf);
    return bits >= 64 ? ~0ull : BIT64(bits) - 1;
}

// As the namespace's format has it; each field that no format asks for is zero.
void model_check_format(struct model *m, const struct nvme_sqe *sqe, unsigned opcode, uint64_t lba,
                        uint64_t blocks)
{
    static const struct model_namespace plain;
    uint32_t nsid = (uint32_t)field_get(NVME_SQE_NSID, sqe->head);
    const struct model_namespace *found = model_find_namespace(m, nsid),
                                 *ns = found ? found : &plain;
    unsigned bytes = (unsigned)field_get(NVME_LBAF_MS, ns->data.lbaf[0]);
    unsigned type = (unsigned)field_get(NVME_DPS_TYPE, ns->data.dps);
    unsigned pif = (unsigned)field_get(NVME_ELBAF_PIF, ns->elbaf);
    uint64_t tag = type == 1 || type == 2 ? lba & reference_bits(ns->elbaf) : 0;

    if (m->changed && !found)
        return;
    require(!m->boundary || lba / m->boundary == (lba + blocks - 1) / m->boundary,
            "%llu blocks from %llu cross a boundary", (unsigned long long)blocks,
            (unsigned long long)lba);
    require((sqe->cdw12 & PRINFO) == wanted_prinfo(type, opcode), "PRINFO of %02xh is %x", opcode,
            sqe->cdw12 >> 26 & 15);
    require(!ns->elbaf || m->extended, "a command for an extended format, without LBAFEE");
    require(sqe->cdw14 == (uint32_t)tag && sqe->cdw2_3 == (tag & ~0xffffffffull),
            "reference tag %x, %llx", sqe->cdw14, (unsigned long long)sqe->cdw2_3);
    if (bytes && !(type && bytes == (pif ? 16 : 8)) && moves_data(opcode))
        use_metadata(m, sqe, opcode, blocks * bytes);
    else
        require(!sqe->mptr, "a buffer for metadata that there are none of");
}

// ---- zones ----

static uint64_t zone_of(const struct model_namespace *ns, uint64_t lba)
{
    return lba / ns->zoned.lbafe[0].zsze;
}

// Sequential Write Required: writes go to the write pointer, and move it.
static uint32_t advance(struct model_namespace *ns, uint64_t lba, uint64_t blocks)
{
    uint64_t size = ns->zoned.lbafe[0].zsze;
    struct model_zone *zone = &ns->zones[zone_of(ns, lba)];
    if (zone->state == NVME_ZONE_FULL)
        return NVME_STATUS(1, 0xb9); // Zone Is Full
    if (zone->write_pointer != lba % size)
        return NVME_STATUS(1, 0xbc); // Zone Invalid Write
    zone->write_pointer += blocks;
    zone->state = zone->write_pointer == size ? NVME_ZONE_FULL : NVME_ZONE_OPEN_IMPLICIT;
    return 0;
}

uint32_t model_check_zones(struct model *m, const struct nvme_sqe *sqe, unsigned opcode,
                           uint64_t lba, uint64_t blocks)
{
    struct model_namespace *ns =
        model_find_namespace(m, (uint32_t)field_get(NVME_SQE_NSID, sqe->head));
    if (!ns || ns->csi != NVME_CSI_ZONED)
        return 0;
    if (zone_of(ns, lba) != zone_of(ns, lba + blocks - 1) &&
        (opcode != NVME_CMD_READ || !(ns->zoned.ozcs & NVME_OZCS_READ_ACROSS)))
        return NVME_STATUS(1, 0xb8); // Zone Boundary Error
    return opcode == NVME_CMD_WRITE ? advance(ns, lba, blocks) : 0;
}

static struct model_namespace *zoned_namespace(struct model *m, const struct nvme_sqe *sqe,
                                               uint64_t *lba)
{
    struct model_namespace *ns =
        model_find_namespace(m, (uint32_t)field_get(NVME_SQE_NSID, sqe->head));
    *lba = sqe->cdw10 | (uint64_t)sqe->cdw11 << 32;
    require(ns && ns->csi == NVME_CSI_ZONED && *lba < ns->data.nsze,
            "zones of a namespace with none");
    return ns;
}

// Where the data go; they are written there as by a Write.
void model_append(struct model *m, const struct nvme_sqe *sqe, struct nvme_sqe *write)
{
    uint64_t lba;
    struct model_namespace *ns = zoned_namespace(m, sqe, &lba);
    require(lba % ns->zoned.lbafe[0].zsze == 0 && !sqe->cdw13, "an append that names no zone");
    require((sqe->cdw12 & 0xffff) < (8u << m->zasl), "an append longer than ZASL");
    lba += ns->zones[zone_of(ns, lba)].write_pointer;
    *write = *sqe;
    field_set(&write->head, NVME_SQE_OPC, NVME_CMD_WRITE);
    write->cdw10 = (uint32_t)lba;
    write->cdw11 = (uint32_t)(lba >> 32);
}

uint32_t model_send_zone(struct model *m, const struct nvme_sqe *sqe)
{
    uint64_t lba;
    struct model_namespace *ns = zoned_namespace(m, sqe, &lba);
    struct model_zone *zone = &ns->zones[zone_of(ns, lba)];
    require(lba % ns->zoned.lbafe[0].zsze == 0 && !sqe->cdw12, "a command that names no zone");
    require(sqe->cdw13 == NVME_ZONE_FINISH || sqe->cdw13 == NVME_ZONE_RESET, "action %x",
            sqe->cdw13);
    zone->state = sqe->cdw13 == NVME_ZONE_FINISH ? NVME_ZONE_FULL : 0;
    zone->write_pointer = 0;
    m->writes++;
    return 0;
}

static struct nvme_zone_descriptor describe(const struct model_namespace *ns, uint64_t n)
{
    uint64_t size = ns->zoned.lbafe[0].zsze;
    const struct model_zone *zone = &ns->zones[n];
    return (struct nvme_zone_descriptor){
        .type = NVME_ZONE_SEQUENTIAL,
        .state = (uint8_t)((zone->state ? zone->state : NVME_ZONE_EMPTY) << 4),
        .capacity = size,
        .start = n * size,
        .write_pointer = zone->state == NVME_ZONE_FULL ? ~0ull : n * size + zone->write_pointer,
    };
}

// Into a buffer of a page at most.
uint32_t model_report_zones(struct model *m, const struct nvme_sqe *sqe)
{
    uint64_t lba, bytes = (sqe->cdw12 + 1ull) * 4;
    struct model_namespace *ns = zoned_namespace(m, sqe, &lba);
    uint8_t *to = model_memory(m, sqe->prp1);
    uint64_t first = zone_of(ns, lba), zones = ns->data.nsze / ns->zoned.lbafe[0].zsze;
    uint64_t room = (bytes - sizeof(struct nvme_zone_report)) / sizeof(struct nvme_zone_descriptor);
    require(bytes <= NVME_PAGE - sqe->prp1 % NVME_PAGE, "a report across pages");
    require(sqe->cdw13 == NVME_ZONE_RECEIVE_PARTIAL, "Zone Management Receive of %x", sqe->cdw13);
    struct nvme_zone_report header = { .zones = MIN(zones - first, room) };
    memset(to, 0, bytes);
    memcpy(to, &header, sizeof(header));
    for (uint64_t i = 0; i < header.zones; i++) {
        struct nvme_zone_descriptor d = describe(ns, first + i);
        memcpy(to + sizeof(header) + i * sizeof(d), &d, sizeof(d));
    }
    return 0;
}
