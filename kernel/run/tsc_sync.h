// SPDX-License-Identifier: BSD-2-Clause
// Whether a CPU that starts reads the same TSC as the boot CPU, and setting it right where it
// doesn't.
#pragma once

#include "lib/types.h"

// What came of it.
struct tsc_sync {
    bool agrees;
    bool adjusted;  // since TSC_ADJUST was written
    int64_t offset; // in cycles, by which that CPU was ahead before; 0: none that could be seen
};

// On the CPU that starts: takes part in what the boot CPU measures, until that has decided. True:
// it is to come in; false: to stay out. Interrupts off.
bool tsc_sync_take_part(void);

// On the boot CPU: waits for that CPU to take part. False: it doesn't, in that time.
bool tsc_sync_wait(uint64_t timeout_ns);

// Measures and corrects. False: the CPU has stopped answering. Then tsc_sync_decide(). Boot CPU.
bool tsc_sync(bool has_tsc_adjust, struct tsc_sync *out);
void tsc_sync_decide(bool comes_in);

// Forgets the CPU, before the next one is started. Boot CPU.
void tsc_sync_begin(void);

// Pure: narrows [*least, *most], the offsets that are possible, by one reading of the other's TSC
// that was made between two of ours.
void tsc_sync_narrow(uint64_t before, uint64_t theirs, uint64_t after, int64_t *least,
                     int64_t *most);
