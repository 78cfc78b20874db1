// SPDX-License-Identifier: BSD-2-Clause
// Lines to UARTs: which ones, in which order, and what becomes of those that a UART doesn't take.
#include "kernel/base/report.h" // before cmocka, whose fail() is a macro

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "kernel/base/console.c" // its state is one: each test begins anew
#include "lib/string.h"
#include "tests/host/uart_model.h"

static struct input_source *typed;

void input_add(struct input_source *source)
{
    typed = source;
}

static void start(const char *cmdline, unsigned coms)
{
    struct console_choice choice = { 0 };
    struct problem p;
    for (unsigned i = 0; i < CONSOLE_COMS; i++)
        uarts[i].present = coms >> i & 1;
    memset(&console, 0, sizeof(console));
    assert_true(console_read_words(cmdline, &choice, &p));
    console_init(&choice);
}

static int reset(void **state)
{
    uarts_reset();
    return 0;
}

static void put(enum console_stream stream, const char *line)
{
    console_put(stream, line, strlen(line));
}

static void push_all(void)
{
    for (unsigned i = 0; console_push(); i++)
        assert_true(i < 1000 * LOOKS_LEAST);
}

static void expect_sent(unsigned uart, const char *text)
{
    uarts[uart].sent[uarts[uart].sent_bytes] = 0;
    assert_string_equal(uarts[uart].sent, text);
    assert_int_equal(uarts[uart].writes_while_full, 0);
}

static void expect_trouble(const char *what, const char *words)
{
    struct problem p;
    assert_true(console_trouble(&p));
    assert_string_equal(p.what, what);
    if (!strstr(p.message, words))
        fail_msg("\"%s\" isn't in: %s", words, p.message);
}

static void expect_no_trouble(void)
{
    struct problem p = { .message = "" };
    if (console_trouble(&p))
        fail_msg("%s", p.message);
}

static void expect_lists(const char *text, const char *json)
{
    char to[CONSOLE_LIST_BYTES];
    assert_string_equal(console_list(CONSOLE_TEXT, to), text);
    assert_string_equal(console_list(CONSOLE_JSON, to), json);
}

static void test_two_ports(void **state)
{
    start("", 3);
    assert_true(console_on_screen(CONSOLE_TEXT));
    assert_false(console_on_screen(CONSOLE_JSON));
    assert_false(console_is_shared());
    expect_lists("com1, screen", "com2");
    put(CONSOLE_TEXT, "for people\n");
    put(CONSOLE_JSON, "{}\n");
    put(CONSOLE_TEXT, "more\n");
    expect_sent(0, ""); // nobody waits
    push_all();
    expect_sent(0, "for people\r\nmore\r\n");
    expect_sent(1, "{}\n");
    expect_no_trouble();
}

static void test_one_port_for_both(void **state)
{
    start("", 1);
    assert_true(console_is_shared());
    expect_lists("com1, screen", "com1");
    put(CONSOLE_TEXT, "one\n");
    put(CONSOLE_JSON, "{\"two\":2}\n");
    put(CONSOLE_TEXT, "three\n");
    push_all();
    expect_sent(0, "one\r\n{\"two\":2}\nthree\r\n");
    start("json=screen", 1);
    assert_true(console_is_shared());
    start("console=com1 json=screen", 1);
    assert_false(console_is_shared());
    expect_lists("com1", "screen");
}

static void test_none(void **state)
{
    start("console=none json=none", 3);
    expect_lists("nowhere", "nowhere");
    put(CONSOLE_TEXT, "one\n");
    put(CONSOLE_JSON, "{}\n");
    push_all();
    expect_sent(0, "");
    expect_sent(1, "");
    assert_false(console_on_screen(CONSOLE_TEXT));
    start("", 0); // of a machine without any
    expect_lists("screen", "nowhere");
    expect_no_trouble();
}

