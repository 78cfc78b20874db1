// SPDX-License-Identifier: BSD-2-Clause
// A program's calls, right ones and nonsense.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/cpus.h"
#include "kernel/domain/calls.h"
#include "kernel/domain/space.h"
#include "kernel/x86/time.h"
#include "lib/json.h"

// As in report.h, whose fail() is a macro of cmocka's.
void info(const char *fmt, ...);
void warn_by(const char *domain, const char *what, const char *message);
void error_by(const char *domain, const char *what, const char *message);
void report_json_of_domain(struct json *j);
bool report_is_behind(void);

// Two pages of the program's, one behind the other for it, and not for the kernel.
#define FIRST 0x100000000ull
#define PAGE 4096ull
static char pages[2][2 * PAGE];

static struct domain_team team;
static struct domain_cpu dc;
static struct problem problem;
static uint64_t now_ns;
static bool is_behind;
static char said[8192];

void *space_at(const struct space *s, uint64_t virt, uint64_t bytes, bool write)
{
    uint64_t page = (virt - FIRST) / PAGE;
    if (virt < FIRST || page > 1 || bytes > PAGE - virt % PAGE)
        return NULL;
    return pages[page] + virt % PAGE;
}

uint64_t time_ns(void)
{
    return now_ns;
}

// Each tells whose and which it is.
const struct cpu_stats *cpu_stats(unsigned cpu)
{
    static struct cpu_stats stats;
    uint64_t n = cpu * 10ull;
    stats = (struct cpu_stats){ .notifications = n,
                                .msis = n + 1,
                                .sleeps = n + 2,
                                .wakes = n + 3,
                                .timers = n + 4,
                                .ipis = n + 5 };
    return &stats;
}

void info(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(said, sizeof(said), fmt, args);
    va_end(args);
}

void warn_by(const char *domain, const char *what, const char *message)
{
    snprintf(said, sizeof(said), "warning %s|%s|%s", domain, what, message);
}

void error_by(const char *domain, const char *what, const char *message)
{
    snprintf(said, sizeof(said), "error %s|%s|%s", domain, what, message);
}

bool report_is_behind(void)
{
    return is_behind;
}

void report_json_of_domain(struct json *j)
{
    const char *text = json_end(j);
    assert_non_null(text);
    snprintf(said, sizeof(said), "%s", text);
}

static int begin(void **state)
{
    is_behind = false;
    team = (struct domain_team){ .name = "db", .cpus_count = 3 };
    memset(&dc, 0, sizeof(dc));
    dc.team = &team;
    now_ns = 5 * NS_PER_S;
    domain_voice_begin(&team.voice, now_ns);
    said[0] = 0;
    problem = (struct problem){ 0 };
    return 0;
}

static enum domain_action call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    dc.frame.rax = number;
    dc.frame.rdi = a;
    dc.frame.rsi = b;
    dc.frame.rdx = c;
    return domain_call_take(&dc, &problem);
}

static void is_nonsense(uint64_t number, uint64_t a, uint64_t b, uint64_t c, const char *says)
{
    assert_int_equal(call(number, a, b, c), DOMAIN_NONSENSE);
    assert_string_equal(problem.what, "domain-call");
    if (!strstr(problem.message, says))
        fail_msg("\"%s\" isn't in \"%s\"", says, problem.message);
    assert_string_equal(said, "");
}

// The program's text, that many bytes before its second page.
static uint64_t put(const char *text, size_t before)
{
    uint64_t at = FIRST + PAGE - before;
    for (size_t i = 0; text[i]; i++)
        pages[(at + i - FIRST) / PAGE][(at + i) % PAGE] = text[i];
    return at;
}

static enum domain_action print(enum domain_text kind, const char *text)
{
    return call(DOMAIN_CALL_PRINT, kind, put(text, PAGE / 2), strlen(text));
}

// ---- tests ----

static void there_are_no_other_calls(void **state)
{
    is_nonsense(DOMAIN_CALLS, 0, 0, 0, "the number 0x6");
    is_nonsense(UINT64_MAX, 0, 0, 0, "0xffffffffffffffff");
    is_nonsense(1ull << 32 | DOMAIN_CALL_GS, 0, 0, 0, "0x100000004");
}

static void it_ends(void **state)
{
    assert_int_equal(call(DOMAIN_CALL_EXIT, 0, 7, 7), DOMAIN_EXIT);
    assert_int_equal(call(DOMAIN_CALL_EXIT, 1, 0, 0), DOMAIN_EXIT_FAILED);
    is_nonsense(DOMAIN_CALL_EXIT, 2, 0, 0, "EXIT");
}

static void it_sleeps_and_wakes(void **state)
{
    assert_int_equal(call(DOMAIN_CALL_SLEEP, UINT64_MAX, 0, 0), DOMAIN_SLEEP);
    assert_int_equal(dc.frame.rax, DOMAIN_OK);
    assert_int_equal(call(DOMAIN_CALL_WAKE, 2, 0, 0), DOMAIN_WAKE);
    is_nonsense(DOMAIN_CALL_WAKE, 3, 0, 0, "WAKE with a CPU that it hasn't, 0x3");
    is_nonsense(DOMAIN_CALL_WAKE, UINT64_MAX, 0, 0, "WAKE");
}

