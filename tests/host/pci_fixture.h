// SPDX-License-Identifier: BSD-2-Clause
// Around the PCI model, what the scan needs of the kernel: the MCFG table and warnings.
#pragma once

#include "kernel/base/report.h"
#include "kernel/pci/pci.h"
#include "tests/host/acpi_build.h"
#include "tests/host/pci_model.h"

static struct blob mcfg_table;
static bool no_mcfg;

void warn(const char *what, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(model.warning, sizeof(model.warning), fmt, args);
    va_end(args);
    snprintf(model.warning_what, sizeof(model.warning_what), "%s", what);
    model.warnings++;
}

void warn_problem(const struct problem *p)
{
    warn(p->what, "%s", p->message);
}

const struct acpi_header *acpi_find(const char signature[4])
{
    if (no_mcfg || memcmp(signature, "MCFG", 4))
        return NULL;
    blob_header(&mcfg_table, "MCFG", 1);
    blob_pad(&mcfg_table, 44);
    for (size_t i = 0; i < model.mcfg.count; i++) {
        const struct mcfg_segment *s = &model.mcfg.segments[i];
        blob_put(&mcfg_table, s->base, 8);
        blob_put(&mcfg_table, s->segment, 2);
        blob_put(&mcfg_table, s->first_bus, 1);
        blob_put(&mcfg_table, s->last_bus, 1);
        blob_put(&mcfg_table, 0, 4);
    }
    blob_finish(&mcfg_table);
    return (const void *)mcfg_table.bytes;
}

const struct acpi_header *acpi_find_next(const char signature[4], const struct acpi_header *after)
{
    return NULL;
}

#define ECAM 0xb0000000

// An empty segment with one function, at 00:04.0.
static inline struct model_fn *one_function(void)
{
    model_reset();
    model_segment(0, ECAM, 0, 0);
    return model_add(0, PCI_BDF(0, 4, 0), 0x010802);
}

static inline int end(void **state)
{
    model_reset();
    return 0;
}

static inline size_t dev_count(void)
{
    size_t count = 0;
    while (pci_get(count))
        count++;
    return count;
}

// The function that was found there; NULL: none.
static inline struct pci_dev *dev_at(uint32_t segment, uint16_t bdf)
{
    for (size_t i = 0; pci_get(i); i++)
        if (pci_get(i)->segment == segment && pci_get(i)->bdf == bdf)
            return pci_get(i);
    return NULL;
}