static void test_to_several(void **state)
{
    start("console=com1,com3 json=com3", 0xf);
    put(CONSOLE_TEXT, "a\n");
    put(CONSOLE_JSON, "{}\n");
    push_all();
    expect_sent(0, "a\r\n");
    expect_sent(1, "");
    expect_sent(2, "a\r\n{}\n");
}

// As much as the FIFO takes, and no more before it is empty.
static void test_in_pieces(void **state)
{
    start("", 3);
    uarts[0].looks = 5;
    put(CONSOLE_TEXT, "0123456789abcdefghij\n");
    assert_true(console_push());
    assert_int_equal(uarts[0].sent_bytes, 16);
    assert_true(console_push()); // still sending
    assert_int_equal(uarts[0].sent_bytes, 16);
    push_all();
    expect_sent(0, "0123456789abcdefghij\r\n");
    assert_int_equal(uarts[0].most_in_fifo, 16);
}

static void test_pace(void **state)
{
    start("console=com1,9600 json=com2", 3);
    put(CONSOLE_TEXT, "slow\n");
    assert_in_range(console_pace_us(), 16600, 16700);
    put(CONSOLE_JSON, "{}\n");
    assert_in_range(console_pace_us(), 1380, 1400);
}

// One that hangs holds up neither the other one nor who waits.
static void test_hangs(void **state)
{
    start("", 3);
    uarts[0].stuck = true;
    put(CONSOLE_TEXT, "lost\n");
    put(CONSOLE_JSON, "{}\n");
    push_all();
    expect_sent(0, "");
    expect_sent(1, "{}\n");
    expect_trouble("console-port", "com1");
    expect_no_trouble();
    uarts[0].stuck = false;
    put(CONSOLE_TEXT, "never\n");
    push_all();
    expect_sent(0, "");
    expect_lists("screen", "com2");
}

static void test_slow_is_no_hang(void **state)
{
    start("", 3);
    uarts[0].looks = LOOKS_LEAST;
    put(CONSOLE_TEXT, "0123456789abcdefghij0123456789abcdefghij\n");
    push_all();
    expect_sent(0, "0123456789abcdefghij0123456789abcdefghij\r\n");
    expect_no_trouble();
}

// 16 characters at 300 baud take half a second.
static void test_slow_line_has_more_time(void **state)
{
    start("console=com1,300", 1);
    uarts[0].looks = 600000;
    put(CONSOLE_TEXT, "0123456789abcdefghij\n");
    push_all();
    expect_sent(0, "0123456789abcdefghij\r\n");
    expect_no_trouble();
}

// In the loop nobody waits, and time tells.
static void test_hangs_in_the_loop(void **state)
{
    start("", 3);
    uarts[1].stuck = true;
    put(CONSOLE_JSON, "{}\n");
    put(CONSOLE_TEXT, "x\n");
    for (uint64_t s = 1; s <= 11; s++)
        assert_true(console_push_timed(s * NS_PER_S));
    expect_sent(0, "x\r\n");
    expect_no_trouble();
    assert_false(console_push_timed(12 * NS_PER_S));
    expect_trouble("console-port", "com2");
}

static void test_takes_something_once_in_a_while(void **state)
{
    start("", 3);
    put(CONSOLE_JSON, "0123456789abcdef0123456789abcdef0123456789abcdef\n");
    for (uint64_t s = 1; s <= 27; s++) {
        uarts[1].stuck = s % 9;
        console_push_timed(s * NS_PER_S);
    }
    assert_int_equal(uarts[1].sent_bytes, 48);
    expect_no_trouble();
}

static char line[1001];

static const char *long_line(void)
{
    memset(line, 'x', sizeof(line) - 2);
    line[sizeof(line) - 2] = '\n';
    return line;
}

static void test_lost_lines_are_told(void **state)
{
    start("", 3);
    unsigned fit = RING_BYTES / 1001;
    for (unsigned i = 0; i < fit; i++)
        put(CONSOLE_TEXT, long_line()); // with its CR each has 1001 bytes
    expect_no_trouble();
    assert_false(console_has_room(CONSOLE_TEXT, long_line(), 1000));
    put(CONSOLE_TEXT, long_line());
    put(CONSOLE_TEXT, long_line());
    expect_no_trouble(); // it would be lost as well
    push_all();
    assert_int_equal(uarts[0].sent_bytes, fit * 1001);
    expect_trouble("console-lost",
                   "com1 is too slow for what was printed: 2 lines for people and 0 of JSON");
    expect_no_trouble();
}

