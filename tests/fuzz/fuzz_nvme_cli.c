// SPDX-License-Identifier: BSD-2-Clause
// Whatever a controller answers to app=nvme: lines that a terminal can show, and one whole object.

#include <stdlib.h>
#include <string.h>

#include "drivers/nvme/cli/show.h"
#include "drivers/nvme/identify.h"

#define LINES_MOST 400 // of one page

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static uint8_t page[4096] __attribute__((aligned(8)));
static unsigned lines;

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void check_line(void *arg, const char *text)
{
    must(strlen(text) < 320 && ++lines < LINES_MOST);
    for (; *text; text++)
        must(*text >= ' ' && *text < 127);
}

static uint64_t read_reg(const void *arg, unsigned offset, unsigned bytes)
{
    uint64_t value = 0;
    must(offset + bytes <= sizeof(page) && bytes <= sizeof(value));
    memcpy(&value, page + offset, bytes);
    return value;
}

static void show(const struct sheet *s, unsigned which)
{
    switch (which) {
    case 0:
        return nvme_show_controller(s, (const void *)page);
    case 1:
        must(nvme_format_index((const void *)page) < 64);
        return nvme_show_namespace(s, (const void *)page);
    case 2:
        return nvme_show_smart(s, (const void *)page);
    case 3:
        return nvme_show_errors(s, (const void *)page, sizeof(page) / 64 / 4); // or lines are many
    case 4:
        return nvme_show_firmware(s, (const void *)page);
    case 5:
        return nvme_show_self_tests(s, (const void *)page);
    case 6:
        return nvme_show_regs(s, read_reg, NULL);
    default:
        return nvme_show_feature(s, page[0], page[1], (uint32_t)read_reg(NULL, 4, 4));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static char buffer[64 * KIB];
    struct json json;
    const struct sheet sheet = { .line = check_line, .json = &json };

    if (!count)
        return 0;
    memset(page, 0, sizeof(page));
    memcpy(page, bytes + 1, MIN(count - 1, sizeof(page)));
    lines = 0;
    json_begin(&json, buffer, sizeof(buffer), "page");
    show(&sheet, bytes[0] % 8);
    sheet_raw(&sheet, page, count % 100); // a whole page takes its time
    must(json_end(&json) != NULL);
    return 0;
}
