// SPDX-License-Identifier: BSD-2-Clause
// How interrupts are delivered on this machine: read by all. Mode and loops may change, and each CPU has
// its own copy of these, which it works by.

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
    return __atomic_load_n(&irqs.config.mode, __ATOMIC_SEQ_CST);
}

void irq_change_config(enum irq_mode mode, unsigned loops)
{
    __atomic_store_n(&irqs.config.loops, loops, __ATOMIC_RELAXED);
    __atomic_store_n(&irqs.config.mode, mode, __ATOMIC_SEQ_CST);
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
