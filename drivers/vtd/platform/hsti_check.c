// SPDX-License-Identifier: BSD-2-Clause
// Any role may verify what the reference platform requires (HSTI 1.1a): what is left over nobody did.

#include "drivers/vtd/platform/hsti_check.h"

#include "lib/bits.h"

#define ROLE_REFERENCE 1

static uint8_t required(const struct handoff *h, size_t kept, size_t byte)
{
    uint8_t bits = 0;
    for (size_t i = 0; i < kept; i++)
        if (h->hsti[i].role == ROLE_REFERENCE)
            bits |= h->hsti[i].required[byte];
    return bits;
}

static uint8_t verified(const struct handoff *h, size_t kept, size_t byte)
{
    uint8_t bits = 0;
    for (size_t i = 0; i < kept; i++)
        bits |= h->hsti[i].verified[byte];
    return bits;
}

void hsti_check(const struct handoff *h, struct checks *out)
{
    size_t kept = MIN(h->hstis, HANDOFF_HSTI_MAX);
    if (!h->hstis && !h->hstis_bad)
        return;
    if (h->hstis_bad)
        checks_add(out, CHECK_HSTI_FORM, "%u of %u don't", h->hstis_bad, h->hstis + h->hstis_bad);
    for (size_t i = 0; i < HANDOFF_HSTI_BITS; i++) {
        uint8_t needs = required(h, kept, i), lacks = needs & (uint8_t)~verified(h, kept, i);
        if (lacks)
            checks_add(out, CHECK_HSTI_VERIFIED, "byte %zu: %02xh is required, %02xh not verified",
                       i, needs, lacks);
    }
    checks_made(out, CHECK_HSTI_FORM);
    if (h->hstis)
        checks_made(out, CHECK_HSTI_VERIFIED);
}
