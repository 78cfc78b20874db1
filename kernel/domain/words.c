// SPDX-License-Identifier: BSD-2-Clause
// Reads domain=. Nothing is guessed: a domain gets what its words name, or there is none.

#include "kernel/domain/words.h"

#include "lib/bits.h"
#include "lib/parse.h"
#include "lib/string.h"

#define ID "domain-words"
#define QUOTE_MAX 48

struct text {
    const char *at;
    size_t length;
};

// What reads a domain's words. A value that isn't zero came already.
struct reader {
    struct domain_words *d;
    struct problem *p;
};

static int quoted(struct text t)
{
    return (int)MIN(t.length, (size_t)QUOTE_MAX);
}

// `what` follows "domain=NAME: "WORD" ".
static bool wrong(const struct reader *r, struct text t, const char *what)
{
    return problem_set(r->p, ID, "domain=%s: \"%.*s\" %s", r->d->name, quoted(t), t.at, what);
}

// Cuts the text in front of the first `c` off; all of it where there is none.
static struct text cut(struct text *rest, char c)
{
    const char *end = rest->length ? memchr(rest->at, c, rest->length) : NULL;
    struct text part = { rest->at, end ? (size_t)(end - rest->at) : rest->length };
    rest->at = end ? end + 1 : NULL;
    rest->length -= part.length + (end != NULL);
    return part;
}

// False once nothing is left.
static bool next(struct text *rest, char c, struct text *part)
{
    if (!rest->at)
        return false;
    *part = cut(rest, c);
    return true;
}

// ---- CPUs ----

static bool add_cpu(struct reader *r, struct text t, uint64_t cpu)
{
    uint64_t *word = &r->d->cpus[cpu / 64], bit = BIT64(cpu % 64);
    if (*word & bit)
        return wrong(r, t, "names a CPU twice: name each once");
    if (r->d->cpus_count == DOMAIN_CPUS_MAX)
        return wrong(r, t, "is one CPU too many: a domain has 256 at most");
    *word |= bit;
    r->d->cpus_count++;
    return true;
}

static bool read_range(struct text t, uint64_t *first, uint64_t *last)
{
    struct text rest = t;
    struct text part = cut(&rest, '-');
    if (!parse_number(part.at, part.length, first))
        return false;
    *last = *first;
    return !rest.at || parse_number(rest.at, rest.length, last);
}

static bool read_cpus(struct reader *r, struct text value)
{
    struct text t;
    uint64_t first, last;
    if (r->d->cpus_count)
        return wrong(r, value, "is a second cpus=: name all CPUs in one");
    while (next(&value, ',', &t)) {
        if (!read_range(t, &first, &last) || first > last)
            return wrong(r, t, "is no CPU and no range of them: write cpus=2-3,5");
        if (!first)
            return wrong(r, t, "names CPU 0, the boot CPU, which stays the kernel's: name others");
        if (last >= CPU_MAX)
            return wrong(r, t, "names a CPU beyond 4095, the last that there may be");
        for (uint64_t cpu = first; cpu <= last; cpu++)
            if (!add_cpu(r, t, cpu))
                return false;
    }
    return true;
}

// ---- disks ----

static bool has_disk(const struct domain_words *d, struct text name)
{
    for (unsigned i = 0; i < d->disks_count; i++)
        if (strlen(d->disks[i]) == name.length && !memcmp(d->disks[i], name.at, name.length))
            return true;
    return false;
}

static bool read_disks(struct reader *r, struct text value)
{
    struct domain_words *d = r->d;
    struct text t;
    if (d->disks_count)
        return wrong(r, value, "is a second disks=: name all disks in one");
    while (next(&value, ',', &t)) {
        if (has_disk(d, t))
            return wrong(r, t, "is named twice: name each disk once");
        if (d->disks_count == DOMAIN_DISKS_MAX)
            return wrong(r, t, "is one disk too many: a domain has 64 at most");
        if (!parse_name(t.at, t.length, d->disks[d->disks_count], DOMAIN_DISK_BYTES))
            return wrong(r, t, "is no disk's name: write disks=nvme1n1,nvme2n1");
        d->disks_count++;
    }
    return true;
}

// ---- memory, program, lives, and what is the program's ----

static bool read_memory(struct reader *r, struct text value)
{
    uint64_t bytes;
    if (r->d->memory)
        return wrong(r, value, "is a second mem=: say it once");
    if (!parse_size(value.at, value.length, &bytes) || !bytes)
        return wrong(r, value, "is no size of memory: write mem=64m");
    if (bytes > DOMAIN_END - DOMAIN_MEMORY)
        return wrong(r, value, "is more memory than a domain has addresses for: 252g at most");
    r->d->memory = ALIGN_UP(bytes, DOMAIN_MEMORY_STEP);
    return true;
}

static bool read_program(struct reader *r, struct text value)
{
    if (r->d->program[0])
        return wrong(r, value, "is a second prog=: a domain has one program");
    if (!parse_name(value.at, value.length, r->d->program, sizeof(r->d->program)))
        return wrong(r, value,
                     "names no program: up to 31 letters, digits, - and _, without the .elf");
    return true;
}

static bool read_time(struct reader *r, struct text value)
{
    if (r->d->time_us)
        return wrong(r, value, "is a second time=: say it once");
    if (!parse_time(value.at, value.length, &r->d->time_us) || !r->d->time_us ||
        r->d->time_us > DOMAIN_TIME_MAX_US)
        return wrong(r, value, "is no time up to an hour: write time=10s, or 5ms");
    return true;
}

