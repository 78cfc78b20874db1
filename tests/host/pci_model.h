// SPDX-License-Identifier: BSD-2-Clause
// A PCI segment or several behind the register accessors: configuration space with its writable
// bits, ECAM windows, and memory behind BARs. What no real device or platform would forgive ends
// the test at once: an access that was not mapped, is not aligned or has an odd width, a BAR that
// is changed while the function decodes it.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/acpi/acpi.h"
#include "kernel/mem/map.h"
#include "kernel/mem/mem.h"
#include "lib/mmio.h"
#include "lib/types.h"

#define MODEL_VIRT 0x1000000000000000ull // where physical address 0 appears
#define MODEL_SPACE 4096

struct model_fn {
    uint16_t segment, bdf;
    unsigned reads;
    uint8_t space[MODEL_SPACE];
    uint8_t writable[MODEL_SPACE]; // bits that keep what is written
};

struct model_memory {
    uint64_t phys;
    size_t bytes;
    uint8_t *data;
};

// Configuration space in a function's BAR, as Intel VMD has it: buses from `first` on.
struct model_hidden {
    struct model_fn *host;
    unsigned slot; // of the BAR
    uint64_t bytes;
    uint16_t segment; // of the model alone
    uint8_t first;
};

struct model_range {
    uint64_t phys, bytes;
};

static struct {
    struct mcfg mcfg;
    struct model_fn *fns[600];
    size_t fns_count;
    struct model_hidden hidden[4];
    size_t hidden_count;
    bool hidden_write; // which isn't done before a read from there
    struct model_memory memory[40];
    size_t memory_count;
    struct model_range mapped[4096];
    size_t mapped_count;
    uint64_t ram;   // an address of it; 0: none
    unsigned reads; // of configuration space
    unsigned warnings;
    char warning[300], warning_what[64]; // the last one
    bool ghosts; // devices answer to each device number, as some do at the end of a link
    bool full;   // the first function stands at every place that there is
    void (*before_write)(uint64_t phys, uint64_t value, unsigned bytes);
    bool (*device)(uint64_t phys, uint64_t *value, unsigned bytes, bool write); // whose registers
    void (*after_access)(uint64_t phys, bool write);
} model;

static inline void model_refuse(const char *why, uint64_t phys)
{
    fprintf(stderr, "PCI model: %s at physical 0x%llx\n", why, (unsigned long long)phys);
    abort();
}

static inline void model_reset(void)
{
    for (size_t i = 0; i < model.fns_count; i++)
        free(model.fns[i]);
    for (size_t i = 0; i < model.memory_count; i++)
        free(model.memory[i].data);
    memset(&model, 0, sizeof(model));
}

// ---- building ----

static inline void model_segment(uint16_t segment, uint64_t base, uint8_t first, uint8_t last)
{
    model.mcfg.segments[model.mcfg.count++] = (struct mcfg_segment){ base, segment, first, last };
}

static inline uint32_t model_get(const struct model_fn *f, unsigned at, unsigned bytes)
{
    uint32_t value = 0;
    memcpy(&value, f->space + at, bytes);
    return value;
}

static inline void model_set(struct model_fn *f, unsigned at, uint32_t value, unsigned bytes)
{
    memcpy(f->space + at, &value, bytes);
}

static inline void model_writable(struct model_fn *f, unsigned at, uint32_t bits, unsigned bytes)
{
    memcpy(f->writable + at, &bits, bytes);
}

static inline struct model_fn *model_add(uint16_t segment, uint16_t bdf, uint32_t class_code)
{
    if (model.fns_count == ARRAY_SIZE(model.fns))
        model_refuse("too many functions", bdf);
    struct model_fn *f = model.fns[model.fns_count++] = calloc(1, sizeof(*f));
    f->segment = segment;
    f->bdf = bdf;
    model_set(f, 0x00, 0x12340000u + 0x1af4, 4);
    model_set(f, 0x04, 0x0007, 2);
    model_writable(f, 0x04, 0x0547, 2);
    model_set(f, 0x08, class_code << 8, 4);
    return f;
}

static inline struct model_fn *model_bridge(uint16_t segment, uint16_t bdf, uint8_t secondary,
                                            uint8_t subordinate)
{
    struct model_fn *f = model_add(segment, bdf, 0x060400);
    model_set(f, 0x0e, 1, 1);
    model_set(f, 0x18, PCI_BUS(bdf) | (uint32_t)secondary << 8 | (uint32_t)subordinate << 16, 4);
    model_writable(f, 0x18, 0xffffff, 4);
    model_writable(f, 0x1c, 0xfff0fff0, 4); // windows
    model_writable(f, 0x20, 0xfff0fff0, 4);
    model_writable(f, 0x24, 0xfff0fff0, 4);
    model_set(f, 0x20, 0xdff0d000, 4);
    return f;
}

