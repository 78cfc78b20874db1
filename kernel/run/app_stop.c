// SPDX-License-Identifier: BSD-2-Clause
// The wish that an app ends before its time.

#include "kernel/run/app.h"

static bool asked;

void app_ask_to_stop(bool stop)
{
    asked = stop;
}

bool app_is_asked_to_stop(void)
{
    return asked;
}
