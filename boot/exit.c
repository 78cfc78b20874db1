// SPDX-License-Identifier: BSD-2-Clause
// Leaving boot services, and the memory map that the kernel gets.

#include "boot/console.h"
#include "boot/loader.h"
#include "boot/memory_map.h"
#include "boot/ports.h"
#include "boot/status.h"

// The map may grow between two calls: allocations and notification functions split descriptors.
#define SLACK_DESCRIPTORS 64
#define EXIT_TRIES 8

static EFI_STATUS read_map(struct loader *l, UINTN *key)
{
    uint32_t version;
    l->map_bytes = l->map_capacity;
    EFI_STATUS status =
        l->services->GetMemoryMap(&l->map_bytes, l->map, key, &l->map_step, &version);
    if (status == EFI_SUCCESS && version != MEMORY_DESCRIPTOR_VERSION)
        return EFI_UNSUPPORTED;
    return status;
}

static bool map_problem(EFI_STATUS status, struct problem *p)
{
    return problem_set(p, "memory-map",
                       "firmware does not tell its memory map: %s; update the firmware",
                       status_name(status));
}

static bool convert(struct loader *l, struct problem *p)
{
    size_t count;
    struct handoff *h = l->handoff;
    if (!memory_map_convert(l->map, l->map_bytes, l->map_step, l->ranges, l->ranges_max, &count,
                            &h->warnings[HANDOFF_WARN_MEMORY_MAP], p))
        return false;
    h->ranges_base = (uint64_t)l->ranges;
    h->ranges = count;
    return true;
}

static bool allocate_map(struct loader *l, struct problem *p)
{
    UINTN key;
    uint64_t map, ranges;
    EFI_STATUS status = read_map(l, &key);
    if (status != EFI_BUFFER_TOO_SMALL || l->map_step < sizeof(struct memory_descriptor))
        return map_problem(status, p);
    size_t descriptors = l->map_bytes / l->map_step + SLACK_DESCRIPTORS;
    l->map_capacity = descriptors * l->map_step;
    l->ranges_max = MEMORY_MAP_RANGES(descriptors);
    if (!memory_take(l, MEMORY_BRIEF, l->map_capacity, MEMORY_ANYWHERE, "the memory map", &map,
                     p) ||
        !memory_take_low(l, MEMORY_KEPT, l->ranges_max * sizeof(struct handoff_range),
                         "the memory ranges", &ranges, p))
        return false;
    l->map = (void *)map;
    l->ranges = (struct handoff_range *)ranges;
    return true;
}

// Everything that the conversion needs is allocated now, and it is tried out now, while what goes
// wrong can still be told and firmware can go on to its next boot entry.
bool memory_map_prepare(struct loader *l, struct problem *p)
{
    UINTN key;
    if (!allocate_map(l, p))
        return false;
    EFI_STATUS status = read_map(l, &key);
    if (EFI_ERROR(status))
        return map_problem(status, p);
    // Also ends a line that firmware's console may have begun on a port that the kernel writes to.
    console_line("Onebell: %llu KiB of kernel at 0x%llx; leaving firmware",
                 (unsigned long long)(l->kernel.bytes / KIB),
                 (unsigned long long)l->handoff->kernel_base);
    return convert(l, p);
}

// UEFI 2.10, 7.4.6: a key is stale if anything was allocated since the map was read, for instance
// by a timer's notification function; and after the first call, failed or not, nothing but memory
// services may be called.
bool boot_services_exit(struct loader *l, struct problem *p)
{
    EFI_STATUS status = EFI_INVALID_PARAMETER;
    for (unsigned i = 0; i < EXIT_TRIES && status == EFI_INVALID_PARAMETER; i++) {
        UINTN key;
        EFI_STATUS read = read_map(l, &key);
        if (EFI_ERROR(read))
            return map_problem(read, p);
        status = l->services->ExitBootServices(l->image, key);
        console_leave_firmware();
    }
    __asm__ volatile("cli" ::: "memory");
    l->handoff->tsc_exit = read_tsc();
    if (EFI_ERROR(status))
        return problem_set(
            p, "exit-boot-services",
            "firmware would not end boot services (%s after up to %d tries): update it, or "
            "turn network boot and USB features off in its set-up",
            status_name(status), EXIT_TRIES);
    return true;
}

// A trampoline that firmware had no page for is found in what was boot services' until now. Nobody writes
// to it before the kernel has left their page tables, and this loader.
bool memory_map_hand_over(struct loader *l, struct problem *p)
{
    struct handoff *h = l->handoff;
    if (!convert(l, p))
        return false;
    size_t count = h->ranges;
    if (!h->trampoline)
        h->trampoline =
            memory_map_take_page(l->ranges, l->ranges_max, &count, HANDOFF_TRAMPOLINE_LIMIT);
    h->ranges = count;
    return true;
}
