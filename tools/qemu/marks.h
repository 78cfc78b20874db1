// SPDX-License-Identifier: BSD-2-Clause
// The marks of a guest program: section .marks of its ELF file (lib/mark.h).
#pragma once

#include "tools/qemu/regions.h"

enum mark_kind {
    MARK_KIND_BEGIN = 1,
    MARK_KIND_END = 2,
    MARK_KIND_END_AFTER = 3, // behind the instruction at the address: an iretq, say
};

#define MARK_NAME_BYTES 20

struct mark {
    uint64_t address;
    enum mark_kind kind;
    unsigned region;
    unsigned position; // in the section: the order of marks at one address
};

struct marks {
    uint64_t code_begin, code_end; // from the first to the last of what the file loads as code
    struct mark *list;             // by address
    unsigned count;
    char names[REGIONS_MAX][MARK_NAME_BYTES]; // by region; REGION_OTHER first
    unsigned regions;
};

// Refuses a file that can't be read, is no ELF64 file with code, or has no or malformed marks.
void marks_load(struct marks *marks, const char *path);
// The first mark at an address; those after it in the list may have the same. NULL: there is none.
const struct mark *marks_find(const struct marks *marks, uint64_t address);
