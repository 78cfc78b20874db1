// SPDX-License-Identifier: BSD-2-Clause
// Reads, writes and jumps where nothing of the domain's is, or where it may not do that.
#include "lib/random.h"
#include "lib/types.h"
#include "tests/domain/hostile.h"

static uint8_t data[64];
static const uint8_t constant[64] = { 0xc3 };

enum { READ, WRITE, JUMP };

static const struct {
    const char *name;
    uint64_t at, span; // any place within
    int how;
} all[] = {
    { "read the kernel's image", HOSTILE_KERNEL_IMAGE, 4 * MIB, READ },
    { "write the kernel's image", HOSTILE_KERNEL_IMAGE, 4 * MIB, WRITE },
    { "jump into the kernel's image", HOSTILE_KERNEL_IMAGE, MIB, JUMP },
    { "read RAM by the direct map", HOSTILE_DIRECT_MAP, GIB, READ },
    { "write RAM by the direct map", HOSTILE_DIRECT_MAP, GIB, WRITE },
    { "read registers or stacks", HOSTILE_WINDOW, 16 * MIB, READ },
    { "write registers or stacks", HOSTILE_WINDOW, 16 * MIB, WRITE },
    { "read through NULL", 0, 4096, READ },
    { "write through NULL", 0, 4096, WRITE },
    { "call NULL", 0, 4096, JUMP },
    { "read past all memory", DOMAIN_END, GIB, READ },
    { "write what the kernel tells", DOMAIN_INFO, DOMAIN_INFO_BYTES, WRITE },
    { "run what the kernel tells", DOMAIN_INFO, DOMAIN_INFO_BYTES, JUMP },
    { "run its own memory", DOMAIN_MEMORY, MIB, JUMP },
    { "write its own code", DOMAIN_IMAGE, 64, WRITE },
    { "write its own constants", 0, 0, WRITE },
    { "run its own data", 0, 1, JUMP },
    { "run over its stack", DOMAIN_STACKS, 1024, WRITE },
    { "read a doorbell of no function", DOMAIN_DOORBELLS + 63 * DOMAIN_DOORBELL_SPAN, 4096, READ },
    { "read an address that can't be", 0x8000000000000000ull, GIB, READ },
};

static uint64_t place(unsigned which, uint64_t *state)
{
    if (all[which].at || all[which].span > 1)
        return all[which].at + random_below(state, all[which].span);
    return (uint64_t)(all[which].span ? data : constant);
}

static const char *name_of(unsigned which)
{
    return all[which].name;
}

static void run(unsigned which, uint64_t *state)
{
    volatile uint8_t *at = (volatile uint8_t *)place(which, state);
    switch (all[which].how) {
    case READ:
        (void)*at;
        break;
    case WRITE:
        *at = 0xcc;
        break;
    default:
        ((void (*)(void))(uint64_t)at)();
    }
}

const struct hostile_kind hostile_memory = { "memory", ARRAY_SIZE(all), name_of, run };
