// SPDX-License-Identifier: BSD-2-Clause
// The model itself, where it isn't plain that it is right: a host that knows each command by heart
// asks it for what the driver's tests rely on.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "lib/mmio.h"
#include "tests/host/nvme_fixture.h"
#include "tests/host/nvme_world.h"

#define ENTRIES 16
#define IO 1
#define CC_ON (NVME_CC_EN | (uint32_t)(field_put(NVME_CC_IOSQES, 6) | field_put(NVME_CC_IOCQES, 4)))
#define WANT_NOTICES (BIT32(8) | BIT32(9))

// Two queue pairs, admin and I/O, in the plainest way.
struct pair {
    struct nvme_sqe *sq;
    struct nvme_cqe *cq;
    unsigned tail, head;
    bool phase;
};

static struct model *m;
static struct pair pairs[2];
static uint8_t *page;

static volatile void *reg(size_t offset)
{
    return m->window + offset;
}

static void send(unsigned q, unsigned cid, struct nvme_sqe sqe)
{
    struct pair *p = &pairs[q];
    sqe.head |= field_put(NVME_SQE_CID, cid);
    p->sq[p->tail] = sqe;
    p->tail = (p->tail + 1) % ENTRIES;
    mmio_write32(reg(NVME_DOORBELLS + 8 * q), p->tail);
}

// The next completion, or NULL.
static const struct nvme_cqe *next(unsigned q)
{
    struct pair *p = &pairs[q];
    const struct nvme_cqe *e = &p->cq[p->head];
    model_work(m);
    if (!(e->tail & NVME_CQE_P) == p->phase)
        return NULL;
    p->head = (p->head + 1) % ENTRIES;
    p->phase ^= !p->head;
    mmio_write32(reg(NVME_DOORBELLS + 8 * q + 4), p->head);
    return e;
}

// The next completion is this command's; its status.
static unsigned ends_next(unsigned q, unsigned cid)
{
    const struct nvme_cqe *e = next(q);
    assert_non_null(e);
    assert_int_equal(field_get(NVME_CQE_CID, e->tail), cid);
    assert_int_equal(field_get(NVME_CQE_SQID, e->tail), q);
    return (unsigned)field_get(NVME_CQE_STATUS, e->tail);
}

static uint32_t admin(struct nvme_sqe sqe)
{
    send(0, 99, sqe);
    const struct nvme_cqe *e = next(0);
    assert_non_null(e);
    assert_int_equal(field_get(NVME_CQE_CID, e->tail), 99);
    assert_int_equal(field_get(NVME_CQE_STATUS, e->tail), 0);
    return e->dw0;
}

static void empty_pairs(void)
{
    for (unsigned q = 0; q < 2; q++) {
        struct pair *p = &pairs[q];
        p->sq = mem_alloc_dma(ENTRIES * sizeof(*p->sq), NVME_PAGE, WORLD_ELSEWHERE);
        p->cq = mem_alloc_dma(ENTRIES * sizeof(*p->cq), NVME_PAGE, WORLD_ELSEWHERE);
        p->tail = p->head = 0;
        p->phase = true;
    }
}

static void enable(void)
{
    empty_pairs();
    mmio_write32(reg(NVME_AQA), (ENTRIES - 1) * 0x10001);
    mmio_write64(reg(NVME_ASQ), (uint64_t)pairs[0].sq);
    mmio_write64(reg(NVME_ACQ), (uint64_t)pairs[0].cq);
    mmio_write32(reg(NVME_CC), CC_ON);
    assert_int_equal(mmio_read32(reg(NVME_CSTS)), NVME_CSTS_RDY);
    admin((struct nvme_sqe){ .head = NVME_ADMIN_SET_FEATURES, .cdw10 = NVME_FEATURE_QUEUES });
    uint32_t size_and_id = IO | (ENTRIES - 1) << 16;
    admin((struct nvme_sqe){ .head = NVME_ADMIN_CREATE_CQ,
                             .prp1 = (uint64_t)pairs[IO].cq,
                             .cdw10 = size_and_id,
                             .cdw11 = NVME_CQ_PC });
    admin((struct nvme_sqe){ .head = NVME_ADMIN_CREATE_SQ,
                             .prp1 = (uint64_t)pairs[IO].sq,
                             .cdw10 = size_and_id,
                             .cdw11 = NVME_SQ_PC | IO << 16 });
}

static void disable(void)
{
    mmio_write32(reg(NVME_CC), CC_ON & ~NVME_CC_EN);
    assert_int_equal(mmio_read32(reg(NVME_CSTS)), 0);
}

static int begin(void **state)
{
    world_begin(1);
    m = model_new();
    m->pci_command = 6;
    m->id.aerl = 1;
    page = mem_alloc_dma(NVME_PAGE, NVME_PAGE, WORLD_ELSEWHERE);
    enable();
    return 0;
}

