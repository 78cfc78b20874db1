// SPDX-License-Identifier: BSD-2-Clause
// A domain's program: its file as the loader has left it, and the memory that it runs in. Boot CPU.
#pragma once

#include "kernel/base/symbols.h"
#include "kernel/domain/elf.h"
#include "kernel/domain/words.h"
#include "kernel/handoff.h"

struct domain_program {
    const uint8_t *file; // nobody writes to it
    struct elf_plan plan;
    struct symbols symbols; // of its addresses
    void *image;            // plan.bytes, taken once and its own for the rest of the run
};

// Finds what the domain's words name, and checks it; takes nothing. Problem "domain-program", or "domain-elf".
bool domain_program_find(struct domain_program *out, const struct handoff *h,
                         const struct domain_words *words, struct problem *p);

// Takes its memory, near the NUMA node, maps it, and writes all of it. Once.
bool domain_program_map(struct domain_program *program, struct space *space, unsigned node,
                        struct problem *p);

// As each life finds it: writes what the last one may have written to; while none runs. Any CPU.
void domain_program_renew(const struct domain_program *program);
