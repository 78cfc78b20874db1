// SPDX-License-Identifier: BSD-2-Clause
// The posted-interrupt descriptor, one thread: layout, harvest, and when a post notifies.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/irq/posted.h"

static struct pi_desc desc;
static uint64_t found[PI_WORDS]; // by the last harvest

static bool harvest(void)
{
    uint64_t any = 0;
    for (unsigned w = 0; w < PI_WORDS; w++)
        any |= found[w] = pi_take(&desc, w);
    return any;
}

static int fresh(void **state)
{
    pi_init(&desc, 0x12345678, 0xef, false);
    return 0;
}

// VT-d 9.11, spelled in bytes: ON is bit 256, SN 257, NV 279:272, NDST 319:288.
static void layout(void **state)
{
    uint8_t bytes[64];
    pi_init(&desc, 0x12345678, 0xef, true);
    memcpy(bytes, &desc, sizeof(bytes));
    const uint8_t control[8] = { 0x02, 0x00, 0xef, 0x00, 0x78, 0x56, 0x34, 0x12 };
    assert_memory_equal(bytes + 32, control, sizeof(control));
    for (unsigned i = 0; i < 64; i++)
        if (i < 32 || i >= 40)
            assert_int_equal(bytes[i], 0);
}

static void harvest_of_nothing_finds_nothing(void **state)
{
    assert_false(harvest());
}

static void one_that_is_prepared_anew_is_empty(void **state)
{
    for (unsigned v = 0; v < 256; v++)
        pi_post(&desc, (uint8_t)v, true);
    pi_init(&desc, 1, 0xef, false);
    assert_false(pi_any(&desc));
    assert_false(harvest());
    assert_int_equal(desc.control & (PI_CONTROL_ON | PI_CONTROL_SN), 0);
}

static void every_vector_is_found_once(void **state)
{
    for (unsigned v = 0; v < 256; v++) {
        pi_post(&desc, (uint8_t)v, false);
        assert_true(harvest());
        for (unsigned w = 0; w < PI_WORDS; w++)
            assert_int_equal(found[w], w == v / 64 ? BIT64(v % 64) : 0);
        assert_false(harvest());
    }
}

static void all_words_are_taken_at_once(void **state)
{
    uint64_t bits[PI_WORDS];
    assert_false(pi_take_all(&desc, bits));
    pi_post(&desc, 3, false);
    pi_post(&desc, 130, false);
    pi_post(&desc, 129, false);
    pi_post(&desc, 255, false);
    assert_true(pi_take_all(&desc, bits));
    const uint64_t posted[PI_WORDS] = { BIT64(3), 0, BIT64(1) | BIT64(2), BIT64(63) };
    assert_memory_equal(bits, posted, sizeof(posted));
    assert_false(pi_any(&desc));
    assert_false(pi_take_all(&desc, bits));
}

static void posts_notify_once_until_on_is_cleared(void **state)
{
    assert_true(pi_post(&desc, 33, false));
    assert_false(pi_post(&desc, 34, false));
    assert_true(harvest());
    assert_false(pi_post(&desc, 35, false)); // harvested, but ON still stands
    pi_clear_on(&desc);
    assert_true(pi_post(&desc, 36, false));
    assert_true(harvest());
    assert_int_equal(found[0], BIT64(35) | BIT64(36));
}

static void suppressed_posts_set_no_on_unless_urgent(void **state)
{
    pi_init(&desc, 1, 0xef, true);
    assert_false(pi_post(&desc, 40, false));
    assert_int_equal(desc.control & PI_CONTROL_ON, 0);
    assert_true(pi_post(&desc, 41, true));
    assert_int_equal(desc.control & PI_CONTROL_ON, PI_CONTROL_ON);
    assert_true(harvest());
    assert_int_equal(found[0], BIT64(40) | BIT64(41));
}

static void clearing_on_leaves_the_rest(void **state)
{
    pi_post(&desc, 50, false);
    uint64_t before = desc.control;
    pi_clear_on(&desc);
    assert_int_equal(desc.control, before & ~PI_CONTROL_ON);
    assert_int_equal(desc.pir[0], BIT64(50));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(layout, fresh),
        cmocka_unit_test_setup(harvest_of_nothing_finds_nothing, fresh),
        cmocka_unit_test_setup(one_that_is_prepared_anew_is_empty, fresh),
        cmocka_unit_test_setup(every_vector_is_found_once, fresh),
        cmocka_unit_test_setup(all_words_are_taken_at_once, fresh),
        cmocka_unit_test_setup(posts_notify_once_until_on_is_cleared, fresh),
        cmocka_unit_test_setup(suppressed_posts_set_no_on_unless_urgent, fresh),
        cmocka_unit_test_setup(clearing_on_leaves_the_rest, fresh),
    };
    return cmocka_run_group_tests_name("posted", tests, NULL, NULL);
}
