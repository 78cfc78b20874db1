// SPDX-License-Identifier: BSD-2-Clause
// Domains: ring-3 programs with CPUs, memory and functions of their own, from the command line's words to
// their end. Boot CPU, except as noted.
#pragma once

#include "kernel/base/cmdline.h"
#include "kernel/handoff.h"
#include "lib/problem.h"

struct domain;

// Reads the domain= words, and keeps their CPUs back. What is wrong with them ends the run. Before
// smp_prepare().
void domains_read(const struct cmdline *c);

bool domains_are_asked_for(void);

// Makes each and starts it, once drivers have found their devices and before an app runs. One that can't be
// started is an error, and the others go on. Runs the loop.
void domains_start(const struct handoff *h);

// Waits until all have ended by themselves, and says now and then what for. From the loop's CPU, after the app.
void domains_wait(void);

// Ends them all, whatever they do, and waits for that, but not for ever. On the way out.
void domains_end(void);

struct domain *domain_first(void);
struct domain *domain_next(const struct domain *d);
struct domain *domain_find(const char *name);
const char *domain_name(const struct domain *d);

// What the monitor has of one: a line, and starting and ending it. False: the problem says why not.
void domain_print(const struct domain *d);
bool domain_start(struct domain *d, struct problem *p);
bool domain_kill(struct domain *d, struct problem *p);