static void it_has_a_gs_base(void **state)
{
    assert_int_equal(call(DOMAIN_CALL_GS, DOMAIN_END - 1, 0, 0), DOMAIN_GO_ON);
    assert_int_equal(dc.gs, DOMAIN_END - 1);
    is_nonsense(DOMAIN_CALL_GS, DOMAIN_END, 0, 0, "GS");
    is_nonsense(DOMAIN_CALL_GS, 0xffffffff80000000ull, 0, 0, "GS");
    assert_int_equal(dc.gs, DOMAIN_END - 1);
}

static void it_is_told_its_counts(void **state)
{
    struct domain_events events[2] = { 0 };
    struct domain_cpu cpus[2] = { { .cpu = 5, .events = &events[0] },
                                  { .cpu = 7, .events = &events[1] } };
    team.cpus = cpus;
    team.cpus_count = 2;
    assert_int_equal(call(DOMAIN_CALL_STATS, 1, 0, 0), DOMAIN_GO_ON);
    assert_int_equal(events[1].notifications, 70);
    assert_int_equal(events[1].msis, 71);
    assert_int_equal(events[1].sleeps, 72);
    assert_int_equal(events[1].wakes, 73);
    assert_int_equal(events[1].timers, 74);
    assert_int_equal(events[1].ipis, 75);
    assert_int_equal(events[0].msis, 0);
    is_nonsense(DOMAIN_CALL_STATS, 2, 0, 0, "STATS with a CPU that it hasn't, 0x2");
}

static void it_prints(void **state)
{
    assert_int_equal(print(DOMAIN_TEXT_INFO, "hello"), DOMAIN_GO_ON);
    assert_string_equal(said, "[db] hello");
    assert_int_equal(call(DOMAIN_CALL_PRINT, DOMAIN_TEXT_INFO, put("across", 3), 6), DOMAIN_GO_ON);
    assert_string_equal(said, "[db] across");
    print(DOMAIN_TEXT_INFO, "\x1b[2J\nrun: ok, ended\x9b\x7f");
    assert_string_equal(said, "[db] ?[2J?run: ok, ended??");
}

static void nonsense_is_not_printed(void **state)
{
    is_nonsense(DOMAIN_CALL_PRINT, DOMAIN_TEXTS, FIRST, 1, "kind 0x4");
    is_nonsense(DOMAIN_CALL_PRINT, 1ull << 32, FIRST, 1, "kind");
    is_nonsense(DOMAIN_CALL_PRINT, DOMAIN_TEXT_ERROR, FIRST, 0, "bytes are 0x0");
    is_nonsense(DOMAIN_CALL_PRINT, 0, FIRST, DOMAIN_TEXT_BYTES + 1, "bytes are");
    is_nonsense(DOMAIN_CALL_PRINT, 0, FIRST, UINT64_MAX, "bytes are");
    is_nonsense(DOMAIN_CALL_PRINT, 0, FIRST - 1, 2, "isn't in its memory, at 0xffffffff");
    is_nonsense(DOMAIN_CALL_PRINT, 0, FIRST + 2 * PAGE - 1, 2, "isn't in its memory");
    is_nonsense(DOMAIN_CALL_PRINT, 0, 0xffff800000000000ull, 9, "isn't in its memory");
    is_nonsense(DOMAIN_CALL_PRINT, 0, UINT64_MAX, 9, "isn't in its memory");
}

static void warnings_and_errors_have_ids(void **state)
{
    assert_int_equal(print(DOMAIN_TEXT_WARN, "odd-thing it is odd"), DOMAIN_GO_ON);
    assert_string_equal(said, "warning db|odd-thing|it is odd");
    assert_int_equal(print(DOMAIN_TEXT_ERROR, "bad it is bad"), DOMAIN_GO_ON);
    assert_string_equal(said, "error db|bad|it is bad");
    said[0] = 0;
    assert_int_equal(print(DOMAIN_TEXT_ERROR, "bad"), DOMAIN_NONSENSE);
    assert_int_equal(print(DOMAIN_TEXT_WARN, " bad"), DOMAIN_NONSENSE);
    assert_int_equal(print(DOMAIN_TEXT_WARN, "an-id-of-more-than-thirty-two-bytes x"),
                     DOMAIN_NONSENSE);
    assert_string_equal(said, "");
}

static void long_errors_are_cut(void **state)
{
    char text[700] = "id ";
    memset(text + 3, 'x', 600);
    assert_int_equal(print(DOMAIN_TEXT_ERROR, text), DOMAIN_GO_ON);
    assert_int_equal(strlen(said), strlen("error db|id|") + 480);
}

