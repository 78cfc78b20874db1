// SPDX-License-Identifier: BSD-2-Clause
// Capability registers as values: what is used of a good device, and each way to be refused.

#include <setjmp.h>
#include <stdarg.h>

#include <string.h>

#include <cmocka.h>

#include "drivers/dsa/caps.h"
#include "drivers/dsa/dsa_regs.h"

// As published for Sapphire Rapids: 8 WQs, 128 entries, 4 groups, 4 engines.
static struct dsa_regs good(void)
{
    return (struct dsa_regs){
        .version = 0x100,
        .gencap = DSA_GENCAP_CONFIGURABLE | DSA_GENCAP_CMDCAP |
                  field_put(DSA_GENCAP_MAX_TRANSFER, 31) | field_put(DSA_GENCAP_MAX_BATCH, 10),
        .wqcap = DSA_WQCAP_DEDICATED | field_put(DSA_WQCAP_TOTAL_SIZE, 128) |
                 field_put(DSA_WQCAP_WQS, 8),
        .grpcap = field_put(DSA_GRPCAP_GROUPS, 4) | field_put(DSA_GRPCAP_READ_BUFFERS, 96) |
                  DSA_GRPCAP_READ_BUFFER_CONTROL,
        .engcap = 4,
        .opcap = { BIT64(DSA_NOOP) | BIT64(DSA_BATCH) | BIT64(DSA_MOVE) | BIT64(DSA_FILL) |
                   BIT64(DSA_COMPARE) | BIT64(DSA_CRC) },
        .offsets = { 6 | 8 << 16 | 4ull << 32 },
        .cmdcap = 0x3ffe & ~BIT32(DSA_REQUEST_HANDLE),
        .bar_bytes = 64 * KIB,
        .portal_bytes = 128 * KIB,
        .vectors = 9,
    };
}

static void decodes(void **state)
{
    struct dsa_regs r = good();
    struct dsa_caps c;
    struct problem p;
    assert_true(dsa_decode(&r, "x", &c, &p));
    assert_int_equal(c.major, 1);
    assert_int_equal(c.queues, 8);
    assert_int_equal(c.entries, 128);
    assert_int_equal(c.engines, 4);
    assert_int_equal(c.groups, 4);
    assert_int_equal(c.read_buffers, 96);
    r.grpcap &= ~DSA_GRPCAP_READ_BUFFER_CONTROL;
    assert_true(dsa_decode(&r, "x", &c, &p));
    assert_int_equal(c.read_buffers, 0);
    assert_int_equal(c.transfer_shift, 31);
    assert_int_equal(c.batch_shift, 10);
    assert_int_equal(c.grpcfg, 0x600);
    assert_int_equal(c.wqcfg, 0x800);
    assert_int_equal(c.msix_perm, 0x400);
    assert_int_equal(c.wqcfg_bytes, 32);
    assert_true(dsa_has(&c, DSA_CRC));
    assert_false(dsa_has(&c, DSA_DRAIN));
    assert_false(c.asks_handles);
    assert_true(c.has_abort);
    assert_false(c.cache_control);
    r.gencap |= DSA_GENCAP_CACHE_CONTROL;
    assert_true(dsa_decode(&r, "x", &c, &p));
    assert_true(c.cache_control);
}

// CMDCAP counts only where GENCAP says that it is there.
static void commands(void **state)
{
    struct dsa_regs r = good();
    struct dsa_caps c;
    struct problem p;
    r.cmdcap |= BIT32(DSA_REQUEST_HANDLE);
    r.cmdcap &= ~BIT32(DSA_ABORT_ALL);
    assert_true(dsa_decode(&r, "x", &c, &p));
    assert_true(c.asks_handles);
    assert_false(c.has_abort);
    r.gencap &= ~DSA_GENCAP_CMDCAP;
    assert_true(dsa_decode(&r, "x", &c, &p));
    assert_false(c.asks_handles);
    assert_true(c.has_abort);
    r.cmdcap = 0;
    assert_true(dsa_decode(&r, "x", &c, &p));
}

