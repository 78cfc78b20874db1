// SPDX-License-Identifier: BSD-2-Clause
// The panel above the log while something runs: figures in, cells out.
#pragma once

#include "kernel/base/screen.h"

#define PANEL_UNKNOWN UINT64_MAX

struct panel_disk {
    const char *name;
    uint64_t ios, bytes; // a second
    uint64_t mean_ns;    // latency; 0: none is known
    uint16_t kelvin;     // 0: it doesn't tell
    uint64_t errors;
    uint64_t permille; // of its bar
};

struct panel {
    const char *title; // in a word or two
    const char *what;
    uint64_t elapsed_s, left_s; // left_s, permille: PANEL_UNKNOWN where nobody knows
    uint64_t permille;          // of all that is to be done
    const struct panel_disk *disks;
    unsigned disks_count;
    const uint8_t *busy; // percent of each CPU's time
    unsigned cpus;
    uint64_t msis, notifications; // a second
    uint64_t errors;
};

// How many rows it takes on a screen of that size, and their cells. Pure.
unsigned panel_rows(const struct panel *p, unsigned columns, unsigned screen_rows);
void panel_layout(const struct panel *p, unsigned columns, unsigned screen_rows,
                  struct screen_cell *to);

// Lays it out and shows what has changed of it since; without a screen, nothing. Boot CPU, not more
// often than it is to be read.
void panel_show(const struct panel *p);
