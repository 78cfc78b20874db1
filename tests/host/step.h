// SPDX-License-Identifier: BSD-2-Clause
// Several CPUs and devices on one thread, which can change places before each access to memory that
// the code under test makes: a step. The code is compiled for the thread sanitizer but linked to
// step.c: what the compiler calls there names each access, and carries out the atomic ones. So a test
// can play all interleavings of a kind, the same ones on each run.
//
// Stores are seen by others at once, or late, as x86 allows: an atomic store that is not seq_cst waits
// in its actor's buffer until a locked instruction, an interrupt or a wait empties it (SDM vol. 3,
// 9.2.3.4).
#pragma once

#include "lib/types.h"

#define STEPS_ALL 20000 // until the actor waits or ends, if it doesn't spin
#define STEPS_NO_CPU 99 // a device

extern bool steps_seen_at_once; // stores; false at first

// A new play, without actors. after_step() is called after each step of an actor that is a CPU, on its
// side: interrupts are taken there.
void steps_begin(void (*after_step)(void));

// Adds an actor on CPU `cpu` of irq_world.h; returns its number, from 0.
unsigned steps_add(unsigned cpu, void (*run)(void *), void *arg);

// Lets an actor run for so many steps. False where it ended before that, or waits.
bool steps_run(unsigned actor, unsigned steps);

// Lets all take turns until they have ended or wait for what never comes.
void steps_rest(void);

bool steps_ended(unsigned actor);

// For actors that are no code under test: a place where others may come in between; a wait; and a
// barrier, which empties the store buffer.
void step(void);
void steps_wait(bool (*ready)(void));
void steps_drain(void);
