// SPDX-License-Identifier: BSD-2-Clause
// A program's calls (abi.h): every argument is checked here, before anything is done. Inside
// kernel/domain only.
#pragma once

#include "kernel/domain/cpu.h"
#include "lib/problem.h"

// What is left to do once a call was checked.
enum domain_action {
    DOMAIN_GO_ON,       // nothing: the result is in the frame
    DOMAIN_SLEEP,       // until the time in RDI
    DOMAIN_WAKE,        // the domain's CPU in RDI
    DOMAIN_EXIT,        // the end
    DOMAIN_EXIT_FAILED, // likewise, as failed
    DOMAIN_NONSENSE,    // the problem ("domain-call") says what no right program does
};

// The call that the CPU's frame has. Owner CPU, from its loop.
enum domain_action domain_call_take(struct domain_cpu *dc, struct problem *p);
