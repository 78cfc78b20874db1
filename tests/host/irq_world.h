// SPDX-License-Identifier: BSD-2-Clause
// What the tests of the IRQ core share: two modelled CPUs with their local APICs, and a chip that
// routes irqs. The test plays the hardware: it takes interrupts and lets the time pass.
#pragma once

#include "kernel/base/percpu.h"
#include "kernel/irq/irq.h"

extern struct cpu cpus[2];

extern struct irq_world {
    unsigned current; // the CPU that runs
    bool enabled;     // its interrupts
    uint64_t now_ns;
    uint64_t timer_at; // when the APIC's timer fires; 0: never
    bool time_passes;  // with each look at the clock
    void (*on_halt)(void);
    void (*interrupt)(void); // one may come here: interrupts are on
    unsigned requested;      // reads for which the old vector stays in IRR
    bool route_fails;        // the chip's
    void (*on_route)(void);  // another CPU, while the chip routes
    struct pci_dev device;

    // What happened.
    unsigned handled[256]; // calls of handler(), by its argument
    unsigned eois, ipis, halts, flushes, errors, warnings, chip_frees;
    unsigned notifies;    // notification vectors sent by IPI
    uint8_t vector_sent;  // the last one that wasn't VECTOR_IPI
    uint64_t mask_writes; // bit 0: the last one
    struct msi_msg last_msg;
    struct irq_place routed; // by the chip, the last one
    unsigned cpu_in_route;   // where the irq was meanwhile, for all to see
} world;

extern const struct irq_chip chip; // chip_post's remapped counterpart

void start(enum irq_mode mode);            // a new world, without irqs
void start_with(struct irq_config config); // mode, window_ns and mwait; the rest is filled in

void handler(void *arg); // counts in world.handled[]
struct irq *new_irq(unsigned cpu, uintptr_t number);
void post(unsigned cpu, uint8_t vector); // as a device through its chip, with the notification
