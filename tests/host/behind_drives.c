// SPDX-License-Identifier: BSD-2-Clause
// What the NVMe models need around them where PCI and interrupts are others' models.

#include "tests/host/behind_drives.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/base/cpus.h"
#include "kernel/base/report.h"
#include "kernel/domain/device.h"
#include "kernel/x86/time.h"
#include "tests/host/nvme_world.h"

#include <cmocka.h> // after report.h: it has a macro called fail

noreturn void(fail)(const char *what, const char *fmt, ...)
{
    fail_msg("%s: %s", what, fmt);
    abort();
}

void cpu_begin_batch(void)
{
}

uint64_t cpu_batch_tsc(void)
{
    return time_ns();
}

struct model *world_add(void)
{
    struct model *m = calloc(1, sizeof(*m));
    assert_non_null(m);
    return m;
}

// No domain has any of them.
void domain_event(void *arg)
{
    fail_msg("an event of a domain's");
}

// Registers are found by PCI.
struct model *world_find(const volatile void *reg, size_t *offset)
{
    fail_msg("%p is no register", (const void *)reg);
    return NULL;
}

bool world_may_ring(const struct model *m, unsigned qid)
{
    return true;
}

uint64_t world_now(void)
{
    return time_ns();
}

struct model *drive_new(unsigned number, uint16_t vectors)
{
    struct model *m = model_new();
    snprintf((char *)m->id.sn, sizeof(m->id.sn), "VMD%u", number);
    m->pci.msix.vectors = vectors;
    m->msix_enabled = true; // PCI knows
    return m;
}

uint64_t drive_read(struct model *m, uint16_t command, size_t offset, unsigned bytes)
{
    m->pci_command = command;
    return model_read(m, offset, bytes);
}

void drive_write(struct model *m, uint16_t command, size_t offset, uint64_t value, unsigned bytes)
{
    m->pci_command = command;
    model_write(m, offset, value, bytes);
}

void drive_work(struct model *m, uint16_t command)
{
    m->pci_command = command;
    model_work(m);
}

bool drive_signals(struct model *m, unsigned *vector)
{
    for (*vector = 0; *vector < MODEL_VECTORS; ++*vector)
        if (m->raised[*vector]) {
            m->raised[*vector] = false;
            return true;
        }
    return false;
}

bool drive_holds(uint64_t offset, const void *data, uint64_t bytes)
{
    return model_holds(1, offset, data, bytes);
}