static bool read_patience(struct reader *r, struct text value)
{
    if (r->d->patience_us)
        return wrong(r, value, "is a second patience=: say it once");
    if (!parse_time(value.at, value.length, &r->d->patience_us) || !r->d->patience_us ||
        r->d->patience_us > DOMAIN_TIME_MAX_US)
        return wrong(r, value, "is no time up to an hour: write patience=10s");
    return true;
}

static bool read_lives(struct reader *r, struct text value)
{
    uint64_t lives;
    if (r->d->lives)
        return wrong(r, value, "is a second lives=: say it once");
    if (!parse_number(value.at, value.length, &lives) || !lives || lives > DOMAIN_LIVES_MAX)
        return wrong(r, value, "is no number of lives from 1 to 1000000");
    r->d->lives = (uint32_t)lives;
    return true;
}

static bool is_colon(struct text t, size_t i)
{
    return t.length - i >= 3 && t.at[i] == '%' && t.at[i + 1] == '3' && (t.at[i + 2] | 0x20) == 'a';
}

static bool add_word(struct reader *r, struct text t)
{
    char *words = r->d->words;
    size_t used = strlen(words);
    if (!t.length)
        return wrong(r, t, "is no word: take one of the two colons away");
    if (used + (used > 0) + t.length >= DOMAIN_WORDS_BYTES)
        return wrong(r, t, "is too much: a program's words take 1023 bytes at most");
    if (used)
        words[used++] = ' ';
    for (size_t i = 0; i < t.length; i++) {
        bool colon = is_colon(t, i);
        words[used++] = colon ? ':' : t.at[i];
        i += colon ? 2 : 0;
    }
    words[used] = 0;
    return true;
}

static bool read_word(struct reader *r, struct text t)
{
    static const struct {
        const char *name;
        bool (*read)(struct reader *r, struct text value);
    } known[] = {
        { "cpus=", read_cpus },         { "disks=", read_disks }, { "mem=", read_memory },
        { "prog=", read_program },      { "time=", read_time },   { "lives=", read_lives },
        { "patience=", read_patience },
    };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        size_t length = strlen(known[i].name);
        if (t.length >= length && memcmp(t.at, known[i].name, length) == 0)
            return known[i].read(r, (struct text){ t.at + length, t.length - length });
    }
    return add_word(r, t);
}

static bool read_one(struct reader *r, struct text rest)
{
    struct text t = cut(&rest, ':');
    if (!parse_name(t.at, t.length, r->d->name, sizeof(r->d->name)))
        return problem_set(r->p, ID,
                           "domain=: \"%.*s\" is no name for a domain: up to 15 letters, digits, "
                           "- and _, as in domain=NAME:cpus=2",
                           quoted(t), t.at);
    while (next(&rest, ':', &t))
        if (!read_word(r, t))
            return false;
    if (!r->d->cpus_count)
        return problem_set(r->p, ID, "domain=%s: it has no CPU: add :cpus=2, or another number",
                           r->d->name);
    r->d->memory = r->d->memory ? r->d->memory : DOMAIN_MEMORY_USUAL;
    r->d->lives = MAX(r->d->lives, 1u);
    r->d->patience_us = r->d->patience_us ? r->d->patience_us : DOMAIN_PATIENCE_US;
    return true;
}

// ---- several ----

static bool shares_cpu(const struct domain_words *a, const struct domain_words *b, unsigned *cpu)
{
    for (unsigned w = 0; w < CPU_MAX / 64; w++) {
        uint64_t both = a->cpus[w] & b->cpus[w];
        if (both) {
            *cpu = w * 64 + (unsigned)__builtin_ctzll(both);
            return true;
        }
    }
    return false;
}

bool domain_words_have(const struct domain_words *d, const char *disk)
{
    return has_disk(d, (struct text){ disk, strlen(disk) });
}

static const char *shared_disk(const struct domain_words *a, const struct domain_words *b)
{
    for (unsigned i = 0; i < b->disks_count; i++)
        if (domain_words_have(a, b->disks[i]))
            return b->disks[i];
    return NULL;
}

static bool check_apart(const struct domain_words *a, const struct domain_words *b,
                        struct problem *p)
{
    unsigned cpu;
    const char *disk = shared_disk(a, b);
    if (strcmp(a->name, b->name) == 0)
        return problem_set(p, ID, "domain=%s: there are two of that name: give each its own",
                           b->name);
    if (shares_cpu(a, b, &cpu))
        return problem_set(p, ID, "domain=%s: CPU %u is domain %s's already: name another", b->name,
                           cpu, a->name);
    if (disk)
        return problem_set(p, ID, "domain=%s: disk %s is domain %s's already: name another",
                           b->name, disk, a->name);
    return true;
}

bool domain_words_add(struct domain_words *all, unsigned *count, const char *text, size_t length,
                      struct problem *p)
{
    if (*count == DOMAINS_MAX)
        return problem_set(p, ID, "domain=%.*s: there are %u domains before it, and at most %u",
                           quoted((struct text){ text, length }), text, *count, DOMAINS_MAX);
    struct domain_words *d = &all[*count];
    memset(d, 0, sizeof(*d));
    if (!read_one(&(struct reader){ .d = d, .p = p }, (struct text){ text, length }))
        return false;
    for (unsigned i = 0; i < *count; i++)
        if (!check_apart(&all[i], d, p))
            return false;
    ++*count;
    return true;
}

void domain_words_places(const struct domain_words *all, unsigned count,
                         uint64_t places[CPU_MAX / 64])
{
    memset(places, 0, CPU_MAX / 8);
    for (unsigned i = 0; i < count; i++)
        for (unsigned w = 0; w < CPU_MAX / 64; w++)
            places[w] |= all[i].cpus[w];
}