// A BAR with these bits; `mask` are its writable ones.
static inline void model_bar(struct model_fn *f, unsigned slot, uint32_t value, uint32_t mask)
{
    model_set(f, 0x10 + 4 * slot, value, 4);
    model_writable(f, 0x10 + 4 * slot, mask, 4);
}

static inline void model_bar64(struct model_fn *f, unsigned slot, uint64_t base, uint64_t bytes)
{
    model_bar(f, slot, (uint32_t)base | 0xc, (uint32_t)~(bytes - 1) & ~0xfu);
    model_bar(f, slot + 1, (uint32_t)(base >> 32), (uint32_t)(~(bytes - 1) >> 32));
}

// Puts a capability in front of the list.
static inline void model_cap(struct model_fn *f, uint8_t at, uint8_t id)
{
    model_set(f, 0x06, model_get(f, 0x06, 2) | 0x10, 2);
    model_set(f, at, id, 1);
    model_set(f, at + 1u, model_get(f, 0x34, 1), 1);
    model_set(f, 0x34, at, 1);
}

static inline void model_express(struct model_fn *f, unsigned type)
{
    model_cap(f, 0x40, 0x10);
    model_set(f, 0x42, 2 | type << 4, 2);
}

static inline void model_msix(struct model_fn *f, uint8_t at, unsigned vectors, unsigned bir,
                              uint32_t offset)
{
    model_cap(f, at, 0x11);
    model_set(f, at + 2u, vectors - 1, 2);
    model_writable(f, at + 2u, 0xc000, 2);
    model_set(f, at + 4u, offset | bir, 4);
}

static inline uint8_t *model_memory(uint64_t phys, size_t bytes)
{
    struct model_memory *m = &model.memory[model.memory_count++];
    *m = (struct model_memory){ phys, bytes, calloc(1, bytes) };
    return m->data;
}

// ---- running ----

static inline struct model_fn *model_find(uint16_t segment, uint16_t bdf)
{
    if (model.full)
        return model.fns[0];
    for (size_t i = 0; i < model.fns_count; i++) {
        struct model_fn *f = model.fns[i];
        uint16_t at = model.ghosts && PCI_BUS(bdf) ? (uint16_t)(bdf & 0xff07) : bdf;
        if (f->segment == segment && f->bdf == at)
            return f;
    }
    return NULL;
}

// What the BAR decodes, by those of its bits that can be written.
static inline uint64_t model_bar_bytes(const struct model_fn *f, unsigned slot)
{
    uint64_t mask = 0;
    memcpy(&mask, f->writable + 0x10 + 4 * slot, sizeof(mask));
    return ~(mask & ~0xfull) + 1;
}

static inline bool model_in_hidden(uint64_t phys, struct model_fn **f)
{
    for (size_t i = 0; i < model.hidden_count; i++) {
        const struct model_hidden *h = &model.hidden[i];
        unsigned at = 0x10 + 4 * h->slot;
        uint64_t base = (uint64_t)model_get(h->host, at + 4, 4) << 32;
        base |= model_get(h->host, at, 4) & ~0xfu;
        if (!(h->host->space[0x04] & 2) || phys < base ||
            phys - base >= MIN(h->bytes, model_bar_bytes(h->host, h->slot)))
            continue;
        uint64_t place = ((phys - base) >> 12) + ((uint64_t)h->first << 8);
        *f = place > UINT16_MAX ? NULL : model_find(h->segment, (uint16_t)place);
        return true;
    }
    return false;
}

static inline bool model_in_mcfg(uint64_t phys, struct model_fn **f)
{
    for (size_t i = 0; i < model.mcfg.count; i++) {
        const struct mcfg_segment *s = &model.mcfg.segments[i];
        uint64_t first = s->base + s->first_bus * MIB, last = s->base + s->last_bus * MIB;
        if (phys < first || phys >= last + MIB)
            continue;
        *f = model_find(s->segment, (uint16_t)((phys - s->base) >> 12));
        return true;
    }
    return false;
}

// The function whose configuration space has this address. False: not configuration space.
static inline bool model_config(uint64_t phys, struct model_fn **f, unsigned *at)
{
    *at = phys % MODEL_SPACE;
    return model_in_mcfg(phys, f) || model_in_hidden(phys, f);
}

// A write to hidden configuration space is on its way until a read from there was answered.
static inline void model_check_hidden(uint64_t phys, bool write)
{
    struct model_fn *f;
    bool hidden = !model_in_mcfg(phys, &f) && model_in_hidden(phys, &f);
    if (model.hidden_write && (write || !hidden))
        model_refuse("access while a write to hidden configuration space is on its way", phys);
    model.hidden_write = hidden && write;
}

static inline uint8_t *model_data(uint64_t phys, unsigned bytes)
{
    for (size_t i = 0; i < model.memory_count; i++) {
        struct model_memory *m = &model.memory[i];
        if (phys >= m->phys && phys - m->phys + bytes <= m->bytes)
            return m->data + (phys - m->phys);
    }
    return NULL;
}

