// SPDX-License-Identifier: BSD-2-Clause
// The apps, for tests that call them. The image finds them in a section (kernel/run/app.h).
#pragma once

#include "kernel/run/app.h"

extern const struct app app_bench, app_burnin, app_burst, app_job, app_nvme, app_selftest,
    app_sha256sum, app_zones;
