// SPDX-License-Identifier: BSD-2-Clause
// Sends what is printed on to the UARTs, from the boot CPU's loop, a piece at a time.
#pragma once

// Until now each line was out when the call returned; from now on nobody waits for a UART in a loop. Boot CPU,
// before its loop has work.
void console_pump_start(void);