static inline uint64_t model_check(const volatile void *reg, unsigned bytes)
{
    uint64_t phys = (uint64_t)reg - MODEL_VIRT;
    if (phys % bytes)
        model_refuse("unaligned access", phys);
    for (size_t i = model.mapped_count; i-- > 0;) {
        const struct model_range *r = &model.mapped[i];
        if (phys >= r->phys && phys - r->phys + bytes <= r->bytes)
            return phys;
    }
    model_refuse("nothing is mapped", phys);
    return 0;
}

uint64_t mmio_model_read(const volatile void *reg, unsigned bytes)
{
    uint64_t phys = model_check(reg, bytes), value = ~0ull;
    struct model_fn *f;
    unsigned at;
    model_check_hidden(phys, false);
    if (model_config(phys, &f, &at)) {
        if (bytes > 4)
            model_refuse("configuration access of 8 bytes", phys);
        model.reads++;
        if (f) {
            f->reads++;
            value = model_get(f, at, bytes);
        }
    } else if (model.device && model.device(phys, &value, bytes, false)) {
        ; // answered
    } else if (model_data(phys, bytes)) {
        value = 0;
        memcpy(&value, model_data(phys, bytes), bytes);
    }
    if (model.after_access)
        model.after_access(phys, false);
    return value;
}

static inline bool model_is_bar(const struct model_fn *f, unsigned at)
{
    return at >= 0x10 && at < (f->space[0x0e] & 0x7f ? 0x18 : 0x28);
}

static inline void model_write_config(struct model_fn *f, unsigned at, uint64_t value,
                                      unsigned bytes)
{
    if (at < 4)
        model_refuse("write to vendor and device, register", at);
    if (model_is_bar(f, at) && f->space[0x04] & f->writable[0x04] & 3)
        model_refuse("BAR written while decoding is on, register", at);
    if (model_is_bar(f, at) && bytes != 4)
        model_refuse("BAR not written as a whole, register", at);
    for (unsigned i = 0; i < bytes; i++) {
        if (at + i == 0x07) // errors, which a one clears
            f->space[0x07] &= (uint8_t)~(value >> (8 * i) & 0xf9);
        uint8_t keep = f->writable[at + i], byte = (uint8_t)(value >> (8 * i));
        f->space[at + i] = (uint8_t)((f->space[at + i] & ~keep) | (byte & keep));
    }
}

void mmio_model_write(volatile void *reg, uint64_t value, unsigned bytes)
{
    uint64_t phys = model_check(reg, bytes);
    struct model_fn *f;
    unsigned at;
    if (model.before_write)
        model.before_write(phys, value, bytes);
    model_check_hidden(phys, true);
    if (model_config(phys, &f, &at)) {
        if (f)
            model_write_config(f, at, value, bytes);
    } else if (model.device && model.device(phys, &value, bytes, true)) {
        ; // taken
    } else if (model_data(phys, bytes)) {
        memcpy(model_data(phys, bytes), &value, bytes);
    }
    if (model.after_access)
        model.after_access(phys, true);
}

bool mem_may_be_mmio(uint64_t phys, size_t bytes)
{
    return phys < 1ull << 52 && phys + bytes <= 1ull << 52 &&
           (!model.ram || model.ram - phys >= bytes);
}

// As strict as the kernel's own, which ends the run.
volatile void *mem_map_mmio(uint64_t phys, size_t bytes)
{
    if (bytes == 0 || bytes > GIB || phys >= 1ull << 52 || phys + bytes > 1ull << 52)
        model_refuse("a range that can't be mapped", phys);
    if (model.mapped_count == ARRAY_SIZE(model.mapped))
        model_refuse("too much is mapped", phys);
    model.mapped[model.mapped_count++] = (struct model_range){ phys, bytes };
    return (volatile void *)(MODEL_VIRT + phys);
}

static struct model_piece { // what was given out
    struct model_piece *next;
    void *memory;
} *model_pieces;

void *mem_alloc(size_t bytes, size_t align, unsigned node)
{
    size_t unit = MAX(align, (size_t)CACHE_LINE);
    struct model_piece *piece = malloc(sizeof(*piece));
    *piece = (struct model_piece){ model_pieces, aligned_alloc(unit, ALIGN_UP(bytes, unit)) };
    model_pieces = piece;
    return memset(piece->memory, 0, bytes);
}

// For who starts machine after machine: all that was given out since `before`, which nobody may have any
// more. The list of functions stays: it is made once.
static inline void model_free_memory(const struct model_piece *before)
{
    while (model_pieces && model_pieces != before) {
        struct model_piece *piece = model_pieces;
        model_pieces = piece->next;
        free(piece->memory);
        free(piece);
    }
}
