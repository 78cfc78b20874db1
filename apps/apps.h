// SPDX-License-Identifier: BSD-2-Clause
// The apps there are. kernel/main.c runs the one that app= names.
#pragma once

#include "kernel/app.h"

extern const struct app app_job;
extern const struct app app_sha256sum;
extern const struct app app_crash;
extern const struct app app_burst;
extern const struct app app_selftest;
