// SPDX-License-Identifier: BSD-2-Clause
// Sources are asked in turn, those that were added first before the others: people type at one at a
// time, so that no two key sequences mix.

#include "kernel/base/input.h"

static struct input_source *first, **last = &first;

void input_add(struct input_source *source)
{
    source->next = NULL;
    *last = source;
    last = &source->next;
}

bool input_has_source(void)
{
    return first;
}

int input_poll(void)
{
    for (struct input_source *source = first; source; source = source->next) {
        int byte = source->poll();
        if (byte >= 0)
            return byte;
    }
    return -1;
}