// As many WQs as have an interrupt, entries and portals.
static void fewer_queues(void **state)
{
    struct dsa_regs r = good();
    struct dsa_caps c;
    struct problem p;
    r.vectors = 4;
    assert_true(dsa_decode(&r, "x", &c, &p));
    assert_int_equal(c.queues, 3);
    r = good();
    r.portal_bytes = 5 * DSA_PORTALS_BYTES + 1;
    assert_true(dsa_decode(&r, "x", &c, &p));
    assert_int_equal(c.queues, 5);
    r = good();
    field_set(&r.wqcap, DSA_WQCAP_TOTAL_SIZE, 2);
    assert_true(dsa_decode(&r, "x", &c, &p));
    assert_int_equal(c.queues, 2);
}

static void refuse(const struct dsa_regs *r, const char *what)
{
    struct dsa_caps c;
    struct problem p;
    assert_false(dsa_decode(r, "0000:6a:01.0", &c, &p));
    assert_string_equal(p.what, what);
    assert_non_null(strstr(p.message, "0000:6a:01.0: Intel DSA: "));
    assert_int_not_equal(p.message[strlen(p.message) - 1], '.');
}

#define REFUSE(what, change)                                                                       \
    do {                                                                                           \
        struct dsa_regs r = good();                                                                \
        change;                                                                                    \
        refuse(&r, what);                                                                          \
    } while (0)

static void refused(void **state)
{
    REFUSE("dsa-silent", r.version = UINT32_MAX);
    REFUSE("dsa-silent", r.gencap = UINT64_MAX);
    REFUSE("dsa-version", r.version = 0x0010);
    REFUSE("dsa-fixed", r.gencap &= ~DSA_GENCAP_CONFIGURABLE);
    REFUSE("dsa-queues", r.wqcap &= ~DSA_WQCAP_DEDICATED);
    REFUSE("dsa-queues", field_set(&r.wqcap, DSA_WQCAP_WQS, 0));
    REFUSE("dsa-queues", field_set(&r.wqcap, DSA_WQCAP_TOTAL_SIZE, 0));
    REFUSE("dsa-vectors", r.vectors = 1);
    REFUSE("dsa-tables", r.portal_bytes = DSA_PORTALS_BYTES - 1);
    REFUSE("dsa-engines", r.engcap = 0);
    REFUSE("dsa-engines", r.grpcap = 0);
    REFUSE("dsa-operations", r.opcap[0] &= ~BIT64(DSA_FILL));
    REFUSE("dsa-tables", r.offsets[0] = 0);
    REFUSE("dsa-tables", r.bar_bytes = 0x800 + 7 * 32);
    REFUSE("dsa-tables", field_set(&r.offsets[0], DSA_OFFSETS_GRPCFG, 0xffff));
    REFUSE("dsa-tables", field_set(&r.offsets[0], DSA_OFFSETS_MSIX_PERM, 0xffff));
    for (unsigned command = DSA_ENABLE_DEVICE; command <= DSA_DRAIN_WQ; command++)
        if (command != DSA_DRAIN_ALL && command != DSA_ABORT_ALL)
            REFUSE("dsa-commands", r.cmdcap &= ~BIT32(command));
    REFUSE("dsa-limits", field_set(&r.gencap, DSA_GENCAP_MAX_TRANSFER, 11));
}

static void models(void **state)
{
    assert_string_equal(dsa_find_model(0x8086, 0x0b25), "Sapphire Rapids");
    assert_non_null(dsa_find_model(0x8086, 0x11fb));
    assert_non_null(dsa_find_model(0x8086, 0x1212));
    assert_null(dsa_find_model(0x8086, 0x0cfe)); // Intel IAA
    assert_null(dsa_find_model(0x1af4, 0x0b25));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes), cmocka_unit_test(commands), cmocka_unit_test(fewer_queues),
        cmocka_unit_test(refused), cmocka_unit_test(models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
