// SPDX-License-Identifier: BSD-2-Clause
// Capabilities and Identify data, honest and not.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/identify.h"
#include "drivers/nvme/prp.h"
#include "drivers/nvme/qpair.h"
#include "drivers/nvme/status.h"

static struct problem p;

// ---- CAP ----

static uint64_t good_cap(void)
{
    return field_put(NVME_CAP_MQES, 1023) | field_put(NVME_CAP_TO, 20) | NVME_CAP_CSS_NVM;
}

static void cap_limits(void **state)
{
    struct nvme_limits l;
    assert_true(nvme_parse_cap("x", good_cap(), 0, &l, &p));
    assert_int_equal(l.queue_entries, NVME_QUEUE_ENTRIES);
    assert_int_equal(l.stride, 4);
    assert_int_equal(l.ready_ms, 10000);
}

static unsigned entries_for(unsigned mqes)
{
    struct nvme_limits l;
    uint64_t cap = good_cap();
    field_set(&cap, NVME_CAP_MQES, mqes);
    assert_true(nvme_parse_cap("x", cap, 0, &l, &p));
    return l.queue_entries;
}

static void cap_queue_entries(void **state)
{
    assert_int_equal(entries_for(0), 2); // against the specification, but seen
    assert_int_equal(entries_for(1), 2);
    assert_int_equal(entries_for(2), 2);
    assert_int_equal(entries_for(3), 4);
    assert_int_equal(entries_for(200), 128);
    assert_int_equal(entries_for(255), 256);
    assert_int_equal(entries_for(65535), NVME_QUEUE_ENTRIES);
}

static void cap_stride_and_time(void **state)
{
    struct nvme_limits l;
    uint64_t cap = good_cap() | field_put(NVME_CAP_DSTRD, 15);
    field_set(&cap, NVME_CAP_TO, 0);
    assert_true(nvme_parse_cap("x", cap, 100, &l, &p));
    assert_int_equal(l.stride, 4 << 15);
    assert_int_equal(l.ready_ms, 500);
    assert_true(nvme_parse_cap("x", cap | NVME_CAP_CRWMS, 100, &l, &p));
    assert_int_equal(l.ready_ms, 50000);
}

static void refuse_cap(uint64_t cap, const char *what)
{
    struct nvme_limits l;
    assert_false(nvme_parse_cap("x", cap, 0, &l, &p));
    assert_string_equal(p.what, what);
}

static void cap_refused(void **state)
{
    refuse_cap((good_cap() & ~NVME_CAP_CSS) | field_put(NVME_CAP_CSS, 0x80), "nvme-no-nvm");
    refuse_cap(good_cap() | field_put(NVME_CAP_MPSMIN, 1), "nvme-page-size");
    assert_string_equal(p.message,
                        "x: CAP.MPSMIN asks for pages of 8 KiB; only 4 KiB are supported");
}

// ---- Identify Controller ----

static struct nvme_identify_controller controller(void)
{
    struct nvme_identify_controller c = { .sqes = 0x66, .cqes = 0x44, .nn = 3 };
    memset(&c.sn, ' ', sizeof(c.sn) + sizeof(c.mn) + sizeof(c.fr));
    return c;
}

static void texts(void **state)
{
    struct nvme_identify_controller c = controller();
    struct nvme_id id;
    memcpy(c.sn, "  S1 2\0\0  ", 10);
    memset(c.mn, 'M', sizeof(c.mn));
    memcpy(c.fr, "\x01\377a\tb \177 ", 8);
    assert_true(nvme_parse_controller("x", &c, &id, &p));
    assert_string_equal(id.serial, "S1 2");
    assert_int_equal(strlen(id.model), 40);
    assert_string_equal(id.firmware, "??a?b ?");
    memset(&c.sn, 0, sizeof(c.sn));
    assert_true(nvme_parse_controller("x", &c, &id, &p));
    assert_string_equal(id.serial, "");
}

static uint64_t transfer_for(uint8_t mdts)
{
    struct nvme_identify_controller c = controller();
    struct nvme_id id;
    c.mdts = mdts;
    assert_true(nvme_parse_controller("x", &c, &id, &p));
    return id.max_transfer;
}

