// SPDX-License-Identifier: BSD-2-Clause
// Device interrupts: one struct irq per MSI, bound to a CPU and to a vector on it, behind a chip
// that knows how the message gets there (remapped, posted or plain).
//
// However an MSI arrives, it ends up as a bit in its CPU's ready set; irq_poll() runs the handlers
// of the ready bits from the CPU's loop. Handlers thus never run in interrupt context.
#pragma once

#include "kernel/msi.h"
#include "kernel/pci.h"
#include "lib/problem.h"
#include "lib/types.h"

struct irq;
struct pi_desc;

typedef void (*irq_handler)(void *arg);

// How MSIs are delivered, one for the whole machine.
enum irq_mode { IRQ_REMAPPED, IRQ_POSTED, IRQ_POLL, IRQ_MSI };

struct irq_chip {
    const char *name; // "VTD-REMAP", "VTD-POST", "MSI"

    // Reserves what the message needs in the unit that the device is behind (an IRTE).
    bool (*alloc)(struct irq *irq, struct problem *p);
    void (*free)(struct irq *irq);

    // Makes MSIs of irq go to irq->cpu, irq->vector, from now on. When it returns, no older route
    // is cached anywhere.
    bool (*route)(struct irq *irq, struct problem *p);

    // The message for the device's MSI-X table; fixed once allocated if the chip remaps.
    void (*compose)(const struct irq *irq, struct msi_msg *msg);
};

struct irq {
    char name[24]; // "nvme0q3"
    struct pci_dev *dev;
    unsigned index; // entry in the device's MSI-X table
    unsigned cpu;   // index of the CPU it goes to
    uint8_t vector; // on that CPU: IDT vector, or bit number in its PIR
    irq_handler handler;
    void *arg;
    void *chip_unit;      // the chip's: its unit
    uint32_t chip_handle; // the chip's: its entry
    uint64_t *counts;     // MSIs taken, by CPU index; written by that CPU alone
    struct irq *next;     // all irqs, in order of allocation
};

// Chooses the chip and the mode, and prepares the descriptors; before any irq_alloc(). Boot CPU.
// loops: harvests per notification before ON is cleared (posted.loops).
void irq_init(enum irq_mode mode, const struct irq_chip *chip, unsigned loops);

// Called from the boot CPU's loop after a VT-d fault event.
void irq_set_fault_handler(void (*handler)(void));

// The chip without remapping hardware: the message names CPU and vector itself, so ids above 254
// can't be reached.
extern const struct irq_chip irq_chip_msi;
enum irq_mode irq_get_mode(void);
const char *irq_mode_name(enum irq_mode mode);
const struct irq_chip *irq_get_chip(void);

// A masked, routed irq for entry `index` of the device's MSI-X table, handled on CPU `cpu`. Call
// msix_enable() first. NULL: no vector or table entry is left.
struct irq *irq_alloc(struct pci_dev *dev, unsigned index, unsigned cpu, irq_handler handler,
                      void *arg, const char *name, struct problem *p);
void irq_enable(struct irq *irq);  // unmasks
void irq_disable(struct irq *irq); // masks
void irq_free(struct irq *irq);    // masked first; the device must have stopped

// All irqs, for tables; NULL ends the list.
struct irq *irq_first(void);

// Runs the handlers of this CPU's ready irqs (in IRQ_POLL, harvests its PIR first). Returns how
// many ran. Owner CPU, from its loop, interrupts on.
unsigned irq_poll(void);

// True where irq_poll() would find something. Owner CPU, interrupts off.
bool irq_pending(void);

// This CPU's descriptor, for the chip that posts. NULL where the mode doesn't post.
struct pi_desc *irq_pi_desc(unsigned cpu);
