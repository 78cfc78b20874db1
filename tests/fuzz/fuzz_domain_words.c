// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes domain=: lines of them are refused with a sentence, or no two have a CPU, a disk or a name in
// common, and each has what a domain needs.
#include <stdlib.h>

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
        free(text);
        data += length + 1;
    }
    check_all(all, count);
    return 0;
}
