// SPDX-License-Identifier: BSD-2-Clause
// Words of the command line against what CPU and disks say of themselves.

#include "init/checks.h"

#include "kernel/base/report.h"
#include "kernel/run/allow_write.h"
#include "kernel/run/block.h"
#include "kernel/x86/errata.h"
#include "kernel/x86/hypervisor.h"
#include "lib/string.h"

#define CPUID_1_C_MONITOR BIT32(3)

static bool can_mwait(struct problem *p)
{
    if (!(cpuid(1, 0).c & CPUID_1_C_MONITOR))
        return problem_set(p, "no-mwait",
                           "idle=mwait: the CPU has no MONITOR/MWAIT (CPUID 1 ECX bit 3 is 0): use "
                           "idle=hlt, or turn it on in the firmware's set-up");
    const char *erratum = errata_of_mwait(cpuid(0, 0), cpuid(1, 0));
    return !erratum ||
           problem_set(p, "mwait-erratum",
                       "idle=mwait: on this CPU a store may not end MWAIT (%s): use idle=hlt",
                       erratum);
}

// Only where the run begins in the mode that it is for is it an error; another mode may change to that.
bool checks_mwait(const struct cmdline *c, enum irq_mode mode)
{
    struct problem p;
    if (!cmdline_is(c, "idle", "mwait"))
        return false;
    if (can_mwait(&p))
        return true;
    if (mode == IRQ_ADAPTIVE)
        fail_problem(&p);
    return false;
}

void checks_plain_msi(void)
{
    if (!hypervisor_is_there())
        warn("msi-x2apic",
             "irq=msi: x2APIC without interrupt remapping is not architectural on real hardware "
             "(SDM vol. 3, 11.12.7), and may lose interrupts: turn VT-d on, and use irq=remapped");
}

static bool has_disk(const char *serial)
{
    for (const struct block_dev *dev = block_first(); dev; dev = dev->next)
        if (strcmp(dev->serial, serial) == 0)
            return true;
    return false;
}

void checks_allow_write(const struct cmdline *c)
{
    const struct cmdline_value *list = cmdline_get(c, "allow-write");
    const char *at = list->text, *end = at + list->length;
    char serial[ALLOW_WRITE_SERIAL];
    while (at && at < end && allow_write_next(&at, end, serial))
        if (!has_disk(serial))
            error("allow-write",
                  "allow-write= names \"%s\", which is no disk's serial number; the lines above "
                  "have those that there are",
                  serial);
    for (const struct block_dev *dev = block_first(); dev; dev = dev->next)
        if (dev->writable)
            info("%s (serial \"%s\") may be written to", dev->name, dev->serial);
}
