// SPDX-License-Identifier: BSD-2-Clause
// Submission queues in the controller's memory: as many as there is room for, again after a reset, and
// none where it can't be used.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/cmb.h"
#include "drivers/nvme/recover.h"
#include "tests/host/nvme_fixture.h"

#define QUEUE_PAGES 4 // of 256 entries

static struct model *m;
static struct block_dev *dev;

static void begin(unsigned cpus)
{
    world_begin(cpus);
    nvme_cmb_set(true);
    m = model_new();
}

static int end(void **state)
{
    nvme_cmb_set(false);
    return end_world(state);
}

static void is_there(unsigned queue, bool there)
{
    assert_int_equal(model_is_cmb(m, m->queues[queue].sq), there);
    assert_int_equal(world_ctrl(m)->queues[queue - 1]->qp.sq_is_theirs, there);
    assert_int_equal(m->queues[queue].sq % NVME_PAGE, 0);
}

// Each entry of each queue twice, by each way that writes entries.
static void reads(unsigned cpus)
{
    struct world_read r;
    for (unsigned i = 0; i < 600 * cpus; i++)
        reads_well(dev, i % cpus);
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        world_read_start(&r, dev, cpu, 5, 100, 512);
        finish(&r);
    }
    assert_int_equal(world_errors(NULL), 0);
}

// ---- what the registers say ----

static struct nvme_cmb_place place(unsigned bar, unsigned unit, unsigned offset, unsigned size)
{
    struct nvme_cmb_place place;
    struct problem p;
    uint32_t location =
        (uint32_t)(field_put(NVME_CMBLOC_BIR, bar) | field_put(NVME_CMBLOC_OFST, offset));
    uint32_t sizes = (uint32_t)(NVME_CMBSZ_SQS | field_put(NVME_CMBSZ_SZU, unit) |
                                field_put(NVME_CMBSZ_SZ, size));
    assert_true(nvme_parse_cmb(location, sizes, &place, &p));
    return place;
}

static void is_place(struct nvme_cmb_place p, unsigned bar, uint64_t offset, uint64_t bytes)
{
    assert_int_equal(p.bar, bar);
    assert_int_equal(p.offset, offset);
    assert_int_equal(p.bytes, bytes);
}

static void the_registers(void **state)
{
    struct nvme_cmb_place out;
    struct problem p;
    is_place(place(2, 0, 0, 1), 2, 0, 4096);
    is_place(place(4, 2, 3, 16), 4, 3 << 20, 16 << 20);
    is_place(place(0, 6, 0xfffff, 0xfffff), 0, 0xfffffull << 36, 0xfffffull << 36);
    is_place(place(2, 0, 0, 0), 0, 0, 0);
    assert_true(nvme_parse_cmb(2, 1 << 12 | 0x1e, &out, &p)); // all but SQS
    assert_int_equal(out.bytes, 0);
    assert_false(nvme_parse_cmb(2, 1 << 12 | 7 << 8 | 1, &out, &p));
    assert_false(nvme_parse_cmb(1, 1 << 12 | 1, &out, &p));
    assert_false(nvme_parse_cmb(6, 1 << 12 | 1, &out, &p));
    assert_string_equal(p.message,
                        "CMBLOC 0x6 and CMBSZ 0x1001 name BAR 6, or units, that are none");
}

// ---- queues in it ----

static void all_queues(void **state)
{
    for (unsigned has_cmbmsc = 0; has_cmbmsc < 2; has_cmbmsc++) {
        begin(2);
        model_give_cmb(m, has_cmbmsc, 2, 256 * KIB, 1, 1, 2);
        dev = start(m);
        is_there(1, true);
        is_there(2, true);
        assert_int_equal(m->queues[2].sq - m->queues[1].sq, QUEUE_PAGES * NVME_PAGE);
        reads(2);
        assert_int_equal(world_warnings(), 0);
        world_end();
    }
}

static void the_first_queues(void **state)
{
    begin(3);
    model_give_cmb(m, true, 2, 64 * KIB, 0, 0, 2 * QUEUE_PAGES + 3);
    dev = start(m);
    is_there(1, true);
    is_there(2, true);
    is_there(3, false);
    reads(3);
    assert_int_equal(world_warnings(), 0);
}

// What is shorter than a page takes a page.
static void short_queues(void **state)
{
    begin(3);
    field_set(&m->cap, NVME_CAP_MQES, 3);
    model_give_cmb(m, true, 4, 64 * KIB, 0, 5, 2);
    dev = start(m);
    is_there(1, true);
    is_there(2, true);
    is_there(3, false);
    assert_int_equal(m->queues[2].sq - m->queues[1].sq, NVME_PAGE);
    reads(3);
}

// Doorbells end where it begins.
static void behind_the_doorbells(void **state)
{
    begin(4);
    field_set(&m->cap, NVME_CAP_DSTRD, 8); // 1 KiB each
    model_give_cmb(m, true, 0, 64 * KIB, 0, 3, 2 * QUEUE_PAGES);
    m->window = m->cmb_bar;
    dev = start(m);
    assert_int_equal(world_ctrl(m)->queues_count, 3);
    is_there(1, true);
    is_there(2, true);
    is_there(3, false);
}

