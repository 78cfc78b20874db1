// SPDX-License-Identifier: BSD-2-Clause
// Words of the command line against what the CPU says of itself.

#include "init/checks.h"

#include "kernel/base/report.h"
#include "kernel/x86/errata.h"
#include "kernel/x86/hypervisor.h"

#define CPUID_1_C_MONITOR BIT32(3)

bool checks_mwait(const struct cmdline *c, enum irq_mode mode)
{
    if (mode != IRQ_ADAPTIVE || !cmdline_is(c, "idle", "mwait"))
        return false;
    if (!(cpuid(1, 0).c & CPUID_1_C_MONITOR))
        fail("no-mwait", "idle=mwait: the CPU has no MONITOR/MWAIT (CPUID 1 ECX bit 3 is 0): use "
                         "idle=hlt, or turn it on in the firmware's set-up");
    const char *erratum = errata_of_mwait(cpuid(0, 0), cpuid(1, 0));
    if (erratum)
        fail("mwait-erratum",
             "idle=mwait: on this CPU a store may not end MWAIT (%s): use idle=hlt", erratum);
    return true;
}

void checks_plain_msi(void)
{
    if (!hypervisor_is_there())
        warn("msi-x2apic",
             "irq=msi: x2APIC without interrupt remapping is not architectural on real hardware "
             "(SDM vol. 3, 11.12.7), and may lose interrupts: turn VT-d on, and use irq=remapped");
}
