// SPDX-License-Identifier: BSD-2-Clause
// Chunks of a NUMA node each, cut from their low end; the first one that has room is taken, so that
// what is asked for again lands where it was.
#include "apps/arena.h"

#include "kernel/mem/dma.h"
#include "kernel/mem/mem.h"
#include "lib/string.h"

#define LARGE (ARENA_CHUNK_BYTES / 8) // gets a chunk of its size, so that little is left over

struct arena_chunk {
    struct arena_chunk *next;
    unsigned node; // as asked for
    bool for_devices;
    uint8_t *base;
    size_t bytes, used;
};

static void *cut(struct arena_chunk *c, size_t bytes, size_t align)
{
    uint64_t base = (uint64_t)c->base;
    size_t at = ALIGN_UP(base + c->used, MAX(align, (size_t)CACHE_LINE)) - base;
    if (at > c->bytes || bytes > c->bytes - at)
        return NULL;
    c->used = at + bytes;
    return memset(c->base + at, 0, bytes);
}

static struct arena_chunk *add_chunk(struct arena_chunk **link, const struct arena_chunk *kind,
                                     size_t bytes, size_t align)
{
    struct arena_chunk *c = mem_alloc(sizeof(*c), CACHE_LINE, NODE_ANY);
    *c = *kind;
    c->bytes = bytes < LARGE ? ARENA_CHUNK_BYTES : bytes;
    c->base = (c->for_devices ? mem_alloc_dma : mem_alloc)(c->bytes, MAX(align, (size_t)CACHE_LINE),
                                                           c->node);
    *link = c;
    return c;
}

static void *alloc(struct arena *arena, const struct arena_chunk *kind, size_t bytes, size_t align)
{
    struct arena_chunk **link;
    for (link = &arena->chunks; *link; link = &(*link)->next) {
        bool fits = (*link)->node == kind->node && (*link)->for_devices == kind->for_devices;
        void *at = fits ? cut(*link, bytes, align) : NULL;
        if (at)
            return at;
    }
    return cut(add_chunk(link, kind, bytes, align), bytes, align);
}

void *arena_alloc(struct arena *arena, size_t bytes, size_t align, unsigned node)
{
    const struct arena_chunk kind = { .node = node };
    return arena ? alloc(arena, &kind, bytes, align) : mem_alloc(bytes, align, node);
}

void *arena_alloc_dma(struct arena *arena, size_t bytes, size_t align, unsigned node)
{
    const struct arena_chunk kind = { .node = node, .for_devices = true };
    return arena ? alloc(arena, &kind, bytes, align) : mem_alloc_dma(bytes, align, node);
}

static struct arena *of_run;

void arena_begin_run(struct arena *arena)
{
    of_run = arena;
    arena_reset(arena);
}

struct arena *arena_of_run(void)
{
    return of_run;
}

void arena_reset(struct arena *arena)
{
    for (struct arena_chunk *c = arena->chunks; c; c = c->next)
        c->used = 0;
}

void arena_abandon(struct arena *arena)
{
    arena->chunks = NULL;
}
