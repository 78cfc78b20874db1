// SPDX-License-Identifier: BSD-2-Clause
// What the controller's disk holds, and the commands that read and change it.

#include "tests/host/nvme_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mem/mem.h"
#include "tests/host/nvme_world.h"

// ---- contents: a pattern, and above it the pages that were written ----

// Every dword of a disk is another: PRPs cut a transfer at dwords.
static uint32_t dword(uint32_t nsid, uint64_t offset)
{
    return (uint32_t)(((offset / 4 + 1) * 0x9e3779b97f4a7c15ull ^ (uint64_t)nsid << 32) >> 32);
}

void model_expect(uint32_t nsid, uint64_t offset, void *data, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i += 4)
        ((uint32_t *)data)[i / 4] = dword(nsid, offset + i);
}

bool model_holds(uint32_t nsid, uint64_t offset, const void *data, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i += 4)
        if (((const uint32_t *)data)[i / 4] != dword(nsid, offset + i))
            return false;
    return true;
}

static struct model_page **find_page(struct model *m, uint32_t nsid, uint64_t number)
{
    struct model_page **link = &m->written[(number + nsid) % MODEL_PAGES];
    while (*link && ((*link)->nsid != nsid || (*link)->number != number))
        link = &(*link)->next;
    return link;
}

static uint8_t *written_page(struct model *m, uint32_t nsid, uint64_t number)
{
    struct model_page **link = find_page(m, nsid, number);
    if (!*link) {
        *link = mem_alloc(sizeof(**link), 1, WORLD_ELSEWHERE);
        (*link)->nsid = nsid;
        (*link)->number = number;
        model_expect(nsid, number * NVME_PAGE, (*link)->bytes, NVME_PAGE);
    }
    return (*link)->bytes;
}

void model_disk_write(struct model *m, uint32_t nsid, uint64_t offset, const void *data,
                      uint64_t bytes)
{
    for (uint64_t done = 0, now; done < bytes; done += now) {
        uint64_t at = offset + done;
        now = MIN(NVME_PAGE - at % NVME_PAGE, bytes - done);
        memcpy(written_page(m, nsid, at / NVME_PAGE) + at % NVME_PAGE, (const uint8_t *)data + done,
               now);
    }
}

void model_disk_read(struct model *m, uint32_t nsid, uint64_t offset, void *data, uint64_t bytes)
{
    for (uint64_t done = 0, now; done < bytes; done += now) {
        uint64_t at = offset + done;
        uint8_t *to = (uint8_t *)data + done;
        now = MIN(NVME_PAGE - at % NVME_PAGE, bytes - done);
        const struct model_page *page = *find_page(m, nsid, at / NVME_PAGE);
        if (page)
            memcpy(to, page->bytes + at % NVME_PAGE, now);
        else
            model_expect(nsid, at, to, now);
    }
}

static void zero_disk(struct model *m, uint32_t nsid, uint64_t offset, uint64_t bytes)
{
    for (uint64_t done = 0, now; done < bytes; done += now) {
        uint64_t at = offset + done;
        now = MIN(NVME_PAGE - at % NVME_PAGE, bytes - done);
        memset(written_page(m, nsid, at / NVME_PAGE) + at % NVME_PAGE, 0, now);
    }
}

// ---- the host's memory ----

// Follows the PRPs as a controller does (NVMe Base 2.0, 4.1.1).
struct prp_walk {
    struct model *m;
    uint64_t prp2, left;
    const uint64_t *list;
    unsigned entries; // of the list that are left in its page
};

static uint64_t next_page(struct prp_walk *w)
{
    if (!w->list && w->left <= NVME_PAGE) {
        require(w->prp2 % NVME_PAGE == 0, "PRP2 names a page at an offset");
        return w->prp2;
    }
    if (!w->list) {
        require(w->prp2 % 8 == 0, "PRP2 names a list at an odd address");
        w->list = model_memory(w->m, w->prp2);
        w->entries = (unsigned)(NVME_PAGE - w->prp2 % NVME_PAGE) / 8;
    }
    require(w->entries, "a PRP list runs over its page");
    w->entries--;
    require(*w->list % NVME_PAGE == 0, "a PRP list entry is at an offset");
    return *w->list++;
}

// What is done with each piece of the host's memory; false ends it.
typedef bool (*piece_fn)(struct model *m, uint32_t nsid, uint64_t offset, void *host,
                         uint64_t bytes);

