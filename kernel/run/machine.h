// SPDX-License-Identifier: BSD-2-Clause
// Which machine this is, which firmware and microcode it has, and which image runs: for results that are
// kept (tools/certificate).
#pragma once

#include "lib/types.h"

// Where firmware's SMBIOS entry point is; 0: nowhere. Boot CPU, before machine_report().
void machine_set_smbios(uint64_t entry_phys);

// One JSON `machine`. Boot CPU.
void machine_report(void);
