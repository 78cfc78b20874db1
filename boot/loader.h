// SPDX-License-Identifier: BSD-2-Clause
// What the loader's steps share. All of them run on the boot CPU, in the order of main.c.
#pragma once

#include <efi.h>

#include "boot/bus_masters.h"
#include "boot/kernel_elf.h"
#include "kernel/handoff.h"
#include "lib/problem.h"
#include "lib/types.h"

// What memory is for decides its EFI type, and the type alone decides later how the memory map
// hands it to the kernel (memory_map.h). Firmware loads this image itself as EfiLoaderCode.
enum memory_use {
    MEMORY_KEPT = EfiLoaderData,        // the kernel's from now on: HANDOFF_KEPT
    MEMORY_BRIEF = EfiBootServicesData, // until the kernel has its own tables: HANDOFF_BOOT
};

#define MEMORY_TAKEN_MAX (16 + HANDOFF_PROGRAMS_MAX)
#define MEMORY_ANYWHERE (~0ull)

struct loader {
    EFI_HANDLE image;
    EFI_SYSTEM_TABLE *system;
    EFI_BOOT_SERVICES *services;
    EFI_LOADED_IMAGE *self;
    uint64_t tsc_start;
    struct handoff *handoff;

    struct {
        uint64_t base, pages;
    } taken[MEMORY_TAKEN_MAX]; // given back if the loader gives up
    size_t taken_count;

    bool ran_before; // and has left a record of its results: nothing runs again by itself

    struct kernel_elf kernel;
    uint64_t root; // CR3 for the kernel's entry

    struct pci_function *functions;
    size_t functions_count;

    void *map; // firmware's memory map
    UINTN map_capacity, map_bytes, map_step;
    struct handoff_range *ranges;
    size_t ranges_max;
};

// ---- memory.c ----

// Zeroed pages that end at or below `last` (the highest address allowed). `what` names them in the
// problem "boot-memory".
bool memory_take(struct loader *l, enum memory_use use, uint64_t bytes, uint64_t last,
                 const char *what, uint64_t *base, struct problem *p);

// Zeroed pages below 4 GiB if firmware has them there, else anywhere.
bool memory_take_low(struct loader *l, enum memory_use use, uint64_t bytes, const char *what,
                     uint64_t *base, struct problem *p);

// Gives everything back to firmware.
void memory_return(struct loader *l);

// *root is NULL where there is no volume (an image from the network). volume.c
EFI_STATUS volume_open(struct loader *l, EFI_FILE_HANDLE *root);

// CR4.LA57. kernel_load.c
bool paging_has_five_levels(void);

// ---- the steps; false fills in the problem ----

bool loader_begin(struct loader *l, struct problem *p);         // main.c
bool command_line_gather(struct loader *l, struct problem *p);  // command_line.c
bool command_line_ask(struct loader *l, struct problem *p);     // command_line.c
bool platform_describe(struct loader *l, struct problem *p);    // platform.c
bool console_gather(struct loader *l, struct problem *p);       // console_gather.c
void hsti_read(struct loader *l);                               // hsti.c
void results_collect(struct loader *l);                         // results.c
void programs_load(struct loader *l);                           // programs.c
bool kernel_load(struct loader *l, struct problem *p);          // kernel_load.c
bool kernel_map(struct loader *l, struct problem *p);           // kernel_load.c
bool bus_masters_find(struct loader *l, struct problem *p);     // quiesce.c
bool results_prepare(struct loader *l, struct problem *p);      // results.c
bool memory_map_prepare(struct loader *l, struct problem *p);   // exit.c
bool boot_services_exit(struct loader *l, struct problem *p);   // exit.c
void bus_masters_stop(struct loader *l);                        // quiesce.c
bool memory_map_hand_over(struct loader *l, struct problem *p); // exit.c

// jump.asm: leaves for the kernel; nothing of firmware's is used from here on.
noreturn void kernel_enter(uint64_t handoff, uint64_t root, uint64_t entry);

// kernel_blob.asm
extern const uint8_t kernel_blob[] __attribute__((visibility("hidden")));
extern const uint8_t kernel_blob_end[] __attribute__((visibility("hidden")));

// program_blob.asm
extern const uint8_t program_blob[] __attribute__((visibility("hidden")));
extern const uint8_t program_blob_end[] __attribute__((visibility("hidden")));

// crt0's entry.
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);
