// SPDX-License-Identifier: BSD-2-Clause
#include "tests/host/qr_read.h"

#include <string.h>

// Of level L and M in turn: codewords for error correction in each block, and blocks.
static const uint8_t blocks[QR_VERSION_MAX + 1][2][2] = {
    { { 0, 0 }, { 0, 0 } },   { { 7, 1 }, { 10, 1 } },  { { 10, 1 }, { 16, 1 } },
    { { 15, 1 }, { 26, 1 } }, { { 20, 1 }, { 18, 2 } }, { { 26, 1 }, { 24, 2 } },
    { { 18, 2 }, { 16, 4 } }, { { 20, 2 }, { 18, 4 } }, { { 24, 2 }, { 22, 4 } },
    { { 30, 2 }, { 22, 5 } }, { { 18, 4 }, { 26, 5 } },
};

// Annex C's table C.1: all format information, masked, by its five bits.
static const uint16_t formats[32] = {
    0x5412, 0x5125, 0x5e7c, 0x5b4b, 0x45f9, 0x40ce, 0x4f97, 0x4aa0, 0x77c4, 0x72f3, 0x7daa,
    0x789d, 0x662f, 0x6318, 0x6c41, 0x6976, 0x1689, 0x13be, 0x1ce7, 0x19d0, 0x0762, 0x0255,
    0x0d0c, 0x083b, 0x355f, 0x3068, 0x3f31, 0x3a06, 0x24b4, 0x2183, 0x2eda, 0x2bed,
};

// Annex D's table D.1.
static const uint32_t versions[] = { [7] = 0x07c94, [8] = 0x085bc, [9] = 0x09a99, [10] = 0x0a4d3 };

static const char *const finder[9] = { "#######..", "#.....#..", "#.###.#..",
                                       "#.###.#..", "#.###.#..", "#.....#..",
                                       "#######..", ".........", "........." };
static const char *const alignment[5] = { "#####", "#...#", "#.#.#", "#...#", "#####" };

struct reader {
    const struct qr *qr;
    unsigned side;
    bool taken[QR_SIDE_MAX][QR_SIDE_MAX]; // what isn't data
};

static bool dark(const struct reader *r, unsigned row, unsigned column)
{
    return qr_is_dark(r->qr, row, column);
}

static bool is_drawn(struct reader *r, unsigned row, unsigned column, bool wanted)
{
    r->taken[row][column] = true;
    return dark(r, row, column) == wanted;
}

// Eight modules from the corner, which is mirrored where it lies at the far side.
static bool check_finder(struct reader *r, bool low, bool right)
{
    bool good = true;
    for (unsigned i = 0; i < 8; i++)
        for (unsigned j = 0; j < 8; j++)
            good &= is_drawn(r, low ? r->side - 1 - i : i, right ? r->side - 1 - j : j,
                             finder[i][j] == '#');
    return good;
}

static bool check_alignment(struct reader *r, unsigned row, unsigned column)
{
    bool good = true;
    for (unsigned i = 0; i < 5; i++)
        for (unsigned j = 0; j < 5; j++)
            good &= is_drawn(r, row - 2 + i, column - 2 + j, alignment[i][j] == '#');
    return good;
}

static bool check_alignments(struct reader *r)
{
    static const uint8_t centres[QR_VERSION_MAX + 1][3] = {
        [2] = { 18 },        [3] = { 22 },        [4] = { 26 },
        [5] = { 30 },        [6] = { 34 },        [7] = { 6, 22, 38 },
        [8] = { 6, 24, 42 }, [9] = { 6, 26, 46 }, [10] = { 6, 28, 50 },
    };
    const uint8_t *c = centres[r->qr->version];
    bool good = true;
    for (unsigned i = 0; i < 3 && c[i]; i++)
        for (unsigned j = 0; j < 3 && c[j]; j++)
            if (!r->taken[c[i]][c[j]])
                good &= check_alignment(r, c[i], c[j]);
    return good;
}

static bool check_timing(struct reader *r)
{
    bool good = true;
    for (unsigned i = 8; i < r->side - 8; i++)
        good &= is_drawn(r, 6, i, i % 2 == 0) && is_drawn(r, i, 6, i % 2 == 0);
    return good;
}

static bool check_version(struct reader *r)
{
    bool good = true;
    for (unsigned i = 0; r->qr->version >= 7 && i < 18; i++) {
        bool bit = versions[r->qr->version] >> i & 1;
        good &= is_drawn(r, i / 3, r->side - 11 + i % 3, bit);
        good &= is_drawn(r, r->side - 11 + i % 3, i / 3, bit);
    }
    return good;
}

// The two copies, most significant bit first; both have to be there.
static bool read_format(struct reader *r, struct qr_reading *out)
{
    static const uint8_t rows[15] = { 8, 8, 8, 8, 8, 8, 8, 8, 7, 5, 4, 3, 2, 1, 0 };
    static const uint8_t columns[15] = { 0, 1, 2, 3, 4, 5, 7, 8, 8, 8, 8, 8, 8, 8, 8 };
    unsigned first = 0, second = 0;
    for (unsigned i = 0; i < 15; i++) {
        unsigned row = i < 7 ? r->side - 1 - i : 8, column = i < 7 ? 8 : r->side - 15 + i;
        first = first << 1 | dark(r, rows[i], columns[i]);
        second = second << 1 | dark(r, row, column);
        r->taken[rows[i]][columns[i]] = r->taken[row][column] = true;
    }
    bool good = is_drawn(r, r->side - 8, 8, true) && first == second;
    for (unsigned i = 0; i < 32; i++)
        if (formats[i] == first) {
            out->mask = i % 8;
            out->is_m = i / 8 == 0;
            return good && i / 8 < 2;
        }
    return false;
}

