// SPDX-License-Identifier: BSD-2-Clause
// Lines to people and to tools. One lock keeps lines whole; a panic takes it over. Lines that are printed in a loop are
// sent on by the boot CPU's; all others are out when the call returns.

#include "kernel/base/report.h"

#include "kernel/base/console.h"
#include "kernel/base/log.h"
#include "kernel/base/percpu.h"
#include "kernel/base/report_init.h"
#include "kernel/base/result.h"
#include "kernel/base/screen.h"
#include "kernel/base/x86.h"
#include "lib/format.h"
#include "lib/kept.h"
#include "lib/spinlock.h"
#include "lib/string.h"

#define LINE_BYTES 1024
#define PIXELS_AT_ONCE 4096 // 32 characters of the smallest font, some 100,000 instructions

static struct {
    struct spinlock lock;
    bool unlocked; // a panic prints: what the others hold doesn't matter any more
    bool failed;
    bool typing;             // the console's last line is one that somebody types
    struct kept_block *kept; // NULL: nothing is kept
    unsigned left_out;       // lines that it had no room for
    void (*end)(void);
    void (*kick)(void); // has the boot CPU's loop send on what there is; NULL: there is none yet
} report = { .end = halt_forever };

void report_set_end(void (*end)(void))
{
    report.end = end;
}

void report_set_kick(void (*kick)(void))
{
    report.kick = kick;
}

// On the screen a line may have been cut in the middle: what follows is to begin one of its own.
void report_take_over(void)
{
    screen_take_over();
    if (!report.unlocked && spinlock_is_locked(&report.lock))
        screen_write("\n", 1);
    report.unlocked = true;
}

void report_hand_back(void)
{
    screen_hand_back();
    report.unlocked = false;
}

// Returns whether it took the lock, which may be taken over before the line has ended.
static bool lock(void)
{
    if (report.unlocked)
        return false;
    spinlock_lock(&report.lock);
    return true;
}

static void unlock(bool locked)
{
    if (locked)
        spinlock_unlock(&report.lock);
}

// ---- what goes to UARTs ----

static bool push_locked(bool (*some)(void))
{
    bool locked = lock();
    bool more = some();
    unlock(locked);
    return more;
}

// Not what comes meanwhile: others may print without an end.
void report_flush(void)
{
    screen_draw(SCREEN_ALL);
    console_note();
    while (push_locked(console_push_noted))
        cpu_relax();
}

bool report_is_behind(void)
{
    return console_is_behind();
}

// Where nothing but the line waits: in a panic, and on the boot CPU outside of its loop.
static bool may_wait(void)
{
    return !report.kick || report.unlocked || (cpu_index() == 0 && !this_cpu()->looping);
}

// The lock is free between two looks, so that others that print aren't held up as well.
static void wait_for_room(enum console_stream stream, const char *bytes, size_t count)
{
    while (may_wait() && !console_has_room(stream, bytes, count) && push_locked(console_push))
        cpu_relax();
}

void report_send_on(void)
{
    if (may_wait())
        report_flush();
    else
        report.kick();
}

static void put(enum console_stream stream, const char *bytes, size_t count)
{
    console_put(stream, bytes, count);
    if (console_on_screen(stream))
        screen_write(bytes, count);
}

static void put_line(enum console_stream stream, const char *line, size_t count,
                     enum kept_share share)
{
    if (report.typing && (stream == CONSOLE_TEXT || console_is_shared())) {
        put(CONSOLE_TEXT, "\n", 1);
        report.typing = false;
    }
    put(stream, line, count);
    if (stream == CONSOLE_TEXT)
        log_add(line, count);
    else if (report.kept && !kept_add(report.kept, line, count, share))
        report.left_out++;
}

static void send(enum console_stream stream, const char *line, size_t count, enum kept_share share)
{
    wait_for_room(stream, line, count);
    bool locked = lock();
    put_line(stream, line, count, share);
    unlock(locked);
    report_send_on();
}

void report_typed(const char *bytes, size_t count)
{
    if (!count)
        return;
    bool locked = lock();
    put(CONSOLE_TEXT, bytes, count);
    report.typing = bytes[count - 1] != '\n';
    unlock(locked);
    report_send_on();
}

bool report_is_typing(void)
{
    return report.typing;
}

