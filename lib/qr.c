// SPDX-License-Identifier: BSD-2-Clause
// Sections are those of ISO/IEC 18004:2015.

#include "lib/qr.h"

#include "lib/string.h"

#define FIXED 2 // a function pattern: neither data nor masked

#define CODEWORDS_MAX 346
#define EC_MAX 30 // codewords of a block

// Table 9; what isn't for error correction is data, and the last blocks have one more of these where
// they don't divide evenly.
struct level {
    uint8_t ec; // codewords for error correction in each block
    uint8_t blocks;
};
static const struct version {
    uint16_t codewords;
    struct level l, m;
} versions[QR_VERSION_MAX + 1] = {
    [1] = { 26, { 7, 1 }, { 10, 1 } },   [2] = { 44, { 10, 1 }, { 16, 1 } },
    [3] = { 70, { 15, 1 }, { 26, 1 } },  [4] = { 100, { 20, 1 }, { 18, 2 } },
    [5] = { 134, { 26, 1 }, { 24, 2 } }, [6] = { 172, { 18, 2 }, { 16, 4 } },
    [7] = { 196, { 20, 2 }, { 18, 4 } }, [8] = { 242, { 24, 2 }, { 22, 4 } },
    [9] = { 292, { 30, 2 }, { 22, 5 } }, [10] = { 346, { 18, 4 }, { 26, 5 } },
};

static const struct level *level_of(const struct qr *qr)
{
    return qr->is_m ? &versions[qr->version].m : &versions[qr->version].l;
}

static unsigned data_codewords(const struct qr *qr)
{
    const struct level *level = level_of(qr);
    return versions[qr->version].codewords - level->ec * level->blocks;
}

// ---- data (7.4) ----

#define MODE_BYTE 4
#define MODE_BITS 4

static unsigned count_bits(const struct qr *qr)
{
    return qr->version < 10 ? 8 : 16; // table 3
}

static bool fits(const struct qr *qr, size_t count)
{
    return MODE_BITS + count_bits(qr) + 8 * count <= 8ul * data_codewords(qr);
}

struct bits {
    uint8_t *to;
    unsigned used;
};

static void put_bits(struct bits *b, unsigned value, unsigned count)
{
    for (; count; count--, b->used++)
        b->to[b->used / 8] |= (uint8_t)((value >> (count - 1) & 1) << (7 - b->used % 8));
}

// `to` is zeros. What is left of it has the terminator, which is zeros, and pad codewords (7.4.10).
static void put_data(const struct qr *qr, const uint8_t *bytes, size_t count, uint8_t *to)
{
    struct bits b = { to, 0 };
    unsigned all = data_codewords(qr);
    put_bits(&b, MODE_BYTE, MODE_BITS);
    put_bits(&b, (unsigned)count, count_bits(qr));
    for (size_t i = 0; i < count; i++)
        put_bits(&b, bytes[i], 8);
    unsigned used = b.used / 8 + 1; // mode and count never end a codeword
    for (unsigned pad = 0xec; used < all; used++, pad ^= 0xec ^ 0x11)
        to[used] = (uint8_t)pad;
}

// ---- error correction (7.5): Reed-Solomon over GF(256), x^8 + x^4 + x^3 + x^2 + 1 ----

static uint8_t times(uint8_t a, uint8_t b)
{
    unsigned product = 0;
    for (int i = 7; i >= 0; i--)
        product = (product << 1) ^ (product >> 7) * 0x11du ^ (b >> i & 1u) * a;
    return (uint8_t)product;
}

// (x - 1)(x - 2)(x - 4)...: `degree` factors, without the leading coefficient, which is 1.
static void make_generator(uint8_t *g, unsigned degree)
{
    uint8_t root = 1;
    memset(g, 0, degree);
    g[degree - 1] = 1;
    for (unsigned i = 0; i < degree; i++, root = times(root, 2))
        for (unsigned j = 0; j < degree; j++)
            g[j] = times(g[j], root) ^ (j + 1 < degree ? g[j + 1] : 0);
}

static void divide(const uint8_t *data, unsigned count, const uint8_t *g, unsigned degree,
                   uint8_t *remainder)
{
    memset(remainder, 0, degree);
    for (unsigned i = 0; i < count; i++) {
        uint8_t factor = data[i] ^ remainder[0];
        memmove(remainder, remainder + 1, degree - 1);
        remainder[degree - 1] = 0;
        for (unsigned j = 0; j < degree; j++)
            remainder[j] ^= times(g[j], factor);
    }
}

