// SPDX-License-Identifier: BSD-2-Clause
// Fuzzes allow-write=: what is taken for a list allows exactly the serials that it names, and each of
// them can be written in such a list again.
#include <stdlib.h>

#include "kernel/run/allow_write.h"
#include "lib/string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_serial(const char *serial)
{
    char word[ALLOW_WRITE_WORD], longer[ALLOW_WRITE_SERIAL + 1];
    struct problem p;
    allow_write_word(serial, word);
    if (!allow_write_check(word, strlen(word), &p) || !allow_write_has(word, strlen(word), serial))
        abort();
    memcpy(longer, serial, strlen(serial));
    memcpy(longer + strlen(serial), "~", 2);
    if (allow_write_has(word, strlen(word), longer))
        abort();
}

// Any serial that a disk may have: printable, without blanks around it.
static void check_any(const uint8_t *data, size_t size)
{
    char serial[ALLOW_WRITE_SERIAL];
    size_t length = MIN(size, sizeof(serial) - 1);
    for (size_t i = 0; i < length; i++)
        serial[i] = (char)(' ' + data[i] % ('~' - ' ' + 1));
    serial[length] = 0;
    if (length && serial[0] != ' ' && serial[length - 1] != ' ')
        check_serial(serial);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char serial[ALLOW_WRITE_SERIAL];
    struct problem p = { 0 };
    char *text = malloc(size + 1); // exactly as long as it is, so that each byte too far is seen
    memcpy(text, data, size);
    const char *at = text, *end = text + size;
    bool is_list = allow_write_check(text, size, &p);
    if (!is_list && (!p.what || !p.message[0]))
        abort();
    while (at < end && allow_write_next(&at, end, serial)) {
        if (!allow_write_has(text, size, serial))
            abort();
        check_serial(serial);
    }
    if (is_list && at != end)
        abort();
    if (allow_write_has(text, size, ""))
        abort();
    free(text);
    check_any(data, size);
    return 0;
}
