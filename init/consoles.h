// SPDX-License-Identifier: BSD-2-Clause
// UARTs that aren't at ports: found, and given to the console.
#pragma once

// Those in memory; once the kernel's own page tables stand. Boot CPU.
void consoles_open_memory(void);

// Those of PCI functions, after the scan; and says where what is printed goes, where that isn't the usual.
// Boot CPU.
void consoles_open_pci(void);
