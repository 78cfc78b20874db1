// SPDX-License-Identifier: BSD-2-Clause
// What app=nvme makes of a file of bytes: its lines, and its JSON object as the last one.
//
//   decode id-ctrl|id-ns|smart-log|error-log|fw-log|self-test-log|show-regs FILE
//   decode get-feature FID SEL VALUE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/nvme/cli/show.h"

#define PAGE 4096

static uint8_t page[PAGE] __attribute__((aligned(8)));

static void put_line(void *arg, const char *text)
{
    puts(text);
}

static uint64_t read_reg(const void *arg, unsigned offset, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, page + offset, bytes);
    return value;
}

static void load(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (!file || !fread(page, 1, sizeof(page), file)) {
        perror(name);
        exit(2);
    }
    fclose(file);
}

static void show(const struct sheet *s, const char *what)
{
    if (!strcmp(what, "id-ctrl"))
        nvme_show_controller(s, (const void *)page);
    else if (!strcmp(what, "id-ns"))
        nvme_show_namespace(s, (const void *)page);
    else if (!strcmp(what, "smart-log"))
        nvme_show_smart(s, (const void *)page);
    else if (!strcmp(what, "error-log"))
        nvme_show_errors(s, (const void *)page, PAGE / sizeof(struct nvme_error_entry));
    else if (!strcmp(what, "fw-log"))
        nvme_show_firmware(s, (const void *)page);
    else if (!strcmp(what, "self-test-log"))
        nvme_show_self_tests(s, (const void *)page);
    else if (!strcmp(what, "show-regs"))
        nvme_show_regs(s, read_reg, NULL);
    else
        exit(2);
}

int main(int argc, char **argv)
{
    static char buffer[64 * KIB];
    struct json json;
    const struct sheet sheet = { .line = put_line, .json = &json };

    if (argc < 3)
        return 2;
    json_begin(&json, buffer, sizeof(buffer), argv[1]);
    if (!strcmp(argv[1], "get-feature") && argc == 5) {
        nvme_show_feature(&sheet, (unsigned)strtoul(argv[2], NULL, 0),
                          (unsigned)strtoul(argv[3], NULL, 0), (uint32_t)strtoul(argv[4], NULL, 0));
    } else {
        load(argv[2]);
        show(&sheet, argv[1]);
    }
    const char *text = json_end(&json);
    if (!text)
        return 1;
    puts(text);
    return 0;
}