// ---- none ----

static void not_wanted(void **state)
{
    begin(1);
    nvme_cmb_set(false);
    model_give_cmb(m, true, 2, 64 * KIB, 0, 0, 16);
    m->cmbmsc = NVME_CMBMSC_CRE | NVME_CMBMSC_CMSE | 0x12345000; // by whoever ran before
    dev = start(m);
    assert_int_equal(m->cmbmsc, 0);
    is_there(1, false);
    reads(1);
}

static void older_than_1_2(void **state)
{
    begin(1);
    model_give_cmb(m, false, 2, 64 * KIB, 0, 0, 16);
    m->vs = NVME_VERSION(1, 1);
    dev = start(m);
    is_there(1, false);
    reads(1);
}

static void not_used(const char *why)
{
    dev = start(m);
    is_there(1, false);
    reads(1);
    assert_int_equal(world_warnings(), 1);
    assert_string_equal(world_last_warning_what(), "nvme-cmb");
    assert_non_null(strstr(world_last_warning(), why));
    assert_int_equal(m->cmbmsc & NVME_CMBMSC_CMSE, 0);
    world_end();
}

static void give(uint64_t bar_bytes, unsigned bar, unsigned offset, unsigned size)
{
    begin(1);
    model_give_cmb(m, true, bar, bar_bytes, 0, offset, size);
}

static void what_can_t_be(void **state)
{
    give(64 * KIB, 7, 0, 8);
    not_used("name BAR 7");
    give(64 * KIB, 2, 16, 8);
    not_used("BAR 2 is too small");
    give(0, 2, 0, 8);
    not_used("BAR 2 is too small");
    give(16 * MIB, 2, 0, 0x1001); // the part that is mapped is there
    not_used("its 0x1001000 bytes at 0x0 of BAR 2 run over something else, or past");
    give(64 * KIB, 4, 0, 8);
    m->table_bar = 4;
    m->table_offset = 0x7f00;
    not_used("run over something else");
    give(64 * KIB, 4, 4, 8);
    m->table_bar = 4;
    m->table_offset = 0x4000 - MODEL_VECTORS * 16 + 16;
    not_used("run over something else");
    give(64 * KIB, 2, 0, 8);
    m->cmb_misplaced = true;
    not_used("the controller refuses it at 0xfe100000 (CMBSTS.CBAI)");
}

static void beside_the_messages(void **state)
{
    give(64 * KIB, 4, 4, 8);
    m->table_bar = 4;
    m->table_offset = 0x4000 - MODEL_VECTORS * 16;
    dev = start(m);
    is_there(1, true);
    world_end();
    give(64 * KIB, 4, 4, 8);
    m->table_bar = 4;
    m->table_offset = 0xc000;
    dev = start(m);
    is_there(1, true);
}

// It says that queues may lie there, and takes none.
static void refused(void **state)
{
    begin(3);
    model_give_cmb(m, true, 2, 64 * KIB, 0, 0, 16);
    m->cmb_refused = true;
    dev = start(m);
    for (unsigned q = 1; q <= 3; q++)
        is_there(q, false);
    reads(3);
    assert_int_equal(world_warnings(), 1);
    assert_string_equal(world_last_warning_what(), "nvme-cmb");
    assert_non_null(strstr(world_last_warning(), "no more queues in its controller memory buffer"));
}

// ---- resets ----

static void are_there_again(void)
{
    world_pass(20 * NS_PER_S);
    is_there(1, true);
    is_there(2, true);
    reads(2);
}

static void again_after_a_reset(void **state)
{
    begin(2);
    model_give_cmb(m, true, 2, 64 * KIB, 0, 0, 16);
    dev = start(m);
    reads(2);
    nvme_recover_reset(world_ctrl(m));
    are_there_again();
    assert_int_equal(m->starts, 2);
}

// It knows no more where its memory is, and what was in there is lost.
static void again_after_a_loss_of_power(void **state)
{
    struct world_read r;
    begin(2);
    model_give_cmb(m, true, 2, 64 * KIB, 0, 0, 16);
    dev = start(m);
    m->hold = m->forgets = true;
    world_read_start(&r, dev, 0, 5, 1, 0);
    world_pass(TICK_NS - NS_PER_S / 4);
    model_fails(m, FAILS_AWAY);
    m->hold = false;
    are_there_again();
    ends_well(&r);
    assert_int_equal(m->starts, 2);
}

#define cmb_test(f) cmocka_unit_test_teardown(f, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_registers),
        cmb_test(all_queues),
        cmb_test(the_first_queues),
        cmb_test(short_queues),
        cmb_test(not_wanted),
        cmb_test(older_than_1_2),
        cmb_test(what_can_t_be),
        cmb_test(refused),
        cmb_test(beside_the_messages),
        cmb_test(again_after_a_reset),
        cmb_test(again_after_a_loss_of_power),
        cmb_test(behind_the_doorbells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
