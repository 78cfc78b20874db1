// SPDX-License-Identifier: BSD-2-Clause
// The order of writes, and two bits for each place.
#include "lib/written.h"

#include "lib/bits.h"

static size_t words_of(uint64_t places)
{
    return DIV_UP(places, 64);
}

size_t written_bytes(uint64_t places)
{
    return 2 * words_of(places) * sizeof(uint64_t);
}

void written_init(struct written *w, uint64_t first, uint64_t places, bool random, uint64_t seed,
                  void *memory)
{
    *w = (struct written){ .first = first, .places = places, .random = random };
    if (random)
        permute_init(&w->order, places, seed ^ first);
    w->busy = memory;
    w->unknown = memory ? w->busy + words_of(places) : NULL;
}

static bool is_set(const uint64_t *bits, uint64_t n)
{
    return bits[n / 64] & BIT64(n % 64);
}

static void set(uint64_t *bits, uint64_t n)
{
    bits[n / 64] |= BIT64(n % 64);
}

static void clear(uint64_t *bits, uint64_t n)
{
    bits[n / 64] &= ~BIT64(n % 64);
}

uint64_t written_place(const struct written *w, uint64_t number)
{
    uint64_t position = number % w->places;
    return w->first + (w->random ? permute_value(&w->order, position) : position);
}

uint32_t written_times(const struct written *w, uint64_t place, uint64_t count)
{
    uint64_t n = place - w->first;
    uint64_t position = w->random ? permute_position(&w->order, n) : n;
    return (uint32_t)(count / w->places + (position < count % w->places));
}

bool written_begin_write(struct written *w, uint64_t *place, uint32_t *sequence)
{
    *place = written_place(w, w->begun);
    if (is_set(w->busy, *place - w->first))
        return false;
    set(w->busy, *place - w->first);
    *sequence = (uint32_t)(w->begun / w->places) + 1;
    w->begun++;
    return true;
}

bool written_begin_read(struct written *w, uint64_t from, uint64_t *place)
{
    uint64_t n = from - w->first;
    for (uint64_t tried = 0; tried < w->places; tried++, n = n + 1 == w->places ? 0 : n + 1)
        if (!is_set(w->busy, n)) {
            set(w->busy, n);
            *place = w->first + n;
            return true;
        }
    return false;
}

void written_end_read(struct written *w, uint64_t place)
{
    clear(w->busy, place - w->first);
}

void written_end_write(struct written *w, uint64_t place, bool ok)
{
    (ok ? clear : set)(w->unknown, place - w->first);
    clear(w->busy, place - w->first);
}

uint32_t written_expected(const struct written *w, uint64_t place)
{
    return is_set(w->unknown, place - w->first) ? 0 : written_times(w, place, w->begun);
}