static struct nvme_sqe io(unsigned opcode, uint64_t lba, unsigned blocks)
{
    bool data = opcode != NVME_CMD_WRITE_ZEROES && opcode != NVME_CMD_VERIFY;
    return (struct nvme_sqe){ .head = opcode | field_put(NVME_SQE_NSID, 1),
                              .prp1 = data ? (uint64_t)page : 0,
                              .cdw10 = (uint32_t)lba,
                              .cdw12 = blocks - 1 };
}

static unsigned run(struct nvme_sqe sqe)
{
    send(IO, 3, sqe);
    return ends_next(IO, 3);
}

// ---- the disk ----

static void holds_what_was_written(void **state)
{
    memset(page, 0x5a, NVME_PAGE);
    assert_int_equal(run(io(NVME_CMD_WRITE, 7, 3)), 0); // across a page of the disk
    memset(page, 0, NVME_PAGE);
    assert_int_equal(run(io(NVME_CMD_READ, 6, 5)), 0);
    assert_true(model_holds(1, 6 * 512, page, 512));
    for (unsigned i = 512; i < 4 * 512; i++)
        assert_int_equal(page[i], 0x5a);
    assert_true(model_holds(1, 10 * 512, page + 4 * 512, 512));
}

static void compares(void **state)
{
    model_expect(1, 512, page, 1024);
    assert_int_equal(run(io(NVME_CMD_COMPARE, 1, 2)), 0);
    page[1023]++;
    assert_int_equal(run(io(NVME_CMD_COMPARE, 1, 2)), NVME_STATUS(2, 0x85));
}

static void zeroes(void **state)
{
    uint8_t got[1536];
    assert_int_equal(run(io(NVME_CMD_WRITE_ZEROES, 8, 1)), 0);
    model_disk_read(m, 1, 7 * 512, got, sizeof(got));
    assert_true(model_holds(1, 7 * 512, got, 512));
    for (unsigned i = 512; i < 1024; i++)
        assert_int_equal(got[i], 0);
    assert_true(model_holds(1, 9 * 512, got + 1024, 512));
}

static void deallocates_each_range(void **state)
{
    uint64_t ranges[4] = { 1ull << 32, 5, 2ull << 32, 20 }; // blocks above the attributes; LBA
    uint8_t zeros[1024] = { 0 }, got[1024];
    struct nvme_sqe sqe = io(NVME_CMD_DATASET_MANAGEMENT, 1, 1);
    memcpy(page, ranges, sizeof(ranges));
    sqe.cdw10 = 1;
    sqe.cdw11 = BIT32(2);
    sqe.cdw12 = 0;
    assert_int_equal(run(sqe), 0);
    model_disk_read(m, 1, 5 * 512, got, 512);
    assert_memory_equal(got, zeros, 512);
    model_disk_read(m, 1, 20 * 512, got, 1024);
    assert_memory_equal(got, zeros, 1024);
    model_disk_read(m, 1, 6 * 512, got, 512);
    assert_true(model_holds(1, 6 * 512, got, 512));
}

static void fails_so_often(void **state)
{
    m->error_lba = 9;
    m->errors_left = 2;
    m->error_status = NVME_STATUS(0, 0x22) | (uint32_t)field_put(NVME_STATUS_CRD, 1);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(run(io(NVME_CMD_READ, 8, 4)), m->error_status);
    assert_int_equal(run(io(NVME_CMD_READ, 8, 4)), 0);
}

// ---- commands that are lost, aborted, late ----

static uint32_t abort_it(unsigned cid)
{
    return admin((struct nvme_sqe){ .head = NVME_ADMIN_ABORT, .cdw10 = IO | cid << 16 });
}

static void aborts(void **state)
{
    m->drop_commands = 1;
    send(IO, 4, io(NVME_CMD_READ, 0, 1));
    assert_null(next(IO));
    m->hold = true;
    send(IO, 5, io(NVME_CMD_READ, 0, 1));
    assert_null(next(IO));
    assert_int_equal(abort_it(5), 0);
    assert_int_equal(ends_next(IO, 5), NVME_STATUS(0, 0x07));
    assert_int_equal(abort_it(4), 0);
    assert_int_equal(ends_next(IO, 4), NVME_STATUS(0, 0x07));
    assert_int_equal(abort_it(4), 1); // it is no more
    assert_null(next(IO));
    assert_int_equal(m->reads, 0);
}

static void aborts_or_not(void **state)
{
    m->drop_commands = 1;
    send(IO, 4, io(NVME_CMD_READ, 0, 1));
    m->abort = ABORT_NOT;
    assert_null(next(IO));
    assert_int_equal(abort_it(4), 1);
    m->abort = ABORT_LIES;
    assert_int_equal(abort_it(4), 0);
    assert_null(next(IO));
    m->abort = ABORT_SILENT;
    send(0, 6, (struct nvme_sqe){ .head = NVME_ADMIN_ABORT, .cdw10 = IO | 4 << 16 });
    assert_null(next(0));
    model_answer_lost(m, 0);
    assert_int_equal(ends_next(IO, 4), 0);
    assert_true(model_holds(1, 0, page, 512));
}

