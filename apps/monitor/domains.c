// SPDX-License-Identifier: BSD-2-Clause
// Commands about domains: which there are, starting one and ending one.

#include "kernel/base/report.h"
#include "kernel/domain/domain.h"
#include "kernel/run/command.h"

static bool domains(const struct command_words *words, struct problem *p)
{
    if (!command_at_most(words, 0, p))
        return false;
    if (!domain_first())
        info("There are none: domain=NAME:cpus=2-3:disks=nvme1n1:mem=256m on the command line "
             "makes one.");
    for (const struct domain *d = domain_first(); d; d = domain_next(d))
        domain_print(d);
    return true;
}

COMMAND(command_domains) = {
    .name = "domains",
    .help = "domains, their state, and what they have",
    .when = COMMAND_ALWAYS,
    .run = domains,
};

static const char *domain_candidate(const struct command_words *before, size_t i)
{
    const struct domain *d = before->count == 1 ? domain_first() : NULL;
    for (; d && i; i--)
        d = domain_next(d);
    return d ? domain_name(d) : NULL;
}

static bool change(const struct command_words *words, struct problem *p,
                   bool (*to)(struct domain *d, struct problem *p))
{
    if (words->count != 2)
        return problem_set(p, "monitor-word", "%s NAME, and no more: `domains` has the names",
                           words->word[0]);
    struct domain *d = domain_find(words->word[1]);
    if (!d)
        return problem_set(p, "monitor-word", "%s: no such domain: `domains` has the names",
                           words->word[1]);
    return to(d, p);
}

static bool start(const struct command_words *words, struct problem *p)
{
    return change(words, p, domain_start);
}

COMMAND(command_start) = {
    .name = "start",
    .usage = "DOMAIN",
    .help = "starts a domain that has ended",
    .more = "Its disks are taken from the kernel, and its memory is cleared first.",
    .when = COMMAND_ALONE,
    .run = start,
    .candidate = domain_candidate,
};

static bool kill(const struct command_words *words, struct problem *p)
{
    return change(words, p, domain_kill);
}

COMMAND(command_kill) = {
    .name = "kill",
    .usage = "DOMAIN",
    .help = "ends a domain, whatever it does",
    .more = "Its CPUs and its disks are the kernel's again.",
    .when = COMMAND_BESIDE,
    .run = kill,
    .candidate = domain_candidate,
};
