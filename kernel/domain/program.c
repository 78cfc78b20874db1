// SPDX-License-Identifier: BSD-2-Clause
// From the loader's list of programs to one in memory.

#include "kernel/domain/program.h"

#include "kernel/mem/mem.h"
#include "lib/string.h"

#define ID "domain-program"
#define PLACE HANDOFF_PROGRAM_FOLDER

static const struct handoff_program *find(const struct handoff *h, const char *name)
{
    for (unsigned i = 0; i < MIN(h->programs, HANDOFF_PROGRAMS_MAX); i++)
        if (strcmp(h->program[i].name, name) == 0)
            return &h->program[i];
    return NULL;
}

// Why the image's own isn't there.
static bool lacks_own(const struct handoff_program *f, struct problem *p)
{
    if (f->state == HANDOFF_PROGRAM_NOT_FOUND)
        return problem_set(p, ID,
                           "this image carries no program for domains: build it with make DOMAIN=, "
                           "or name one on its volume by prog=");
    return problem_set(p, ID, "the image's own program found no memory: give the machine more");
}

static bool lacks_file(const struct handoff_program *f, struct problem *p)
{
    switch ((enum handoff_program_state)f->state) {
    case HANDOFF_PROGRAM_NO_VOLUME:
        return problem_set(p, ID,
                           "prog=%s: the image came from no volume with files (from a network, as "
                           "a rule): it has its own program alone, so leave prog= out",
                           f->name);
    case HANDOFF_PROGRAM_NOT_FOUND:
        return problem_set(p, ID,
                           "prog=%s: there is no " PLACE "%s.elf on the volume that the image came "
                           "from: copy it there",
                           f->name, f->name);
    case HANDOFF_PROGRAM_TOO_LONG:
        return problem_set(
            p, ID,
            "prog=%s: " PLACE
            "%s.elf has %llu bytes, and at most %llu fit: leave out what is for debuggers",
            f->name, f->name, (unsigned long long)f->value,
            (unsigned long long)HANDOFF_PROGRAM_BYTES);
    case HANDOFF_PROGRAM_NO_MEMORY:
        return problem_set(p, ID, "prog=%s: " PLACE "%s.elf found no memory: give the machine more",
                           f->name, f->name);
    default:
        return problem_set(p, ID,
                           "prog=%s: firmware can't read " PLACE "%s.elf (EFI status 0x%llx): "
                           "check the volume",
                           f->name, f->name, (unsigned long long)f->value);
    }
}

bool domain_program_find(struct domain_program *out, const struct handoff *h,
                         const struct domain_words *words, struct problem *p)
{
    const char *name = words->program;
    const struct handoff_program *f = find(h, name);
    *out = (struct domain_program){ 0 };
    if (!f)
        return problem_set(p, ID, "there are more than %u programs on the command line",
                           HANDOFF_PROGRAMS_MAX);
    if (f->state != HANDOFF_PROGRAM_LOADED)
        return name[0] ? lacks_file(f, p) : lacks_own(f, p);
    out->file = mem_at(f->base);
    if (!elf_check(name[0] ? name : "of this image", out->file, f->bytes, &out->plan, p))
        return false;
    const struct elf64_symbols *s = &out->plan.symbols;
    out->symbols = (struct symbols){ out->file + s->symtab, s->symtab_bytes,
                                     (const char *)out->file + s->strtab, s->strtab_bytes };
    return true;
}

bool domain_program_map(struct domain_program *program, struct space *space, unsigned node,
                        struct problem *p)
{
    const struct elf_plan *plan = &program->plan;
    if (plan->bytes > mem_free_bytes() / 2) // mem_alloc() ends the run where there is none
        return problem_set(p, ID,
                           "its program takes %llu KiB, more than half of the memory that is free: "
                           "have it keep its data in what mem= gives",
                           (unsigned long long)(plan->bytes / KIB));
    program->image = mem_alloc(plan->bytes, PAGE_BYTES, node);
    elf_place(plan, program->file, program->image);
    for (unsigned i = 0; i < plan->count; i++) {
        const struct elf_part *part = &plan->parts[i];
        space_map(space, part->virt, mem_phys(program->image) + part->at, part->bytes, part->kind);
    }
    return true;
}

// What is neither its own to write nor its devices' to reach stays as it was placed.
void domain_program_renew(const struct domain_program *program)
{
    elf_place_data(&program->plan, program->file, program->image);
}
