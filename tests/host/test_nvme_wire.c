// SPDX-License-Identifier: BSD-2-Clause
// What goes over the wire, byte by byte and in numbers of the specification: the models read it with the
// driver's own definitions, and would share its mistakes (NVMe Base 2.0, NVM Command Set 1.0).

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

static uint32_t dword_at(const void *bytes, size_t offset)
{
    const uint8_t *at = (const uint8_t *)bytes + offset;
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t qword_at(const void *bytes, size_t offset)
{
    return dword_at(bytes, offset) | (uint64_t)dword_at(bytes, offset + 4) << 32;
}

static void put_dword(void *bytes, size_t offset, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        ((uint8_t *)bytes)[offset + i] = (uint8_t)(value >> 8 * i);
}

// ---- registers ----

static void offsets(void **state) // 3.1.3
{
    assert_int_equal(NVME_CAP, 0x00);
    assert_int_equal(NVME_VS, 0x08);
    assert_int_equal(NVME_CC, 0x14);
    assert_int_equal(NVME_CSTS, 0x1c);
    assert_int_equal(NVME_AQA, 0x24);
    assert_int_equal(NVME_ASQ, 0x28);
    assert_int_equal(NVME_ACQ, 0x30);
    assert_int_equal(NVME_CRTO, 0x68);
    assert_int_equal(NVME_DOORBELLS, 0x1000);
}

// Of controllers in the wild, and bits that these don't show.
static void capabilities(void **state)
{
    static const struct {
        uint64_t cap;
        uint32_t crto;
        unsigned entries, stride, ms;
    } caps[] = {
        { 0x204001007f, 0, 128, 4, 32000 },
        { 0x30500103ff, 0, 256, 4, 40000 },
        { 0x20280103ff, 0, 256, 4, 20000 },
        { 0x2fff010001, 0, 2, 4 << 15, 127500 },
        { 0x080000200100000f, 0xffff0007, 16, 4, 3500 }, // CRWMS, and CRTO.CRWMT 7
        { 0x000000200100000f, 0xffff0007, 16, 4, 500 },
    };
    struct nvme_limits l;
    struct problem p;
    for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
        assert_true(nvme_parse_cap("x", caps[i].cap, caps[i].crto, &l, &p));
        assert_int_equal(l.queue_entries, caps[i].entries);
        assert_int_equal(l.stride, caps[i].stride);
        assert_int_equal(l.ready_ms, caps[i].ms);
    }
    assert_true(nvme_parse_cap("x", 0x1f2801007f, 0, &l, &p));    // CSS 0: some targets say so
    assert_false(nvme_parse_cap("x", 0x101f2801007f, 0, &l, &p)); // CSS without bit 37
    assert_string_equal(p.what, "nvme-no-nvm");
    assert_false(nvme_parse_cap("x", 0x1002028010001, 0, &l, &p)); // MPSMIN 1
    assert_string_equal(p.what, "nvme-page-size");
}

static void configuration(void **state)
{
    struct model *m = model_new();
    start(m);
    assert_int_equal(m->aqa, 0x000f000f);
    assert_int_equal(m->cc, 0x00460001);
    nvme_shutdown();
    assert_int_equal(m->cc, 0x00464001);
}

// RDY 0, CFS 1, SHST 3:2.
static void status(void **state)
{
    struct model *m = model_new();
    uint32_t csts;
    start(m);
    static const struct {
        uint32_t csts;
        bool alive;
    } cases[] = {
        { 1, true }, { 0, false }, { 2, false }, { 3, false }, { 5, true }, { ~0u, false }
    };
    m->change_at = ~0ull; // it is as the test says
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        m->csts = cases[i].csts;
        assert_int_equal(nvme_ctrl_alive(world_ctrl(m), &csts), cases[i].alive);
    }
    m->csts = 1;
}

// ---- commands ----

static const struct nvme_sqe *admin_of(const struct model *m, unsigned opcode, unsigned nth)
{
    for (unsigned i = 0; i < m->admin_count; i++)
        if (dword_at(&m->admin_log[i], 0) % 256 == opcode && !nth--)
            return &m->admin_log[i];
    fail_msg("no admin command %02xh", opcode);
    return NULL;
}