// A Data Block descriptor, or a Last Segment one that leads to several (4.1.2).
static bool for_each_block(struct model *m, uint32_t nsid, const struct nvme_sqe *sqe,
                           uint64_t offset, uint64_t bytes, piece_fn fn)
{
    struct nvme_sgl one = { sqe->prp1, sqe->prp2 }, *block = &one;
    uint64_t count = 1;
    if (one.length >> 56 == 0x30) {
        count = (uint32_t)one.length / sizeof(*block);
        require(count && (uint32_t)one.length % sizeof(*block) == 0 && one.address % 8 == 0,
                "a segment of %llx bytes", (unsigned long long)one.length);
        block = model_memory(m, one.address);
    }
    for (; count; count--, block++) {
        if (m->hostile && block->length > bytes)
            return false;
        require(block->length && block->length <= bytes, "an SGL of %llx for %llu bytes",
                (unsigned long long)block->length, (unsigned long long)bytes);
        require(block->address % 4 == 0, "an SGL that is not dword aligned");
        if (!fn(m, nsid, offset, model_memory(m, block->address), block->length))
            return false;
        offset += block->length;
        bytes -= block->length;
    }
    require(!bytes || m->hostile, "an SGL that is %llu bytes short", (unsigned long long)bytes);
    return true;
}

static bool for_each_piece(struct model *m, const struct nvme_sqe *sqe, uint64_t offset,
                           uint64_t bytes, piece_fn fn)
{
    struct prp_walk w = { .m = m, .prp2 = sqe->prp2, .left = bytes };
    uint32_t nsid = (uint32_t)field_get(NVME_SQE_NSID, sqe->head);
    uint64_t page = sqe->prp1;
    if (sqe->head & NVME_SQE_PSDT) {
        require(field_get(NVME_SQE_PSDT, sqe->head) == 1 && (m->id.sgls & 3),
                "an SGL, which it has not (SGLS)");
        m->sgls++;
        return for_each_block(m, nsid, sqe, offset, bytes, fn);
    }
    require(page % 4 == 0, "PRP1 is not dword aligned");
    while (w.left) {
        uint64_t now = MIN(NVME_PAGE - page % NVME_PAGE, w.left);
        if (!fn(m, nsid, offset, model_memory(m, page), now))
            return false;
        offset += now;
        w.left -= now;
        if (w.left)
            page = next_page(&w);
        else if (!w.list && bytes == now) // a hostile one's blocks may have another size now
            require(!sqe->prp2 || m->hostile, "PRP2 of a one-page transfer is not zero");
    }
    return true;
}

static bool to_host(struct model *m, uint32_t nsid, uint64_t offset, void *host, uint64_t bytes)
{
    model_disk_read(m, nsid, offset, host, bytes);
    return true;
}

static bool from_host(struct model *m, uint32_t nsid, uint64_t offset, void *host, uint64_t bytes)
{
    model_disk_write(m, nsid, offset, host, bytes);
    return true;
}

static bool is_alike(struct model *m, uint32_t nsid, uint64_t offset, void *host, uint64_t bytes)
{
    uint8_t held[NVME_PAGE];
    model_disk_read(m, nsid, offset, held, bytes);
    return !memcmp(held, host, bytes);
}

// ---- commands ----

struct range {
    uint32_t nsid;
    unsigned shift;
    uint64_t lba, blocks;
};

// Fields that some of these commands have and that the driver may use: FUA, LR and PRINFO, and DEAC
// of Write Zeroes (NVM Command Set 1.0, 3.2).
static uint32_t allowed_cdw12(unsigned opcode)
{
    uint32_t fua_lr = BIT32(30) | BIT32(31), prinfo = BITS32(29, 26);
    return 0xffff | prinfo | (opcode == NVME_CMD_VERIFY ? 0 : fua_lr) |
           (opcode == NVME_CMD_WRITE_ZEROES ? BIT32(25) : 0);
}

static bool carries_data(unsigned opcode)
{
    return opcode == NVME_CMD_READ || opcode == NVME_CMD_WRITE || opcode == NVME_CMD_COMPARE;
}

static void check_fields(const struct model *m, const struct nvme_sqe *sqe, const struct range *r,
                         unsigned opcode)
{
    require(!(sqe->cdw12 & ~allowed_cdw12(opcode)) && !sqe->cdw13 && !sqe->cdw15 &&
                !(sqe->head & 0x3f00),
            "a command %02xh with reserved or unwanted fields", opcode);
    if (!carries_data(opcode))
        require(!sqe->prp1 && !sqe->prp2, "a command %02xh without data has PRPs", opcode);
    else if (m->id.mdts && m->id.mdts < 40)
        require(r->blocks << r->shift <= NVME_PAGE << m->id.mdts, "a command longer than MDTS");
}

