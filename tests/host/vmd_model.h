// SPDX-License-Identifier: BSD-2-Clause
// VMDs in the model of PCI: ports and NVMe functions behind them, and what becomes of an MSI from there on
// its way through MSI-X tables, bus mastering and the VMD. No documentation of the hardware is public: the
// model is what Linux's driver relies on.
#pragma once

#include <setjmp.h>
#include <stdarg.h>

#include "drivers/vmd/vmd.h"
#include "kernel/irq/irq.h"
#include "kernel/x86/time.h"
#include "lib/json.h"
#include "tests/host/pci_fixture.h"

#include <cmocka.h>

#define VMD_CFG(n) (0x200000000000ull + (uint64_t)(n) * 0x100000000000ull)
#define VMD_MEM1(n) (VMD_CFG(n) + 0x10000000000ull)
#define VMD_MEM2(n) (VMD_CFG(n) + 0x20000000000ull)
#define VMD_BUSES 32
#define VMD_MEM1_BYTES (32 * MIB)
#define VMD_MEM2_BYTES MIB
#define VMD_SEGMENT(n) (uint16_t)(0xf000 + (n)) // the model's own

#define DRIVE_BYTES 0x4000
#define DRIVE_TABLE 0x2000
#define DRIVE_VECTORS 8

struct vmd_drive {
    struct model_fn *fn, *port;
    struct vmd_fn *vmd;
    uint64_t base; // of BAR 0, as the CPU sees it
};

// One VMD.
static struct vmd_fn {
    struct model_fn *fn;
    unsigned number, vectors;
    uint64_t phys1;  // where MEMBAR1 is, to what is behind it
    uint8_t *memory; // the first part of MEMBAR2
    struct vmd_drive drives[8];
    unsigned drives_count;
} vmd_fns[4];
static unsigned vmd_fns_count;

static struct {
    char info[300], json[300];
    unsigned infos;
} vmd_told;

void time_delay_ns(uint64_t ns)
{
}

void info(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(vmd_told.info, sizeof(vmd_told.info), fmt, args);
    va_end(args);
    vmd_told.infos++;
}

void report_json(struct json *j)
{
    const char *text = json_end(j);
    assert_non_null(text);
    snprintf(vmd_told.json, sizeof(vmd_told.json), "%s", text);
}

// ---- building ----

// A machine without VMDs.
static inline void vmd_machine(void)
{
    vmd_shutdown();
    model_reset();
    memset(vmd_fns, 0, sizeof(vmd_fns));
    memset(&vmd_told, 0, sizeof(vmd_told));
    vmd_fns_count = 0;
    model_segment(0, ECAM, 0, 0);
}

// One as firmware leaves it, at 00:0e.0 and up.
static inline struct vmd_fn *vmd_new(unsigned device, unsigned vectors, uint8_t first_bus)
{
    unsigned n = vmd_fns_count++;
    struct vmd_fn *v = &vmd_fns[n];
    struct model_fn *f = model_add(0, PCI_BDF(0, 14 + n, 0), 0x010400);
    *v = (struct vmd_fn){ .fn = f, .number = n, .vectors = vectors, .phys1 = VMD_MEM1(n) };
    model_set(f, 0, 0x8086 | device << 16, 4);
    model_bar64(f, 0, VMD_CFG(n), VMD_BUSES * MIB);
    model_bar64(f, 2, VMD_MEM1(n), VMD_MEM1_BYTES);
    model_bar64(f, 4, VMD_MEM2(n), VMD_MEM2_BYTES);
    model_cap(f, 0x90, 0x10);
    model_set(f, 0x92, 2 | 9 << 4, 2); // integrated into the root complex
    if (vectors)
        model_msix(f, 0x80, vectors, 4, 0);
    model_writable(f, 0x44, 0x0002, 2);
    v->memory = model_memory(VMD_MEM2(n), 0x3000);
    model.hidden[model.hidden_count++] =
        (struct model_hidden){ f, 0, VMD_BUSES * MIB, VMD_SEGMENT(n), first_bus };
    return v;
}

// Behind a port of its own, with BAR 0 in MEMBAR1.
static inline struct vmd_drive *vmd_add_drive(struct vmd_fn *v)
{
    unsigned i = v->drives_count++;
    struct vmd_drive *d = &v->drives[i];
    uint8_t root = model.hidden[v->number].first, bus = (uint8_t)(root + 1 + i);
    d->vmd = v;
    d->base = VMD_MEM1(v->number) + 0x100000 * i;
    d->port = model_bridge(VMD_SEGMENT(v->number), PCI_BDF(root, i, 0), bus, bus);
    model_express(d->port, 4);
    d->fn = model_add(VMD_SEGMENT(v->number), PCI_BDF(bus, 0, 0), 0x010802);
    model_express(d->fn, 0);
    model_bar64(d->fn, 0, v->phys1 + 0x100000 * i, DRIVE_BYTES);
    model_msix(d->fn, 0x60, DRIVE_VECTORS, 0, DRIVE_TABLE);
    model_memory(d->base, DRIVE_BYTES);
    return d;
}

// As init/main.c does.
static inline void vmd_boot(void)
{
    struct problem p;
    assert_true(pci_init(&p));
    vmd_init();
    pci_stop_masters();
}

static inline struct pci_dev *vmd_dev(const struct vmd_fn *v)
{
    return dev_at(0, v->fn->bdf);
}

static inline struct pci_dev *vmd_drive_dev(const struct vmd_drive *d)
{
    return dev_at(PCI_SEGMENT_HIDDEN + d->vmd->number, d->fn->bdf);
}

// ---- an MSI on its way ----

#define VMD_MSIX_CONTROL(f) model_get(f, model_get(f, 0, 2) == 0x8086 ? 0x82 : 0x62, 2)

struct vmd_msi {
    uint16_t requester;
    uint32_t address, data;
};

static inline bool vmd_is_master(const struct model_fn *f)
{
    return f->space[0x04] & 4;
}

// The message of a table's entry; false: the function doesn't send it.
static inline bool vmd_read_entry(const struct model_fn *f, uint64_t table, unsigned entry,
                                  struct vmd_msi *msi)
{
    uint32_t words[4];
    if ((VMD_MSIX_CONTROL(f) & 0xc000) != 0x8000 || !vmd_is_master(f))
        return false;
    memcpy(words, model_data(table + 16 * entry, 16), 16);
    assert_int_equal(words[1], 0);
    *msi = (struct vmd_msi){ f->bdf, words[0], words[2] };
    return !(words[3] & 1);
}

// What leaves the VMD when a drive signals; false: nothing does.
static inline bool vmd_signal(const struct vmd_drive *d, unsigned entry, struct vmd_msi *msi)
{
    const struct vmd_fn *v = d->vmd;
    if (!vmd_read_entry(d->fn, d->base + DRIVE_TABLE, entry, msi))
        return false;
    assert_int_equal(msi->address >> 20, 0xfee);
    if (!vmd_is_master(d->port) || !vmd_is_master(v->fn))
        return false;
    if (model_get(v->fn, 0x44, 2) & 2) { // bypass
        msi->requester = v->fn->bdf;
        return true;
    }
    unsigned own = msi->address >> 12 & 0xff;
    assert_true(own < v->vectors);
    return vmd_read_entry(v->fn, VMD_MEM2(v->number), own, msi);
}
