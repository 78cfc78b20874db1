// SPDX-License-Identifier: BSD-2-Clause
// The command irq: device interrupts, where they go, and sending them elsewhere.

#include "apps/monitor/monitor.h"
#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/irq/irq.h"
#include "lib/format.h"
#include "lib/parse.h"
#include "lib/string.h"

static uint64_t taken(const struct irq *irq)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < cpu_count(); i++)
        sum += irq->counts[i];
    return sum;
}

static void print_irq(unsigned n, const struct irq *irq)
{
    info("%4u  %-12s  %-12s  %4u  %3u  0x%02x  %-9s  %5u  %10lu  %s%s%s", n, irq->name,
         irq->dev ? irq->dev->name : "-", irq->index, irq->cpu, irq->vector, irq->chip->name,
         irq->chip_handle, taken(irq), irq->enabled ? "" : "masked ", irq->urgent ? "urgent " : "",
         irq->immediate ? "immediate" : "");
}

static void list(void)
{
    unsigned n = 0;
    info("irq=%s; %s", irq_mode_name(irq_get_mode()),
         irq_first() ? "N, name, device, MSI-X entry, CPU, vector, chip, IRTE, MSIs taken:"
                     : "no device has an irq");
    for (const struct irq *irq = irq_first(); irq; irq = irq->next)
        print_irq(n++, irq);
}

// ---- irq move ----

// By its number in the list, or by its name.
static struct irq *find(const char *word, struct problem *p)
{
    uint64_t wanted, n = 0;
    bool is_number = parse_number(word, strlen(word), &wanted);
    for (struct irq *irq = irq_first(); irq; irq = irq->next, n++)
        if (is_number ? n == wanted : !strcmp(irq->name, word))
            return irq;
    problem_set(p, "monitor-word", "there is no irq \"%.40s\": irq lists numbers and names", word);
    return NULL;
}

static bool done;

static void move_done(struct irq_move *move)
{
    done = true;
}

static bool move_irq(struct irq *irq, unsigned to, struct problem *p)
{
    static struct irq_move move;
    if (!irq->moved || !irq->enabled)
        return problem_set(p, "monitor-word", "%s can't move: %s", irq->name,
                           irq->enabled ? "its driver keeps it where it is" : "it is masked");
    if (!cpu_is_online(to))
        return problem_set(p, "monitor-word", "CPU %u is out of use: cpu online %u first", to, to);
    move = (struct irq_move){ .irq = irq, .to = to, .done = move_done };
    done = false;
    irq_set_affinity(&move);
    monitor_wait(&done);
    if (!move.ok) {
        *p = move.problem;
        return false;
    }
    info("%s goes to CPU %u, vector 0x%02x", irq->name, irq->cpu, irq->vector);
    return true;
}

static bool move_command(const struct command_words *words, struct problem *p)
{
    uint64_t to;
    if (words->count < 4)
        return problem_set(p, "monitor-word",
                           "irq move: say which irq, and the CPU: irq move N CPU");
    struct irq *irq = find(words->word[2], p);
    return irq && command_number(words, 3, "CPU", cpu_count() - 1, 0, &to, p) &&
           move_irq(irq, (unsigned)to, p);
}

// ---- irq mode ----

static const enum irq_mode modes[] = { IRQ_REMAPPED, IRQ_POSTED, IRQ_ADAPTIVE, IRQ_POLL };

static void mode_done(struct irq_mode_change *change)
{
    done = true;
}

static bool set_mode(enum irq_mode mode, struct problem *p)
{
    static struct irq_mode_change change;
    change = (struct irq_mode_change){ .mode = mode, .done = mode_done };
    done = false;
    irq_set_mode(&change);
    monitor_wait(&done);
    if (!change.ok) {
        *p = change.problem;
        return false;
    }
    info("irq=%s", irq_mode_name(irq_get_mode()));
    return true;
}

static bool mode_command(const struct command_words *words, struct problem *p)
{
    if (words->count < 3) {
        info("irq=%s", irq_mode_name(irq_get_mode()));
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (!strcmp(irq_mode_name(modes[i]), words->word[2]))
            return set_mode(modes[i], p);
    return problem_set(p, "monitor-word",
                       "irq mode: there is no mode \"%.40s\": remapped, posted, adaptive, poll",
                       words->word[2]);
}

static bool may_change(struct problem *p)
{
    const struct app *app = monitor_background();
    if (!app || app->is_load)
        return true;
    return problem_set(p, "monitor-word",
                       "irq: %s, in the background, moves irqs or changes the mode by itself: wait "
                       "for its end, or stop it",
                       app->name);
}

static bool irq(const struct command_words *words, struct problem *p)
{
    const char *what = words->count > 1 ? words->word[1] : "";
    if (!command_at_most(words, !strcmp(what, "move") ? 3 : 2, p))
        return false;
    if (words->count == 1) {
        list();
        return true;
    }
    if (!strcmp(what, "move"))
        return may_change(p) && move_command(words, p);
    if (!strcmp(what, "mode"))
        return may_change(p) && mode_command(words, p);
    return problem_set(p, "monitor-word", "irq: \"%.40s\" is neither move nor mode; see help irq",
                       what);
}

static const char *irq_candidate(const struct command_words *before, size_t i)
{
    static const char *const ways[] = { "mode", "move" };
    if (before->count == 1)
        return i < ARRAY_SIZE(ways) ? ways[i] : NULL;
    if (before->count != 2)
        return NULL;
    if (!strcmp(before->word[1], "mode"))
        return i < ARRAY_SIZE(modes) ? irq_mode_name(modes[i]) : NULL;
    const struct irq *irq = strcmp(before->word[1], "move") ? NULL : irq_first();
    for (; i && irq; i--)
        irq = irq->next;
    return irq ? irq->name : NULL;
}

COMMAND(command_irq) = {
    .name = "irq",
    .usage = "[move N CPU|mode MODE]",
    .help = "device interrupts; moves one, or changes how they come",
    .more = "irq move N CPU  N is a number or a name of the list; nothing is lost by it\n"
            "irq mode MODE   remapped, posted, adaptive or poll, as irq= of the command line\n"
            "Both work under load: job ... & first.",
    .when = COMMAND_BESIDE,
    .run = irq,
    .candidate = irq_candidate,
};
