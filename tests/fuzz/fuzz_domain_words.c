// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes domain=: lines of them are refused with a sentence, or no two have a CPU, a disk or a name in
// common, and each has what a domain needs. The loader, which reads prog= by itself, takes it for the same.
#include <stdlib.h>

#include "boot/program_names.h"
#include "kernel/domain/words.h"
#include "lib/string.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t room)
{
    require(strnlen(text, room) < room);
    for (; *text; text++)
        require(*text != ':' && *text != ',');
}

static unsigned check_cpus(const struct domain_words *d)
{
    unsigned cpus = 0;
    for (unsigned w = 0; w < CPU_MAX / 64; w++)
        cpus += (unsigned)__builtin_popcountll(d->cpus[w]);
    require(cpus && cpus == d->cpus_count && cpus <= DOMAIN_CPUS_MAX && !(d->cpus[0] & 1));
    return cpus;
}

static unsigned check_one(const struct domain_words *d)
{
    check_text(d->name, sizeof(d->name));
    check_text(d->program, sizeof(d->program));
    require(d->name[0] && strnlen(d->words, sizeof(d->words)) < sizeof(d->words));
    require(d->memory && d->memory % DOMAIN_MEMORY_STEP == 0 &&
            d->memory <= DOMAIN_END - DOMAIN_MEMORY);
    require(d->time_us <= DOMAIN_TIME_MAX_US && d->lives && d->lives <= DOMAIN_LIVES_MAX);
    require(d->disks_count <= DOMAIN_DISKS_MAX);
    for (unsigned i = 0; i < d->disks_count; i++) {
        check_text(d->disks[i], sizeof(d->disks[i]));
        for (unsigned j = 0; j < i; j++)
            require(strcmp(d->disks[i], d->disks[j]) != 0);
    }
    return check_cpus(d);
}

static void check_all(const struct domain_words *all, unsigned count)
{
    uint64_t places[CPU_MAX / 64];
    unsigned cpus = 0;
    domain_words_places(all, count, places);
    for (unsigned i = 0; i < count; i++) {
        cpus += check_one(&all[i]);
        for (unsigned j = 0; j < i; j++)
            require(strcmp(all[i].name, all[j].name) != 0);
    }
    for (unsigned w = 0; w < CPU_MAX / 64; w++)
        cpus -= (unsigned)__builtin_popcountll(places[w]);
    require(cpus == 0);
}

// What the loader looks for is what the kernel asks for. In a command line there is no blank in a word.
static void check_loader(const struct domain_words *d, const char *text, size_t length)
{
    char name[HANDOFF_PROGRAM_NAME], *line = malloc(length + sizeof("domain="));
    const char *at = line;
    memcpy(line, "domain=", strlen("domain="));
    memcpy(line + strlen("domain="), text, length);
    line[strlen("domain=") + length] = 0;
    if (!memchr(text, ' ', length) && !memchr(text, 0, length))
        require(program_names_next(&at, name) && strcmp(name, d->program) == 0 && !*at);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct domain_words all[DOMAINS_MAX];
    unsigned count = 0;
    const uint8_t *end = data + size;
    while (data < end) {
        const uint8_t *stop = memchr(data, '\n', (size_t)(end - data));
        size_t length = (size_t)((stop ? stop : end) - data);
        struct problem p = { 0 };
        char *text = malloc(
            length ? length : 1); // exactly as long as it is, so that each byte too far is seen
        memcpy(text, data, length);
        unsigned before = count;
        bool added = domain_words_add(all, &count, text, length, &p);
        require(count == before + added && count <= DOMAINS_MAX);
        require(added || (p.what && p.message[0]));
        if (added)
            check_loader(&all[before], text, length);
        free(text);
        data += length + 1;
    }
    check_all(all, count);
    return 0;
}
