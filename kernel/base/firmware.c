// SPDX-License-Identifier: BSD-2-Clause
// Kept from the hand-off.

#include "kernel/base/firmware.h"

#include "kernel/base/x86.h"

static struct {
    const struct handoff *handoff;
    bool x2apic;
} firmware;

void firmware_note(const struct handoff *h)
{
    firmware.handoff = h;
    firmware.x2apic = rdmsr(MSR_APIC_BASE) & APIC_BASE_EXTD;
}

const struct handoff *firmware_handoff(void)
{
    return firmware.handoff;
}

bool firmware_left_x2apic(void)
{
    return firmware.x2apic;
}
