// SPDX-License-Identifier: BSD-2-Clause
// Looks for errors that the hardware has corrected, which no machine check tells.
#pragma once

// Has every CPU in use look at its banks once a second, from its loop. Boot CPU, once, when all
// CPUs are up.
void mce_watch_start(void);
