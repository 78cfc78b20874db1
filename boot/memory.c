// SPDX-License-Identifier: BSD-2-Clause
// Memory from firmware, by pages, zeroed, and given back if the loader gives up.

#include "boot/loader.h"
#include "boot/status.h"
#include "lib/string.h"

#define PAGE 4096ull
#define LAST_BELOW_4G (4 * GIB - 1)

static EFI_STATUS allocate(struct loader *l, enum memory_use use, uint64_t pages, uint64_t last,
                           uint64_t *base)
{
    EFI_PHYSICAL_ADDRESS at = last;
    EFI_STATUS status =
        l->services->AllocatePages(last == MEMORY_ANYWHERE ? AllocateAnyPages : AllocateMaxAddress,
                                   (EFI_MEMORY_TYPE)use, pages, &at);
    if (EFI_ERROR(status))
        return status;
    memset((void *)at, 0, pages * PAGE);
    l->taken[l->taken_count].base = at;
    l->taken[l->taken_count++].pages = pages;
    *base = at;
    return EFI_SUCCESS;
}

bool memory_take(struct loader *l, enum memory_use use, uint64_t bytes, uint64_t last,
                 const char *what, uint64_t *base, struct problem *p)
{
    EFI_STATUS status = l->taken_count < MEMORY_TAKEN_MAX
                            ? allocate(l, use, DIV_UP(bytes, PAGE), last, base)
                            : EFI_OUT_OF_RESOURCES;
    if (!EFI_ERROR(status))
        return true;
    return problem_set(
        p, "boot-memory",
        "firmware has no %llu KiB of memory for %s (%s): give the machine more memory",
        (unsigned long long)DIV_UP(bytes, KIB), what, status_name(status));
}

bool memory_take_low(struct loader *l, enum memory_use use, uint64_t bytes, const char *what,
                     uint64_t *base, struct problem *p)
{
    return memory_take(l, use, bytes, LAST_BELOW_4G, what, base, p) ||
           memory_take(l, use, bytes, MEMORY_ANYWHERE, what, base, p);
}

void memory_return(struct loader *l)
{
    while (l->taken_count) {
        l->taken_count--;
        l->services->FreePages(l->taken[l->taken_count].base, l->taken[l->taken_count].pages);
    }
}
