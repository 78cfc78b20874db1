// SPDX-License-Identifier: BSD-2-Clause
// allow-write=SERIAL[:SERIAL]: the serial numbers of the disks that may be written to. In a word of
// the command line there can be no blank, and a colon ends a serial: %20 stands for a blank, %3a for
// a colon, %25 for a percent sign, and %xx for any other character, as in a URL. Pure.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

#define ALLOW_WRITE_SERIAL 21         // NVMe's 20 characters and the zero byte
#define ALLOW_WRITE_WORD (20 * 3 + 1) // a serial as it stands in the word

// Walks the list: the next serial of [*at, end), or false at its end or at one that is none.
bool allow_write_next(const char **at, const char *end, char serial[ALLOW_WRITE_SERIAL]);

// Is the whole value a list of serials? text NULL: the word is absent, which allows nothing.
// Problem: "allow-write" names what is wrong.
bool allow_write_check(const char *text, size_t length, struct problem *p);

// May the disk with this serial be written to? No disk without a serial may.
bool allow_write_has(const char *text, size_t length, const char *serial);

// How the serial is written in the word, for advice; returns `to`.
const char *allow_write_word(const char *serial, char to[ALLOW_WRITE_WORD]);
