// SPDX-License-Identifier: BSD-2-Clause
// The local APIC, in x2APIC mode only: ids of 32 bits, registers as MSRs.
#pragma once

#include "kernel/base/x86.h"
#include "kernel/x86/apic_regs.h"
#include "lib/problem.h"

// Problem "no-x2apic" where the CPU has none. Boot CPU.
bool apic_check(struct problem *p);

// Turns x2APIC on (or takes it as firmware left it on), masks every local source, finishes
// interrupts that firmware left in service. Each CPU for itself, interrupts off.
void apic_init_cpu(void);

uint32_t apic_id(void);

// Interrupt handlers of fixed vectors end with this.
static inline void apic_eoi(void)
{
    wrmsr(X2APIC_EOI, 0);
}

// True while the vector is requested and not yet in service on this CPU.
bool apic_is_requested(uint8_t vector);

// Masks the timer for good, before this CPU halts.
void apic_stop_timer(void);

// Sends a fixed interrupt; earlier stores are visible to the handler. Any CPU, any context.
void apic_send(uint32_t id, uint8_t vector);
void apic_send_init(uint32_t id);
void apic_send_startup(uint32_t id, uint8_t page);

// NMI, whatever the CPU is doing.
void apic_send_nmi(uint32_t id);

// False before apic_init_cpu(): then no IPI can be sent.
bool apic_is_ready(void);

// Takes NMIs that come by that pin (0, 1): a BMC's diagnostic one, as a rule. Boot CPU.
void apic_take_nmis(uint8_t lint);

// The one-shot timer. apic_timer_init() on the boot CPU once, after time_init() and before
// apic_init_cpu(), which sets each CPU's up; apic_timer_set() on each CPU for itself: VECTOR_TIMER
// comes at or, where the counter is too short, before that TSC.
void apic_timer_init(void);
bool apic_timer_is_tsc_deadline(unsigned cpu);
void apic_timer_set(uint64_t tsc);
void apic_timer_cancel(void);
