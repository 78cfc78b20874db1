// SPDX-License-Identifier: BSD-2-Clause
// Chunks of a NUMA node each, cut from their low end; the first one that has room is taken, so that
// what is asked for again lands where it was.
#include "apps/arena.h"

#include "kernel/mem/mem.h"
#include "lib/string.h"

#define LARGE (ARENA_CHUNK_BYTES / 8) // gets a chunk of its size, so that little is left over

struct arena_chunk {
    struct arena_chunk *next;
    unsigned node; // as asked for
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

static struct arena_chunk *add_chunk(struct arena_chunk **link, size_t bytes, size_t align,
                                     unsigned node)
{
    struct arena_chunk *c = mem_alloc(sizeof(*c), CACHE_LINE, NODE_ANY);
    c->node = node;
    c->bytes = bytes < LARGE ? ARENA_CHUNK_BYTES : bytes;
    c->base = mem_alloc(c->bytes, MAX(align, (size_t)CACHE_LINE), node);
    *link = c;
    return c;
}

void *arena_alloc(struct arena *arena, size_t bytes, size_t align, unsigned node)
{
    struct arena_chunk **link;
    if (!arena)
        return mem_alloc(bytes, align, node);
    for (link = &arena->chunks; *link; link = &(*link)->next) {
        void *at = (*link)->node == node ? cut(*link, bytes, align) : NULL;
        if (at)
            return at;
    }
    return cut(add_chunk(link, bytes, align, node), bytes, align);
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
