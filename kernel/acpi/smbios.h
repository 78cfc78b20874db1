// SPDX-License-Identifier: BSD-2-Clause
// What SMBIOS says of the machine and its firmware: names for people, nothing that anything rests on.
// Pure: bytes in, text out.
#pragma once

#include "lib/types.h"

#define SMBIOS_TEXT_BYTES 64
#define SMBIOS_ENTRY_BYTES 32 // no entry point is longer

struct smbios {
    char bios_vendor[SMBIOS_TEXT_BYTES], bios_version[SMBIOS_TEXT_BYTES],
        bios_date[SMBIOS_TEXT_BYTES];
    char manufacturer[SMBIOS_TEXT_BYTES], product[SMBIOS_TEXT_BYTES], version[SMBIOS_TEXT_BYTES],
        serial[SMBIOS_TEXT_BYTES];
};

// Where the structures are, by an entry point of either kind. False: it is none, or damaged (SMBIOS 3.6,
// 5.2.1, 5.2.2).
bool smbios_entry(const void *entry, size_t length, uint64_t *table, size_t *bytes);

// Texts are cut off where they are too long, empty where there is none, and printable ASCII.
void smbios_parse(const void *table, size_t bytes, struct smbios *out);