// What people see gives way to what tools read.
static void test_json_has_a_share(void **state)
{
    start("", 1);
    for (unsigned i = 0; i < 2 * RING_BYTES / 1001; i++)
        put(CONSOLE_TEXT, long_line());
    assert_true(line_ring_used(&console.ports[0].ring) <= RING_BYTES - RING_BYTES / JSON_SHARE);
    assert_true(console_has_room(CONSOLE_JSON, long_line(), 1000));
    for (unsigned i = 0; i < RING_BYTES / JSON_SHARE / 1000; i++)
        put(CONSOLE_JSON, long_line());
    assert_int_equal(console.ports[0].lost[CONSOLE_JSON], 0);
}

// Who waits for what there is doesn't wait for what others print meanwhile, and go on printing.
static void test_waits_for_what_there_was(void **state)
{
    unsigned pushes = 0;
    start("", 3);
    put(CONSOLE_TEXT, long_line());
    console_note();
    do
        put(CONSOLE_TEXT, long_line());
    while (console_push_noted() && ++pushes < 100);
    assert_in_range(uarts[0].sent_bytes, 1001, 1001 + 15);
    console_note();
    while (console_push_noted())
        ;
    assert_false(has_more(&console.ports[0]));
}

static void test_falls_behind(void **state)
{
    start("", 3);
    for (unsigned i = 0; i < BEHIND_BYTES / 1001; i++)
        put(CONSOLE_TEXT, long_line());
    assert_false(console_is_behind());
    put(CONSOLE_TEXT, long_line());
    assert_true(console_is_behind());
    console.ports[0].state = PORT_GONE; // nobody waits for that one
    assert_false(console_is_behind());
}

// ---- what is found later ----

static void test_kept_until_found(void **state)
{
    start("console=mmio:0xfe034000:4", 2);
    unsigned i = 0;
    put(CONSOLE_TEXT, "early\n");
    push_all();
    assert_null(console_waiting(CONSOLE_PCI, &i));
    i = 0;
    const struct console_place *place = console_waiting(CONSOLE_MMIO, &i);
    assert_non_null(place);
    assert_int_equal(place->address, 0xfe034000);
    uart_memory_stride = uart_memory_width = 4;
    uarts[UART_MEMORY].present = true;
    console_found(i, 0, uart_memory);
    put(CONSOLE_TEXT, "late\n");
    push_all();
    expect_sent(UART_MEMORY, "early\r\nlate\r\n");
    assert_int_equal(uart_bad_accesses, 0);
    expect_no_trouble();
    i = 0;
    assert_null(console_waiting(CONSOLE_MMIO, &i));
}

static void test_pci_at_a_port(void **state)
{
    start("console=com1 json=pci:0000:00:05.0", 1);
    unsigned i = 0;
    put(CONSOLE_JSON, "{}\n");
    assert_non_null(console_waiting(CONSOLE_PCI, &i));
    uarts[UART_OTHER].present = true;
    console_found(i, UART_OTHER_PORT, NULL);
    push_all();
    expect_sent(UART_OTHER, "{}\n");
}

// The first COM port that has nothing else to do takes what was kept.
static void test_not_found(void **state)
{
    start("console=pci:0000:00:05.0 json=com2", 7);
    unsigned i = 0;
    put(CONSOLE_TEXT, "early\n");
    assert_non_null(console_waiting(CONSOLE_PCI, &i));
    console_not_found(i, "there is no such thing");
    push_all();
    expect_sent(0, "early\r\n");
    expect_trouble("console-port", "pci:0000:00:05.0:0: there is no such thing");
    expect_lists("com1", "com2");
}