static void json_says_whose_it_is(void **state)
{
    assert_int_equal(print(DOMAIN_TEXT_JSON, "{\"type\":\"job\",\"ios\":7}"), DOMAIN_GO_ON);
    assert_string_equal(said, "{\"type\":\"job\",\"domain\":\"db\",\"ios\":7}");
    assert_int_equal(print(DOMAIN_TEXT_JSON, "{\"type\":\"x\"}"), DOMAIN_GO_ON);
    assert_string_equal(said, "{\"type\":\"x\",\"domain\":\"db\"}");
}

static void the_longest_json_fits(void **state)
{
    char *text = pages[0];
    static const char head[] = "{\"type\":\"job\",\"text\":\"";
    memset(pages, 'x', sizeof(pages));
    memcpy(text, head, strlen(head));
    memcpy(text + DOMAIN_TEXT_BYTES - 2, "\"}", 2);
    assert_true(DOMAIN_TEXT_BYTES <= PAGE);
    assert_int_equal(call(DOMAIN_CALL_PRINT, DOMAIN_TEXT_JSON, FIRST, DOMAIN_TEXT_BYTES),
                     DOMAIN_GO_ON);
    assert_int_equal(strlen(said), DOMAIN_TEXT_BYTES + strlen(",\"domain\":\"db\""));
    memset(pages, 0, sizeof(pages));
}

static void nobody_speaks_for_the_kernel(void **state)
{
    static const char *const texts[] = {
        "{\"type\":\"end\",\"status\":\"ok\"}",
        "{\"type\":\"error\"}",
        "{\"type\":\"fault\"}",
        "{\"type\":\"domain\"}",
        "{\"type\":\"job\",\"domain\":\"x\"}",
        "{\"type\":\"job\",\"type\":\"end\"}",
        "{\"type\":\"job\"}\n{\"type\":\"end\"}",
        "hello",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (print(DOMAIN_TEXT_JSON, texts[i]) != DOMAIN_NONSENSE)
            fail_msg("%s", texts[i]);
    assert_string_equal(said, "");
    assert_int_equal(print(DOMAIN_TEXT_JSON, "{\"type\":\"endless\"}"), DOMAIN_GO_ON);
}

static unsigned print_all_it_may(void)
{
    unsigned lines = 0;
    while (print(DOMAIN_TEXT_INFO, "0123456789abcdef0123456789abcdef") == DOMAIN_GO_ON &&
           dc.frame.rax == DOMAIN_OK)
        lines++;
    assert_int_equal((int64_t)dc.frame.rax, DOMAIN_BUSY);
    return lines;
}

static void a_flood_is_held_back(void **state)
{
    assert_int_equal(print_all_it_may(), DOMAIN_VOICE_BURST / 64);
    said[0] = 0;
    assert_int_equal(call(DOMAIN_CALL_PRINT, 0, 0, 99), DOMAIN_GO_ON); // it isn't even looked at
    assert_string_equal(said, "");
    now_ns += NS_PER_S;
    assert_int_equal(print_all_it_may(), DOMAIN_VOICE_RATE / 64);
    now_ns += 1000 * NS_PER_S;
    assert_int_equal(print_all_it_may(), DOMAIN_VOICE_BURST / 64);
    now_ns -= NS_PER_S; // no clock of ours does that, and nothing comes of it
    assert_int_equal(print_all_it_may(), 0);
}

// Whatever is left of its budget: the rest of the ring is for the kernel's lines.
static void a_slow_console_is_not_filled(void **state)
{
    is_behind = true;
    assert_int_equal(print_all_it_may(), 0);
    assert_string_equal(said, "");
    is_behind = false;
    assert_int_equal(print_all_it_may(), DOMAIN_VOICE_BURST / 64);
}

static void short_pauses_count(void **state)
{
    unsigned lines = 0;
    (void)print_all_it_may();
    for (unsigned i = 0; i < 100000; i++) {
        now_ns += NS_PER_S / 100000;
        lines += print_all_it_may();
    }
    assert_int_equal(lines, DOMAIN_VOICE_RATE / 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(there_are_no_other_calls, begin),
        cmocka_unit_test_setup(it_ends, begin),
        cmocka_unit_test_setup(it_sleeps_and_wakes, begin),
        cmocka_unit_test_setup(it_has_a_gs_base, begin),
        cmocka_unit_test_setup(it_is_told_its_counts, begin),
        cmocka_unit_test_setup(it_prints, begin),
        cmocka_unit_test_setup(nonsense_is_not_printed, begin),
        cmocka_unit_test_setup(warnings_and_errors_have_ids, begin),
        cmocka_unit_test_setup(long_errors_are_cut, begin),
        cmocka_unit_test_setup(json_says_whose_it_is, begin),
        cmocka_unit_test_setup(the_longest_json_fits, begin),
        cmocka_unit_test_setup(nobody_speaks_for_the_kernel, begin),
        cmocka_unit_test_setup(a_flood_is_held_back, begin),
        cmocka_unit_test_setup(a_slow_console_is_not_filled, begin),
        cmocka_unit_test_setup(short_pauses_count, begin),
    };
    return cmocka_run_group_tests_name("calls of a domain", tests, NULL, NULL);
}
