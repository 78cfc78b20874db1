// SPDX-License-Identifier: BSD-2-Clause

#include "kernel/base/canvas.h"

#include "lib/string.h"

#define SIDE_MAX 16384u
#define PIXEL_BYTES_MAX 4

static const uint32_t rgb[COLOURS] = {
    [COLOUR_BACK] = 0x0e1116,   [COLOUR_TEXT] = 0xc4cad2,  [COLOUR_DIM] = 0x7d8792,
    [COLOUR_BRIGHT] = 0xf2f5f8, [COLOUR_GREEN] = 0x4cc46a, [COLOUR_YELLOW] = 0xe3b341,
    [COLOUR_RED] = 0xff6b61,    [COLOUR_BLUE] = 0x58a6ff,  [COLOUR_TRACK] = 0x262c35,
    [COLOUR_HEAD] = 0x1d2632,   [COLOUR_PASS] = 0x1f8a43,  [COLOUR_FAIL] = 0xc9302c,
    [COLOUR_WHITE] = 0xffffff,  [COLOUR_BLACK] = 0x000000,
};

static struct {
    volatile uint8_t *pixels; // NULL: there is no screen
    unsigned width, height, pixel_bytes;
    size_t pitch;
    uint32_t pixel[COLOURS];
} canvas;

// One run of bits for each colour, none in two of them.
static bool good_mask(uint32_t mask, uint32_t others)
{
    uint32_t run = mask ? mask >> __builtin_ctz(mask) : 0;
    return run && !(run & (run + 1)) && !(mask & others);
}

uint64_t canvas_bytes(const struct handoff_framebuffer *fb)
{
    uint64_t bytes = (uint64_t)fb->stride * fb->height * handoff_pixel_bytes(fb);
    bool plausible = fb->base && fb->width && fb->width <= SIDE_MAX && fb->height &&
                     fb->height <= SIDE_MAX && fb->stride >= fb->width && bytes <= fb->bytes &&
                     handoff_pixel_bytes(fb) >= 2 && good_mask(fb->red, fb->green | fb->blue) &&
                     good_mask(fb->green, fb->red | fb->blue) &&
                     good_mask(fb->blue, fb->red | fb->green);
    return plausible ? bytes : 0;
}

// 8 bits of a colour as its mask's bits.
static uint32_t part(uint32_t mask, unsigned value)
{
    unsigned shift = (unsigned)__builtin_ctz(mask),
             width = 32 - (unsigned)__builtin_clz(mask) - shift;
    uint64_t scaled = width < 8 ? value >> (8 - width) : (uint64_t)value << (width - 8);
    return (uint32_t)(scaled << shift) & mask;
}

void canvas_init(const struct handoff_framebuffer *fb, volatile void *pixels)
{
    canvas.width = fb->width;
    canvas.height = fb->height;
    canvas.pixel_bytes = handoff_pixel_bytes(fb);
    canvas.pitch = (size_t)fb->stride * canvas.pixel_bytes;
    for (unsigned i = 0; i < COLOURS; i++)
        canvas.pixel[i] = part(fb->red, rgb[i] >> 16) | part(fb->green, rgb[i] >> 8 & 0xff) |
                          part(fb->blue, rgb[i] & 0xff);
    canvas.pixels = pixels;
    canvas_fill(0, 0, fb->width, fb->height, COLOUR_BACK);
}

// In eights where they are aligned: write-combining sends whole lines, and few stores.
static void store(volatile uint8_t *to, const uint8_t *from, size_t count)
{
    for (; count && (uintptr_t)to % sizeof(uint64_t); count--)
        *to++ = *from++;
    for (; count >= sizeof(uint64_t); count -= sizeof(uint64_t)) {
        uint64_t eight;
        __builtin_memcpy(&eight, from, sizeof(eight));
        *(volatile uint64_t *)to = eight;
        to += sizeof(eight);
        from += sizeof(eight);
    }
    while (count--)
        *to++ = *from++;
}

void canvas_draw(unsigned x, unsigned y, unsigned lines, const uint8_t *colours, unsigned count)
{
    static uint8_t line[(SIDE_MAX + 1) * PIXEL_BYTES_MAX];
    if (!canvas.pixels || x >= canvas.width || y >= canvas.height)
        return;
    count = MIN(count, canvas.width - x);
    uint8_t *at = line;
    for (unsigned i = 0; i < count; i++, at += canvas.pixel_bytes)
        __builtin_memcpy(at, &canvas.pixel[colours[i]],
                         PIXEL_BYTES_MAX); // the next one covers what is more
    for (unsigned i = y; i < MIN(y + lines, canvas.height); i++)
        store(canvas.pixels + i * canvas.pitch + (size_t)x * canvas.pixel_bytes, line,
              (size_t)(at - line));
}

void canvas_fill(unsigned x, unsigned y, unsigned width, unsigned height, enum canvas_colour c)
{
    static uint8_t colours[SIDE_MAX];
    memset(colours, c, MIN(width, SIDE_MAX));
    canvas_draw(x, y, height, colours, MIN(width, SIDE_MAX));
}
