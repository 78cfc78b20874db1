// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/run/machine.h"

#include "kernel/acpi/smbios.h"
#include "kernel/base/report.h"
#include "kernel/base/x86.h"
#include "kernel/mem/map.h"
#include "kernel/x86/msr_read.h"
#include "lib/format.h"
#include "lib/sha256.h"

#define IA32_BIOS_SIGN_ID 0x8b // microcode's revision in 63:32 (SDM vol. 3, 10.11.7.1)
#define TABLE_BYTES_MAX (1024 * 1024ull)

extern const char text_start[], rodata_end[]; // linker.ld

static uint64_t smbios_at;

void machine_set_smbios(uint64_t entry_phys)
{
    smbios_at = entry_phys;
}

// An entry point ends anywhere in its page, and may end before the page does.
static bool read_smbios(struct smbios *out)
{
    uint64_t table;
    size_t bytes;
    const void *entry = smbios_at ? mem_map_firmware(smbios_at, SMBIOS_ENTRY_BYTES) : NULL;
    if (!entry || !smbios_entry(entry, SMBIOS_ENTRY_BYTES, &table, &bytes))
        return false;
    const void *structures = mem_map_firmware(table, MIN(bytes, TABLE_BYTES_MAX));
    if (!structures)
        return false;
    smbios_parse(structures, MIN(bytes, TABLE_BYTES_MAX), out);
    return true;
}

// Firmware has had it put there, when it loaded the microcode.
static uint32_t microcode(void)
{
    uint64_t value;
    if (!msr_read(IA32_BIOS_SIGN_ID, &value))
        return 0;
    return (uint32_t)(value >> 32);
}

// What the image says and does: code and constants, as they lie in memory.
static void add_image(struct json *j)
{
    uint8_t digest[SHA256_BYTES];
    char text[2 * SHA256_BYTES + 1];
    struct sha256 s;
    sha256_init(&s);
    sha256_update(&s, text_start, (size_t)(rodata_end - text_start));
    sha256_final(&s, digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        format_text(text + 2 * i, 3, "%02x", digest[i]);
    json_text(j, "kernel_sha256", text);
}

void machine_report(void)
{
    static struct smbios smbios;
    char buffer[1024];
    struct json j;
    json_begin(&j, buffer, sizeof(buffer), "machine");
    json_bool(&j, "smbios", read_smbios(&smbios));
    json_text(&j, "manufacturer", smbios.manufacturer);
    json_text(&j, "product", smbios.product);
    json_text(&j, "version", smbios.version);
    json_text(&j, "serial", smbios.serial);
    json_text(&j, "bios_vendor", smbios.bios_vendor);
    json_text(&j, "bios_version", smbios.bios_version);
    json_text(&j, "bios_date", smbios.bios_date);
    json_format(&j, "cpu_signature", "0x%08x", cpuid(1, 0).a);
    json_format(&j, "microcode", "0x%08x", microcode());
    add_image(&j);
    report_json(&j);
}
