// SPDX-License-Identifier: BSD-2-Clause
// console= and json=: what they name, what they refuse, and what holds where they leave it open.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/console_words.h"

static struct console_choice choice;

static bool reads(const char *cmdline, struct problem *p)
{
    choice = (struct console_choice){ 0 };
    return console_read_words(cmdline, &choice, p);
}

static const char *names(const struct console_places *places)
{
    static char text[256];
    char name[CONSOLE_NAME_BYTES];
    size_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < places->count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "",
                                 console_name(&places->at[i], name));
    return text;
}

static void expect_text(const char *cmdline, const char *expected)
{
    struct problem p = { .message = "" };
    if (!reads(cmdline, &p))
        fail_msg("%s", p.message);
    assert_true(choice.text.named);
    assert_string_equal(names(&choice.text), expected);
}

static void test_places(void **state)
{
    expect_text("console=com1", "com1");
    expect_text("console=com4", "com4");
    expect_text("console=ttyS0,ttyS3", "com1 com4");
    expect_text("console=io:0x3f8,io:0x2000", "com1 io:0x2000");
    expect_text("console=io:65528", "io:0xfff8");
    expect_text("console=io:0x100,io:0xcf0,io:0xd00", "io:0x100 io:0xcf0 io:0xd00");
    expect_text("console=mmio:0xfe034000:4", "mmio:0xfe034000:4");
    assert_int_equal(choice.text.at[0].width, 4);
    assert_int_equal(choice.text.at[0].stride, 4);
    expect_text("console=mmio:0xfe034001", "mmio:0xfe034001:1");
    expect_text("console=pci:0000:00:05.0", "pci:0000:00:05.0:0");
    expect_text("console=pci:0010:fF:1f.7:5", "pci:0010:ff:1f.7:5");
    assert_int_equal(choice.text.at[0].address, 0x10fffful);
    expect_text("console=com2,screen,mmio:0x1000:2,pci:0:1:2.3",
                "com2 screen mmio:0x1000:2 pci:0000:01:02.3:0");
    expect_text("console=none", "");
}

static void test_speeds(void **state)
{
    expect_text("console=com1,9600,com2,ttyS2,115200n8,mmio:0x1000:4,0",
                "com1 com2 com3 mmio:0x1000:4");
    assert_int_equal(choice.text.at[0].baud, 9600);
    assert_int_equal(choice.text.at[1].baud, CONSOLE_BAUD_UNNAMED);
    assert_int_equal(choice.text.at[2].baud, 115200);
    assert_int_equal(choice.text.at[3].baud, CONSOLE_BAUD_KEPT);
    expect_text("console=mmio:0x1000:4,57600", "mmio:0x1000:4");
    assert_int_equal(choice.text.at[0].clock, CONSOLE_CLOCK_PC);
}

static void test_last_word_wins(void **state)
{
    struct problem p;
    expect_text("console=com1 bs=4k console=com3\tconsole=com2 json=com4", "com2");
    assert_string_equal(names(&choice.json), "com4");
    assert_true(reads("irq=posted xconsole=com1 consoles=1 bs=console=com2", &p));
    assert_false(choice.text.named || choice.json.named);
    assert_true(reads("console=rubbish console=com2", &p));
    assert_string_equal(names(&choice.text), "com2");
}

static void test_refused(void **state)
{
    static const char *const words[] = {
        "console=",
        "console=com0",
        "console=com5",
        "console=com",
        "console=com11",
        "console=ttyS4",
        "console=COM1",
        "console=console",
        "console=com1,console",
        "console=com1,",
        "console=,com1",
        "console=com1,,com2",
        "console=com1,com1",
        "console=com1,io:0x3f8",
        "console=com1,screen,com2,com3,com4",
        "console=none,com1",
        "console=com1,none",
        "console=screen,115200",
        "console=115200",
        "console=com1,9600,9600",
        "console=com1,9600n7",
        "console=com1,9600e8",
        "console=com1,299",
        "console=com1,4000001",
        "console=io:0",
        "console=io:0x60",
        "console=io:0xff",
        "console=io:0xcf1",
        "console=io:0xcfc",
        "console=io:0xcff",
        "console=io:0xfff9",
        "console=io:",
        "console=io:x",
        "console=mmio:",
        "console=mmio:0",
        "console=mmio:0x1000:3",
        "console=mmio:0x1000:",
        "console=mmio:0x1000:8",
        "console=mmio:0x1002:4",
        "console=mmio:0x1000:0",
        "console=mmio:0x10000000000000",
        "console=mmio:-1",
        "console=pci:",
        "console=pci:0:0:0",
        "console=pci:0:0:20.0",
        "console=pci:0:0:0.8",
        "console=pci:0:100:0.0",
        "console=pci:10000:0:0.0",
        "console=pci:0:0:0.0:6",
        "console=pci:0:0:0.0:0:0",
        "console=pci:0:0:0.g",
        "console=pci::0:0.0",
    };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        struct problem p = { .message = "" };
        if (reads(words[i], &p))
            fail_msg("%s is taken for %s", words[i], names(&choice.text));
        assert_string_equal(p.what, "cmdline-value");
        assert_non_null(strstr(p.message, words[i]));
        assert_false(choice.text.named);
        assert_int_equal(choice.text.count, 0);
    }
}