static void admin(const struct nvme_sqe *sqe, uint32_t nsid, uint32_t cdw10, uint32_t cdw11)
{
    assert_int_equal(dword_at(sqe, 0) & 0xff00, 0); // FUSE, PSDT
    assert_int_equal(dword_at(sqe, 4), nsid);
    assert_int_equal(qword_at(sqe, 8), 0);
    assert_int_equal(qword_at(sqe, 16), 0); // MPTR
    assert_int_equal(dword_at(sqe, 40), cdw10);
    assert_int_equal(dword_at(sqe, 44), cdw11);
    for (size_t at = 48; at < 64; at += 4)
        assert_int_equal(dword_at(sqe, at), 0);
}

static void admin_commands(void **state)
{
    struct model *m = model_new();
    start(m);
    admin(admin_of(m, 0x06, 0), 0, 1, 0); // Identify: controller, list, namespace
    admin(admin_of(m, 0x06, 1), 0, 2, 0);
    admin(admin_of(m, 0x06, 2), 1, 0, 0);
    admin(admin_of(m, 0x09, 0), 0, 7, 0x00010001);          // Set Features: two of each
    admin(admin_of(m, 0x05, 0), 0, 0x00ff0001, 0x00000003); // Create CQ: IV 31:16, IEN 1, PC 0
    admin(admin_of(m, 0x05, 1), 0, 0x00ff0002, 0x00010003);
    admin(admin_of(m, 0x01, 0), 0, 0x00ff0001, 0x00010001); // Create SQ: CQID 31:16, PC 0
    admin(admin_of(m, 0x01, 1), 0, 0x00ff0002, 0x00020001);
    assert_int_equal(qword_at(admin_of(m, 0x05, 1), 24), m->queues[2].cq);
    assert_int_equal(qword_at(admin_of(m, 0x01, 1), 24), m->queues[2].sq);
    nvme_shutdown();
    admin(admin_of(m, 0x00, 1), 0, 2, 0); // Delete SQ, CQ
    admin(admin_of(m, 0x04, 1), 0, 2, 0);
}

static void read_command(void **state)
{
    struct model *m = model_new();
    struct world_read r;
    model_add_namespace(m, 7, 12, 1ull << 40);
    start(m);
    struct block_dev *dev = world_disk(m, 7);
    m->hold = true;
    world_read_start(&r, dev, 0, 0x123456789a, 33, 512);
    world_turn(0, WORLD_FLUSH);
    const void *sqe = (const void *)m->queues[1].sq; // NOLINT
    assert_int_equal(dword_at(sqe, 0), 0x02);        // id 0
    assert_int_equal(dword_at(sqe, 4), 7);
    assert_int_equal(qword_at(sqe, 8), 0);
    assert_int_equal(qword_at(sqe, 16), 0);
    assert_int_equal(qword_at(sqe, 24), r.req.buffer);
    const uint64_t *list = (const uint64_t *)qword_at(sqe, 32); // NOLINT
    uint64_t page = (uint64_t)r.req.buffer - 512;
    for (unsigned i = 0; i < 33; i++)
        assert_int_equal(list[i], page + (i + 1) * 4096ull);
    assert_int_equal(qword_at(sqe, 40), 0x123456789a);
    assert_int_equal(dword_at(sqe, 48), 32);
    assert_int_equal(dword_at(sqe, 52) | dword_at(sqe, 56) | dword_at(sqe, 60), 0);
    m->hold = false;
    finish(&r);
    m->hold = true;
    world_read_start(&r, dev, 0, 1, 1, 0);
    world_turn(0, WORLD_FLUSH);
    assert_int_equal(dword_at(sqe, 64), 0x02); // the next entry; the same id is free again
    m->hold = false;
    finish(&r);
}

// ---- completions ----

