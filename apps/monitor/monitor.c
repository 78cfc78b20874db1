// SPDX-License-Identifier: BSD-2-Clause
// app=monitor: a console to look into the machine while it runs. All of it is the boot CPU's: a timer
// looks for what was typed and runs commands from its loop; an app runs beside that, in place of the
// plain loop.

#include "apps/monitor/monitor.h"

#include "apps/arena.h"
#include "apps/monitor/edit.h"
#include "apps/monitor/shell.h"
#include "kernel/base/input.h"
#include "kernel/base/report.h"
#include "kernel/base/screen.h"
#include "kernel/base/x86.h"
#include "kernel/cpu/timer.h"
#include "kernel/domain/domain.h"
#include "kernel/irq/irq.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/format.h"
#include "lib/string.h"

#define PROMPT "onebell> "
#define POLL_NS NS_PER_MS // what a UART's 16 bytes last at 115200 baud
#define CTRL_C 3
#define AHEAD_BYTES 256

static struct {
    struct edit edit;
    const struct cmdline *boot;
    struct cpu_timer poll;
    bool wake;  // the main loop has something to do
    bool ended; // by poweroff or reboot
    bool after_failure;
    bool in_command;
    bool *key;             // a command waits for one
    const struct app *app; // that runs, or is to run
    bool background;
    char app_words[2 * EDIT_BYTES];
    uint8_t ahead[AHEAD_BYTES]; // typed while an app ran in the foreground
    size_t ahead_first, ahead_end;
} m;

// ---- what commands use ----

// They run in a timer's call, so that the hardware isn't set for any other timer: one that is due sets
// it.
static void enter_loop(const bool *done)
{
    static struct cpu_timer due = { .fn = cpu_timer_stop };
    cpu_timer_start(&due, 1);
    cpu_run_until(done);
}

void monitor_wait(const bool *done)
{
    enter_loop(done);
}

static void (*watch_tick)(void);

static void watch(struct cpu_timer *timer)
{
    watch_tick();
    cpu_timer_start(timer, timer->due_ns + NS_PER_S);
}

void monitor_watch(void (*tick)(void))
{
    static struct cpu_timer timer = { .fn = watch };
    bool pressed = false;
    watch_tick = tick;
    m.key = &pressed;
    cpu_timer_start(&timer, time_ns() + NS_PER_S);
    enter_loop(&pressed);
    cpu_timer_stop(&timer);
    m.key = NULL;
}

const struct app *monitor_background(void)
{
    return m.background ? m.app : NULL;
}

void monitor_end(enum exit_kind kind)
{
    exit_set(kind);
    m.ended = m.wake = true;
}

// ---- a line ----

static void tell(const struct problem *p)
{
    info("%s", p->message);
}

static void refuse_app(const char *why)
{
    info("%s", why);
}

// The last word "&": it runs in the background.
static bool takes_background(struct command_words *words)
{
    if (strcmp(words->word[words->count - 1], "&"))
        return false;
    words->count--;
    return true;
}

static void start_app(const struct app *app, struct command_words *words)
{
    struct problem p;
    if (m.after_failure)
        return refuse_app("the run has failed, and devices are off: reboot first");
    if (m.app)
        return refuse_app("another app runs in the background: wait for its end, or stop it");
    bool background = takes_background(words);
    if (!shell_app_words(app, words, m.app_words, sizeof(m.app_words), &p))
        return tell(&p);
    m.background = background;
    m.app = app;
    m.wake = true;
}

static bool may_run(const struct command *c)
{
    if (m.after_failure && c->when != COMMAND_ALWAYS)
        info("%s: not after a failed run, whose devices are off: reboot first", c->name);
    else if (m.app && c->when == COMMAND_ALONE)
        info("%s: not while %s runs in the background: wait for its end, or stop it", c->name,
             m.app->name);
    else
        return true;
    return false;
}

static void run_command(const struct command *c, const struct command_words *words)
{
    struct problem p;
    if (!may_run(c))
        return;
    m.in_command = true;
    if (!c->run(words, &p))
        tell(&p);
    m.in_command = false;
}

static void run_line(void)
{
    static char line[EDIT_BYTES];
    struct command_words words;
    if (m.edit.too_long) {
        info("the line is too long: at most %d characters; nothing was done", EDIT_BYTES - 1);
        return;
    }
    memcpy(line, m.edit.text, m.edit.length + 1);
    if (!command_split(line, &words)) {
        info("the line has more than %d words; nothing was done", COMMAND_WORDS);
        return;
    }
    const struct shell_name *name = words.count ? shell_find(words.word[0]) : NULL;
    if (words.count && !name)
        info("there is no command \"%.40s\": help lists them", words.word[0]);
    else if (name && name->app)
        start_app(name->app, &words);
    else if (name)
        run_command(name->command, &words);
}

// ---- completion ----

static void list_candidates(struct shell_place *at)
{
    char line[EDIT_COLUMNS + 1] = "";
    size_t used = 0;
    const char *word;
    for (size_t i = 0; (word = shell_candidate(at, i)); i++) {
        if (strncmp(word, at->prefix, at->length))
            continue;
        if (used && used + strlen(word) + 2 > EDIT_COLUMNS) {
            info("%s", line);
            used = 0;
        }
        used += (size_t)format_text(line + used, sizeof(line) - used, "%s  ", word);
        used = MIN(used, sizeof(line) - 1);
    }
    if (used)
        info("%s", line);
}

