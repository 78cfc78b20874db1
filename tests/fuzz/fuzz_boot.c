// SPDX-License-Identifier: BSD-2-Clause
// What the loader reads before it trusts it: the kernel's ELF file, load options and cmdline.txt,
// firmware's memory map, device paths, security tests, and results of the run before. The first byte picks one, the second makes up sizes.

#include <stdlib.h>
#include <string.h>

#include "boot/device_path.h"
#include "boot/hsti_decode.h"
#include "boot/kernel_elf.h"
#include "boot/load_options.h"
#include "boot/memory_map.h"
#include "boot/results_files.h"
#include "lib/cache.h"
#include "lib/kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool condition)
{
    if (!condition)
        abort();
}

// What was accepted is used as the loader uses it.
static void try_elf(const uint8_t *file, size_t bytes, struct problem *p)
{
    struct kernel_elf k;
    if (!kernel_elf_check(file, bytes, &k, p))
        return;
    require(k.count && k.count <= KERNEL_SEGMENTS_MAX && k.bytes <= KERNEL_BYTES_MAX &&
            k.bytes % 4096 == 0);
    for (size_t i = 0; i < k.count; i++)
        require(!(k.segments[i].write && k.segments[i].execute));
    require(k.symbols.symtab_bytes <= bytes && k.symbols.strtab_bytes <= bytes);
    if (k.symbols.symtab_bytes)
        require(file[k.symbols.strtab + k.symbols.strtab_bytes - 1] == 0 &&
                k.symbols.symtab + k.symbols.symtab_bytes <= bytes);
    if (k.bytes > MIB)
        return; // slow, and tells nothing more
    uint8_t *memory = calloc(1, k.bytes);
    kernel_elf_place(&k, memory);
    free(memory);
}

static void try_options(uint8_t capacity, const uint8_t *data, size_t bytes, struct problem *p)
{
    char *text = malloc(capacity + 1);
    struct options o;
    options_begin(&o, text, capacity + 1);
    options_add_file(&o, data, bytes / 2, p);
    options_add_load_options(&o, data + bytes / 2, bytes - bytes / 2);
    require(o.used <= capacity && strlen(text) == o.used);
    for (size_t i = 0; i < o.used; i++)
        require(text[i] >= ' ' && text[i] < 0x7f && !(text[i] == ' ' && text[i + 1] == ' '));
    require(!o.used || (text[0] != ' ' && text[o.used - 1] != ' '));
    free(text);
}

static void try_memory_map(uint8_t extra, const uint8_t *map, size_t bytes, struct problem *p)
{
    size_t step = 36 + extra % 32, max = MEMORY_MAP_RANGES(bytes / step), count;
    struct handoff_range *out = calloc(max, sizeof(*out));
    struct handoff_warned bad;
    bool ok = memory_map_convert(map, bytes, step, out, max, &count, &bad, p);
    require(count <= max && (!ok || count > 0));
    require(ok || !strstr(p->message, "ranges")); // the room is always enough
    for (size_t i = 0; i < count; i++) {
        require(out[i].bytes && out[i].base % 4096 == 0 && out[i].bytes % 4096 == 0);
        require(i == 0 || out[i].base >= out[i - 1].base + out[i - 1].bytes);
    }
    // A page is taken once, and the ranges stay in order around it.
    uint64_t page = memory_map_take_page(out, max, &count, 0xa0000);
    require(count <= max && page % 4096 == 0 && page < 0xa0000);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        found |= page && out[i].base <= page && page < out[i].base + out[i].bytes &&
                 out[i].kind == HANDOFF_KEPT;
        require(out[i].bytes && (i == 0 || out[i].base >= out[i - 1].base + out[i - 1].bytes));
    }
    require(found == (page != 0));
    free(out);
}

// In memory of exactly its size.
static void try_hsti(const uint8_t *data, size_t bytes)
{
    struct handoff_hsti one;
    uint8_t *block = malloc(bytes ? bytes : 1);
    memcpy(block, data, bytes);
    if (hsti_decode(block, bytes, &one))
        require(memchr(one.name, 0, sizeof(one.name)) && one.bytes <= bytes / 3);
    free(block);
}

void cache_model_flush(const volatile void *at, size_t bytes)
{
}

// Memory in which anything may be, a record, a directory's name: all that was read is within it.
static void try_results(const uint8_t *data, size_t bytes)
{
    static _Alignas(CACHE_LINE) uint8_t memory[KEPT_BYTES];
    struct kept_block *block = (struct kept_block *)memory;
    struct results_pending record = { 0 };
    uint16_t name[RESULTS_NAME_CHARS];
    unsigned highest = 0;
    size_t found;
    kept_begin(block, 1);
    memcpy(memory + 16, data, MIN(bytes, sizeof(memory) - 16)); // magic and nonce as they should be
    require(kept_check(block, 1, &found) == KEPT_WHOLE ? found <= KEPT_TEXT_BYTES : found == 0);
    memcpy(&record, data, MIN(bytes, sizeof(record)));
    if (results_pending_is_good(&record, bytes))
        require(record.base && record.base + KEPT_BYTES > record.base);
    memcpy(name, data, MIN(bytes, sizeof(name)));
    results_name_heed(name, MIN(bytes, sizeof(name)) / sizeof(*name), &highest);
    require(results_name_next(highest, name) == (highest < 9999));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct problem p = { .message = "" };
    if (bytes < 2)
        return 0;
    uint8_t which = data[0] % 6, size = data[1];
    data += 2, bytes -= 2;
    if (which == 0)
        try_elf(data, bytes, &p);
    else if (which == 1)
        try_options(size, data, bytes, &p);
    else if (which == 2)
        try_memory_map(size, data, bytes, &p);
    else if (which == 3)
        try_hsti(data, bytes);
    else if (which == 4)
        try_results(data, bytes);
    else
        device_path_names_com(data, bytes, size), device_path_is_list(data, bytes);
    return 0;
}
