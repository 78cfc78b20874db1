// SPDX-License-Identifier: BSD-2-Clause
// Lines and objects by way of the console: when they go out, who waits, and what a panic finds.
#include "kernel/base/console.c" // their state is one: each test begins anew
#include "kernel/base/report.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/cache.h"
#include "tests/host/uart_model.h"

#include <cmocka.h> // last: it makes a macro of fail()

static struct cpu cpus[2], *current;
static char screen[1 << 12];
static jmp_buf ended;
static unsigned kicks;

struct cpu *this_cpu(void)
{
    return current;
}

unsigned cpu_index(void)
{
    return current->index;
}

void screen_write(const char *bytes, size_t count)
{
    size_t used = strlen(screen);
    assert_true(used + count < sizeof(screen));
    memcpy(screen + used, bytes, count);
    screen[used + count] = 0;
}

static unsigned steps_to_draw;

bool screen_draw(unsigned pixels)
{
    steps_to_draw = pixels == SCREEN_ALL || !steps_to_draw ? 0 : steps_to_draw - 1;
    return steps_to_draw;
}

void screen_take_over(void)
{
}

void screen_hand_back(void)
{
}

void cache_model_flush(const volatile void *at, size_t bytes)
{
}

void input_add(struct input_source *source)
{
}

noreturn void halt_forever(void)
{
    longjmp(ended, 2);
}

static void kick(void)
{
    kicks++;
}

static void end_run(void)
{
    longjmp(ended, 1);
}

static int reset(void **state)
{
    struct console_choice choice = { 0 };
    uarts_reset();
    uarts[0].present = uarts[1].present = true;
    memset(&console, 0, sizeof(console));
    memset(&report, 0, sizeof(report));
    cpus[0].looping = cpus[1].looping = false;
    cpus[1].index = 1;
    current = &cpus[0];
    screen[0] = 0;
    kicks = 0;
    console_init(&choice);
    report_set_end(end_run);
    return 0;
}

static void expect_sent(unsigned uart, const char *text)
{
    uarts[uart].sent[uarts[uart].sent_bytes] = 0;
    assert_string_equal(uarts[uart].sent, text);
    assert_int_equal(uarts[uart].writes_while_full, 0);
    assert_false(spinlock_is_locked(&report.lock));
}

static void send_object(void)
{
    char text[64];
    struct json j;
    json_begin(&j, text, sizeof(text), "test");
    report_json(&j);
}

// Before there is a loop, a line is out when the call returns.
static void test_at_once(void **state)
{
    uarts[0].looks = 20;
    info("a line of %d characters", 23);
    send_object();
    expect_sent(0, "a line of 23 characters\r\n");
    expect_sent(1, "{\"type\":\"test\"}\n");
    assert_string_equal(screen, "a line of 23 characters\n");
}

static void test_kept_in_the_loop(void **state)
{
    uint32_t pace;
    report_set_kick(kick);
    cpus[0].looping = true;
    info("one");
    send_object();
    assert_int_equal(kicks, 2);
    expect_sent(0, "");
    assert_string_equal(screen, "one\n"); // which is fast
    assert_false(report_pump(1, &pace));
    expect_sent(0, "one\r\n");
    expect_sent(1, "{\"type\":\"test\"}\n");
}

static void test_pump_takes_a_piece(void **state)
{
    uint32_t pace;
    report_set_kick(kick);
    cpus[0].looping = true;
    uarts[0].looks = 2;
    info("0123456789abcdefghij");
    assert_true(report_pump(1, &pace));
    assert_in_range(pace, 1380, 1400);
    expect_sent(0, "0123456789abcdef");
    assert_true(report_pump(2, &pace));
    expect_sent(0, "0123456789abcdef");
    assert_false(report_pump(3, &pace));
    expect_sent(0, "0123456789abcdefghij\r\n");
}

static void fill(void)
{
    char line[512];
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = 0;
    for (unsigned i = 0; i < 2 * RING_BYTES / sizeof(line); i++)
        info("%s", line);
}

