// SPDX-License-Identifier: BSD-2-Clause
// What the tests of the IRQ core share: modelled CPUs with their local APICs, and a chip that routes
// irqs. The test plays the hardware: it takes interrupts and lets the time pass.
#pragma once

#include "kernel/base/percpu.h"
#include "kernel/irq/irq.h"

extern struct cpu cpus[4];

// Where an irq's MSIs go: what its chip was last told.
struct world_route {
    struct irq_place to;
    bool posted;
};

extern struct irq_world {
    unsigned count;   // of CPUs in use
    unsigned current; // the CPU that runs
    bool enabled;     // its interrupts
    uint64_t now_ns;
    uint64_t timer_at; // when the APIC's timer fires; 0: never
    bool time_passes;  // with each look at the clock
    void (*on_halt)(void);
    void (*on_tsc)(void);                 // the TSC, which counts nanoseconds, is read
    void (*on_flush)(void);               // of doorbells, at the end of a round
    void (*on_interrupts_off)(void);      // the last moment for one
    void (*interrupt)(void);              // one may come here: interrupts are on
    unsigned requested;                   // reads for which the old vector stays in IRR
    bool (*is_requested)(uint8_t vector); // instead of that count
    void (*on_send)(uint32_t id, uint8_t vector);
    void (*on_eoi)(void);
    void (*on_monitor)(const volatile void *line);
    void (*on_timer)(uint64_t tsc); // the current CPU's is set; 0: to nothing
    bool route_fails;               // the chip's
    void (*on_route)(void);         // another CPU, before and after the chip routes
    uint64_t esr_pending, esr;      // the local APIC's errors
    struct pci_dev device;

    // What happened.
    unsigned handled[256]; // calls of handler(), by its argument
    unsigned eois, ipis, halts, flushes, errors, warnings, chip_frees;
    unsigned notifies;                         // notification vectors sent by IPI
    uint8_t vector_sent;                       // the last one that wasn't VECTOR_IPI
    uint32_t last_sent_to;                     // the APIC id that an IPI went to
    unsigned clock_reads, clock_reads_enabled; // the latter with interrupts on
    unsigned timer_sets_enabled, timer_cancels;
    unsigned handles;     // that the chip gave out
    uint64_t mask_writes; // bit 0: the last one
    struct msi_msg last_msg;
    struct world_route routes[32]; // by the irq's handle
    struct irq_place routed;       // the last one
    unsigned cpu_in_route;         // where the irq was meanwhile, for all to see
} world;

extern const struct irq_chip chip; // chip_post's remapped counterpart

void start(enum irq_mode mode); // a new world with two CPUs, without irqs
// Chips and preempt are filled in; no loops are 3. With no_post the platform can't post.
void start_with(struct irq_config config);
void start_on(unsigned count, struct irq_config config); // with so many CPUs

#define WORLD_NODE(cpu) (3 + (cpu))     // each CPU has a NUMA node of its own
unsigned world_node_of(const void *at); // that this piece was asked for on

void handler(void *arg); // counts in world.handled[]
struct irq *new_irq(unsigned cpu, uintptr_t number);
// Takes the CPU's free vectors below that one, so that the next irq gets this or a higher one; and
// gives them back.
void keep_vectors(unsigned cpu, uint8_t below);
void give_vectors_back(unsigned cpu);

// For on_send: the CPU with that id takes the interrupt at once.
void world_take(uint32_t id, uint8_t vector);

void post(unsigned cpu, uint8_t vector); // as a device through its chip, with the notification
