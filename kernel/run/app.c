// SPDX-License-Identifier: BSD-2-Clause

#include "kernel/run/app.h"

#include "lib/string.h"

extern const struct app *const apps_start[], *const apps_end[]; // linker.ld

const struct app *app_find(const char *name)
{
    for (const struct app *const *app = apps_start; app < apps_end; app++)
        if (strcmp((*app)->name, name) == 0)
            return *app;
    return NULL;
}
