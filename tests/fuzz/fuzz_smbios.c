// SPDX-License-Identifier: BSD-2-Clause
// SMBIOS: whatever the bytes, each text is ended and printable. The first byte says whether the rest
// is an entry point or structures.
#include <string.h>

#include "kernel/acpi/smbios.h"
#include "tests/fuzz/input.h"

static void check_text(const char *text)
{
    size_t length = strnlen(text, SMBIOS_TEXT_BYTES);
    require(length < SMBIOS_TEXT_BYTES);
    for (size_t i = 0; i < length; i++)
        require(text[i] >= ' ' && text[i] <= '~');
    require(!length || text[length - 1] != ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct smbios found;
    uint64_t table;
    size_t length;
    if (!size)
        return 0;
    if (bytes[0] & 1) {
        if (smbios_entry(bytes + 1, size - 1, &table, &length))
            require(table && length);
        return 0;
    }
    smbios_parse(bytes + 1, size - 1, &found);
    const char *texts[] = { found.bios_vendor,  found.bios_version, found.bios_date,
                            found.manufacturer, found.product,      found.version,
                            found.serial };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        check_text(texts[i]);
    return 0;
}
