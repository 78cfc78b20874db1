// SPDX-License-Identifier: BSD-2-Clause
// SHA-256: NIST's vectors, every length around a block's edge, and any split of the bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/sha256.h"
#include "lib/string.h"

static void hex_of(struct sha256 *s, char hex[65])
{
    uint8_t digest[SHA256_BYTES];
    sha256_final(s, digest);
    for (unsigned i = 0; i < SHA256_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void expect(const void *bytes, size_t count, const char *want)
{
    struct sha256 s;
    char hex[65];
    sha256_init(&s);
    sha256_update(&s, bytes, count);
    hex_of(&s, hex);
    assert_string_equal(hex, want);
}

static void test_nist_vectors(void **state)
{
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    static const char four_blocks[] = "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                                      "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    expect("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(two_blocks, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect(four_blocks, 112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void test_a_million_bytes(void **state)
{
    char bytes[1000], hex[65];
    struct sha256 s;
    memset(bytes, 'a', sizeof(bytes));
    sha256_init(&s);
    for (unsigned i = 0; i < 1000; i++)
        sha256_update(&s, bytes, sizeof(bytes));
    hex_of(&s, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// The digests of 'x' repeated, from coreutils' sha256sum: padding at and around a block's edge.
static void test_lengths_around_a_block(void **state)
{
    static const struct {
        size_t count;
        const char *digest;
    } cases[] = {
        { 55, "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072" },
        { 56, "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e" },
        { 63, "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2" },
        { 64, "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c" },
        { 65, "9537c5fdf120482f7d58d25e9ed583f52c02b4e304ea814db1633ad565aed7e9" },
        { 119, "000b48d4edf0fa7bee3c6236ecd2785baa5db4eeb8bb54341b029e0d9fa5fb0c" },
    };
    char bytes[128];
    memset(bytes, 'x', sizeof(bytes));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect(bytes, cases[i].count, cases[i].digest);
}

static void test_any_split(void **state)
{
    uint8_t bytes[200];
    char whole[65], hex[65];
    struct sha256 s;
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    sha256_init(&s);
    sha256_update(&s, bytes, sizeof(bytes));
    hex_of(&s, whole);
    for (size_t step = 1; step < sizeof(bytes); step++) {
        sha256_init(&s);
        for (size_t at = 0; at < sizeof(bytes); at += step)
            sha256_update(&s, bytes + at, MIN(step, sizeof(bytes) - at));
        hex_of(&s, hex);
        assert_string_equal(hex, whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nist_vectors),
        cmocka_unit_test(test_a_million_bytes),
        cmocka_unit_test(test_lengths_around_a_block),
        cmocka_unit_test(test_any_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