static void complete_line(void)
{
    static char line[EDIT_BYTES];
    struct edit *e = &m.edit;
    size_t begin = complete_word(e->text, e->at);
    struct shell_place at = { .prefix = &e->text[begin], .length = e->at - begin };
    memcpy(line, e->text, begin);
    line[begin] = 0;
    if (!command_split(line, &at.before))
        return;
    struct completion c = complete(at.prefix, at.length, shell_candidate, &at);
    if (c.add[0]) {
        edit_insert(e, c.add, strlen(c.add));
    } else if (c.matches > 1) {
        list_candidates(&at);
        edit_redraw(e);
    }
}

// ---- what is typed ----

static bool is_at_prompt(void)
{
    return !m.ended && !m.in_command && (!m.app || m.background);
}

static void feed(uint8_t byte)
{
    switch (edit_feed(&m.edit, byte)) {
    case EDIT_LINE:
        run_line();
        break;
    case EDIT_STOP:
        break;
    case EDIT_COMPLETE:
        complete_line();
        return;
    default:
        return;
    }
    if (is_at_prompt())
        edit_begin(&m.edit);
}

static void keep_ahead(uint8_t byte)
{
    if (m.ahead_end - m.ahead_first < AHEAD_BYTES)
        m.ahead[m.ahead_end++ % AHEAD_BYTES] = byte;
}

// While an app or a command has the console.
static void take_key(uint8_t byte)
{
    if (m.key)
        *m.key = true;
    else if (byte == CTRL_C && m.app)
        app_ask_to_stop(true);
    else
        keep_ahead(byte);
}

static int next_byte(void)
{
    if (is_at_prompt() && m.ahead_first < m.ahead_end)
        return m.ahead[m.ahead_first++ % AHEAD_BYTES];
    return input_poll();
}

static void take_input(void)
{
    int byte;
    while (!m.ended && !(m.key && *m.key) && (byte = next_byte()) >= 0) {
        if (is_at_prompt())
            feed((uint8_t)byte);
        else
            take_key((uint8_t)byte);
    }
    if (is_at_prompt() && !report_is_typing()) // somebody printed
        edit_redraw(&m.edit);
}

// Armed anew first: a command may run the loop in take_input().
static void poll(struct cpu_timer *timer)
{
    cpu_timer_start(timer, time_ns() + POLL_NS);
    take_input();
}

// ---- the session ----

static void write_typed(void *arg, const char *bytes, size_t count)
{
    report_typed(bytes, count);
}

static bool mode_changed;

static void mode_done(struct irq_mode_change *change)
{
    mode_changed = true;
}

// Self-tests leave what they came to last. Not in a timer's call: the main loop's place.
static void restore_mode(enum irq_mode mode, unsigned loops)
{
    static struct irq_mode_change change;
    if (irq_get_mode() == mode && irq_get_config()->loops == loops)
        return;
    change = (struct irq_mode_change){ .mode = mode, .loops = loops, .done = mode_done };
    mode_changed = false;
    irq_set_mode(&change);
    cpu_run_until(&mode_changed);
    if (!change.ok)
        error_problem(&change.problem);
}

static void run_app(void)
{
    static struct arena arena;
    struct problem p;
    const struct app *app = m.app;
    enum irq_mode mode = irq_get_mode();
    unsigned loops = irq_get_config()->loops;
    arena_begin_run(&arena);
    if (!app_run(app, m.app_words, m.boot, &p))
        tell(&p);
    else if (!app->is_load)
        restore_mode(mode, loops);
    screen_panel_reserve(0); // what it showed there is over
    bool has_prompt = m.background;
    m.app = NULL;
    m.background = false;
    if (!has_prompt)
        edit_begin(&m.edit);
}

static const struct app *self(void)
{
    return app_find("monitor");
}

static void start(void)
{
    m.edit.write = write_typed;
    m.edit.prompt = PROMPT;
    shell_init(self());
    info("monitor: help lists the commands, Tab completes, poweroff ends it");
    edit_begin(&m.edit);
}

static void run(const struct cmdline *boot)
{
    if (!input_has_source()) {
        error("monitor-no-input", "the monitor has neither a serial port nor a keyboard to listen "
                                  "to: attach one, or choose another app= or exit=");
        return;
    }
    m.boot = boot;
    start();
    m.poll.fn = poll;
    cpu_timer_start(&m.poll, time_ns());
    while (!m.ended) {
        m.wake = false;
        cpu_run_until(&m.wake);
        if (m.app)
            run_app();
    }
    cpu_timer_stop(&m.poll);
    domains_end(); // who says poweroff doesn't mean to wait for them
}

// fail() has come from anywhere, a command of ours perhaps: nothing is taken over from before.
static void after_failure(void)
{
    if (!input_has_source())
        return;
    m.app = NULL;
    m.key = NULL;
    m.background = m.in_command = false;
    m.after_failure = true;
    info("monitor: the run has failed, its devices are off: what only reads still works");
    start();
    while (!m.ended) {
        take_input();
        cpu_relax();
    }
}

APP(app_monitor) = {
    .name = "monitor",
    .help = "a console with commands, to look into the machine",
    .run = run,
    .after_failure = after_failure,
};
