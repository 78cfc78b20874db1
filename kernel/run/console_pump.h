// SPDX-License-Identifier: BSD-2-Clause
// Sends what is printed on to the UARTs, from the boot CPU's loop, a piece at a time.
#pragma once

// Until now each line went out before print returned; from now on nobody waits for a UART. Boot CPU, before
// its loop has work.
void console_pump_start(void);
