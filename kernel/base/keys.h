// SPDX-License-Identifier: BSD-2-Clause
// From a PC keyboard's scan codes to the bytes that a VT100 terminal sends: keys where a US keyboard has
// them. Pure.
#pragma once

#include "lib/types.h"

#define KEYS_BYTES_MAX 4 // that one code makes

struct keys {
    bool is_set2; // as keyboards send them, else set 1: as the controller translates them
    // The rest is zeros at first.
    bool extended, released; // E0h, F0h came before
    unsigned passed_over;    // so many keys more, behind E1h
    bool left_shift, right_shift, left_control, right_control, caps;
};

// Takes a code; returns how many bytes it makes: none for most.
size_t keys_take(struct keys *k, uint8_t code, char to[KEYS_BYTES_MAX]);
