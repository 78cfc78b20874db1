// SPDX-License-Identifier: BSD-2-Clause
// Text on the framebuffer that firmware left, if there is one.
#pragma once

#include "kernel/handoff.h"

// Maps and clears the screen. Nothing happens without a framebuffer, or with one that makes no sense.
void screen_init(const struct handoff_framebuffer *fb);

// Writes text; '\n' starts a line; scrolls by rewriting from the top. The caller serialises.
void screen_write(const char *bytes, size_t count);
