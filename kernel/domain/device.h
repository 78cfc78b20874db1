// SPDX-License-Identifier: BSD-2-Clause
// Functions that domains may have: between a driver, which has them at first, and who starts and ends
// domains. All of it on the boot CPU, from its loop.
//
// A function is the kernel's, nobody's or a domain's; each step leads from one to another:
//
//     the kernel's -> withdraw() -> nobody's -> set_up() -> the domain's
//                                   nobody's <- silence() <- the domain's, or half set up
//     the kernel's <- give_back() <- nobody's
//
// No step waits. Who takes one calls it again, with the same arguments, a millisecond later or sooner, until
// it says something else than DOMAIN_WAITS; each has deadlines of its own. Nothing is allocated but when
// a step is taken for the first time, or for other CPUs.
#pragma once

#include "kernel/domain/abi.h"
#include "lib/problem.h"
#include "lib/types.h"

struct pci_dev;
struct pci_space;
struct domain_cpu;
struct domain_words;

enum domain_step {
    DOMAIN_WAITS,
    DOMAIN_DONE,
    DOMAIN_FAILED, // the problem says why
};

// A CPU of the domain's.
struct domain_seat {
    unsigned cpu;          // the kernel's number of it
    struct domain_cpu *of; // for domain_event()
};

// What a domain has for a function, and what the function's driver has to tell the domain.
struct domain_grant {
    struct pci_space *space; // its memory, as its devices have it
    unsigned function;       // of the domain's, the how manieth, from 0
    unsigned cpus;
    const struct domain_seat *seats; // of each CPU

    // The domain's memory as its devices have it, zeroed; queues are taken from `memory` on.
    uint64_t memory_start, memory, memory_end;

    // Told: whose room is.
    struct domain_queue *queues;
    unsigned queues_count, queues_most;
    uint8_t *disks; // one behind the other, from a multiple of 8 on
    unsigned disks_count;
    size_t disks_bytes, disks_room;
};

// So many bytes of the domain's memory, at the domain's address; 0: there are not as many left.
uint64_t domain_take_memory(struct domain_grant *g, uint64_t bytes, uint64_t align);

// Tells of a queue, or a disk. False: there is no room left.
bool domain_tell_queue(struct domain_grant *g, const struct domain_queue *queue);
bool domain_tell_disk(struct domain_grant *g, const void *disk, size_t bytes);

// An event of a domain's CPU. The driver has its interrupts' handler be domain_event(), and its argument
// this; with `of` NULL it is nobody's.
struct domain_bell {
    struct domain_cpu *of;
    unsigned event; // bit
};
void domain_event(void *bell); // cpu.c; an irq_handler, on the CPU, from its loop

// Doorbells: whole pages that hold nothing else, and that a domain may have mapped.
struct domain_registers {
    uint64_t phys, bytes; // bytes is DOMAIN_DOORBELL_SPAN at most
};

struct domain_device; // which the driver embeds
struct domain_device_ops {
    // The name of its i-th disk, of those that the kernel can use; NULL past the last.
    const char *(*disk)(const struct domain_device *d, unsigned i);

    // Whether a domain with these words may have it. Before withdraw().
    bool (*check)(const struct domain_device *d, const struct domain_words *words,
                  struct problem *p);

    // Its doorbells, for as many CPUs, to be mapped at DOMAIN_DOORBELLS + function *
    // DOMAIN_DOORBELL_SPAN; always the same. check() was good.
    struct domain_registers (*registers)(const struct domain_device *d, unsigned cpus);

    // Takes its disks away from the kernel, whose requests all end as BLOCK_GONE, and stops it.
    enum domain_step (*withdraw)(struct domain_device *d, struct problem *p);

    // Has it serve the domain, whose memory is all that it reaches from then on: it has queues there, and
    // its interrupts become events. After a failure, and to give it up before the end, silence() is due.
    enum domain_step (*set_up)(struct domain_device *d, struct domain_grant *g, struct problem *p);

    // Ends that, whatever the function does: from the first call on it reaches no memory. DOMAIN_DONE: it
    // has stopped, and all its interrupts were taken. DOMAIN_FAILED: it hasn't, and won't be set up again.
    enum domain_step (*silence)(struct domain_device *d, struct problem *p);

    // It and its disks are the kernel's again.
    enum domain_step (*give_back)(struct domain_device *d, struct problem *p);
};

struct domain_device {
    const struct domain_device_ops *ops;
    struct pci_dev *dev;
    const char *name; // "nvme1"
    struct domain_device *next;
};

// Drivers add each function once, at the start.
void domain_device_add(struct domain_device *d);

// The one that has this disk; NULL: none.
struct domain_device *domain_device_of(const char *disk);
