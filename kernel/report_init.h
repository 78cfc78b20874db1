// SPDX-License-Identifier: BSD-2-Clause
// For panics alone.
#pragma once

// From here on lines are printed without the lock. The other CPUs should have been stopped.
void report_take_over(void);
