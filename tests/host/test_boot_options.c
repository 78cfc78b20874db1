// SPDX-License-Identifier: BSD-2-Clause
// The command line's sources: cmdline.txt and UEFI load options.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uchar.h>

#include "boot/load_options.h"

#include <cmocka.h>

static char text[256];
static struct options options;
static struct problem problem;

static int begin(void **state)
{
    memset(text, 'Z', sizeof(text));
    options_begin(&options, text, sizeof(text));
    return 0;
}

static void *exact_copy(const void *bytes, size_t count)
{
    return memcpy(malloc(count ? count : 1), bytes, count);
}

static bool add_file(const char *bytes, size_t count)
{
    void *file = exact_copy(bytes, count);
    bool ok = options_add_file(&options, file, count, &problem);
    free(file);
    return ok;
}

static bool add_options(const void *bytes, size_t count)
{
    void *copy = exact_copy(bytes, count);
    bool ok = options_add_load_options(&options, copy, count);
    free(copy);
    return ok;
}

#define FILE_GIVES(file, expected)                                                                 \
    do {                                                                                           \
        begin(NULL);                                                                               \
        assert_true(add_file(file, sizeof(file) - 1));                                             \
        assert_string_equal(text, expected);                                                       \
        assert_int_equal(options.used, sizeof(expected) - 1);                                      \
        assert_int_equal(options.dropped, 0);                                                      \
    } while (0)

// With the closing zero, as QEMU's and the shell's are.
#define OPTIONS_GIVE(words, expected)                                                              \
    do {                                                                                           \
        begin(NULL);                                                                               \
        assert_true(add_options(words, sizeof(words)));                                            \
        assert_string_equal(text, expected);                                                       \
    } while (0)

#define OPTIONS_REFUSED(words)                                                                     \
    do {                                                                                           \
        begin(NULL);                                                                               \
        assert_false(add_options(words, sizeof(words)));                                           \
        assert_string_equal(text, "");                                                             \
    } while (0)

static void test_file_folds_lines(void **state)
{
    FILE_GIVES("", "");
    FILE_GIVES("rw=read", "rw=read");
    FILE_GIVES("rw=read\nbs=4k\n", "rw=read bs=4k");
    FILE_GIVES("rw=read\r\nbs=4k\r\n", "rw=read bs=4k");
    FILE_GIVES("rw=read\rbs=4k", "rw=read bs=4k");
    FILE_GIVES(" \t rw=read\t\t bs=4k \n\n\n  ", "rw=read bs=4k");
}

static void test_file_comments(void **state)
{
    FILE_GIVES("# rw=write\nrw=read", "rw=read");
    FILE_GIVES("rw=read\n  \t# bs=4k\r\n#\n#x\niodepth=1", "rw=read iodepth=1");
    FILE_GIVES("name=a#b #c", "name=a#b #c"); // only a line's first character starts one
    FILE_GIVES("#", "");
    FILE_GIVES("# all\rrw=read\r#\r", "rw=read"); // old Macs' line breaks
}

static void test_file_characters(void **state)
{
    FILE_GIVES("\xef\xbb\xbfrw=read", "rw=read"); // byte order mark
    FILE_GIVES("\xef\xbb\xbf# all\nx", "x");
    FILE_GIVES("\xef\xbb\xbf", "");
    FILE_GIVES("\xef\xbb", "?"); // no mark
    FILE_GIVES("\xef", "?");
    FILE_GIVES("a\xc3\xa9z \xe2\x82\xac \xf0\x9f\x94\x94", "a?z ? ?");
    FILE_GIVES("a\x80z", "a?z"); // a continuation byte without a start
    FILE_GIVES("a\x80\x80z", "a?z");
    FILE_GIVES("a\0b\x01\x7f", "a?b??");
    FILE_GIVES("!~", "!~");
}

static void test_file_in_utf16(void **state)
{
    assert_false(add_file("\xff\xfer\0w\0", 6));
    assert_string_equal(problem.what, "cmdline-encoding");
    assert_non_null(strstr(problem.message, "starts with ff fe"));
    assert_false(add_file("\xfe\xff\0r\0w", 6));
    assert_true(add_file("\xff", 1));
    assert_string_equal(text, "?");
}

static void test_options_text(void **state)
{
    OPTIONS_GIVE(u"", "");
    OPTIONS_GIVE(u"rw=read bs=4k", "rw=read bs=4k");
    OPTIONS_GIVE(u"  rw=read\tbs=4k\r\n", "rw=read bs=4k");
    OPTIONS_GIVE(u"a\u00e9\u20acz", "a??z");
    OPTIONS_GIVE(u"rw=read\0\x0001\xd800", "rw=read"); // nothing counts after the zero
    begin(NULL);
    assert_true(add_options(u"rw=read", 14)); // no closing zero
    assert_string_equal(text, "rw=read");
    begin(NULL);
    assert_true(add_options("", 0));
    assert_string_equal(text, "");
}

