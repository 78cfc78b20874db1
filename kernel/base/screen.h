// SPDX-License-Identifier: BSD-2-Clause
// Text on the framebuffer that firmware left, if there is one.
#pragma once

#include "kernel/handoff.h"

// How many bytes of it are the screen; 0: there is none, or it makes no sense.
uint64_t screen_bytes(const struct handoff_framebuffer *fb);

// Clears the screen and draws on it from now on; `pixels` is where it is mapped, NULL: nowhere. Boot
// CPU, once.
void screen_init(const struct handoff_framebuffer *fb, volatile uint32_t *pixels);

// Writes text; '\n' starts a line, '\b' goes one column back; scrolls by rewriting from the top. The caller serialises.
void screen_write(const char *bytes, size_t count);
