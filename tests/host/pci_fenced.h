// SPDX-License-Identifier: BSD-2-Clause
// A disk behind a switch and another one in the root complex, and a fence that counts what it is asked. As
// pci_fixture.h, for one test binary each.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/host/pci_fixture.h"

#include <cmocka.h>

// Extended capabilities, in this order, and their control registers.
#define ATS 0x100
#define PRI 0x120
#define PASID 0x140
#define ACS 0x160
#define ATS_CONTROL (ATS + 6)
#define PRI_CONTROL (PRI + 4)
#define PASID_CONTROL (PASID + 6)
#define ACS_CONTROL (ACS + 6)

#define COMMAND 4
#define MASTER 4u
#define ROOT_PORT 4
#define UPSTREAM 5
#define DOWNSTREAM 6

#define AT_PORT PCI_BDF(0, 1, 0) // and behind it a switch, and a disk there
#define AT_SWITCH PCI_BDF(1, 0, 0)
#define AT_DOWN PCI_BDF(2, 0, 0)
#define AT_DISK PCI_BDF(3, 0, 0)
#define AT_OTHER PCI_BDF(0, 4, 0) // in the root complex

static struct model_fn *port, *up, *down, *disk, *other;

// ---- the machine ----

static inline void add_ext_cap(struct model_fn *f, unsigned at, unsigned id, unsigned next)
{
    model_set(f, at, id | 1u << 16 | next << 20, 4);
}

static inline void let_translate(struct model_fn *f)
{
    model_set(f, ATS_CONTROL, 0x8005, 2);
    model_set(f, PRI_CONTROL, 0x0001, 2);
    model_set(f, PASID_CONTROL, 0x0007, 2);
}

static inline void add_ext_caps(struct model_fn *f)
{
    add_ext_cap(f, ATS, 0x0f, PRI);
    add_ext_cap(f, PRI, 0x13, PASID);
    add_ext_cap(f, PASID, 0x1b, ACS);
    add_ext_cap(f, ACS, 0x0d, 0);
    model_writable(f, ATS_CONTROL, 0x801f, 2);
    model_writable(f, PRI_CONTROL, 0x0003, 2);
    model_writable(f, PASID_CONTROL, 0x0007, 2);
    model_writable(f, ACS_CONTROL, 0xffff, 2);
    model_set(f, PRI_CONTROL + 2, 0xffff, 2); // status, next to it
    let_translate(f);
}

static inline struct model_fn *add_bridge(uint16_t bdf, unsigned type)
{
    struct model_fn *f = model_bridge(0, bdf, (uint8_t)(PCI_BUS(bdf) + 1), 3);
    model_express(f, type);
    add_ext_caps(f);
    return f;
}

static inline struct model_fn *add_endpoint(uint16_t bdf)
{
    struct model_fn *f = model_add(0, bdf, 0x010802);
    model_express(f, 0);
    add_ext_caps(f);
    return f;
}

static inline int begin(void **state)
{
    model_reset();
    model_segment(0, ECAM, 0, 3);
    port = add_bridge(AT_PORT, ROOT_PORT);
    up = add_bridge(AT_SWITCH, UPSTREAM);
    down = add_bridge(AT_DOWN, DOWNSTREAM);
    disk = add_endpoint(AT_DISK);
    other = add_endpoint(AT_OTHER);
    return 0;
}

static inline void scan(void)
{
    struct problem p;
    if (!pci_init(&p))
        fail_msg("%s", p.message);
    assert_int_equal(model.warnings, 0);
}

static inline struct pci_dev *dev(uint16_t bdf)
{
    struct pci_dev *d = dev_at(0, bdf);
    assert_non_null(d);
    return d;
}

// ---- the fence ----

static unsigned grants, revokes;
static bool refuses;
static const struct pci_dev *asked;
static struct model_fn *watched; // is no master while the fence is asked

static inline bool answer(const struct pci_dev *d, struct problem *p)
{
    asked = d;
    assert_false(watched && model_get(watched, COMMAND, 2) & MASTER);
    return !refuses || problem_set(p, "no-gate", "the gate is stuck");
}

static inline bool grant(const struct pci_dev *d, struct problem *p)
{
    grants++;
    return answer(d, p);
}

static inline bool revoke(const struct pci_dev *d, struct problem *p)
{
    revokes++;
    return answer(d, p);
}

static bool still_reaches;

static inline bool reaches(const struct pci_dev *d)
{
    return still_reaches;
}

static const struct pci_fence fence_calls = { grant, revoke, reaches, NULL, NULL };

static inline void start(void)
{
    scan();
    pci_stop_masters();
    grants = revokes = 0;
    refuses = still_reaches = false;
    watched = NULL;
    pci_set_fence(&fence_calls);
}

static inline int finish(void **state)
{
    pci_set_fence(NULL);
    return end(state);
}

static inline void enable(uint16_t bdf)
{
    struct problem p;
    if (!pci_enable(dev(bdf), &p))
        fail_msg("%s", p.message);
}

#define fence_test(f) cmocka_unit_test_setup_teardown(f, begin, finish)