static bool has_lba(const struct range *r, uint64_t lba)
{
    return r->lba <= lba && lba < r->lba + r->blocks;
}

// 0, or the status with which the command ends before it has done anything.
static uint32_t check_range(struct model *m, const struct range *r)
{
    const struct model_namespace *ns = model_find_namespace(m, r->nsid);
    require(ns || m->changed, "a command for namespace %u, which is not active", r->nsid);
    if (!ns)
        return NVME_STATUS_INVALID_NAMESPACE;
    require(r->lba + r->blocks <= ns->data.nsze || m->changed || m->hostile,
            "a command past the end");
    if (r->lba + r->blocks > ns->data.nsze)
        return NVME_STATUS(0, 0x80); // LBA Out of Range
    if (!has_lba(r, m->error_lba) || !m->errors_left)
        return 0;
    m->errors_left -= m->errors_left != ~0u;
    return m->error_status;
}

static uint32_t transfer(struct model *m, const struct nvme_sqe *sqe, const struct range *r,
                         unsigned opcode)
{
    uint64_t offset = r->lba << r->shift, bytes = r->blocks << r->shift;
    switch (opcode) {
    case NVME_CMD_READ:
        m->reads++;
        m->longest = MAX(m->longest, bytes);
        for_each_piece(m, sqe, offset, bytes, to_host);
        return 0;
    case NVME_CMD_WRITE:
        m->writes++;
        m->fuas += !!(sqe->cdw12 & BIT32(30));
        for_each_piece(m, sqe, offset, bytes, from_host);
        return 0;
    case NVME_CMD_COMPARE:
        m->compares++;
        return for_each_piece(m, sqe, offset, bytes, is_alike) ? 0 : m->differs_status;
    case NVME_CMD_WRITE_ZEROES:
        m->writes++;
        zero_disk(m, r->nsid, offset, bytes);
        return 0;
    default: // Verify
        return 0;
    }
}

static struct range range_of(struct model *m, const struct nvme_sqe *sqe)
{
    uint32_t nsid = (uint32_t)field_get(NVME_SQE_NSID, sqe->head);
    const struct model_namespace *ns = model_find_namespace(m, nsid);
    return (struct range){
        .nsid = nsid,
        .shift = ns ? (unsigned)field_get(NVME_LBAF_LBADS, ns->data.lbaf[0]) : 0,
        .lba = sqe->cdw10 | (uint64_t)sqe->cdw11 << 32,
        .blocks = (sqe->cdw12 & 0xffff) + 1ull,
    };
}

static uint32_t execute_range(struct model *m, const struct nvme_sqe *sqe, unsigned opcode)
{
    struct range r = range_of(m, sqe);
    if (!m->hostile) { // whose format and limits may be others now
        check_fields(m, sqe, &r, opcode);
        model_check_format(m, sqe, opcode, r.lba, r.blocks);
    }
    if (m->hostile && r.shift != 9) // the host's buffers are of the blocks that it knows
        return NVME_STATUS_INVALID_NAMESPACE;
    uint32_t status = check_range(m, &r);
    if (!status)
        status = model_check_zones(m, sqe, opcode, r.lba, r.blocks);
    if (status)
        return status;
    m->blocks += (unsigned)r.blocks;
    return transfer(m, sqe, &r, opcode);
}

// Dataset Management (NVM Command Set 1.0, 3.2.3); deallocated blocks read as zeros.
struct dsm_range {
    uint32_t attributes, blocks;
    uint64_t lba;
};

static uint32_t execute_dsm(struct model *m, const struct nvme_sqe *sqe)
{
    struct range r = range_of(m, sqe);
    unsigned count = (sqe->cdw10 & 0xff) + 1;
    const struct dsm_range *ranges = model_memory(m, sqe->prp1);
    require(count * sizeof(*ranges) <= NVME_PAGE - sqe->prp1 % NVME_PAGE,
            "ranges of Dataset Management across pages");
    require(sqe->cdw11 == BIT32(2), "Dataset Management other than Deallocate");
    for (unsigned i = 0; i < count; i++) {
        r.lba = ranges[i].lba;
        r.blocks = ranges[i].blocks;
        uint32_t status = check_range(m, &r);
        if (status)
            return status;
        m->writes++;
        zero_disk(m, r.nsid, r.lba << r.shift, r.blocks << r.shift);
    }
    return 0;
}

// Copy (NVM Command Set 1.0, 3.2.2): of what is read, the tags are checked and PRINFO is as it is of
// what is written.
struct copy_range {
    uint64_t reserved, lba;
    uint16_t nlb, reserved18[3];
    uint32_t tag, application;
};

