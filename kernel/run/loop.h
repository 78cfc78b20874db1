// SPDX-License-Identifier: BSD-2-Clause
// Each CPU's loop, in which all callbacks run.
#pragma once

#include "lib/types.h"

// Runs the loop (handlers, messages, timers, flush, sleep) until *stop is true. *stop is set from
// something the loop runs. Owner CPU.
void cpu_run_until(const bool *stop);

// One round of it, for who has a loop of their own there, begun by a timer: no sleep. Owner CPU,
// interrupts on.
void cpu_run_round(void);

// From there on as cpu_run_until(), which begins with such a round; the caller has looked on for long enough.
void cpu_wait_until(const bool *stop);

// A driver batches its doorbells: it sets the function that each CPU's loop calls after a round of
// handlers, messages and timers, before it sleeps. One for all CPUs; before there is any I/O.
void loop_set_flush(void (*flush)(void));

// One more, for a driver that gathers requests of a round; it takes a turn of each loop from then on. Boot CPU,
// before anything is gathered.
void loop_add_flush(void (*flush)(void));

// Calls them now, for who submits without running the loop. Any CPU, for its own doorbells.
void loop_flush(void);
