// SPDX-License-Identifier: BSD-2-Clause
// Stops the other CPUs by NMI, whatever they are doing.

#include "kernel/cpu/stop.h"

#include "kernel/base/percpu.h"
#include "kernel/x86/apic.h"

static bool stopping;

void cpu_stop_others(void)
{
    if (__atomic_exchange_n(&stopping, true, __ATOMIC_ACQ_REL) || !apic_is_ready())
        return;
    for (unsigned i = 0; i < cpu_count(); i++)
        if (cpu_get(i) != this_cpu() && cpu_is_online(i))
            apic_send_nmi(cpu_apic_id(i));
}

bool cpu_is_stopping(void)
{
    return __atomic_load_n(&stopping, __ATOMIC_ACQUIRE);
}
