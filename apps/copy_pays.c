// SPDX-License-Identifier: BSD-2-Clause
#include "apps/copy_pays.h"

uint32_t copy_pays_from(const struct copy_pays *pays)
{
    uint32_t least = UINT32_MAX;
    for (unsigned i = COPY_PAYS_SIZES; i-- > 0 && pays->dev_ns[i] < pays->cpu_ns[i];)
        least = COPY_PAYS_LEAST << i;
    return least;
}

unsigned copy_pays_index(uint32_t bytes)
{
    unsigned i = 0;
    while (i < COPY_PAYS_SIZES - 1 && (uint32_t)COPY_PAYS_LEAST << i < bytes)
        i++;
    return i;
}