static void remembers_over_a_reset_only_if_haunted(void **state)
{
    for (unsigned haunted = 0; haunted < 2; haunted++) {
        m->haunted = haunted;
        m->drop_commands = 1;
        send(IO, 4, io(NVME_CMD_READ, 0, 1));
        assert_null(next(IO));
        disable();
        enable();
        model_answer_lost(m, NVME_STATUS(0, 0x07));
        if (haunted)
            assert_int_equal(ends_next(IO, 4), NVME_STATUS(0, 0x07));
        assert_null(next(IO));
    }
}

// ---- events ----

static void listen_for_events(unsigned cid)
{
    send(0, cid, (struct nvme_sqe){ .head = NVME_ADMIN_ASYNC_EVENT });
}

static void event_comes(unsigned cid, uint32_t event)
{
    const struct nvme_cqe *e = next(0);
    assert_non_null(e);
    assert_int_equal(field_get(NVME_CQE_CID, e->tail), cid);
    assert_int_equal(e->dw0, event);
}

static void ask_for_notices(void)
{
    admin((struct nvme_sqe){
        .head = NVME_ADMIN_SET_FEATURES, .cdw10 = NVME_FEATURE_EVENTS, .cdw11 = WANT_NOTICES });
}

static void read_log(unsigned lid, unsigned flags)
{
    admin((struct nvme_sqe){ .head = NVME_ADMIN_GET_LOG_PAGE,
                             .prp1 = (uint64_t)page,
                             .cdw10 = lid | flags | 1023u << 16 });
}

static void tells_of_what_is_wanted(void **state)
{
    assert_false(model_event(m, MODEL_EVENT_ACTIVATION));
    ask_for_notices();
    assert_false(model_event(m, MODEL_EVENT_TEMPERATURE));
    listen_for_events(8);
    assert_null(next(0));
    assert_true(model_event(m, MODEL_EVENT_ACTIVATION));
    event_comes(8, MODEL_EVENT_ACTIVATION);
}

static void tells_once_until_its_log_is_read(void **state)
{
    const uint32_t *changes = (const uint32_t *)page;
    ask_for_notices();
    listen_for_events(8);
    listen_for_events(9);
    model_attach(m, 7, 12, 1000);
    event_comes(9, MODEL_EVENT_NAMESPACE);
    model_resize(m, 1, 100);
    model_resize(m, 7, 100);
    assert_null(next(0));
    read_log(NVME_LOG_CHANGED_NAMESPACES, NVME_LOG_RAE);
    assert_int_equal(changes[0], 1);
    assert_int_equal(changes[1], 7);
    assert_int_equal(changes[2], 0);
    assert_null(next(0));
    send(0, 20,
         (struct nvme_sqe){ .head = NVME_ADMIN_GET_LOG_PAGE,
                            .prp1 = (uint64_t)page,
                            .cdw10 = NVME_LOG_CHANGED_NAMESPACES | 1023u << 16 });
    event_comes(8, MODEL_EVENT_NAMESPACE); // of the second change, which waited
    assert_int_equal(ends_next(0, 20), 0);
    read_log(NVME_LOG_CHANGED_NAMESPACES, 0);
    assert_int_equal(changes[0], 0);
}

static void listens_to_so_many(void **state)
{
    listen_for_events(8);
    listen_for_events(9);
    assert_null(next(0));
    listen_for_events(10);
    assert_int_equal(ends_next(0, 10), NVME_STATUS(1, 0x05));
}

// ---- absent for a while ----

static void forgets_what_it_was_while_away(void **state)
{
    model_go_away(m, NS_PER_S);
    assert_int_equal(mmio_read32(reg(NVME_CSTS)), NVME_ALL_ONES);
    send(IO, 3, io(NVME_CMD_READ, 0, 1));
    assert_null(next(IO));
    world_skip(NS_PER_S);
    assert_int_equal(mmio_read32(reg(NVME_CSTS)), 0);
    enable();
    assert_int_equal(run(io(NVME_CMD_READ, 0, 1)), 0);
}

static void pauses(void **state)
{
    model_pause(m, true);
    assert_int_equal(mmio_read32(reg(NVME_CSTS)), NVME_CSTS_RDY | NVME_CSTS_PP);
    send(IO, 3, io(NVME_CMD_READ, 0, 1));
    assert_null(next(IO));
    model_pause(m, false);
    assert_int_equal(ends_next(IO, 3), 0);
}

#define model_test(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        model_test(holds_what_was_written),
        model_test(compares),
        model_test(zeroes),
        model_test(deallocates_each_range),
        model_test(fails_so_often),
        model_test(aborts),
        model_test(aborts_or_not),
        model_test(remembers_over_a_reset_only_if_haunted),
        model_test(tells_of_what_is_wanted),
        model_test(tells_once_until_its_log_is_read),
        model_test(listens_to_so_many),
        model_test(forgets_what_it_was_while_away),
        model_test(pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
