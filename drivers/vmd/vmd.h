// SPDX-License-Identifier: BSD-2-Clause
// Intel VMD: finds what such functions hide, and hands it to kernel/pci as segments of its own, whose
// functions other drivers find as any. Tried on models alone: no emulator has one, and it never ran
// on hardware.
#pragma once

// After pci_init(), before pci_stop_masters(): what is behind may be a bus master. What can't be
// driven is warned of, with what to do. Boot CPU.
void vmd_init(void);

// Gives interrupts and buses back as firmware expects them. Once the drivers of what is behind have
// ended. Boot CPU.
void vmd_shutdown(void);
