// SPDX-License-Identifier: BSD-2-Clause
// domain=: who gets what. What two would have, or what can't be meant, is refused with a sentence.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "kernel/domain/words.h"
#include "lib/string.h"

static struct domain_words all[DOMAINS_MAX];
static unsigned count;

static int begin(void **state)
{
    memset(all, 0xa5, sizeof(all)); // nothing is taken for zero that nobody set
    count = 0;
    return 0;
}

static const struct domain_words *add(const char *text)
{
    struct problem p = { .message = "no problem" };
    unsigned before = count;
    if (!domain_words_add(all, &count, text, strlen(text), &p))
        fail_msg("\"%s\": %s", text, p.message);
    assert_int_equal(count, before + 1);
    return &all[before];
}

static void expect_refused(const char *text, const char *sentence)
{
    struct problem p = { 0 };
    unsigned before = count;
    assert_false(domain_words_add(all, &count, text, strlen(text), &p));
    assert_string_equal(p.what, "domain-words");
    assert_string_equal(p.message, sentence);
    assert_int_equal(count, before);
}

static void test_all_of_it(void **state)
{
    const struct domain_words *d = add("web_1-a:cpus=2-3,0x5:disks=nvme1n1,nvme2n1:mem=256m:prog="
                                       "my-app:app=job:bs=4k:nobigstatus");
    assert_string_equal(d->name, "web_1-a");
    assert_int_equal(d->cpus_count, 3);
    assert_int_equal(d->cpus[0], 1 << 2 | 1 << 3 | 1 << 5);
    for (unsigned w = 1; w < CPU_MAX / 64; w++)
        assert_int_equal(d->cpus[w], 0);
    assert_int_equal(d->disks_count, 2);
    assert_string_equal(d->disks[0], "nvme1n1");
    assert_string_equal(d->disks[1], "nvme2n1");
    assert_int_equal(d->memory, 256 * MIB);
    assert_string_equal(d->program, "my-app");
    assert_string_equal(d->words, "app=job bs=4k nobigstatus");
}

static void test_the_least(void **state)
{
    const struct domain_words *d = add("a:cpus=1");
    assert_int_equal(d->cpus[0], 2);
    assert_int_equal(d->disks_count, 0);
    assert_int_equal(d->memory, 64 * MIB);
    assert_string_equal(d->program, "");
    assert_int_equal(d->time_us, 0);
    assert_int_equal(d->lives, 1);
    assert_string_equal(d->words, "");
}

static void test_the_value_ends_where_it_ends(void **state)
{
    struct problem p;
    assert_true(domain_words_add(all, &count, "a:cpus=12 b:cpus=3", 8, &p));
    assert_int_equal(all[0].cpus[0], 2);
    assert_true(domain_words_add(all, &count, "b:cpus=2:x=yz", 12, &p));
    assert_string_equal(all[1].words, "x=y");
}

static void test_cpus_at_the_ends(void **state)
{
    const struct domain_words *d = add("a:cpus=4095,63-64,127");
    assert_int_equal(d->cpus_count, 4);
    assert_int_equal(d->cpus[0], 1ull << 63);
    assert_int_equal(d->cpus[1], 1ull << 63 | 1);
    assert_int_equal(d->cpus[63], 1ull << 63);
    assert_int_equal(add("b:cpus=128-383")->cpus_count, 256);
}

static void test_cpus_that_can_t_be_meant(void **state)
{
    expect_refused("a", "domain=a: it has no CPU: add :cpus=2, or another number");
    expect_refused("a:mem=2m", "domain=a: it has no CPU: add :cpus=2, or another number");
    static const char *const none[] = { "", "x", "-", "2-", "-2", "3-2", "2-3-4", "2k", " 2" };
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        char text[32], sentence[160];
        snprintf(text, sizeof(text), "a:cpus=%s", none[i]);
        snprintf(sentence, sizeof(sentence),
                 "domain=a: \"%s\" is no CPU and no range of them: write cpus=2-3,5", none[i]);
        expect_refused(text, sentence);
    }
    expect_refused("a:cpus=2,", "domain=a: \"\" is no CPU and no range of them: write cpus=2-3,5");
    expect_refused(
        "a:cpus=0",
        "domain=a: \"0\" names CPU 0, the boot CPU, which stays the kernel's: name others");
    expect_refused(
        "a:cpus=1,0-2",
        "domain=a: \"0-2\" names CPU 0, the boot CPU, which stays the kernel's: name others");
    expect_refused("a:cpus=4096",
                   "domain=a: \"4096\" names a CPU beyond 4095, the last that there may be");
    expect_refused(
        "a:cpus=5-18446744073709551615",
        "domain=a: \"5-18446744073709551615\" names a CPU beyond 4095, the last that there may be");
    expect_refused("a:cpus=2-4,3", "domain=a: \"3\" names a CPU twice: name each once");
    expect_refused("a:cpus=2:cpus=3", "domain=a: \"3\" is a second cpus=: name all CPUs in one");
    expect_refused("a:cpus=1-257",
                   "domain=a: \"1-257\" is one CPU too many: a domain has 256 at most");
}

