// SPDX-License-Identifier: BSD-2-Clause
// For the boot steps and for panics alone.
#pragma once

#include "lib/types.h"

// What fail() does once it has reported; until then the CPU halts. Boot CPU, once.
void report_set_end(void (*end)(void));

// From here on lines are printed without the lock, until it is handed back. The other CPUs should
// have been stopped, or be held meanwhile.
void report_take_over(void);
void report_hand_back(void);

// From here on lines that are printed in a loop are kept, and sent on by report_pump(), which the boot CPU's
// calls until it returns false, every *pace_us: what UARTs take at once, and some of the screen, in no time.
// `kick` has it do so; any CPU, not in interrupt context. Boot CPU, once.
void report_set_kick(void (*kick)(void));
bool report_pump(uint64_t now_ns, uint32_t *pace_us);

// Sends what is there, or has it sent: for those who have changed the screen. Any CPU, not in interrupt context.
void report_send_on(void);

// Sends and draws what is left; waits for UARTs, but not for ever.
void report_flush(void);

// Tells of UARTs that don't work, and of lines that were lost. Boot CPU, or in a panic.
void report_trouble(void);

// From here on JSON is kept in that block as well. Boot CPU, once.
struct kept_block;
void report_keep(struct kept_block *block);
bool report_keeps(void);

// Tells of objects that the block had no room for. When the run ends.
void report_left_out(void);

// For who runs one app after the other: what report_failed() tells from now on. Returns what it told.
bool report_set_failed(bool failed);
