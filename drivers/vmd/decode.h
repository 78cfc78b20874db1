// SPDX-License-Identifier: BSD-2-Clause
// What a VMD's registers say, checked. Pure.
#pragma once

#include "kernel/pci/pci.h"
#include "lib/problem.h"
#include "lib/types.h"

// What is known of a device id.
enum vmd_feature {
    VMD_FEATURE_SHADOW = 1 << 0,     // shadow registers in MEMBAR2, where VMLOCK says so
    VMD_FEATURE_SHADOW_CAP = 1 << 1, // ... in a hypervisor's capability
    VMD_FEATURE_BUSES = 1 << 2,      // VMCAP may restrict bus numbers
    VMD_FEATURE_BYPASS = 1 << 3,     // MSIs from below may pass it by
    VMD_FEATURE_FIRST_OWN = 1 << 4,  // MSI-X entry 0 is for its own use
};

// False: the function is no VMD.
bool vmd_find_features(uint16_t vendor, uint16_t device, unsigned *features);

// As read. Of BARs: bytes are 0 where there is none.
struct vmd_regs {
    unsigned features; // of enum vmd_feature
    uint16_t vmcap, vmconfig;
    uint32_t vmlock;
    struct pci_bar cfgbar, membar1, membar2;
    uint64_t shadow1, shadow2; // 0: there are none
    unsigned vectors;          // entries of its MSI-X table
};

struct vmd_layout {
    uint64_t config; // physical
    uint8_t first_bus, last_bus;
    struct pci_window windows[2];
    bool bypass;                   // MSIs from below are to pass it by
    unsigned first_entry, entries; // of its MSI-X table, for what is below
};

// False: configuration space isn't in reach, or BARs overlap ("vmd-cfgbar", "vmd-overlap"). Also before
// registers behind one of them are read.
bool vmd_check_bars(const struct vmd_regs *r, const char *name, struct problem *p);

// Why the MSIs can't be told apart where bypass isn't to be had.
bool vmd_check_entries(const struct vmd_layout *l, const char *name, struct problem *p);

// Problems, each with the function's name and a remedy: "vmd-silent", "vmd-cfgbar", "vmd-buses",
// "vmd-membar", "vmd-shadow", "vmd-vectors".
bool vmd_decode(const struct vmd_regs *r, const char *name, struct vmd_layout *l,
                struct problem *p);