static bool is_inverted(unsigned mask, unsigned i, unsigned j)
{
    const bool masks[8] = {
        (i + j) % 2 == 0,
        i % 2 == 0,
        j % 3 == 0,
        (i + j) % 3 == 0,
        (i / 2 + j / 3) % 2 == 0,
        (i * j) % 2 + (i * j) % 3 == 0,
        ((i * j) % 2 + (i * j) % 3) % 2 == 0,
        ((i + j) % 2 + (i * j) % 3) % 2 == 0,
    };
    return masks[mask];
}

static unsigned read_codewords(const struct reader *r, unsigned mask, uint8_t *to)
{
    unsigned bits = 0;
    unsigned pair = 0;
    for (unsigned right = r->side - 1; right < r->side; right -= 2, pair++) {
        if (right == 6)
            right = 5;
        for (unsigned step = 0; step < r->side; step++)
            for (unsigned column = right; column + 2 > right && column < r->side; column--) {
                unsigned row = pair % 2 ? step : r->side - 1 - step;
                if (r->taken[row][column])
                    continue;
                to[bits / 8] = (uint8_t)(to[bits / 8] << 1 |
                                         (dark(r, row, column) ^ is_inverted(mask, row, column)));
                bits++;
            }
    }
    return bits / 8;
}

// Powers of 2 in GF(256), so that a value of a polynomial needs no multiplication.
static uint8_t field_exp[510], field_log[256];

static void make_field(void)
{
    unsigned value = 1;
    for (unsigned i = 0; i < 255; i++) {
        field_exp[i] = field_exp[i + 255] = (uint8_t)value;
        field_log[value] = (uint8_t)i;
        value = value << 1 ^ (value & 0x80 ? 0x11d : 0);
    }
}

// A block without errors has the generator's roots.
static bool is_codeword(const uint8_t *block, unsigned count, unsigned ec)
{
    for (unsigned root = 0; root < ec; root++) {
        uint8_t value = 0;
        for (unsigned i = 0; i < count; i++)
            value = block[i] ^ (value ? field_exp[field_log[value] + root] : 0);
        if (value)
            return false;
    }
    return true;
}

// Takes the blocks apart, checks each, and puts their data together.
static unsigned read_blocks(const uint8_t *codewords, unsigned count, const uint8_t level[2],
                            uint8_t *data)
{
    unsigned ec = level[0], n = level[1], each = (count - ec * n) / n, longer = count % n, used = 0;
    for (unsigned b = 0; b < n; b++) {
        uint8_t block[256];
        unsigned size = 0;
        for (unsigned i = 0; i < each; i++)
            block[size++] = codewords[i * n + b];
        if (b >= n - longer)
            block[size++] = codewords[each * n + b - (n - longer)];
        memcpy(data + used, block, size);
        used += size;
        for (unsigned i = 0; i < ec; i++)
            block[size++] = codewords[count - ec * n + i * n + b];
        if (!is_codeword(block, size, ec))
            return 0;
    }
    return used;
}

static unsigned bits_at(const uint8_t *data, unsigned at, unsigned count)
{
    unsigned value = 0;
    for (unsigned i = at; i < at + count; i++)
        value = value << 1 | (data[i / 8] >> (7 - i % 8) & 1);
    return value;
}

static const char *read_text(const uint8_t *data, unsigned count, unsigned version,
                             struct qr_reading *out)
{
    unsigned length_bits = version < 10 ? 8 : 16, at = 4 + length_bits;
    if (bits_at(data, 0, 4) != 4)
        return "not in byte mode";
    out->count = bits_at(data, 4, length_bits);
    if (at + 8 * out->count > 8 * count)
        return "more bytes than there is room for";
    for (size_t i = 0; i < out->count; i++, at += 8)
        out->bytes[i] = (uint8_t)bits_at(data, at, 8);
    if (bits_at(data, at, 4))
        return "no terminator";
    at += 4;
    for (uint8_t pad = 0xec; at < 8 * count; at += 8, pad = pad == 0xec ? 0x11 : 0xec)
        if (bits_at(data, at, 8) != pad)
            return "wrong pad codewords";
    return NULL;
}

static const char *read_all(struct reader *r, struct qr_reading *out)
{
    static const uint16_t totals[] = { 0, 26, 44, 70, 100, 134, 172, 196, 242, 292, 346 };
    uint8_t codewords[400] = { 0 }, data[400] = { 0 };
    unsigned version = r->qr->version;
    if (!check_finder(r, false, false) || !check_finder(r, false, true) ||
        !check_finder(r, true, false))
        return "a finder is wrong";
    if (!check_alignments(r))
        return "an alignment pattern is wrong";
    if (!check_timing(r))
        return "the timing pattern is wrong";
    if (!check_version(r))
        return "the version information is wrong";
    if (!read_format(r, out))
        return "the format information is wrong";
    if (read_codewords(r, out->mask, codewords) != totals[version])
        return "another number of codewords";
    unsigned count = read_blocks(codewords, totals[version], blocks[version][out->is_m], data);
    if (!count)
        return "error correction finds errors";
    return read_text(data, count, version, out);
}

struct qr_reading qr_read(const struct qr *qr)
{
    struct reader r = { .qr = qr, .side = qr->side };
    struct qr_reading out = { .fault = "no version that there is" };
    make_field();
    if (qr->version >= 1 && qr->version <= QR_VERSION_MAX && qr->side == 17 + 4 * qr->version)
        out.fault = read_all(&r, &out);
    return out;
}