static void test_memory_is_rounded_up(void **state)
{
    assert_int_equal(add("a:cpus=1:mem=1")->memory, 2 * MIB);
    assert_int_equal(add("b:cpus=2:mem=2m")->memory, 2 * MIB);
    assert_int_equal(add("c:cpus=3:mem=2049k")->memory, 4 * MIB);
    assert_int_equal(add("d:cpus=4:mem=252g")->memory, 252 * GIB);
}

static void test_memory_that_can_t_be_meant(void **state)
{
    static const char *const none[] = { "", "0", "0m", "m", "-1", "2x", "99999999999999999999" };
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        char text[48], sentence[160];
        snprintf(text, sizeof(text), "a:cpus=1:mem=%s", none[i]);
        snprintf(sentence, sizeof(sentence), "domain=a: \"%s\" is no size of memory: write mem=64m",
                 none[i]);
        expect_refused(text, sentence);
    }
    expect_refused(
        "a:cpus=1:mem=270582939649",
        "domain=a: \"270582939649\" is more memory than a domain has addresses for: 252g at most");
    expect_refused("a:cpus=1:mem=0xffffffffffffffff",
                   "domain=a: \"0xffffffffffffffff\" is more memory than a domain has addresses "
                   "for: 252g at most");
    expect_refused("a:mem=4m:cpus=1:mem=4m", "domain=a: \"4m\" is a second mem=: say it once");
}

static void test_disks_that_can_t_be_meant(void **state)
{
    expect_refused("a:cpus=1:disks=",
                   "domain=a: \"\" is no disk's name: write disks=nvme1n1,nvme2n1");
    expect_refused("a:cpus=1:disks=nvme1n1,",
                   "domain=a: \"\" is no disk's name: write disks=nvme1n1,nvme2n1");
    expect_refused("a:cpus=1:disks=*",
                   "domain=a: \"*\" is no disk's name: write disks=nvme1n1,nvme2n1");
    expect_refused("a:cpus=1:disks=nvme123456789n12",
                   "domain=a: \"nvme123456789n12\" is no disk's name: write disks=nvme1n1,nvme2n1");
    expect_refused("a:cpus=1:disks=nvme1n1,nvme11n1,nvme1n1",
                   "domain=a: \"nvme1n1\" is named twice: name each disk once");
    expect_refused("a:cpus=1:disks=x:disks=y",
                   "domain=a: \"y\" is a second disks=: name all disks in one");
    assert_string_equal(add("a:cpus=1:disks=nvme12345678n12")->disks[0], "nvme12345678n12");
}

static void test_disks_as_many_as_fit(void **state)
{
    char text[512] = "a:cpus=1:disks=d0";
    for (unsigned i = 1; i < DOMAIN_DISKS_MAX; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), ",d%u", i);
    const struct domain_words *d = add(text);
    assert_int_equal(d->disks_count, 64);
    assert_string_equal(d->disks[63], "d63");
    text[0] = 'b';
    snprintf(text + strlen(text), sizeof(text) - strlen(text), ",e");
    expect_refused(text, "domain=b: \"e\" is one disk too many: a domain has 64 at most");
}

static void test_names_that_are_none(void **state)
{
    static const char *const none[] = { "", "a b", "a.b", "a/b", "1234567890123456", "\x80" };
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        char text[48], sentence[160];
        snprintf(text, sizeof(text), "%s:cpus=1", none[i]);
        snprintf(
            sentence, sizeof(sentence),
            "domain=: \"%s\" is no name for a domain: up to 15 letters, digits, - and _, as in "
            "domain=NAME:cpus=2",
            none[i]);
        expect_refused(text, sentence);
    }
    assert_string_equal(add("123456789012345:cpus=1")->name, "123456789012345");
}

static void test_programs(void **state)
{
    const char *sentence = "names no program: up to 31 letters, digits, - and _, without the .elf";
    static const char *const none[] = { "",    "a.elf", "..",
                                        "a/b", "a\\b",  "12345678901234567890123456789012" };
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        char text[64], whole[160];
        snprintf(text, sizeof(text), "a:cpus=1:prog=%s", none[i]);
        snprintf(whole, sizeof(whole), "domain=a: \"%s\" %s", none[i], sentence);
        expect_refused(text, whole);
    }
    expect_refused("a:cpus=1:prog=x:prog=x",
                   "domain=a: \"x\" is a second prog=: a domain has one program");
    assert_string_equal(add("a:cpus=1:prog=1234567890123456789012345678901")->program,
                        "1234567890123456789012345678901");
}

