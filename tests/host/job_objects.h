// SPDX-License-Identifier: BSD-2-Clause
// What jobs that write say of themselves in JSON, and the machine that they run on.
#pragma once

#include "tests/host/fake_machine.h"

static inline const char *object(const char *type, const char *filename)
{
    char text[64];
    snprintf(text, sizeof(text), "{\"type\":\"%s\",\"filename\":\"%s\"", type, filename);
    const char *at = strstr(fake.json, text);
    if (!at)
        fail_msg("no %s object of %s in %s", type, filename, fake.json);
    return at;
}

static inline uint64_t number(const char *at, const char *key)
{
    char text[64];
    snprintf(text, sizeof(text), "\"%s\":", key);
    at = strstr(at, text);
    if (!at)
        fail_msg("no %s", key);
    return strtoull(at + strlen(text), NULL, 10);
}

static inline uint64_t all(const char *key)
{
    return number(object("job", "all"), key);
}

// Of one kind of I/O.
static inline uint64_t way(const char *name, const char *key)
{
    char text[64];
    snprintf(text, sizeof(text), "\"%s\":{", name);
    const char *at = strstr(object("job", "all"), text);
    assert_non_null(at);
    return number(at, key);
}

static inline void start(unsigned cpus, unsigned disks, uint32_t block_size, uint64_t blocks)
{
    fake_start(cpus, disks, block_size, blocks);
    for (unsigned i = 0; i < disks; i++)
        fake_writable(&fake.disks[i]);
    fake.no_overlap = true;
}
