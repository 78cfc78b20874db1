// SPDX-License-Identifier: BSD-2-Clause
// What disks say of their own state before an app's work and after it: temperatures, errors, wear.
#pragma once

#include "apps/disks.h"

struct health;

// Asks each disk, which takes an admin command. Boot CPU.
struct health *health_begin(const struct disks *disks);

// In between, about once a second: for the highest temperature. Boot CPU, from its loop.
void health_sample(struct health *h);

// What the newest sample of a disk said; 0: nothing yet. NULL: 0.
uint16_t health_kelvin(const struct health *h, size_t disk);

// Asks them once more, and tells: a table, a JSON `health` for each disk, and a warning for each
// disk that has had errors of its media meanwhile or warns of its own state. NULL: does nothing.
void health_report(const struct health *h);
