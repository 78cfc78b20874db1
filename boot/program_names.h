// SPDX-License-Identifier: BSD-2-Clause
// Which programs the domains of a command line ask for. Pure.
#pragma once

#include "kernel/handoff.h"

// Of the next domain= in *words, which moves on behind it: what its prog= names, or nothing, which is the image's
// own. False at the end of the words. What is no file's name is passed over: the kernel tells of it.
bool program_names_next(const char **words, char name[HANDOFF_PROGRAM_NAME]);
