// SPDX-License-Identifier: BSD-2-Clause

#include "kernel/irq/generator.h"

static struct irq_generator *first;

void irq_generator_add(struct irq_generator *g)
{
    g->next = first;
    first = g;
}

struct irq_generator *irq_generator_first(void)
{
    return first;
}
