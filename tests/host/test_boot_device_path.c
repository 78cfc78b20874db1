// SPDX-License-Identifier: BSD-2-Clause
// Finding COM1 among the console's device paths.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/device_path.h"

#include <cmocka.h>

// Nodes as OVMF writes them.
#define PCI_ROOT "\x02\x01\x0c\x00\xd0\x41\x03\x0a\x00\x00\x00\x00"
#define PCI_LPC "\x01\x01\x06\x00\x00\x1f"
#define COM(n) "\x02\x01\x0c\x00\xd0\x41\x01\x05" n "\x00\x00\x00"
#define KEYBOARD "\x02\x01\x0c\x00\xd0\x41\x03\x03\x00\x00\x00\x00"
#define UART "\x03\x0e\x13\x00\x00\x00\x00\x00\x00\xc2\x01\x00\x00\x00\x00\x00\x08\x01\x01"
#define TERMINAL "\x03\x0a\x14\x00\x53\x47\xc1\xe0\xbe\xf9\xd2\x11\x9a\x0c\x00\x90\x27\x3f\xc1\x4d"
#define DISPLAY "\x01\x01\x06\x00\x00\x01\x02\x03\x08\x00\x00\x01\x01\x80"
#define NEXT "\x7f\x01\x04\x00"
#define END "\x7f\xff\x04\x00"

static bool names_com1(const char *bytes, size_t count)
{
    void *exact = memcpy(malloc(count ? count : 1), bytes, count);
    bool found = device_path_names_com(exact, count, 0);
    free(exact);
    return found;
}
#define NAMES_COM1(paths) names_com1(paths, sizeof(paths) - 1)

static void test_finds_com1(void **state)
{
    assert_true(NAMES_COM1(PCI_ROOT PCI_LPC COM("\x00") UART TERMINAL END));
    assert_true(NAMES_COM1(PCI_ROOT DISPLAY NEXT PCI_ROOT PCI_LPC COM("\x00") UART TERMINAL END));
    assert_true(NAMES_COM1(PCI_ROOT COM("\x01") UART NEXT PCI_ROOT COM("\x00") UART END));
}

static void test_finds_nothing_else(void **state)
{
    assert_false(NAMES_COM1(""));
    assert_false(NAMES_COM1(END));
    assert_false(NAMES_COM1(PCI_ROOT DISPLAY END));
    assert_false(NAMES_COM1(PCI_ROOT PCI_LPC COM("\x01") UART TERMINAL END)); // COM2
    assert_false(NAMES_COM1(PCI_ROOT PCI_LPC KEYBOARD UART END));
    assert_false(NAMES_COM1(PCI_ROOT PCI_LPC COM("\x00") TERMINAL END));   // no UART node
    assert_false(NAMES_COM1(PCI_ROOT COM("\x00") NEXT PCI_ROOT UART END)); // of another path
    assert_false(NAMES_COM1("\x03"
                            "\x01\x0c\x00\xd0\x41\x01\x05\x00\x00\x00\x00" UART END));
    assert_false(NAMES_COM1("\x02"
                            "\x02\x0c\x00\xd0\x41\x01\x05\x00\x00\x00\x00" UART END));
    assert_false(NAMES_COM1("\x02\x01\x0d\x00\xd0\x41\x01\x05\x00\x00\x00\x00\x00" UART END));
    assert_false(NAMES_COM1(COM("\x00") "\x02\x0e\x04\x00" END));
    assert_false(NAMES_COM1(COM("\x00") "\x03\x0f\x04\x00" END));
}

static void test_malformed(void **state)
{
    assert_false(NAMES_COM1("\x02\x01\x03\x00" COM("\x00") UART END)); // shorter than its header
    assert_false(NAMES_COM1("\x02\x01\x00\x00" COM("\x00") UART END));
    assert_false(NAMES_COM1("\x02\x01\xff\xff" COM("\x00") UART END)); // past the end
    static const char path[] = COM("\x00") UART END;
    for (size_t count = 0; count < 12 + 19; count++)
        assert_false(names_com1(path, count));
    assert_true(names_com1(path, 12 + 19));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_com1),
        cmocka_unit_test(test_finds_nothing_else),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