// Outside of the loop nothing is lost, and nothing kept: the boot CPU waits for the UART.
// Some of the screen each time, and again at once while there is more.
static void test_pump_draws(void **state)
{
    uint32_t pace;
    report_set_kick(kick);
    cpus[0].looping = true;
    steps_to_draw = 3;
    report_send_on();
    assert_int_equal(kicks, 1);
    assert_int_equal(steps_to_draw, 3);
    for (unsigned i = 2; i > 0; i--) {
        assert_true(report_pump(1, &pace));
        assert_int_equal(steps_to_draw, i);
        assert_int_equal(pace, 0);
    }
    assert_false(report_pump(1, &pace));
    steps_to_draw = 3;
    cpus[0].looping = false;
    report_send_on(); // all of it
    assert_int_equal(steps_to_draw, 0);
}

static void test_waits_outside_of_the_loop(void **state)
{
    report_set_kick(kick);
    uarts[0].looks = 3;
    console.screen[CONSOLE_TEXT] = false;
    cpus[0].looping = true;
    fill(); // as others may have
    cpus[0].looping = false;
    uint32_t lost = console.ports[0].lost[CONSOLE_TEXT];
    fill();
    assert_int_equal(console.ports[0].lost[CONSOLE_TEXT], lost);
    assert_int_equal(uarts[0].sent_bytes, (4 * RING_BYTES / 512 - lost) * 513);
    assert_int_equal(line_ring_used(&console.ports[0].ring), 0);
}

// Inside, and on other CPUs, nobody waits, whatever is lost; and that is told.
static void test_never_waits_in_the_loop(void **state)
{
    report_set_kick(kick);
    console.screen[CONSOLE_TEXT] = false;
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        current = &cpus[cpu];
        cpus[0].looping = cpu == 0;
        uarts[0].stuck = true;
        fill();
        expect_sent(0, "");
        assert_true(console.ports[0].lost[CONSOLE_TEXT] > 0);
    }
    uarts[0].stuck = false;
    current = &cpus[0];
    report_flush();
    report_trouble();
    report_flush();
    uarts[1].sent[uarts[1].sent_bytes] = 0;
    assert_non_null(strstr(uarts[1].sent, "\"what\":\"console-lost\""));
    assert_non_null(strstr(uarts[0].sent, "warning: com1 is too slow"));
}

// A UART that hangs holds up who waits for it no longer than until that is known.
static void test_waits_are_bounded(void **state)
{
    report_set_kick(kick);
    console.screen[CONSOLE_TEXT] = false;
    uarts[0].stuck = true;
    fill();
    assert_int_equal(console.ports[0].state, PORT_GONE);
    report_trouble();
    report_flush();
    uarts[1].sent[uarts[1].sent_bytes] = 0;
    assert_non_null(strstr(uarts[1].sent, "\"what\":\"console-port\""));
}

// Stopped others may hold the lock, and there may be much that nobody has sent yet: it comes first.
static void test_panic_sends_all(void **state)
{
    report_set_kick(kick);
    cpus[0].looping = true;
    info("before");
    spinlock_lock(&report.lock);
    report_take_over();
    info("the panic");
    spinlock_unlock(&report.lock);
    expect_sent(0, "before\r\nthe panic\r\n");
    assert_string_equal(screen, "before\n\nthe panic\n");
    report_hand_back();
    info("after");
    expect_sent(0, "before\r\nthe panic\r\n");
    assert_int_equal(kicks, 2);
}

static void test_panic_with_a_full_ring(void **state)
{
    report_set_kick(kick);
    cpus[0].looping = true;
    console.screen[CONSOLE_TEXT] = false;
    fill();
    report_take_over();
    info("the panic");
    uarts[0].sent[uarts[0].sent_bytes] = 0;
    assert_non_null(strstr(uarts[0].sent, "the panic\r\n"));
}

// What comes next may never come to its end.
static void test_fail_is_out_before_the_end(void **state)
{
    report_set_kick(kick);
    cpus[0].looping = true;
    if (!setjmp(ended))
        (fail)("what", "a sentence");
    expect_sent(0, "error: a sentence\r\n");
    expect_sent(1, "{\"type\":\"error\",\"what\":\"what\",\"message\":\"a sentence\"}\n");
    assert_true(report_failed());
}

static void test_fail_before_the_console_is_found(void **state)
{
    struct console_choice choice = { 0 };
    struct problem p;
    memset(&console, 0, sizeof(console));
    assert_true(console_read_words("console=pci:0:0:5.0", &choice, &p));
    console_init(&choice);
    if (!setjmp(ended))
        (fail)("what", "a sentence");
    expect_sent(0, "error: a sentence\r\n");
}

