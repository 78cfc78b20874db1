// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes a domain's program: what is accepted lies where programs may lie, a page has the rights of one part,
// and placing it writes neither more nor less than its memory. Half of the inputs are changes of a right one:
// pairs of a place and a byte.
#include "kernel/base/symbols.h"
#include "kernel/domain/elf.h"
#include "lib/string.h"
#include "tests/fuzz/input.h"
#include "tests/host/domain_elf_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parts(const struct elf_plan *plan, size_t bytes)
{
    uint64_t total = 0;
    bool has_entry = false;
    require(plan->count && plan->count <= ELF_PARTS_MAX);
    for (unsigned i = 0; i < plan->count; i++) {
        const struct elf_part *n = &plan->parts[i];
        require(n->virt % 4096 == 0 && n->bytes % 4096 == 0 && n->bytes && n->at == total);
        require(n->virt >= DOMAIN_IMAGE && n->virt + n->bytes <= DOMAIN_IMAGE_END);
        require(n->offset <= bytes && n->file_bytes <= bytes - n->offset);
        require(n->lead < 4096 && n->lead + n->file_bytes <= n->bytes);
        require(n->kind <= SPACE_DATA);
        for (unsigned j = 0; j < i; j++)
            require(n->virt >= plan->parts[j].virt + plan->parts[j].bytes ||
                    n->virt + n->bytes <= plan->parts[j].virt);
        has_entry |= n->kind == SPACE_CODE && plan->entry - n->virt < n->bytes;
        total += n->bytes;
    }
    require(has_entry && total == plan->bytes);
}

static void use_symbols(const struct elf_plan *plan, const uint8_t *file)
{
    const struct elf64_symbols *e = &plan->symbols;
    struct symbols s = { file + e->symtab, e->symtab_bytes, (const char *)file + e->strtab,
                         e->strtab_bytes };
    uint64_t offset;
    const char *name = symbols_find_in(&s, plan->entry, &offset);
    require(!name || strlen(name) < e->strtab_bytes);
}

static void try_file(const uint8_t *file, size_t bytes)
{
    struct elf_plan plan;
    struct problem p = { 0 };
    if (!elf_check("fuzz", file, bytes, &plan, &p)) {
        require(p.what && p.message[0]);
        return;
    }
    check_parts(&plan, bytes);
    use_symbols(&plan, file);
    if (plan.bytes > MIB)
        return; // slow, and tells nothing more
    uint8_t *memory = malloc(plan.bytes);
    elf_place(&plan, file, memory);
    free(memory);
}

static void try_changed(const uint8_t *data, size_t size)
{
    struct program_image *image = aligned_alloc(8, ALIGN_UP(sizeof(*image), 8));
    struct input in = { data, data + size };
    program_build(image);
    while (in.at < in.end) {
        size_t place = take(&in, 2) % (2 * sizeof(*image));
        // Twice as often where headers are.
        place = place < sizeof(*image) ? place : place % offsetof(struct program_image, text);
        ((uint8_t *)image)[place] = (uint8_t)take(&in, 1);
    }
    try_file((const uint8_t *)image, sizeof(*image));
    free(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size && data[0] & 1) {
        try_changed(data + 1, size - 1);
        return 0;
    }
    uint8_t *file = malloc(size ? size : 1); // exactly as long as it is
    memcpy(file, data, size);
    try_file(file, size);
    free(file);
    return 0;
}