// One bad word doesn't take the other one with it.
static void test_one_of_two(void **state)
{
    struct problem p;
    assert_false(reads("console=com9 json=com3", &p));
    assert_string_equal(names(&choice.json), "com3");
    assert_false(reads("console=com3 json=com9", &p));
    assert_string_equal(names(&choice.text), "com3");
}

// ---- what is left open ----

static struct console_place spcr;

static void settle(const char *cmdline, unsigned coms, const char *text, const char *json)
{
    struct problem p;
    assert_true(reads(cmdline, &p));
    choice.has_spcr = spcr.address;
    choice.spcr = spcr;
    console_settle(&choice, coms);
    assert_string_equal(names(&choice.text), text);
    assert_string_equal(names(&choice.json), json);
}

#define COM(n) (1u << ((n) - 1))

static void test_without_spcr(void **state)
{
    spcr.address = 0;
    settle("", COM(1) | COM(2), "com1 screen", "com2");
    assert_int_equal(choice.text.at[0].baud, 115200);
    assert_int_equal(choice.json.at[0].baud, 115200);
    settle("", COM(1), "com1 screen", "com1"); // shared
    settle("", COM(2), "com2 screen", "com2");
    settle("", COM(2) | COM(3), "com2 screen", "com3");
    settle("", COM(3) | COM(4), "com3 screen", "com4");
    settle("", 0, "com1 screen", "com1");
    settle("", 0xfffffff0u | COM(1), "com1 screen", "com1");
}

static void test_with_words(void **state)
{
    spcr.address = 0;
    settle("console=com2", COM(1) | COM(2), "com2", "com1");
    settle("console=com2", COM(2), "com2", "com2");
    settle("console=screen", COM(1) | COM(2), "screen", "com2");
    settle("console=screen", COM(1), "screen", "com1");
    settle("console=screen", 0, "screen", "");
    settle("console=none", COM(2), "", "com2");
    settle("console=com1,com2", COM(1) | COM(2), "com1 com2", "com1");
    settle("console=mmio:0x1000", COM(1), "mmio:0x1000:1", "com1");
    settle("console=mmio:0x1000", 0, "mmio:0x1000:1", "mmio:0x1000:1");
    assert_int_equal(choice.text.at[0].baud, CONSOLE_BAUD_KEPT); // of what clock, nobody knows
    settle("json=com1", COM(1) | COM(2), "com1 screen", "com1");
    settle("json=none", COM(1) | COM(2), "com1 screen", "");
    settle("json=screen,com2,9600", COM(1) | COM(2), "com1 screen", "screen com2");
    assert_int_equal(choice.json.at[1].baud, 9600);
    settle("console=com3", COM(1) | COM(2), "com3", "com2"); // named, so it is tried
    settle("json=console", COM(1) | COM(2), "com1 screen", "com1");
    settle("json=com2 json=console console=com2,screen,com1", COM(1) | COM(2), "com2 screen com1",
           "com2 com1");
    settle("json=console json=com1", COM(1) | COM(2), "com1 screen", "com1");
    settle("json=console console=none", COM(1) | COM(2), "", "");
}

static void test_with_spcr(void **state)
{
    spcr = console_com(1, 57600);
    settle("", COM(1) | COM(2), "com2 screen", "com1");
    assert_int_equal(choice.text.at[0].baud, 57600);
    assert_int_equal(choice.json.at[0].baud, 115200);
    settle("json=console", COM(1) | COM(2), "com2 screen", "com2");
    assert_int_equal(choice.json.at[0].baud, 57600);
    settle("", COM(2), "com2 screen", "com2");
    settle("", COM(1), "com1 screen", "com1"); // it names what isn't there
    settle("console=com1", COM(1) | COM(2), "com1", "com2");
    assert_int_equal(choice.json.at[0].baud, 57600); // that port is still firmware's
    settle("console=com2,9600", COM(1) | COM(2), "com2", "com1");
    assert_int_equal(choice.text.at[0].baud, 9600);
    spcr = (struct console_place){
        .kind = CONSOLE_MMIO, .width = 4, .stride = 4, .address = 0xfe034000
    };
    settle("", COM(1) | COM(2), "mmio:0xfe034000:4 screen", "com2");
    assert_int_equal(choice.text.at[0].baud, CONSOLE_BAUD_KEPT);
    spcr.clock = 48000000;
    settle("console=mmio:0xfe034000:4,115200", 0, "mmio:0xfe034000:4", "mmio:0xfe034000:4");
    assert_int_equal(choice.text.at[0].clock, 48000000);
    assert_int_equal(choice.text.at[0].baud, 115200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),         cmocka_unit_test(test_speeds),
        cmocka_unit_test(test_last_word_wins), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_one_of_two),     cmocka_unit_test(test_without_spcr),
        cmocka_unit_test(test_with_words),     cmocka_unit_test(test_with_spcr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
