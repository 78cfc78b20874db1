// SPDX-License-Identifier: BSD-2-Clause
// The menu that menu=SECONDS asks for.
#pragma once

#include "boot/loader.h"

// Shows it if `words` ask for it, and waits for a key or the time-out. Returns the chosen app's name; NULL: none
// was chosen, or there is no menu.
const char *menu_run(struct loader *l, const char *words);
