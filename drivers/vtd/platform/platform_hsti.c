// SPDX-License-Identifier: BSD-2-Clause
// What firmware says of its own security tests.

#include "drivers/vtd/platform/platform.h"
#include "kernel/base/firmware.h"
#include "kernel/base/report.h"
#include "lib/format.h"

#define BITS_TEXT (2 * HANDOFF_HSTI_BITS + 1)

static const char *role_name(uint32_t role)
{
    static const char *const names[] = { "reference platform", "firmware vendor", "OEM", "ODM" };
    return role >= 1 && role <= ARRAY_SIZE(names) ? names[role - 1] : "unknown role";
}

// As hexadecimal digits, byte 0 first.
static void bits_text(const uint8_t *bits, size_t bytes, char to[BITS_TEXT])
{
    to[0] = 0;
    for (size_t i = 0; i < MIN(bytes, HANDOFF_HSTI_BITS); i++)
        format_text(to + 2 * i, 3, "%02x", bits[i]);
}

static void print_one(const struct handoff_hsti *one)
{
    char buffer[512], required[BITS_TEXT], verified[BITS_TEXT];
    struct json j;
    bits_text(one->required, one->bytes, required);
    bits_text(one->verified, one->bytes, verified);
    info("HSTI of %s (%s): %u bytes of bits, required %s, verified %s", one->name,
         role_name(one->role), one->bytes, required, verified);
    json_begin(&j, buffer, sizeof(buffer), "platform_hsti");
    json_text(&j, "name", one->name);
    json_u64(&j, "role", one->role);
    json_text(&j, "required", required);
    json_text(&j, "verified", verified);
    report_json(&j);
}

void platform_print_hsti(void)
{
    const struct handoff *h = firmware_handoff();
    if (!h->hstis && !h->hstis_bad)
        info("HSTI: firmware has no Hardware Security Test Interface");
    for (size_t i = 0; i < MIN(h->hstis, HANDOFF_HSTI_MAX); i++)
        print_one(&h->hsti[i]);
    if (h->hstis > HANDOFF_HSTI_MAX)
        info("HSTI: and %u more", h->hstis - HANDOFF_HSTI_MAX);
}