static void test_time_and_lives(void **state)
{
    const struct domain_words *d = add("a:cpus=1:time=5ms:lives=10000");
    assert_int_equal(d->time_us, 5000);
    assert_int_equal(d->lives, 10000);
    assert_int_equal(add("b:cpus=2:time=1h:lives=1000000")->time_us, DOMAIN_TIME_MAX_US);
    expect_refused("c:cpus=3:time=1h:time=2s", "domain=c: \"2s\" is a second time=: say it once");
    expect_refused("c:cpus=3:lives=1:lives=2", "domain=c: \"2\" is a second lives=: say it once");
    static const char *const times[] = { "", "0", "x", "61m", "1d" };
    static const char *const lives[] = { "", "0", "x", "1000001", "4294967297" };
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        char text[48], sentence[160];
        snprintf(text, sizeof(text), "c:cpus=3:time=%s", times[i]);
        snprintf(sentence, sizeof(sentence),
                 "domain=c: \"%s\" is no time up to an hour: write time=10s, or 5ms", times[i]);
        expect_refused(text, sentence);
        snprintf(text, sizeof(text), "c:cpus=3:lives=%s", lives[i]);
        snprintf(sentence, sizeof(sentence),
                 "domain=c: \"%s\" is no number of lives from 1 to 1000000", lives[i]);
        expect_refused(text, sentence);
    }
}

static void test_words_of_the_program(void **state)
{
    assert_string_equal(add("a:x:cpus=1:cpu=2:=:mem")->words, "x cpu=2 = mem");
    assert_string_equal(add("b:cpus=2:a=1%3a2%3A3:b=%3:%20:100%")->words, "a=1:2:3 b=%3 %20 100%");
    expect_refused("c:cpus=3:", "domain=c: \"\" is no word: take one of the two colons away");
    expect_refused("c::cpus=3", "domain=c: \"\" is no word: take one of the two colons away");
}

static void test_as_many_words_as_fit(void **state)
{
    char text[DOMAIN_WORDS_BYTES + 32] = "a:cpus=1:x:";
    size_t head = strlen(text);
    memset(text + head, 'w', DOMAIN_WORDS_BYTES - 3);
    text[head + DOMAIN_WORDS_BYTES - 3] = 0;
    assert_int_equal(strlen(add(text)->words), DOMAIN_WORDS_BYTES - 1);
    text[0] = 'b';
    text[7] = '2';
    text[head + DOMAIN_WORDS_BYTES - 3] = 'w';
    expect_refused(text,
                   "domain=b: \"wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww\" is too much: "
                   "a program's words take 1023 bytes at most");
}

// ---- several ----

static void test_what_two_would_have(void **state)
{
    add("a:cpus=1-2,70:disks=nvme1n1,nvme2n1");
    add("b:cpus=3:disks=nvme3n1");
    expect_refused("a:cpus=4", "domain=a: there are two of that name: give each its own");
    expect_refused("c:cpus=4-80", "domain=c: CPU 70 is domain a's already: name another");
    expect_refused("c:cpus=3-4", "domain=c: CPU 3 is domain b's already: name another");
    expect_refused("c:cpus=4:disks=nvme4n1,nvme2n1",
                   "domain=c: disk nvme2n1 is domain a's already: name another");
    expect_refused("c:cpus=4:disks=nvme3n1",
                   "domain=c: disk nvme3n1 is domain b's already: name another");
    add("c:cpus=4:disks=nvme1n");
    add("A:cpus=5");
}

static void test_eight_of_them(void **state)
{
    char text[16];
    for (unsigned i = 0; i < DOMAINS_MAX; i++) {
        snprintf(text, sizeof(text), "d%u:cpus=%u", i, i + 1);
        add(text);
    }
    expect_refused("more:cpus=20",
                   "domain=more:cpus=20: there are 8 domains before it, and at most 8");
}

static void test_places_of_all(void **state)
{
    uint64_t places[CPU_MAX / 64];
    add("a:cpus=1,64");
    add("b:cpus=3,4095");
    memset(places, 0xff, sizeof(places));
    domain_words_places(all, count, places);
    for (unsigned w = 0; w < CPU_MAX / 64; w++)
        assert_int_equal(places[w], w == 0 ? 0xa : w == 1 ? 1 : w == 63 ? 1ull << 63 : 0);
    domain_words_places(all, 0, places);
    assert_int_equal(places[0] | places[1] | places[63], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_all_of_it, begin),
        cmocka_unit_test_setup(test_the_least, begin),
        cmocka_unit_test_setup(test_the_value_ends_where_it_ends, begin),
        cmocka_unit_test_setup(test_cpus_at_the_ends, begin),
        cmocka_unit_test_setup(test_cpus_that_can_t_be_meant, begin),
        cmocka_unit_test_setup(test_memory_is_rounded_up, begin),
        cmocka_unit_test_setup(test_memory_that_can_t_be_meant, begin),
        cmocka_unit_test_setup(test_disks_that_can_t_be_meant, begin),
        cmocka_unit_test_setup(test_disks_as_many_as_fit, begin),
        cmocka_unit_test_setup(test_names_that_are_none, begin),
        cmocka_unit_test_setup(test_programs, begin),
        cmocka_unit_test_setup(test_time_and_lives, begin),
        cmocka_unit_test_setup(test_words_of_the_program, begin),
        cmocka_unit_test_setup(test_as_many_words_as_fit, begin),
        cmocka_unit_test_setup(test_what_two_would_have, begin),
        cmocka_unit_test_setup(test_eight_of_them, begin),
        cmocka_unit_test_setup(test_places_of_all, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