static void transfers(void **state)
{
    assert_int_equal(transfer_for(0), NVME_TRANSFER_MAX); // no limit of its own
    assert_int_equal(transfer_for(1), 8 * KIB);
    assert_int_equal(transfer_for(5), 128 * KIB);
    assert_int_equal(transfer_for(8), MIB);
    assert_int_equal(transfer_for(9), NVME_TRANSFER_MAX);
    assert_int_equal(transfer_for(255), NVME_TRANSFER_MAX);
}

static void shutdown_times(void **state)
{
    struct nvme_identify_controller c = controller();
    struct nvme_id id;
    static const struct {
        uint32_t us;
        uint64_t ms;
    } times[] = { { 0, 5000 }, { 1, 5000 }, { 8000000, 8000 }, { 8000001, 8001 }, { ~0u, 60000 } };
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        c.rtd3e = times[i].us;
        assert_true(nvme_parse_controller("x", &c, &id, &p));
        assert_int_equal(id.shutdown_ms, times[i].ms);
    }
}

static void entry_sizes(void **state)
{
    struct nvme_identify_controller c = controller();
    struct nvme_id id;
    static const uint8_t bad_sqes[] = { 0x00, 0x77, 0x55, 0x87 };
    for (size_t i = 0; i < ARRAY_SIZE(bad_sqes); i++) {
        c.sqes = bad_sqes[i];
        assert_false(nvme_parse_controller("x", &c, &id, &p));
        assert_string_equal(p.what, "nvme-entry-size");
    }
    c.sqes = 0xf0;
    assert_true(nvme_parse_controller("x", &c, &id, &p));
    c.cqes = 0x55;
    assert_false(nvme_parse_controller("x", &c, &id, &p));
    assert_string_equal(p.what, "nvme-entry-size");
}

static void controller_types(void **state)
{
    struct nvme_identify_controller c = controller();
    struct nvme_id id;
    c.cntrltype = 1;
    assert_true(nvme_parse_controller("x", &c, &id, &p));
    c.cntrltype = 2;
    assert_false(nvme_parse_controller("x", &c, &id, &p));
    assert_string_equal(p.what, "nvme-not-io");
}

// ---- Identify Namespace ----

static struct nvme_identify_namespace ns;
static struct nvme_format format;

static void good_namespace(void)
{
    memset(&ns, 0, sizeof(ns));
    ns.nsze = 1000;
    ns.nlbaf = 1;
    ns.lbaf[0] = 9 << 16;
    ns.lbaf[1] = 12 << 16;
}

static bool parse_namespace(uint64_t max_transfer)
{
    static struct warnings w;
    return nvme_parse_format("x", &ns, NULL, max_transfer, &format, &w, &p);
}

static void formats(void **state)
{
    good_namespace();
    assert_true(parse_namespace(MIB));
    assert_int_equal(format.block_shift, 9);
    assert_int_equal(format.blocks, 1000);
    ns.flbas = 1;
    assert_true(parse_namespace(MIB));
    assert_int_equal(format.block_shift, 12);
}

// Bits 6:5 count only where there are more than 16 formats; bit 4 never does.
static void format_indexes(void **state)
{
    good_namespace();
    ns.flbas = 0x70;
    assert_true(parse_namespace(MIB));
    assert_int_equal(format.block_shift, 9);
    ns.flbas = 0x20;
    ns.lbaf[16] = 12 << 16;
    ns.nlbaf = 15; // 16 formats
    assert_true(parse_namespace(MIB));
    assert_int_equal(format.block_shift, 9);
    ns.nlbaf = 16;
    assert_true(parse_namespace(MIB));
    assert_int_equal(format.block_shift, 12);
    ns.nlbaf = 63;
    ns.lbaf[0x32] = 12 << 16;
    ns.flbas = 0x72;
    assert_true(parse_namespace(MIB));
    assert_int_equal(format.block_shift, 12);
}

static void refuse_namespace(const char *what)
{
    memset(&format, 0xff, sizeof(format));
    assert_false(parse_namespace(64 * KIB));
    assert_string_equal(p.what, what);
    assert_int_equal(format.blocks, 0);
    good_namespace();
}

