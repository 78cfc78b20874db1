// SPDX-License-Identifier: BSD-2-Clause
// What follows a run, for those who let people choose.
#pragma once

enum exit_kind { EXIT_POWEROFF, EXIT_REBOOT, EXIT_HALT };

// Boot CPU.
void exit_set(enum exit_kind kind);