// Codeword by codeword of all blocks in turn: a spot of dirt is spread over all of them (7.6).
static void interleave(const struct qr *qr, const uint8_t *data, uint8_t *to)
{
    const struct level *level = level_of(qr);
    unsigned all = data_codewords(qr), each = all / level->blocks;
    unsigned first_long = level->blocks - all % level->blocks;
    uint8_t g[EC_MAX], ec[EC_MAX];
    make_generator(g, level->ec);
    for (unsigned b = 0; b < level->blocks; b++) {
        unsigned count = each + (b >= first_long);
        divide(data, count, g, level->ec, ec);
        for (unsigned i = 0; i < each; i++)
            to[i * level->blocks + b] = data[i];
        if (count > each)
            to[each * level->blocks + b - first_long] = data[each];
        for (unsigned i = 0; i < level->ec; i++)
            to[all + i * level->blocks + b] = ec[i];
        data += count;
    }
}

// ---- function patterns (6.3) ----

static void set_fixed(struct qr *qr, unsigned row, unsigned column, bool dark)
{
    qr->module[row][column] = FIXED | (dark ? QR_DARK : 0);
}

static unsigned distance(int a, int b)
{
    return (unsigned)(a < b ? b - a : a - b);
}

// Squares around a centre: dark, but for the rings at the distances `light` has bits of.
static void put_squares(struct qr *qr, int row, int column, int reach, unsigned light)
{
    for (int r = MAX(row - reach, 0); r <= MIN(row + reach, (int)qr->side - 1); r++)
        for (int c = MAX(column - reach, 0); c <= MIN(column + reach, (int)qr->side - 1); c++)
            set_fixed(qr, (unsigned)r, (unsigned)c,
                      !(light >> MAX(distance(r, row), distance(c, column)) & 1));
}

static void put_finders(struct qr *qr)
{
    int far = (int)qr->side - 4;
    const unsigned light = 1 << 2 | 1 << 4; // the outer one is the separator
    put_squares(qr, 3, 3, 4, light);
    put_squares(qr, 3, far, 4, light);
    put_squares(qr, far, 3, 4, light);
}

static void put_timing(struct qr *qr)
{
    for (unsigned i = 8; i < qr->side - 8; i++) {
        set_fixed(qr, 6, i, i % 2 == 0);
        set_fixed(qr, i, 6, i % 2 == 0);
    }
}

// Table E.1: from version 7 on there are three a side, else the one that is far from all finders.
static void put_alignments(struct qr *qr)
{
    unsigned last = qr->side - 7, centres[3] = { 6, qr->version < 7 ? last : (last + 6) / 2, last };
    unsigned count = qr->version < 2 ? 0 : qr->version < 7 ? 2 : 3;
    for (unsigned i = 0; i < count; i++)
        for (unsigned j = 0; j < count; j++)
            if ((i || (j && j + 1 < count)) && (j || i + 1 < count))
                put_squares(qr, (int)centres[i], (int)centres[j], 2, 1 << 1);
}

// The remainder by a generator of `degree`: BCH codes of annexes C and D.
static unsigned bch(unsigned value, unsigned generator, unsigned degree)
{
    unsigned rest = value << degree;
    for (unsigned bit = 31; bit >= degree; bit--)
        if (rest >> bit & 1)
            rest ^= generator << (bit - degree);
    return value << degree | rest;
}

// Twice: around the first finder, and beside the two others (7.9, figure 25).
static void put_format(struct qr *qr)
{
    unsigned side = qr->side;
    unsigned format = bch((qr->is_m ? 0 : 8) | qr->mask, 0x537, 10) ^ 0x5412;
    for (unsigned i = 0; i < 15; i++) {
        bool dark = format >> i & 1;
        unsigned at = i < 6 ? i : i + 1; // the timing pattern is in between
        if (i < 8)
            set_fixed(qr, at, 8, dark);
        else
            set_fixed(qr, 8, i == 8 ? 7 : 14 - i, dark);
        if (i < 8)
            set_fixed(qr, 8, side - 1 - i, dark);
        else
            set_fixed(qr, side - 15 + i, 8, dark);
    }
    set_fixed(qr, side - 8, 8, true);
}

static void put_version(struct qr *qr)
{
    unsigned version = bch(qr->version, 0x1f25, 12);
    for (unsigned i = 0; i < 18 && qr->version >= 7; i++) {
        unsigned near = i / 3, far = qr->side - 11 + i % 3;
        set_fixed(qr, near, far, version >> i & 1);
        set_fixed(qr, far, near, version >> i & 1);
    }
}

// ---- placement (7.7.3): two columns at a time from the right, up and down in turn ----

static void put_codewords(struct qr *qr, const uint8_t *codewords)
{
    unsigned bit = 0, bits = versions[qr->version].codewords * 8u;
    bool up = true;
    for (int right = (int)qr->side - 1; right > 0; right -= 2, up = !up) {
        right -= right == 6; // that column is all timing pattern
        for (unsigned i = 0; i < 2 * qr->side; i++) {
            unsigned row = up ? qr->side - 1 - i / 2 : i / 2;
            uint8_t *m = &qr->module[row][right - (int)(i % 2)];
            if (*m & FIXED)
                continue;
            *m = bit < bits && codewords[bit / 8] >> (7 - bit % 8) & 1 ? QR_DARK : 0;
            bit++;
        }
    }
}

