// SPDX-License-Identifier: BSD-2-Clause
// Structures that name root ports, NUMA nodes, ACPI devices and devices of the SoC (VT-d 8.5 to 8.9).

#include "drivers/vtd/platform/dmar_check_state.h"
#include "lib/string.h"

#define FLAGS_AT 4
#define SEGMENT_AT 6
#define SCOPES_AT 8
#define ATSR_ALL_PORTS 0x01
#define ANDD_NUMBER_AT 7
#define ANDD_NAME_AT 8

typedef unsigned long long ull;

static uint16_t segment_of(const struct checked_structure *x)
{
    return (uint16_t)check_number(x->bytes + SEGMENT_AT, 2);
}

void check_atsr(struct check_state *s, const struct checked_structure *x)
{
    bool all = x->bytes[FLAGS_AT] & ATSR_ALL_PORTS;
    size_t ports = check_scopes_read(s, x, SCOPES_AT, segment_of(x));
    if (all == (ports > 0))
        checks_add(s->out, CHECK_ATSR_PORTS, "segment %u: ALL_PORTS is %u, and %zu ports are named",
                   segment_of(x), all, ports);
}

void check_rhsa(struct check_state *s, const struct checked_structure *x)
{
    uint64_t base = check_number(x->bytes + offsetof(struct dmar_rhsa, base), 8);
    uint32_t domain = (uint32_t)check_number(x->bytes + offsetof(struct dmar_rhsa, domain), 4);
    struct checked_unit *u = check_find_unit(s, base);
    if (!u)
        checks_add(s->out, CHECK_RHSA_UNIT, "0x%llx is no unit", (ull)base);
    else if (u->has_node)
        checks_add(s->out, CHECK_RHSA_TWICE, "unit 0x%llx", (ull)base);
    else
        u->has_node = true;
    if (!check_has_domain(s, domain))
        checks_add(s->out, CHECK_RHSA_DOMAIN, "unit 0x%llx is in domain %u", (ull)base, domain);
}

// A path of the name space: \_SB.PCI0.I2C0 and the like, in ASCII, with a zero byte behind it.
static bool is_name(const uint8_t *at, size_t length)
{
    size_t end = 0;
    while (end < length && at[end] > ' ' && at[end] < 0x7f)
        end++;
    return end > 0 && end < length && at[end] == 0;
}

void check_andd(struct check_state *s, const struct checked_structure *x)
{
    uint8_t number = x->bytes[ANDD_NUMBER_AT];
    if (!is_name(x->bytes + ANDD_NAME_AT, x->length - ANDD_NAME_AT))
        checks_add(s->out, CHECK_ANDD_NAME, "device %u", number);
    if (number == 0 || s->acpi_numbers[number])
        checks_add(s->out, CHECK_ANDD_NUMBER, "device %u", number);
    s->acpi_numbers[number] = true;
}

void check_satc(struct check_state *s, const struct checked_structure *x)
{
    if (!check_scopes_read(s, x, SCOPES_AT, segment_of(x)))
        checks_add(s->out, CHECK_SATC_EMPTY, "segment %u", segment_of(x));
}

void check_sidp(struct check_state *s, const struct checked_structure *x)
{
    if (!check_scopes_read(s, x, SCOPES_AT, segment_of(x)))
        checks_add(s->out, CHECK_SIDP_EMPTY, "segment %u", segment_of(x));
}
