// SPDX-License-Identifier: BSD-2-Clause
// VT-d: finds the units, takes them over from the firmware, gives the IRQ core a chip that remaps and one
// that posts, and keeps the DMA of devices to what was granted.
#pragma once

#include "kernel/irq/irq.h"
#include "lib/problem.h"

// Which devices are driven: units that none of them is behind are no reason to fail. Before vtd_init();
// unset, each unit counts.
struct pci_dev;
typedef bool (*vtd_is_driven)(const struct pci_dev *dev);
void vtd_set_driven(vtd_is_driven driven);

// What devices reach (dma=): all memory; what pci_enable() grants; that, and what firmware reserved for
// devices that nobody drives. Before vtd_init(); unset, all memory.
enum vtd_dma { VTD_DMA_OPEN, VTD_DMA_FENCE, VTD_DMA_RMRR };
void vtd_set_dma(enum vtd_dma dma);

// Parses DMAR, maps every unit, and takes each over in order: translation, remapping and queued
// invalidation that firmware left on are turned off; faults of before are cleared. Boot CPU, after
// acpi_init() and pci_init(). With a fence, firmware's translation stays on until vtd_enable().
// Problems: "no-vtd" (no DMAR table, or one without remapping units),
// "dmar-..." (a table that can't be read), "vtd-no-..." (every unit lacks QI, IR or EIM), "vtd-timeout" (a
// unit that a driven device is behind doesn't follow), "dma-no-translation" (a unit that can't be a fence).
bool vtd_init(struct problem *p);

// True where vtd_init() failed only since something isn't there: plain MSIs don't need it.
bool vtd_is_lacking(const struct problem *p);

// False where some unit can't post, of all, or of those that a driven device is behind, if there are any:
// the problem ("vtd-no-posting") names the unit and the bit.
bool vtd_can_post(bool driven_only, struct problem *p);

// Allocates and programs the remapping tables of all units, with x2APIC ids (EIME), queued
// invalidation, and the fault interrupt to `fault_vector` of the boot CPU; then turns remapping on
// and compatibility-format requests off. `ids` past 255 or not: always EIME.
bool vtd_enable(uint8_t fault_vector, uint32_t boot_apic_id, struct problem *p);

// The chips; after vtd_enable().
extern const struct irq_chip vtd_chip_remapped, vtd_chip_posted;

// Reads and reports all pending primary faults, one sentence each, limited in rate, and clears
// them. From the boot CPU's loop: the fault vector's handler only asks for it.
void vtd_report_faults(void);
// Faults seen since vtd_enable(), reported or not.
uint64_t vtd_fault_count(void);

// Turns remapping, queue and events of all units off, before the machine is reset or another kernel
// begins. All devices must have been stopped. Boot CPU, once nothing else uses the units.
void vtd_hand_back(void);

// One console line and one JSON `vtd_unit` for each unit.
void vtd_print(void);

// One console line and one JSON `dma`: who reaches what. After the drivers.
void vtd_fence_print(void);