static void namespaces_refused(void **state)
{
    good_namespace();
    ns.flbas = 2;
    refuse_namespace("nvme-format");
    assert_string_equal(p.message, "x: FLBAS names format 2 of 2");
    ns.lbaf[0] |= 8;
    ns.flbas = NVME_FLBAS_EXTENDED;
    refuse_namespace("nvme-metadata");
    static const unsigned shifts[] = { 0, 8, 17, 40, 255 };
    for (size_t i = 0; i < ARRAY_SIZE(shifts); i++) {
        ns.lbaf[0] = shifts[i] << 16;
        refuse_namespace("nvme-block-size");
    }
    assert_string_equal(p.message,
                        "x: blocks of 2^255 bytes: only 512 bytes to 64 KiB, and no more "
                        "than one command's 64 KiB, are supported");
    ns.nsze = 1ull << 55;
    refuse_namespace("nvme-size");
    ns.lbaf[0] = 16 << 16; // blocks longer than a command
    assert_false(parse_namespace(8 * KIB));
    assert_string_equal(p.what, "nvme-block-size");
}

// The least and the most that a block may be, the last in one command.
static void block_sizes(void **state)
{
    for (unsigned shift = 9; shift <= 16; shift++) {
        good_namespace();
        ns.lbaf[0] = shift << 16;
        assert_true(parse_namespace(1ull << shift));
        assert_int_equal(format.block_shift, shift);
    }
}

static void largest_namespace(void **state)
{
    good_namespace();
    ns.nsze = UINT64_MAX >> 9;
    assert_true(parse_namespace(MIB));
    assert_int_equal(format.blocks, UINT64_MAX >> 9);
}

static void inactive_namespace(void **state)
{
    memset(&ns, 0, sizeof(ns));
    assert_true(parse_namespace(MIB));
    assert_int_equal(format.blocks, 0);
}

// ---- the active list ----

static uint32_t list[NVME_NSID_LIST_ENTRIES];

static void is_list(uint32_t after, uint32_t last, size_t entries)
{
    size_t count;
    assert_true(nvme_parse_list(list, after, last, &count));
    assert_int_equal(count, entries);
}

static void is_none(uint32_t after, uint32_t last)
{
    size_t count;
    assert_false(nvme_parse_list(list, after, last, &count));
}

static void lists(void **state)
{
    memset(list, 0, sizeof(list));
    is_list(0, 100, 0);
    list[0] = 1, list[1] = 2, list[2] = 100;
    is_list(0, 100, 3);
    is_none(0, 99);
    is_none(1, 100); // doesn't follow what was asked for
    list[2] = 2;
    is_none(0, 100); // the same twice
    list[2] = 1;
    is_none(0, 100); // falls
    list[2] = 0;
    list[900] = 7; // behind the end
    is_none(0, 100);
    for (uint32_t i = 0; i < NVME_NSID_LIST_ENTRIES; i++)
        list[i] = i + 1;
    is_list(0, NVME_NSID_LAST, NVME_NSID_LIST_ENTRIES);
}

// ---- status ----

static void status_words(void **state)
{
    char text[80];
    assert_string_equal(nvme_status_text(NVME_STATUS(0, 0x80), text, sizeof(text)),
                        "LBA out of range (status type 0, code 80h)");
    assert_string_equal(
        nvme_status_text(NVME_STATUS_DNR | NVME_STATUS(2, 0x81), text, sizeof(text)),
        "unrecovered read error (status type 2, code 81h)");
    assert_string_equal(nvme_status_text(NVME_STATUS(7, 0x12), text, sizeof(text)),
                        "vendor specific error (status type 7, code 12h)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cap_limits),
        cmocka_unit_test(cap_queue_entries),
        cmocka_unit_test(cap_stride_and_time),
        cmocka_unit_test(cap_refused),
        cmocka_unit_test(texts),
        cmocka_unit_test(transfers),
        cmocka_unit_test(shutdown_times),
        cmocka_unit_test(entry_sizes),
        cmocka_unit_test(controller_types),
        cmocka_unit_test(formats),
        cmocka_unit_test(format_indexes),
        cmocka_unit_test(namespaces_refused),
        cmocka_unit_test(block_sizes),
        cmocka_unit_test(largest_namespace),
        cmocka_unit_test(inactive_namespace),
        cmocka_unit_test(lists),
        cmocka_unit_test(status_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