bool report_pump(uint64_t now_ns, uint32_t *pace_us)
{
    bool locked = lock();
    bool more = console_push_timed(now_ns);
    *pace_us = console_pace_us();
    unlock(locked);
    bool more_to_draw = screen_draw(PIXELS_AT_ONCE);
    if (more_to_draw)
        *pace_us = 0;
    return more || more_to_draw;
}

void report_trouble(void)
{
    struct problem p;
    while (console_trouble(&p))
        warn_problem(&p);
}

// ---- what is kept ----

void report_keep(struct kept_block *block)
{
    report.kept = block;
}

bool report_keeps(void)
{
    return report.kept;
}

void report_left_out(void)
{
    if (report.left_out)
        warn("results-full",
             "results=1: there was no room for %u lines of JSON, and the file is to be without "
             "them: "
             "all are on the port of json=",
             report.left_out);
}

// ---- lines ----

static void print(const char *prefix, const char *text)
{
    char line[LINE_BYTES];
    size_t length = (size_t)format_text(line, sizeof(line) - 1, "%s%s", prefix, text);
    length = MIN(length, sizeof(line) - 2);
    line[length++] = '\n';
    send(CONSOLE_TEXT, line, length, KEPT_KERNELS);
}

static void print_v(const char *prefix, const char *fmt, va_list args)
{
    char text[LINE_BYTES];
    format_text_v(text, sizeof(text), fmt, args);
    print(prefix, text);
}

void info(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_v("", fmt, args);
    va_end(args);
}

// ---- objects ----

static void send_json(struct json *j, enum kept_share share)
{
    const char *text = json_end(j);
    if (!text) {
        info("warning: a JSON object did not fit its buffer and was left out");
        return;
    }
    size_t length = strlen(text);
    j->buffer[length] = '\n'; // in place of the zero: the line goes out at once
    send(CONSOLE_JSON, text, length + 1, share);
}

void report_json(struct json *j)
{
    send_json(j, KEPT_KERNELS);
}

void report_json_of_domain(struct json *j)
{
    send_json(j, KEPT_DOMAINS);
}

// ---- warnings and errors ----

// A domain may have lives without number, each of which ends by a mistake.
static enum kept_share share_of(const char *domain, const char *what)
{
    static const char about[] = "domain-";
    if (domain)
        return KEPT_DOMAINS;
    return strncmp(what, about, sizeof(about) - 1) == 0 ? KEPT_MANY : KEPT_KERNELS;
}

// To people and to tools.
static void tell(const char *type, const char *domain, const char *what, const char *message)
{
    char line[LINE_BYTES];
    struct json j;
    if (domain)
        format_text(line, sizeof(line), "%s: [%s] ", type, domain);
    else
        format_text(line, sizeof(line), "%s: ", type);
    print(line, message);
    json_begin(&j, line, sizeof(line), type);
    if (domain)
        json_text(&j, "domain", domain);
    json_text(&j, "what", what);
    json_text(&j, "message", message);
    send_json(&j, share_of(domain, what));
}

void warn(const char *what, const char *fmt, ...)
{
    char message[LINE_BYTES / 2];
    va_list args;
    va_start(args, fmt);
    format_text_v(message, sizeof(message), fmt, args);
    va_end(args);
    tell("warning", NULL, what, message);
}

void warn_by(const char *domain, const char *what, const char *message)
{
    tell("warning", domain, what, message);
}

void warn_problem(const struct problem *p)
{
    tell("warning", NULL, p->what, p->message);
}

static void report_error(const char *domain, const char *what, const char *message)
{
    report.failed = true;
    result_error(what, message);
    tell("error", domain, what, message);
}

static void error_v(const char *what, const char *fmt, va_list args)
{
    char message[LINE_BYTES / 2];
    format_text_v(message, sizeof(message), fmt, args);
    report_error(NULL, what, message);
}

void error(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    error_v(what, fmt, args);
    va_end(args);
}

void error_problem(const struct problem *p)
{
    report_error(NULL, p->what, p->message);
}

void error_by(const char *domain, const char *what, const char *message)
{
    report_error(domain, what, message);
}

bool report_failed(void)
{
    return report.failed;
}

bool report_set_failed(bool failed)
{
    bool before = report.failed;
    report.failed = failed;
    return before;
}

// What follows may take its time, or not come to its end.
noreturn static void end(void)
{
    console_stop_waiting();
    report_flush();
    report.end();
    halt_forever();
}

noreturn void fail(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    error_v(what, fmt, args);
    va_end(args);
    end();
}

noreturn void fail_problem(const struct problem *p)
{
    error_problem(p);
    end();
}
