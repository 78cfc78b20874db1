// SPDX-License-Identifier: BSD-2-Clause
// Lines to people and to tools. One lock keeps lines whole; a panic takes it over.

#include "kernel/base/report.h"

#include "kernel/base/log.h"
#include "kernel/base/report_init.h"
#include "kernel/base/result.h"
#include "kernel/base/screen.h"
#include "kernel/base/uart.h"
#include "kernel/base/x86.h"
#include "lib/format.h"
#include "lib/spinlock.h"
#include "lib/string.h"

#define LINE_BYTES 1024

static struct {
    struct spinlock lock;
    bool unlocked; // a panic prints: what the others hold doesn't matter any more
    bool failed;
    bool typing; // the console's last line is one that somebody types
    void (*end)(void);
} report = { .end = halt_forever };

void report_set_end(void (*end)(void))
{
    report.end = end;
}

// A line may have been cut in the middle: what follows is to begin one of its own.
void report_take_over(void)
{
    screen_take_over();
    if (!report.unlocked && spinlock_is_locked(&report.lock)) {
        uart_write(UART_COM1, "\r\n", 2);
        uart_write(UART_COM2, "\n", 1);
        screen_write("\n", 1);
    }
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

static void write_typed(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] == '\n')
            uart_write(UART_COM1, "\r\n", 2);
        else
            uart_write(UART_COM1, &bytes[i], 1);
    screen_write(bytes, count);
    report.typing = bytes[count - 1] != '\n';
}

void report_typed(const char *bytes, size_t count)
{
    bool locked = lock();
    if (count)
        write_typed(bytes, count);
    unlock(locked);
}

bool report_is_typing(void)
{
    return report.typing;
}

static void print(const char *prefix, const char *text)
{
    char line[LINE_BYTES];
    size_t length = (size_t)format_text(line, sizeof(line) - 1, "%s%s", prefix, text);
    length = MIN(length, sizeof(line) - 2);
    line[length++] = '\n';
    bool locked = lock();
    if (report.typing)
        write_typed("\n", 1);
    // Terminals want CR LF; a tool that reads the port gets the same.
    uart_write(UART_COM1, line, length - 1);
    uart_write(UART_COM1, "\r\n", 2);
    screen_write(line, length);
    log_add(line, length);
    unlock(locked);
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

// To people and to tools.
static void tell(const char *type, const char *what, const char *message)
{
    char line[LINE_BYTES];
    struct json j;
    format_text(line, sizeof(line), "%s: ", type);
    print(line, message);
    json_begin(&j, line, sizeof(line), type);
    json_text(&j, "what", what);
    json_text(&j, "message", message);
    report_json(&j);
}

void warn(const char *what, const char *fmt, ...)
{
    char message[LINE_BYTES / 2];
    va_list args;
    va_start(args, fmt);
    format_text_v(message, sizeof(message), fmt, args);
    va_end(args);
    tell("warning", what, message);
}

void warn_problem(const struct problem *p)
{
    tell("warning", p->what, p->message);
}

static void report_error(const char *what, const char *message)
{
    report.failed = true;
    result_error(what, message);
    tell("error", what, message);
}

static void error_v(const char *what, const char *fmt, va_list args)
{
    char message[LINE_BYTES / 2];
    format_text_v(message, sizeof(message), fmt, args);
    report_error(what, message);
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
    report_error(p->what, p->message);
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

noreturn void fail(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    error_v(what, fmt, args);
    va_end(args);
    report.end();
    halt_forever();
}

noreturn void fail_problem(const struct problem *p)
{
    error_problem(p);
    report.end();
    halt_forever();
}

void report_json(struct json *j)
{
    const char *text = json_end(j);
    if (!text) {
        info("warning: a JSON object did not fit its buffer and was left out");
        return;
    }
    bool locked = lock();
    uart_write(UART_COM2, text, strlen(text));
    uart_write(UART_COM2, "\n", 1);
    unlock(locked);
}
