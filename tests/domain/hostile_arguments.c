// SPDX-License-Identifier: BSD-2-Clause
// Calls of which one argument makes no sense, each in one way: each ends the domain, by a sentence of it.
#include "lib/string.h"
#include "lib/types.h"
#include "tests/domain/hostile.h"

#define BYTES 16                                              // of a text that would be fine
#define OWN_MEMORY (DOMAIN_MEMORY + (hostile_info()->memory)) // its end
#define STACK_END DOMAIN_STACKS + DOMAIN_STACK_SPAN
#define INFO_END DOMAIN_INFO + DOMAIN_INFO_BYTES

static char text[2 * DOMAIN_TEXT_BYTES];
static const char json_of_kernel[] = "{\"type\":\"end\",\"status\":\"ok\"}";

// Which argument is to be what lies behind `value`, as it can't all be known before the program runs.
enum where { AS_IT_IS, BEFORE_MEMORY_END, TEXT_AND };

static const struct {
    const char *name;
    uint64_t number, a, b, c;
    enum where where; // of b
} all[] = {
#define POINTER(name, at) { name, DOMAIN_CALL_PRINT, DOMAIN_TEXT_INFO, at, BYTES, AS_IT_IS }
    POINTER("PRINT from NULL", 0),
    POINTER("PRINT from where nothing is", DOMAIN_IMAGE_END),
    POINTER("PRINT from before its image", DOMAIN_IMAGE - BYTES / 2),
    POINTER("PRINT over the end of a stack", STACK_END - BYTES / 2),
    POINTER("PRINT from below a stack", STACK_END - DOMAIN_STACK_BYTES - BYTES / 2),
    POINTER("PRINT over the end of the information", INFO_END - 1),
    POINTER("PRINT from doorbells", DOMAIN_DOORBELLS),
    POINTER("PRINT from past doorbells", DOMAIN_DOORBELLS + 4096 - BYTES / 2),
    POINTER("PRINT over the end of all", DOMAIN_END - BYTES / 2),
    POINTER("PRINT from the end of all", DOMAIN_END),
    POINTER("PRINT from the end of the lower half", 0x7ffffffffff8ull),
    POINTER("PRINT from what isn't canonical", 0x800000000000ull),
    POINTER("PRINT from what isn't canonical, too", 0xffff7fffffffffffull),
    POINTER("PRINT from memory by the direct map", HOSTILE_DIRECT_MAP + 0x1000),
    POINTER("PRINT from registers or stacks", HOSTILE_WINDOW),
    POINTER("PRINT from the kernel's image", HOSTILE_KERNEL_IMAGE),
    POINTER("PRINT over the end of addresses", ~0ull - BYTES / 2),
    POINTER("PRINT from the last address", ~0ull),
    { "PRINT over the end of its memory", DOMAIN_CALL_PRINT, 0, 0, BYTES, BEFORE_MEMORY_END },
    { "PRINT from its own, bit 38 set", DOMAIN_CALL_PRINT, 0, 1ull << 38, BYTES, TEXT_AND },
    { "PRINT from its own, bit 47 set", DOMAIN_CALL_PRINT, 0, 1ull << 47, BYTES, TEXT_AND },
    { "PRINT from its own, bit 63 set", DOMAIN_CALL_PRINT, 0, 1ull << 63, BYTES, TEXT_AND },
#define TEXT(name, kind, bytes) { name, DOMAIN_CALL_PRINT, kind, 0, bytes, TEXT_AND }
    TEXT("PRINT of a byte too many", DOMAIN_TEXT_INFO, DOMAIN_TEXT_BYTES + 1),
    TEXT("PRINT of 4 GiB", DOMAIN_TEXT_INFO, 1ull << 32),
    TEXT("PRINT of 4 GiB and some", DOMAIN_TEXT_INFO, (1ull << 32) + BYTES),
    TEXT("PRINT of all there is", DOMAIN_TEXT_INFO, ~0ull),
    TEXT("PRINT up to where it began", DOMAIN_TEXT_INFO, -(uint64_t)BYTES),
    TEXT("PRINT of an empty warning", DOMAIN_TEXT_WARN, 0),
    TEXT("PRINT of a warning of its id alone", DOMAIN_TEXT_WARN, 2),
    TEXT("PRINT of an error of its id alone", DOMAIN_TEXT_ERROR, 2),
    TEXT("PRINT of JSON that is none", DOMAIN_TEXT_JSON, BYTES),
    TEXT("PRINT of no kind", DOMAIN_TEXTS, BYTES),
    TEXT("PRINT of a kind in 33 bits", 1ull << 32, BYTES),
    TEXT("PRINT of a negative kind", ~0ull, BYTES),
    { "PRINT in the kernel's name", DOMAIN_CALL_PRINT, DOMAIN_TEXT_JSON, (uint64_t)json_of_kernel,
      sizeof(json_of_kernel) - 1, AS_IT_IS },
    { "EXIT with 2", DOMAIN_CALL_EXIT, 2, 0, 0, AS_IT_IS },
    { "EXIT in 33 bits", DOMAIN_CALL_EXIT, 1ull << 32, 0, 0, AS_IT_IS },
    { "EXIT with -1", DOMAIN_CALL_EXIT, ~0ull, 0, 0, AS_IT_IS },
    { "WAKE of one CPU too many", DOMAIN_CALL_WAKE, DOMAIN_CPUS_MAX, 0, 0, AS_IT_IS },
    { "WAKE in 33 bits", DOMAIN_CALL_WAKE, 1ull << 32, 0, 0, AS_IT_IS },
    { "WAKE of CPU -1", DOMAIN_CALL_WAKE, ~0ull, 0, 0, AS_IT_IS },
    { "STATS of one CPU too many", DOMAIN_CALL_STATS, DOMAIN_CPUS_MAX, 0, 0, AS_IT_IS },
    { "STATS of CPU -1", DOMAIN_CALL_STATS, ~0ull, 0, 0, AS_IT_IS },
    { "GS past the end", DOMAIN_CALL_GS, DOMAIN_END, 0, 0, AS_IT_IS },
    { "GS that isn't canonical", DOMAIN_CALL_GS, 0x800000000000ull, 0, 0, AS_IT_IS },
    { "GS in the kernel", DOMAIN_CALL_GS, HOSTILE_DIRECT_MAP, 0, 0, AS_IT_IS },
    { "a call too many", DOMAIN_CALLS, 0, 0, 0, AS_IT_IS },
    { "a call in 33 bits", 1ull << 32, 0, 0, 0, AS_IT_IS },
    { "call -1", ~0ull, 0, 0, 0, AS_IT_IS },
};

static uint64_t second(unsigned which)
{
    switch (all[which].where) {
    case BEFORE_MEMORY_END:
        return OWN_MEMORY - BYTES / 2;
    case TEXT_AND:
        return (uint64_t)text | all[which].b;
    default:
        return all[which].b;
    }
}

static const char *name_of(unsigned which)
{
    return all[which].name;
}

static void run(unsigned which, uint64_t *state)
{
    memcpy(text, "id a text of its own", sizeof("id a text of its own"));
    hostile_call_heard(all[which].number, all[which].a, second(which), all[which].c);
}

const struct hostile_kind hostile_arguments = { "arguments", ARRAY_SIZE(all), name_of, run };
