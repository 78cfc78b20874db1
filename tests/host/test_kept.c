// SPDX-License-Identifier: BSD-2-Clause
// Lines kept over a reset: what memory has of them whenever it comes, how they fit, what is refused.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cache.h"
#include "lib/kept.h"

#include <cmocka.h>

#define NONCE 0x1122334455667788ull
#define LINE "{\"type\":\"cpu\"}\n"
#define LINE_BYTES (sizeof(LINE) - 1)
#define END "{\"type\":\"end\"}\n"
#define END_BYTES (sizeof(END) - 1)

static struct kept_block *block;
static uint8_t memory[KEPT_BYTES]; // what a reset leaves: what was flushed
static size_t bytes;
static unsigned flushes_until_reset;

void cache_model_flush(const volatile void *at, size_t count)
{
    size_t offset = (size_t)((uintptr_t)at - (uintptr_t)block);
    assert_true(offset + count <= KEPT_BYTES);
    if (!flushes_until_reset)
        return;
    flushes_until_reset--;
    memcpy(memory + offset, (const void *)(uintptr_t)at, count);
}

static int begin(void **state)
{
    block = aligned_alloc(CACHE_LINE, KEPT_BYTES);
    memset(block, 0xa5, KEPT_BYTES);
    memset(memory, 0x5a, sizeof(memory));
    flushes_until_reset = 1u << 30;
    kept_begin(block, NONCE);
    return 0;
}

static int end(void **state)
{
    free(block);
    return 0;
}

static enum kept_fault after_reset(void)
{
    return kept_check((const struct kept_block *)memory, NONCE, &bytes);
}

static void test_lines_outlast_a_reset(void **state)
{
    assert_int_equal(after_reset(), KEPT_WHOLE);
    assert_int_equal(bytes, 0);
    assert_true(kept_add(block, LINE, LINE_BYTES, KEPT_KERNELS));
    assert_true(kept_add(block, END, END_BYTES, KEPT_KERNELS));
    assert_int_equal(after_reset(), KEPT_WHOLE);
    assert_int_equal(bytes, LINE_BYTES + END_BYTES);
    assert_memory_equal(((struct kept_block *)memory)->text, LINE END, bytes);
}

// Whenever it comes, there are the lines that were added before, and no part of one.
static void test_reset_in_the_middle(void **state)
{
    assert_true(kept_add(block, LINE, LINE_BYTES, KEPT_KERNELS));
    flushes_until_reset = 1;
    assert_true(kept_add(block, END, END_BYTES, KEPT_KERNELS));
    assert_int_equal(after_reset(), KEPT_WHOLE);
    assert_int_equal(bytes, LINE_BYTES);
    assert_memory_equal(((struct kept_block *)memory)->text, LINE END, LINE_BYTES + END_BYTES);
}

static void fill(const char *line, size_t count, enum kept_share share)
{
    while (kept_add(block, line, count, share))
        continue;
}

static void test_results_have_room_of_their_own(void **state)
{
    static const char *const results[] = { "{\"type\":\"job\",\"a\":1}\n", "{\"type\":\"test\"}\n",
                                           "{\"type\":\"error\"}\n", "{\"type\":\"warning\"}\n",
                                           "{\"type\":\"end\"}\n" };
    fill("{\"type\":\"jobs\"}\n", 16, KEPT_KERNELS);
    fill("{\"type\":\"cpu\"\n", 1, KEPT_KERNELS);
    assert_int_equal((uint32_t)block->state, KEPT_TEXT_BYTES - KEPT_SPARE_BYTES);
    for (size_t i = 0; i < 5; i++)
        assert_true(kept_add(block, results[i], strlen(results[i]), KEPT_KERNELS));
    assert_false(kept_add(block, LINE, LINE_BYTES, KEPT_KERNELS));
    fill(END, END_BYTES, KEPT_KERNELS);
    assert_true(KEPT_TEXT_BYTES - (uint32_t)block->state < END_BYTES);
    assert_int_equal(after_reset(), KEPT_WHOLE);
    assert_int_equal(bytes, (uint32_t)block->state);
}

// Whatever they say, and as often as they like: there is room for all the rest.
static void test_domains_have_their_share(void **state)
{
    fill(END, END_BYTES, KEPT_DOMAINS);
    assert_in_range((uint32_t)block->state, KEPT_DOMAINS_BYTES - END_BYTES, KEPT_DOMAINS_BYTES);
    assert_true(kept_add(block, LINE, LINE_BYTES, KEPT_KERNELS));
    assert_false(kept_add(block, END, END_BYTES, KEPT_DOMAINS));
    fill(END, END_BYTES, KEPT_MANY);
    size_t used = (uint32_t)block->state, most = KEPT_TEXT_BYTES - KEPT_SPARE_BYTES;
    assert_in_range(used, most - END_BYTES, most);
    assert_false(kept_add(block, END, END_BYTES, KEPT_MANY));
    assert_false(kept_add(block, END, END_BYTES, KEPT_DOMAINS));
    fill(END, END_BYTES, KEPT_KERNELS);
    assert_true(KEPT_TEXT_BYTES - (uint32_t)block->state < END_BYTES);
    assert_int_equal(after_reset(), KEPT_WHOLE);
}

// Nor does what they leave of their share serve them once the rest is full.
static void test_domains_use_no_spare_room(void **state)
{
    fill(END, END_BYTES, KEPT_MANY);
    assert_false(kept_add(block, END, END_BYTES, KEPT_DOMAINS));
    assert_true(kept_add(block, END, END_BYTES, KEPT_KERNELS));
}

// A line that fits to the byte, and one of a byte more.
static void test_last_byte(void **state)
{
    size_t room = KEPT_TEXT_BYTES;
    char *line = calloc(1, room + 1);
    memcpy(line, END, END_BYTES);
    assert_false(kept_add(block, line, room + 1, KEPT_KERNELS));
    assert_true(kept_add(block, line, room, KEPT_KERNELS));
    assert_int_equal(after_reset(), KEPT_WHOLE);
    assert_int_equal(bytes, room);
    free(line);
}

static void test_what_is_refused(void **state)
{
    struct kept_block *left = (struct kept_block *)memory;
    assert_true(kept_add(block, LINE, LINE_BYTES, KEPT_KERNELS));
    assert_int_equal(kept_check(left, NONCE + 1, &bytes), KEPT_GONE); // of another run
    left->text[0] ^= 1;
    assert_int_equal(after_reset(), KEPT_DAMAGED);
    assert_int_equal(bytes, 0);
    left->text[0] ^= 1;
    left->state++;
    assert_int_equal(after_reset(), KEPT_DAMAGED);
    left->state |= UINT32_MAX;
    assert_int_equal(after_reset(), KEPT_DAMAGED);
    left->magic ^= 1;
    assert_int_equal(after_reset(), KEPT_GONE);
    memset(memory, 0, sizeof(memory));
    assert_int_equal(kept_check(left, 0, &bytes), KEPT_GONE);
}

// The block was written over while the run went on: nothing goes out of it.
static void test_damaged_while_adding(void **state)
{
    block->state |= UINT32_MAX;
    assert_false(kept_add(block, END, END_BYTES, KEPT_KERNELS));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lines_outlast_a_reset),
        TEST(test_reset_in_the_middle),
        TEST(test_results_have_room_of_their_own),
        TEST(test_domains_have_their_share),
        TEST(test_domains_use_no_spare_room),
        TEST(test_last_byte),
        TEST(test_what_is_refused),
        TEST(test_damaged_while_adding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