// ---- masks (7.8) ----

static bool is_masked(unsigned mask, unsigned i, unsigned j)
{
    switch (mask) { // table 10
    case 0:
        return (i + j) % 2 == 0;
    case 1:
        return i % 2 == 0;
    case 2:
        return j % 3 == 0;
    case 3:
        return (i + j) % 3 == 0;
    case 4:
        return (i / 2 + j / 3) % 2 == 0;
    case 5:
        return i * j % 2 + i * j % 3 == 0;
    case 6:
        return (i * j % 2 + i * j % 3) % 2 == 0;
    default:
        return ((i + j) % 2 + i * j % 3) % 2 == 0;
    }
}

// Done twice, it is undone.
static void apply_mask(struct qr *qr, unsigned mask)
{
    for (unsigned i = 0; i < qr->side; i++)
        for (unsigned j = 0; j < qr->side; j++)
            if (!(qr->module[i][j] & FIXED) && is_masked(mask, i, j))
                qr->module[i][j] ^= QR_DARK;
}

static bool at(const struct qr *qr, unsigned line, unsigned i, bool down)
{
    return down ? qr_is_dark(qr, i, line) : qr_is_dark(qr, line, i);
}

// Runs of five and more, and what looks like a finder with light on one side of it (table 11).
static unsigned line_penalty(const struct qr *qr, unsigned line, bool down)
{
    unsigned penalty = 0, run = 0, last = 0;
    for (unsigned i = 0; i < qr->side; i++) {
        run = i && at(qr, line, i, down) == at(qr, line, i - 1, down) ? run + 1 : 1;
        penalty += run == 5 ? 3 : run > 5;
        last = (last << 1 | at(qr, line, i, down)) & 0x7ff;
        if (i >= 10 && (last == 0x5d0 || last == 0x05d)) // 1011101 beside 0000
            penalty += 40;
    }
    return penalty;
}

static unsigned block_penalty(const struct qr *qr)
{
    unsigned penalty = 0;
    for (unsigned i = 0; i + 1 < qr->side; i++)
        for (unsigned j = 0; j + 1 < qr->side; j++) {
            unsigned dark = qr_is_dark(qr, i, j) + qr_is_dark(qr, i, j + 1) +
                            qr_is_dark(qr, i + 1, j) + qr_is_dark(qr, i + 1, j + 1);
            penalty += dark % 4 == 0 ? 3 : 0;
        }
    return penalty;
}

// Ten for each 5% that dark modules are away from half of all.
static unsigned balance_penalty(const struct qr *qr)
{
    unsigned dark = 0, all = qr->side * qr->side;
    for (unsigned i = 0; i < qr->side; i++)
        for (unsigned j = 0; j < qr->side; j++)
            dark += qr_is_dark(qr, i, j);
    return distance((int)dark * 20, (int)all * 10) / all * 10;
}

static unsigned penalty(const struct qr *qr)
{
    unsigned sum = block_penalty(qr) + balance_penalty(qr);
    for (unsigned line = 0; line < qr->side; line++)
        sum += line_penalty(qr, line, false) + line_penalty(qr, line, true);
    return sum;
}

static void use_mask(struct qr *qr, unsigned mask)
{
    qr->mask = mask;
    put_format(qr);
    apply_mask(qr, mask);
}

static unsigned best_mask(struct qr *qr)
{
    unsigned best = 0, least = ~0u;
    for (unsigned mask = 0; mask < 8; mask++) {
        use_mask(qr, mask);
        unsigned this = penalty(qr);
        apply_mask(qr, mask);
        if (this < least) {
            least = this;
            best = mask;
        }
    }
    return best;
}

// ---- the whole ----

static bool choose_version(struct qr *qr, size_t count)
{
    for (int is_m = 1; is_m >= 0; is_m--)
        for (unsigned version = 1; version <= QR_VERSION_MAX; version++) {
            *qr = (struct qr){ .version = version, .side = QR_SIDE(version), .is_m = is_m };
            if (fits(qr, count))
                return true;
        }
    return false;
}

static bool draw(const void *bytes, size_t count, struct qr *out)
{
    uint8_t data[CODEWORDS_MAX] = { 0 }, codewords[CODEWORDS_MAX];
    if (count > QR_BYTES_MAX || !choose_version(out, count))
        return false;
    put_data(out, bytes, count, data);
    interleave(out, data, codewords);
    put_finders(out);
    put_alignments(out);
    put_timing(out);
    put_version(out);
    put_format(out); // its place; the mask isn't known yet
    put_codewords(out, codewords);
    return true;
}

bool qr_encode_masked(const void *bytes, size_t count, unsigned mask, struct qr *out)
{
    if (!draw(bytes, count, out))
        return false;
    use_mask(out, mask);
    return true;
}

bool qr_encode(const void *bytes, size_t count, struct qr *out)
{
    if (!draw(bytes, count, out))
        return false;
    use_mask(out, best_mask(out));
    return true;
}
