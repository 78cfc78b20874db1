// SPDX-License-Identifier: BSD-2-Clause
// The command mem: what is in RAM.

#include "apps/monitor/monitor.h"
#include "kernel/base/report.h"
#include "kernel/mem/dma.h"
#include "kernel/mem/map.h"
#include "kernel/mem/mem.h"
#include "lib/format.h"

#define LINE 16
#define LENGTH_DEFAULT 64
#define LENGTH_MAX 4096

static void dump(uint64_t at, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i += LINE) {
        const volatile uint8_t *from = mem_at(at + i);
        char text[100];
        size_t used =
            (size_t)format_text(text, sizeof(text), "%012llx ", (unsigned long long)at + i);
        uint64_t count = MIN(bytes - i, (uint64_t)LINE);
        uint8_t seen[LINE];
        for (uint64_t k = 0; k < LINE; k++) {
            seen[k] = k < count ? from[k] : ' ';
            used += (size_t)format_text(text + used, sizeof(text) - used,
                                        k < count ? "%s%02x" : "%s  ", k % 8 ? " " : "  ", seen[k]);
        }
        used += (size_t)format_text(text + used, sizeof(text) - used, "  ");
        for (uint64_t k = 0; k < count; k++)
            text[used++] = seen[k] >= ' ' && seen[k] < 0x7f ? (char)seen[k] : '.';
        text[used] = 0;
        info("%s", text);
    }
}

static void summarise(void)
{
    info("%llu MiB of RAM end at 0x%llx; %llu MiB are free; devices may reach %llu KiB, of which "
         "%llu KiB are in use",
         (unsigned long long)(mem_ram_end() / MIB), (unsigned long long)mem_ram_end(),
         (unsigned long long)(mem_free_bytes() / MIB), (unsigned long long)(mem_dma_bytes() / KIB),
         (unsigned long long)(mem_dma_used() / KIB));
}

// A direct-map address is as good as its physical one.
static uint64_t physical(uint64_t at)
{
    return at - HANDOFF_DIRECT_MAP < DIRECT_MAP_BYTES ? at - HANDOFF_DIRECT_MAP : at;
}

static bool mem(const struct command_words *words, struct problem *p)
{
    uint64_t at, bytes;
    if (!command_at_most(words, 2, p) ||
        !command_number(words, 1, "address", UINT64_MAX, 0, &at, p) ||
        !command_number(words, 2, "length", LENGTH_MAX, LENGTH_DEFAULT, &bytes, p))
        return false;
    if (words->count == 1) {
        summarise();
        return true;
    }
    at = physical(at);
    if (!mem_is_ram(at, bytes))
        return problem_set(p, "monitor-word",
                           "mem: 0x%llx, %llu bytes, isn't all RAM by the firmware's memory map: "
                           "registers, which reading may change, are not read",
                           (unsigned long long)at, (unsigned long long)bytes);
    info("%s:", mem_what(at));
    dump(at, bytes);
    return true;
}

COMMAND(command_mem) = {
    .name = "mem",
    .usage = "[ADDR [LENGTH]]",
    .help = "RAM in use; or what it holds at an address, in hex",
    .more =
        "ADDR is physical, or of the kernel's direct map; LENGTH at most 4096, 64 if left out.\n"
        "It only reads, and nothing but RAM.",
    .when = COMMAND_ALWAYS,
    .run = mem,
};