// Dword 2: SQHD 15:0, SQID 31:16; dword 3: CID 15:0, P 16, status 31:17.
static void completions(void **state)
{
    struct model *m = model_new();
    struct world_read reads[2];
    struct block_dev *dev = start(m);
    m->hold = true;
    for (unsigned i = 0; i < 2; i++)
        world_read_start(&reads[i], dev, 0, i, 1, 0);
    world_round();
    uint8_t *cq = (uint8_t *)m->queues[1].cq; // NOLINT
    put_dword(cq, 8, 0x00010002);
    put_dword(cq, 12, 0x00010001);
    m->queues[1].cq_tail = 1;
    model_interrupt(m, 1);
    world_turn(0, WORLD_IRQS);
    assert_true(reads[1].done && !reads[0].done);
    assert_int_equal(reads[1].req.status, BLOCK_OK);
    put_dword(cq, 16 + 8, 0x00010002);
    put_dword(cq, 16 + 12, 0x4a81u << 17 | 1u << 16);
    m->queues[1].cq_tail = 2;
    model_interrupt(m, 1);
    world_turn(0, WORLD_IRQS);
    assert_true(reads[0].done);
    assert_int_equal(reads[0].req.status, BLOCK_ERROR);
    assert_int_equal(reads[0].req.detail, 0x4a81); // DNR 14, CRD 12:11, SCT 10:8, SC 7:0
    assert_non_null(
        strstr(world_last_warning(), "unrecovered read error (status type 2, code 81h)"));
    m->pending_count = 0;
    for (unsigned i = 0; i < 2; i++)
        world_read_free(&reads[i]);
}

// ---- Identify data ----

static void controller_data(void **state) // 5.17.2.1
{
    static _Alignas(4096) uint8_t data[4096];
    struct nvme_id id;
    struct problem p;
    memcpy(data + 4, "SERIAL              ", 20);
    memcpy(data + 24, "MODEL                                   ", 40);
    memcpy(data + 64, "FIRMWARE", 8);
    data[77] = 5;
    put_dword(data, 88, 9000000); // RTD3E
    data[111] = 1;
    data[512] = 0x66;
    data[513] = 0x44;
    put_dword(data, 516, 0x1234);
    const struct nvme_identify_controller *c = (const void *)data;
    assert_true(nvme_parse_controller("x", c, &id, &p));
    assert_string_equal(id.serial, "SERIAL");
    assert_string_equal(id.model, "MODEL");
    assert_string_equal(id.firmware, "FIRMWARE");
    assert_int_equal(id.max_transfer, 4096 << 5);
    assert_int_equal(id.shutdown_ms, 9000);
    assert_int_equal(id.namespaces, 0x1234);
    data[512] = 0x76; // the largest in 7:4, what is required in 3:0
    assert_true(nvme_parse_controller("x", c, &id, &p));
    data[512] = 0x67;
    assert_false(nvme_parse_controller("x", c, &id, &p));
    data[512] = 0x66;
    data[111] = 2;
    assert_false(nvme_parse_controller("x", c, &id, &p));
}

static void namespace_data(void **state) // NVM Command Set 1.0, 4.1.5.1
{
    static _Alignas(4096) uint8_t data[4096];
    struct nvme_format format;
    struct problem p;
    put_dword(data, 0, 0x89abcdef);
    put_dword(data, 4, 0x67);
    data[25] = 63;
    data[26] = 0x42;                           // format 34: bits 6:5 above 3:0
    put_dword(data, 128 + 4 * 34, 0x020c0000); // RP, LBADS, MS
    const struct nvme_identify_namespace *ns = (const void *)data;
    static struct warnings w;
    assert_true(nvme_parse_format("x", ns, NULL, MIB, &format, &w, &p));
    assert_int_equal(format.blocks, 0x6789abcdef);
    assert_int_equal(format.block_shift, 12);
    put_dword(data, 128 + 4 * 34, 0x020c8000); // MS 15:0
    assert_true(nvme_parse_format("x", ns, NULL, MIB, &format, &w, &p));
    assert_int_equal(format.metadata, 0x8000);
}

#define wire_test(f) cmocka_unit_test_setup_teardown(f, begin_two, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets),        cmocka_unit_test(capabilities),
        wire_test(configuration),         wire_test(status),
        wire_test(admin_commands),        wire_test(read_command),
        wire_test(completions),           cmocka_unit_test(controller_data),
        cmocka_unit_test(namespace_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
