// SPDX-License-Identifier: BSD-2-Clause
// The command line from its sources: a text file and UEFI load options, folded into one line of
// ASCII words with one space between. Pure: bytes in, text out; safe for any input.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

struct options {
    char *text; // always ends with a zero byte
    size_t capacity;
    size_t used;    // without the closing zero
    size_t dropped; // characters that did not fit
    bool space;     // a space is due before the next character
};

// `to` has capacity > 0 bytes.
void options_begin(struct options *o, char *to, size_t capacity);

// Adds cmdline.txt: ASCII or UTF-8, with or without byte order mark. Line breaks, tabs and spaces
// end words; lines whose first character is # are comments; any other control character and each
// character outside ASCII becomes '?', so that the kernel refuses the word by name.
// False ("cmdline-encoding"): the file is UTF-16.
bool options_add_file(struct options *o, const void *file, size_t bytes, struct problem *p);

// Goes on behind the words that `to` has, of which so many characters did not fit.
void options_continue(struct options *o, char *to, size_t capacity, size_t dropped);

// Adds words.
void options_add_words(struct options *o, const char *words);

// Adds UEFI load options (UEFI 2.10, 9.1: the meaning of the bytes is left to the image). False:
// they are not UCS-2 text and nothing was added; some firmware passes binary data of its own.
// A first word that is no option but names an .efi file is left out: the UEFI shell passes the
// image's name first. Where the bytes are a whole EFI_LOAD_OPTION, as some firmware passes it, its optional
// data are the words.
bool options_add_load_options(struct options *o, const void *load_options, size_t bytes);