static void test_options_refused(void **state)
{
    static const uint8_t boot_entry_guid[] = { 0x54, 0x93, 0x5b, 0x12, 0xff, 0xee, 0x99, 0x41,
                                               0x91, 0x10, 0x47, 0x11, 0x08, 0x15, 0x22, 0x33 };
    OPTIONS_REFUSED(boot_entry_guid);
    OPTIONS_REFUSED(u"a\x0001");
    OPTIONS_REFUSED(u"a\x007f");
    OPTIONS_REFUSED(u"abc\xd83d\xdd14"); // a surrogate pair: UTF-16, not UCS-2
    OPTIONS_REFUSED(u"abc\xd800");
    OPTIONS_REFUSED(u"abc\xdfff");
    OPTIONS_REFUSED(u"abc\xfffe");
    OPTIONS_REFUSED(u"a\u4e00\u4e01");
    OPTIONS_GIVE(u"a\u4e00", "a?"); // half of it
    OPTIONS_GIVE(u"abc\xe000", "abc?");
    OPTIONS_REFUSED("irq=posted app=jo");
    begin(NULL);
    assert_false(add_options(u"ab", 3)); // an odd number of bytes
    assert_string_equal(text, "");
}

static void test_options_own_name(void **state)
{
    OPTIONS_GIVE(u"onebell.efi", "");
    OPTIONS_GIVE(u"FS0:\\EFI\\Onebell.EFI rw=read", "rw=read");
    OPTIONS_GIVE(u"  \\EFI\\BOOT\\BOOTX64.eFi\trw=read", "rw=read");
    OPTIONS_GIVE(u"\"FS0:\\my dir\\onebell.efi\" rw=read", "rw=read");
    OPTIONS_GIVE(u"\"onebell.efi", "");
    OPTIONS_GIVE(u"\"x.efi\"", "");
    OPTIONS_GIVE(u".efi a", "a");
    OPTIONS_GIVE(u"file=x.efi rw=read", "file=x.efi rw=read"); // an option
    OPTIONS_GIVE(u"\"a=b.efi\" c", "\"a=b.efi\" c");
    OPTIONS_GIVE(u"monitor x.efi", "monitor x.efi"); // not the first word
    OPTIONS_GIVE(u"onebell.efix a", "onebell.efix a");
    OPTIONS_GIVE(u"onebell\u00aeefi a", "onebell?efi a");
    OPTIONS_GIVE(u"onebell.ef) a", "onebell.ef) a"); // ')' + 'a' - 'A' is 'I'
    OPTIONS_GIVE(u"efi a", "efi a");
}

static void test_sources_in_order(void **state)
{
    assert_true(add_file("rw=read\n", 8));
    assert_true(add_options(u"x.efi rw=randread", 36));
    assert_string_equal(text, "rw=read rw=randread");
    assert_true(add_options(u"", 2));
    assert_true(add_file("z", 1));
    assert_string_equal(text, "rw=read rw=randread z");
}

// What doesn't fit is counted, and nothing comes after a gap.
static void test_counts_what_is_dropped(void **state)
{
    options_begin(&options, text, 8);
    assert_true(add_file("abcdefg", 7));
    assert_string_equal(text, "abcdefg");
    assert_int_equal(options.dropped, 0);
    assert_true(add_file("hi j", 4));
    assert_string_equal(text, "abcdefg");
    assert_int_equal(options.dropped, 5); // " hi j"

    options_begin(&options, text, 8);
    assert_true(add_file("abcdef g h", 10)); // room for " " alone
    assert_string_equal(text, "abcdef");
    assert_int_equal(options.dropped, 4);
    assert_int_equal(text[8], 'Z');

    options_begin(&options, text, 8);
    assert_true(add_file("abcdef gh", 9)); // there is room for the h, but not in its place
    assert_string_equal(text, "abcdef");
    assert_int_equal(options.dropped, 3);

    options_begin(&options, text, 1);
    assert_true(add_file("a", 1));
    assert_string_equal(text, "");
    assert_int_equal(options.dropped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_file_folds_lines, begin),
        cmocka_unit_test_setup(test_file_comments, begin),
        cmocka_unit_test_setup(test_file_characters, begin),
        cmocka_unit_test_setup(test_file_in_utf16, begin),
        cmocka_unit_test_setup(test_options_text, begin),
        cmocka_unit_test_setup(test_options_refused, begin),
        cmocka_unit_test_setup(test_options_own_name, begin),
        cmocka_unit_test_setup(test_sources_in_order, begin),
        cmocka_unit_test_setup(test_counts_what_is_dropped, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
