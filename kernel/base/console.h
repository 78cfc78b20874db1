// SPDX-License-Identifier: BSD-2-Clause
// The UARTs that lines go to. Each has a ring, which takes whole lines at once; what the UART takes at once
// is moved on from there. Nothing here waits. report.c serialises, and decides who moves on and when; others use
// report.h.
#pragma once

#include "lib/console_words.h"
#include "lib/problem.h"

enum console_stream { CONSOLE_TEXT, CONSOLE_JSON, CONSOLE_STREAMS };

// Settles the choice by what is there, and opens what is at ports; UARTs elsewhere keep their lines
// until they are found. Boot CPU, once.
void console_init(const struct console_choice *choice);

// For the boot steps: the next place of a kind that is still to be found, from *index on; then what was found
// there (`base` NULL: at the port), or why there is nothing. What was kept for it goes out there, else to a COM
// port that is.
const struct console_place *console_waiting(enum console_kind kind, unsigned *index);
void console_found(unsigned index, uint16_t port, volatile void *base);
void console_not_found(unsigned index, const char *fault); // a literal

// Gives up on finding what is still waited for: before the run ends early.
void console_stop_waiting(void);

// Adds lines, '\n' at the end of each, to the rings of a stream, whole or not at all; what doesn't fit is
// counted. console_has_room() tells before.
bool console_has_room(enum console_stream stream, const char *bytes, size_t count);
void console_put(enum console_stream stream, const char *bytes, size_t count);

// Whether the stream goes to the screen, and whether a UART has both.
bool console_on_screen(enum console_stream stream);
bool console_is_shared(void);

// Moves on what each UART takes at once. True: more is left. A UART is given up once it has taken nothing for so
// many looks as last about a quarter of a second; in console_push_timed(), for ten seconds: nobody waits there.
bool console_push(void);
bool console_push_timed(uint64_t now_ns);

// What is put after console_note() doesn't count as left in console_push_noted(): an end to waiting for the rest,
// whoever prints meanwhile.
void console_note(void);
bool console_push_noted(void);

// A UART has more to send than it can in a second or so: who prints without need had better wait.
bool console_is_behind(void);

// How long the fastest UART that has something to send takes for what it takes at once.
uint32_t console_pace_us(void);

// What is to be told once: a UART that was given up, lines that were lost. False: nothing, any more.
bool console_trouble(struct problem *p);

// "com2 (SPCR), screen": where a stream goes.
#define CONSOLE_LIST_BYTES 160
const char *console_list(enum console_stream stream, char to[CONSOLE_LIST_BYTES]);
