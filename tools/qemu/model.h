// SPDX-License-Identifier: BSD-2-Clause
// The one remapping unit, QEMU's intel-iommu, and what the model adds to it. Everything here runs
// under QEMU's big lock.
#pragma once

#include "tools/qemu/model_regs.h"
#include "tools/qemu/qemu_abi.h"

struct model {
    struct qemu_region *registers; // QEMU's own regions, below the overlays
    struct qemu_region *window;
    struct qemu_region *apic; // any processor's: it takes messages for all of them
    uint64_t irta;            // as of the last SIRTP command
    uint64_t rtaddr;          // as of the last SRTP command
    uint64_t descriptor;      // that was posted to last
    bool attacked;            // what comes just now is the attacker's, not the guest's fault
};

extern struct model model;

// QEMU's own registers.
uint32_t stock_read(uint32_t offset);
uint64_t stock_read64(uint32_t offset);
void stock_write(uint32_t offset, uint32_t value);
// Hands a request to QEMU's own unit.
qemu_result stock_request(uint64_t offset, uint32_t data, struct qemu_attrs attrs);

// RAM at a guest's physical address; NULL where it is none, or not all of it.
void *ram_map(uint64_t address, uint64_t bytes);
void ram_unmap(void *host, uint64_t bytes);
bool ram_at(uint64_t address, uint64_t bytes); // both ends are

// An interrupt message past the unit, straight to the local APICs; as MSI address and data.
void apic_send(uint64_t address, uint32_t data);

// Overlays over the registers and the interrupt window.
extern const struct qemu_region_ops registers_ops;
extern const struct qemu_region_ops window_ops;

// The answer of a TPM that isn't there.
void no_tpm_attach(void);
