// SPDX-License-Identifier: BSD-2-Clause
// Apps by their names.

#include "kernel/run/app.h"

#include "lib/string.h"

const struct app *app_find(const char *name)
{
    for (const struct app *const *app = apps_start; app < apps_end; app++)
        if (strcmp((*app)->name, name) == 0)
            return *app;
    return NULL;
}
