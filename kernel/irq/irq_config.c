// SPDX-License-Identifier: BSD-2-Clause
// How interrupts are delivered on this machine: set once, read by all.

#include "kernel/irq/irq_config.h"

static struct {
    struct irq_config config;
    void (*fault_handler)(void);
} irqs;

static const char *const mode_names[] = {
    [IRQ_REMAPPED] = "remapped", [IRQ_POSTED] = "posted", [IRQ_ADAPTIVE] = "adaptive",
    [IRQ_POLL] = "poll",         [IRQ_MSI] = "msi",
};

void irq_set_config(const struct irq_config *config)
{
    irqs.config = *config;
}

const struct irq_config *irq_get_config(void)
{
    return &irqs.config;
}

enum irq_mode irq_get_mode(void)
{
    return irqs.config.mode;
}

const char *irq_mode_name(enum irq_mode mode)
{
    return mode_names[mode];
}

void irq_set_fault_handler(void (*handler)(void))
{
    irqs.fault_handler = handler;
}

void irq_run_fault_handler(void)
{
    if (irqs.fault_handler)
        irqs.fault_handler();
}
