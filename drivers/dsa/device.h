// SPDX-License-Identifier: BSD-2-Clause
// One accelerator: its registers, its work queues, and who serves them.
#pragma once

#include "drivers/dsa/caps.h"
#include "drivers/dsa/queue.h"
#include "kernel/irq/irq.h"
#include "kernel/pci/pci.h"
#include "kernel/run/copy.h"
#include "lib/problem.h"

struct dsa_device {
    struct copy_dev copy; // its name, and what it is for others
    struct pci_dev *dev;
    const char *model;
    char label[32]; // "dsa0 (0000:6a:01.0)"
    volatile void *regs, *portals;
    struct dsa_caps caps;
    bool by_stores; // portals take eight stores of 8 bytes
    bool running;
    bool gone;
    unsigned count; // of queues
    struct dsa_queue **queues;
    struct irq *irq; // of errors; entry 0

    // events.c's, on the boot CPU
    unsigned causes;                         // for the next round
    unsigned out;                            // queues whose owner hasn't answered yet
    bool in_round, renew;                    // the latter: it asks for new handles
    void (*came_back)(struct dsa_device *d); // all have
    uint32_t error_code;                     // why what is lost is lost
    uint64_t told[4];                        // codes of SWERROR that were told of
    unsigned revoked, errors;
    struct dsa_device *next;
};

// Mapped, its capabilities read and checked, reset. False: it can't be driven, and nothing of it is on.
bool dsa_device_find(struct dsa_device *d, struct problem *p);

// Group, queues and permissions written, device and queues enabled; `d->queues` are there. Bus mastering
// and interrupts are on.
bool dsa_device_enable(struct dsa_device *d, struct problem *p);

// Everything off again: what was in flight has ended, or has been aborted. Whatever the device says, it
// doesn't reach memory any more. False: its bus mastering can't be turned off. The second one is for a
// device that didn't come up.
bool dsa_device_disable(struct dsa_device *d);
void dsa_device_give_up(struct dsa_device *d);

// GENSTS; all ones: it doesn't answer.
uint32_t dsa_device_status(const struct dsa_device *d);

// A command, waited for: `result` may be NULL. Problem "dsa-command".
bool dsa_device_command(struct dsa_device *d, enum dsa_command command, uint32_t operand,
                        uint32_t *result, struct problem *p);
// Drain, abort or disable one queue.
bool dsa_device_wq_command(struct dsa_device *d, enum dsa_command command, unsigned wq,
                           struct problem *p);

// The interrupt handle for an entry of the MSI-X table: asked for where the device wants it.
bool dsa_device_handle(struct dsa_device *d, unsigned entry, uint16_t *handle, struct problem *p);
