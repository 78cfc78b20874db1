// SPDX-License-Identifier: BSD-2-Clause
// The JSON writer: members, nesting, escapes, and buffers that are too small.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/json.h"
#include "lib/string.h"

static void write_sample(struct json *j, char *buffer, size_t bytes)
{
    json_begin(j, buffer, bytes, "job");
    json_text(j, "rw", "randread");
    json_u64(j, "bs", 4096);
    json_u64(j, "most", UINT64_MAX);
    json_bool(j, "yes", true);
    json_bool(j, "no", false);
    json_milli(j, "iops", 12345);
    json_milli(j, "small", 7);
    json_open(j, "clat_ns");
    json_u64(j, "mean", 1);
    json_open(j, "percentile");
    json_u64(j, "50.000000", 2);
    json_u64(j, "99.000000", 3);
    json_close(j);
    json_u64(j, "max", 4);
    json_close(j);
    json_open_array(j, "counts");
    json_u64(j, NULL, 5);
    json_u64(j, NULL, 6);
    json_open(j, NULL);
    json_u64(j, "a", 1);
    json_close(j);
    json_open_array(j, NULL);
    json_close_array(j);
    json_close_array(j);
    json_open(j, "empty");
    json_close(j);
    json_format(j, "hex", "\"0x%02x\"", 10u);
    json_text(j, "last", "");
}

static const char sample[] =
    "{\"type\":\"job\",\"rw\":\"randread\",\"bs\":4096,\"most\":18446744073709551615,"
    "\"yes\":true,\"no\":false,\"iops\":12.345,\"small\":0.007,"
    "\"clat_ns\":{\"mean\":1,\"percentile\":{\"50.000000\":2,\"99.000000\":3},\"max\":4},"
    "\"counts\":[5,6,{\"a\":1},[]],\"empty\":{},\"hex\":\"\\\"0x0a\\\"\",\"last\":\"\"}";

static void test_members_and_nesting(void **state)
{
    char buffer[512];
    struct json j;
    write_sample(&j, buffer, sizeof(buffer));
    assert_string_equal(json_end(&j), sample);
    assert_int_equal(j.used, strlen(sample));
}

static void test_every_size_that_is_too_small(void **state)
{
    char buffer[sizeof(sample) + 1];
    for (size_t bytes = 0; bytes <= sizeof(sample); bytes++) {
        struct json j;
        memset(buffer, '#', sizeof(buffer));
        write_sample(&j, buffer, bytes);
        const char *text = json_end(&j);
        if (bytes < sizeof(sample))
            assert_null(text);
        else
            assert_string_equal(text, sample);
        assert_int_equal(buffer[bytes], '#');
    }
}

static void expect_text(const char *value, const char *written)
{
    char buffer[256];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), value);
    const char *text = json_end(&j);
    assert_non_null(text);
    assert_memory_equal(text, "{\"type\":\"", 9);
    assert_int_equal(strlen(text), 9 + strlen(written) + 2);
    assert_memory_equal(text + 9, written, strlen(written));
    assert_string_equal(text + 9 + strlen(written), "\"}");
}

static void test_escapes(void **state)
{
    expect_text("a\"b\\c/d", "a\\\"b\\\\c/d");
    expect_text("\n\r\t\x01\x1f\x7f", "\\u000a\\u000d\\u0009\\u0001\\u001f\\u007f");
}

static void test_utf8(void **state)
{
    expect_text("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x94", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x94\x94");
    expect_text("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
                "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
    expect_text("\x80", "\\ufffd");                       // continuation without a start
    expect_text("\xc3", "\\ufffd");                       // cut off
    expect_text("\xe2\x82", "\\ufffd\\ufffd");            // cut off later
    expect_text("\xc3\"", "\\ufffd\\\"");                 // a quote where a byte should be
    expect_text("\xc0\xaf", "\\ufffd\\ufffd");            // too long a form
    expect_text("\xe0\x80\x80", "\\ufffd\\ufffd\\ufffd"); // too long a form
    expect_text("\xf0\x8f\xbf\xbf", "\\ufffd\\ufffd\\ufffd\\ufffd"); // too long a form
    expect_text("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd");            // surrogate
    expect_text("\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"); // past U+10FFFF
    expect_text("\xf5\x80\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"); // likewise
    expect_text("\xf8\x80\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd");
    expect_text("\xff", "\\ufffd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_and_nesting),
        cmocka_unit_test(test_every_size_that_is_too_small),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
