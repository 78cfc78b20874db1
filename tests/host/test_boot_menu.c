// SPDX-License-Identifier: BSD-2-Clause
// The loader's menu: when it is asked for, what keys do, and when the clock ends.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/load_options.h"
#include "boot/menu_choice.h"

static struct menu_state m;

static void test_words(void **state)
{
    static const struct {
        const char *words;
        unsigned seconds;
    } cases[] = {
        { "", 0 },
        { "menu=5", 5 },
        { "app=bench menu=12 irq=auto", 12 },
        { "menu=5 menu=0", 0 },
        { "menu=0 menu=7", 7 },
        { "nomenu=5", 0 },
        { "menu=", 0 },
        { "menu=5s", 0 },
        { "menu=-1", 0 },
        { "menu=3600", 3600 },
        { "menu=3601", 0 },
        { "menu=4294967299", 0 },
        { "menu", 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(menu_seconds(cases[i].words), cases[i].seconds);
}

static void test_time_out(void **state)
{
    menu_begin(&m, 2);
    assert_int_equal(menu_left(&m), 2);
    for (unsigned i = 1; i < 2 * MENU_TICKS_PER_SECOND; i++) {
        menu_tick(&m);
        assert_false(m.done);
        assert_int_equal(menu_left(&m), i < MENU_TICKS_PER_SECOND ? 2 : 1);
    }
    menu_tick(&m);
    assert_true(m.done);
    assert_null(menu_entries[m.choice].app);
}

// A key that means nothing stops the clock, and the menu waits.
static void test_other_key(void **state)
{
    static const char keys[] = { 0, '0', '7', 'x', 27, ' ' };
    for (size_t i = 0; i < sizeof(keys); i++) {
        menu_begin(&m, 1);
        menu_key(&m, (uint8_t)keys[i]);
        for (unsigned tick = 0; tick < 100; tick++)
            menu_tick(&m);
        assert_false(m.done);
        assert_int_equal(menu_left(&m), 0);
        menu_key(&m, '\r');
        assert_true(m.done);
        assert_int_equal(m.choice, 0);
    }
}

static void test_digits(void **state)
{
    static const char *const apps[] = { NULL, "job", "bench", "platform", "selftest", "monitor" };
    for (unsigned i = 0; i < MENU_ENTRIES; i++) {
        menu_begin(&m, 5);
        menu_tick(&m);
        menu_key(&m, '1' + i);
        assert_true(m.done);
        const char *app = menu_entries[m.choice].app;
        assert_true(apps[i] ? app && !strcmp(app, apps[i]) : !app);
    }
}

// What is chosen goes behind the words that there are; to a line that is cut off already nothing is added.
static void test_added(void **state)
{
    char text[16] = "";
    struct options o;
    options_continue(&o, text, sizeof(text), 0);
    options_add_words(&o, "app=");
    options_add_words(&o, "job");
    assert_string_equal(text, "app=job");
    options_continue(&o, text, sizeof(text), 0);
    options_add_words(&o, "app=dsa");
    assert_string_equal(text, "app=job app=dsa");
    options_continue(&o, text, sizeof(text), 0);
    options_add_words(&o, "x");
    assert_string_equal(text, "app=job app=dsa");
    assert_int_equal(o.dropped, 2);
    strcpy(text, "a=1");
    options_continue(&o, text, sizeof(text), 3);
    options_add_words(&o, "b");
    assert_string_equal(text, "a=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),     cmocka_unit_test(test_time_out),
        cmocka_unit_test(test_other_key), cmocka_unit_test(test_digits),
        cmocka_unit_test(test_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
