// SPDX-License-Identifier: BSD-2-Clause
// In a program of a domain: irqs that the kernel tells of by a bit in a page.
#pragma once

#include "kernel/irq/irq.h"

// True where the handler would find something to do: it looks at what the device has written to memory.
// On the irq's CPU, from its loop.
typedef bool (*event_ready)(const void *arg);

// An irq that is bit `event` of the CPU's events; EVENT_NONE: nobody tells, so the CPU never sleeps. Where SN
// is set while a CPU is awake, and where nobody tells, its loop asks `ready` in each round. Boot CPU, before
// the others have begun.
#define EVENT_NONE 0xffffu
struct irq *event_irq(unsigned cpu, unsigned event, irq_handler handler, event_ready ready,
                      void *arg, const char *name);
