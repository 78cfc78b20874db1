// SPDX-License-Identifier: BSD-2-Clause
// Machine checks: what the banks of a CPU have logged (SDM vol. 3, chapter 16).
#pragma once

#include "kernel/base/x86.h"

#define MCE_KEPT 32

struct mce_bank {
    unsigned bank;
    uint64_t status, addr, misc; // addr and misc: 0 where the bank has none
};

// A CPU's valid banks, at one time.
struct mce_log {
    uint64_t mcg_status;
    unsigned count; // of banks[]
    struct mce_bank banks[MCE_KEPT];
};

// Reads them and changes nothing. Each CPU for itself, any context.
void mce_read(struct mce_log *log);

// Warns of what firmware or an earlier boot has left, clears it, and has all errors logged and
// signalled. Each CPU for itself, when it starts.
void mce_start_cpu(void);

// Warns of corrected errors, and of others that need no action, and clears them; what a machine
// check tells is left to that. Each CPU for itself, from its loop.
void mce_poll(void);

// Pure: the error was corrected, or needs no action; no machine check comes for it.
bool mce_is_silent(uint64_t status, uint64_t mcg_cap);
