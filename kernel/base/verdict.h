// SPDX-License-Identifier: BSD-2-Clause
// The end of a run on the screen: PASS or FAIL in large letters, and the result as text and QR code.
#pragma once

#include "lib/types.h"

// nobigstatus: without the large letters. Boot CPU.
void verdict_leave_word_out(void);

// Once, whoever calls it first. Boot CPU, or the only one that still runs.
void verdict_show(bool ok);