static void test_not_found_and_no_port_left(void **state)
{
    start("console=mmio:0xfe034000:4", 2);
    unsigned i = 0;
    put(CONSOLE_TEXT, "early\n");
    put(CONSOLE_JSON, "{}\n");
    assert_non_null(console_waiting(CONSOLE_MMIO, &i));
    console_found(i, 0, uart_memory); // nobody answers
    put(CONSOLE_TEXT, "late\n");
    push_all();
    expect_sent(1, "{}\nearly\r\nlate\r\n");
    expect_trouble("console-port", "no UART answers");
    assert_true(console_is_shared());
}

static void test_ends_before_it_is_found(void **state)
{
    start("console=pci:0000:00:05.0", 1);
    put(CONSOLE_TEXT, "error\n");
    console_stop_waiting();
    push_all();
    expect_sent(0, "error\r\n");
    expect_no_trouble();
    unsigned i = 0;
    assert_null(console_waiting(CONSOLE_PCI, &i));
}

static void test_named_port_is_missing(void **state)
{
    start("console=com3 json=com4", 3);
    put(CONSOLE_TEXT, "a\n");
    put(CONSOLE_JSON, "{}\n");
    push_all();
    expect_sent(0, "a\r\n");
    expect_sent(1, "{}\n");
    expect_trouble("console-port", "com3");
    expect_trouble("console-port", "com4");
    expect_no_trouble();
}

// It answers, but never gets done with sending: found at once, by looks alone.
static void test_hangs_from_the_start(void **state)
{
    uarts[0].stuck = true;
    start("console=com1 json=com2", 7);
    put(CONSOLE_TEXT, "a\n");
    push_all();
    expect_sent(2, "a\r\n");
    expect_trouble("console-port", "com1: its transmitter");
    uarts_reset();
    uarts[1].stuck = true;
    start("", 3); // the same where nobody named it
    put(CONSOLE_JSON, "{}\n");
    push_all();
    expect_sent(0, "{}\n");
    expect_trouble("console-port", "com2: its transmitter");
    expect_no_trouble();
}

static void test_typed(void **state)
{
    start("console=com1,com3", 0xf);
    assert_int_equal(typed->poll(), -1);
    uarts[0].typed = "a";
    uarts[1].typed = "no"; // JSON's
    uarts[2].typed = "b";
    assert_int_equal(typed->poll(), 'a');
    assert_int_equal(typed->poll(), 'b');
    assert_int_equal(typed->poll(), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_two_ports, reset),
        cmocka_unit_test_setup(test_one_port_for_both, reset),
        cmocka_unit_test_setup(test_none, reset),
        cmocka_unit_test_setup(test_to_several, reset),
        cmocka_unit_test_setup(test_in_pieces, reset),
        cmocka_unit_test_setup(test_pace, reset),
        cmocka_unit_test_setup(test_hangs, reset),
        cmocka_unit_test_setup(test_slow_is_no_hang, reset),
        cmocka_unit_test_setup(test_slow_line_has_more_time, reset),
        cmocka_unit_test_setup(test_hangs_in_the_loop, reset),
        cmocka_unit_test_setup(test_takes_something_once_in_a_while, reset),
        cmocka_unit_test_setup(test_lost_lines_are_told, reset),
        cmocka_unit_test_setup(test_json_has_a_share, reset),
        cmocka_unit_test_setup(test_waits_for_what_there_was, reset),
        cmocka_unit_test_setup(test_falls_behind, reset),
        cmocka_unit_test_setup(test_kept_until_found, reset),
        cmocka_unit_test_setup(test_pci_at_a_port, reset),
        cmocka_unit_test_setup(test_not_found, reset),
        cmocka_unit_test_setup(test_not_found_and_no_port_left, reset),
        cmocka_unit_test_setup(test_ends_before_it_is_found, reset),
        cmocka_unit_test_setup(test_named_port_is_missing, reset),
        cmocka_unit_test_setup(test_hangs_from_the_start, reset),
        cmocka_unit_test_setup(test_typed, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