static void check_copy(const struct model *m, const struct nvme_sqe *sqe,
                       const struct nvme_identify_namespace *ns, unsigned count)
{
    require(m->id.ocfs & 1 && m->id.oncs & NVME_ONCS_COPY, "a copy, which it has not");
    require(!(sqe->cdw12 & ~(BIT32(30) | BITS32(29, 26) | BITS32(15, 12) | 0xff)) && !sqe->cdw13 &&
                !sqe->cdw15 && !sqe->cdw2_3 && !(sqe->head & 0xff00) && !sqe->prp2,
            "a copy with reserved or unwanted fields");
    require(field_get(BITS32(15, 12), sqe->cdw12) == field_get(BITS32(29, 26), sqe->cdw12),
            "PRINFOR isn't PRINFOW");
    require(count <= ns->msrc + 1u, "a copy of %u ranges", count);
    require(count * sizeof(struct copy_range) <= NVME_PAGE - sqe->prp1 % NVME_PAGE,
            "ranges of a copy across pages");
}

static uint32_t check_source(struct model *m, const struct copy_range *source,
                             const struct model_namespace *ns, const struct range *r)
{
    unsigned type = (unsigned)field_get(NVME_DPS_TYPE, ns->data.dps);
    require(r->blocks <= ns->data.mssrl, "a range of %llu blocks", (unsigned long long)r->blocks);
    require(!source->reserved && !source->reserved18[0] && !source->reserved18[1] &&
                !source->reserved18[2] && !source->application,
            "a range with reserved or unwanted fields");
    require(source->tag == (type == 1 || type == 2 ? (uint32_t)r->lba : 0), "the tag of a range");
    return check_range(m, r);
}

static void copy_blocks(struct model *m, const struct range *from, const struct range *to)
{
    uint8_t block[4096];
    for (uint64_t i = 0; i < from->blocks; i++) {
        model_disk_read(m, from->nsid, (from->lba + i) << from->shift, block, 1ull << from->shift);
        model_disk_write(m, to->nsid, (to->lba + i) << to->shift, block, 1ull << to->shift);
    }
}

static uint32_t execute_copy(struct model *m, const struct nvme_sqe *sqe)
{
    struct range to = range_of(m, sqe), from = to;
    const struct model_namespace *ns = model_find_namespace(m, to.nsid);
    const struct copy_range *sources = model_memory(m, sqe->prp1);
    unsigned count = (sqe->cdw12 & 0xff) + 1;
    uint64_t all = 0;
    check_copy(m, sqe, &ns->data, count);
    model_check_format(m, sqe, NVME_CMD_COPY, to.lba, 1);
    m->copies++;
    m->fuas += !!(sqe->cdw12 & BIT32(30));
    for (unsigned i = 0; i < count; i++) {
        from.lba = sources[i].lba;
        to.blocks = from.blocks = sources[i].nlb + 1ull;
        uint32_t status = check_source(m, &sources[i], ns, &from);
        if (!status)
            status = check_range(m, &to);
        if (status)
            return status;
        copy_blocks(m, &from, &to);
        to.lba += to.blocks;
        all += to.blocks;
    }
    require(all <= ns->data.mcl, "a copy of %llu blocks", (unsigned long long)all);
    m->copy_ranges += count;
    return 0;
}

uint32_t model_execute_io(struct model *m, const struct nvme_sqe *sqe)
{
    unsigned opcode = (unsigned)field_get(NVME_SQE_OPC, sqe->head);
    struct nvme_sqe write;
    m->result = 0;
    switch (opcode) {
    case NVME_CMD_READ:
    case NVME_CMD_WRITE:
    case NVME_CMD_COMPARE:
    case NVME_CMD_WRITE_ZEROES:
    case NVME_CMD_VERIFY:
        return execute_range(m, sqe, opcode);
    case NVME_CMD_DATASET_MANAGEMENT:
        return execute_dsm(m, sqe);
    case NVME_CMD_COPY:
        return execute_copy(m, sqe);
    case NVME_CMD_FLUSH:
        m->flushes++;
        return 0;
    case NVME_CMD_ZONE_RECEIVE:
        return model_report_zones(m, sqe);
    case NVME_CMD_ZONE_SEND:
        return model_send_zone(m, sqe);
    case NVME_CMD_ZONE_APPEND:
        model_append(m, sqe, &write);
        m->result = write.cdw10 | (uint64_t)write.cdw11 << 32;
        return execute_range(m, &write, NVME_CMD_WRITE);
    }
    fail_msg("the host broke a rule: I/O opcode %02xh", opcode);
    return 1;
}
