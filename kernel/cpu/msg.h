// SPDX-License-Identifier: BSD-2-Clause
// Messages between CPUs: what one CPU wants done by another, in that one's loop.
#pragma once

#include "lib/types.h"

// Embed it; it must stay valid until fn has been called.
struct cpu_msg {
    struct cpu_msg *next;
    void (*fn)(struct cpu_msg *msg);
};

// Has fn called from that CPU's loop, with an IPI if it sleeps; from the boot CPU's where that CPU is
// out of use. Any CPU, any context.
void cpu_post(unsigned cpu, struct cpu_msg *msg);
