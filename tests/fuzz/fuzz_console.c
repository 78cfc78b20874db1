// SPDX-License-Identifier: BSD-2-Clause
// Where output goes, by any command line and any SPCR table; and any lines through a ring. The first byte picks one.
#include <stdlib.h>
#include <string.h>

#include "boot/spcr.h"
#include "lib/console_words.h"
#include "lib/line_ring.h"
#include "tests/fuzz/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_place(const struct console_place *place)
{
    char name[CONSOLE_NAME_BYTES];
    uint64_t last = 8 * (uint64_t)place->stride - 1;
    require(strnlen(console_name(place, name), sizeof(name)) < sizeof(name));
    require(place->kind <= CONSOLE_SCREEN);
    if (place->kind == CONSOLE_SCREEN)
        return;
    require(place->width == 1 || place->width == 2 || place->width == 4);
    require(place->stride >= place->width && place->stride <= 4);
    if (place->kind == CONSOLE_IO)
        require(place->stride == 1 && place->address && place->address + last <= UINT16_MAX);
    if (place->kind == CONSOLE_MMIO)
        require(place->address && place->address % place->width == 0 &&
                place->address + last < 1ull << 52);
    if (place->kind == CONSOLE_PCI)
        require(place->address <= UINT32_MAX && place->bar < 6);
}

static void check_places(const struct console_places *places)
{
    require(places->count <= CONSOLE_PLACES);
    for (uint32_t i = 0; i < places->count; i++) {
        check_place(&places->at[i]);
        require(places->at[i].kind == CONSOLE_SCREEN || places->at[i].baud != CONSOLE_BAUD_UNNAMED);
        for (uint32_t j = 0; j < i; j++)
            require(!console_same(&places->at[i], &places->at[j]));
    }
}

static void try_words(unsigned coms, const uint8_t *data, size_t size,
                      const struct console_place *spcr)
{
    struct console_choice c = { 0 };
    struct problem p = { .message = "" };
    char *text = malloc(size + 1); // exactly as long as it is, so that each byte too far is seen
    memcpy(text, data, size);
    text[size] = 0;
    if (!console_read_words(text, &c, &p))
        require(p.what && p.message[0] &&
                strnlen(p.message, sizeof(p.message)) < sizeof(p.message));
    free(text);
    c.has_spcr = spcr;
    if (spcr)
        c.spcr = *spcr;
    console_settle(&c, coms);
    check_places(&c.text);
    check_places(&c.json);
}

static void try_spcr(unsigned coms, const uint8_t *data, size_t size)
{
    struct console_place place;
    uint64_t value;
    uint8_t *table = malloc(size ? size : 1);
    memcpy(table, data, size);
    enum handoff_spcr fault = spcr_parse(table, size, &place, &value);
    free(table);
    require(fault <= HANDOFF_SPCR_ADDRESS);
    if (fault != HANDOFF_SPCR_USABLE)
        return;
    check_place(&place);
    try_words(coms, (const uint8_t *)"console=com2", 12, &place);
}

// Against a queue that is as long as it need be.
static void try_ring(struct input *in)
{
    static char queue[1 << 16];
    char bytes[64];
    struct line_ring ring = { .bytes = malloc(32), .size = 32, .head = (uint32_t)take(in, 4) };
    size_t head = 0, tail = 0;
    ring.tail = ring.head;
    while (in->at < in->end && head + 2 * sizeof(bytes) < sizeof(queue)) {
        uint8_t what = (uint8_t)take(in, 1);
        size_t count = what & 31, needs = 0;
        bool crlf = what & 32;
        uint32_t spare = what & 64 ? 8 : 0;
        for (size_t i = 0; i < count; i++) {
            bytes[i] = (char)take(in, 1);
            needs += crlf && bytes[i] == '\n' ? 2 : 1;
        }
        bool fits = head - tail + needs + spare <= ring.size;
        require(line_ring_put(&ring, bytes, count, crlf, spare) == fits);
        for (size_t i = 0; i < count && fits; i++) {
            if (crlf && bytes[i] == '\n')
                queue[head++] = '\r';
            queue[head++] = bytes[i];
        }
        require(line_ring_used(&ring) == head - tail);
        for (size_t n = what & 128 ? take(in, 1) & 31 : 0; n && tail < head; n--)
            require(line_ring_take(&ring) == queue[tail++]);
    }
    free(ring.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    uint8_t which = data[0] % 3, coms = data[0] >> 4;
    struct input in = { data + 1, data + size };
    if (which == 0)
        try_words(coms, data + 1, size - 1, NULL);
    else if (which == 1)
        try_spcr(coms, data + 1, size - 1);
    else
        try_ring(&in);
    return 0;
}
