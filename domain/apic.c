// SPDX-License-Identifier: BSD-2-Clause
// What the local APIC does for a CPU of the kernel's: ends another's sleep, and keeps the time of the
// next timer. There are no interrupts here, so nothing comes at that time: the loop looks at the TSC.

#include "kernel/x86/apic.h"

#include "domain/call.h"
#include "domain/cpu.h"

void apic_send(uint32_t id, uint8_t vector)
{
    domain_call(DOMAIN_CALL_WAKE, id, 0, 0);
}

void apic_timer_set(uint64_t tsc)
{
    this_program_cpu()->timer_tsc = tsc;
}

void apic_timer_cancel(void)
{
    this_program_cpu()->timer_tsc = UINT64_MAX;
}