// Both on one port: an object begins a line of its own, as a line does, where somebody types.
static void test_typing_on_a_shared_port(void **state)
{
    console.ports[1].has[CONSOLE_JSON] = false;
    console.ports[0].has[CONSOLE_JSON] = true;
    report_typed("typ", 3);
    assert_true(report_is_typing());
    send_object();
    assert_false(report_is_typing());
    report_typed("typ", 3);
    info("line");
    report_typed("\n", 1);
    expect_sent(0, "typ\r\n{\"type\":\"test\"}\ntyp\r\nline\r\n\r\n");
}

static void test_typing_beside_objects(void **state)
{
    report_typed("typ", 3);
    send_object();
    assert_true(report_is_typing());
    expect_sent(0, "typ");
    expect_sent(1, "{\"type\":\"test\"}\n");
}

static struct kept_block *keep(size_t used)
{
    static _Alignas(CACHE_LINE) uint8_t memory[KEPT_BYTES];
    struct kept_block *block = (struct kept_block *)memory;
    kept_begin(block, 1);
    block->state += used;
    report_keep(block);
    return block;
}

static void test_objects_are_kept(void **state)
{
    struct kept_block *block = keep(0);
    size_t bytes;
    info("line");
    send_object();
    assert_int_equal(kept_check(block, 1, &bytes), KEPT_WHOLE);
    assert_int_equal(bytes, strlen("{\"type\":\"test\"}\n"));
    assert_memory_equal(block->text, "{\"type\":\"test\"}\n", bytes);
    report_left_out();
    expect_sent(0, "line\r\n");
}

// Domains have a share of what is kept, and sentences about them no part of the results' own room.
static void test_domains_are_kept_in_their_share(void **state)
{
    char text[64];
    struct json j;
    struct kept_block *block = keep(KEPT_TEXT_BYTES - KEPT_SPARE_BYTES);
    size_t used = (uint32_t)block->state;
    error("domain-dma", "domain a");
    warn_by("a", "what", "message");
    error_by("a", "what", "message");
    json_begin(&j, text, sizeof(text), "job");
    report_json_of_domain(&j);
    assert_int_equal((uint32_t)block->state, used);
    error("domain", "message");
    send_object();
    assert_int_equal((uint32_t)block->state - used,
                     strlen("{\"type\":\"error\",\"what\":\"domain\",\"message\":\"message\"}\n"
                            "{\"type\":\"test\"}\n"));
    report_left_out();
    assert_non_null(strstr(uarts[0].sent, "no room for 4 lines"));
    block = keep(0);
    warn_by("a", "what", "message");
    error_by("a", "what", "message");
    json_begin(&j, text, sizeof(text), "job");
    report_json_of_domain(&j);
    error("domain-dma", "domain a");
    assert_in_range(block->domains, 1, (uint32_t)block->state - 1);
    assert_non_null(strstr(block->text + block->domains, "domain-dma"));
}

static void test_no_room_to_keep(void **state)
{
    keep(KEPT_TEXT_BYTES);
    send_object();
    send_object();
    report_left_out();
    assert_non_null(strstr(uarts[0].sent, "no room for 2 lines"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_at_once, reset),
        cmocka_unit_test_setup(test_kept_in_the_loop, reset),
        cmocka_unit_test_setup(test_pump_takes_a_piece, reset),
        cmocka_unit_test_setup(test_pump_draws, reset),
        cmocka_unit_test_setup(test_waits_outside_of_the_loop, reset),
        cmocka_unit_test_setup(test_never_waits_in_the_loop, reset),
        cmocka_unit_test_setup(test_waits_are_bounded, reset),
        cmocka_unit_test_setup(test_panic_sends_all, reset),
        cmocka_unit_test_setup(test_panic_with_a_full_ring, reset),
        cmocka_unit_test_setup(test_fail_is_out_before_the_end, reset),
        cmocka_unit_test_setup(test_fail_before_the_console_is_found, reset),
        cmocka_unit_test_setup(test_typing_on_a_shared_port, reset),
        cmocka_unit_test_setup(test_typing_beside_objects, reset),
        cmocka_unit_test_setup(test_objects_are_kept, reset),
        cmocka_unit_test_setup(test_domains_are_kept_in_their_share, reset),
        cmocka_unit_test_setup(test_no_room_to_keep, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
