// SPDX-License-Identifier: BSD-2-Clause
// Device interrupts: one struct irq per MSI, bound to a CPU and to a vector on it, behind a chip
// that knows how the message gets there (remapped, posted or plain).
//
// However an MSI arrives, it ends up as a bit in its CPU's ready set; irq_poll() runs the handlers
// of the ready bits from the CPU's loop. Only handlers that ask for it (irq_set_immediate()) run in
// interrupt context, where the MSI was found.
#pragma once

#include "kernel/cpu/msg.h"
#include "kernel/pci/msi.h"
#include "kernel/pci/pci.h"
#include "lib/problem.h"
#include "lib/types.h"

struct irq;
struct pi_desc;

typedef void (*irq_handler)(void *arg);
typedef void (*irq_moved)(void *arg, unsigned cpu); // see irq_on_move()

// How MSIs are delivered, one for the whole machine, but while it changes.
enum irq_mode {
    IRQ_REMAPPED, // each its own interrupt
    IRQ_POSTED,   // notifications harvest, as in Linux
    IRQ_ADAPTIVE, // SN follows idleness: the loop harvests, notifications only wake
    IRQ_POLL,     // SN always set, never asleep
    IRQ_MSI,      // no remapping hardware
};

// Where an MSI ends up.
struct irq_place {
    unsigned cpu;   // index
    uint8_t vector; // on that CPU: IDT vector, or bit number in its PIR
};

struct irq_chip {
    const char *name; // "VTD-REMAP", "VTD-POST", "MSI"

    // Reserves what the message needs in the unit that the device is behind (an IRTE).
    bool (*alloc)(struct irq *irq, struct problem *p);
    void (*free)(struct irq *irq);

    // Makes MSIs of irq go to `to` from now on. When it returns, no older route is cached anywhere;
    // where it fails, the older one holds.
    bool (*route)(struct irq *irq, struct irq_place to, struct problem *p);

    // The message for the device's MSI-X table; it is fixed once allocated, unless it says itself where
    // the MSI goes.
    void (*compose)(const struct irq *irq, struct irq_place to, struct msi_msg *msg);
    bool in_message;

    // MSIs come as another irq's, whose handler calls irq_pass_on() for all that share it.
    bool through;
};

struct irq {
    char name[24]; // "nvme0q3"
    struct pci_dev *dev;
    unsigned index; // entry in the device's MSI-X table
    unsigned cpu;   // index of the CPU it goes to; changed by that CPU alone
    unsigned home;  // the CPU that it was allocated for
    uint8_t vector; // on that CPU: IDT vector, or bit number in its PIR
    bool urgent;    // notifies even where notifications are suppressed (IRTE.URG)
    bool immediate; // its handler runs where the MSI is found
    bool enabled;
    bool shut; // nothing gets through: irq_set_shut()
    irq_handler handler;
    struct cpu_msg raise; // follows it to its new CPU
    bool raising;
    irq_moved moved; // NULL: it can't be moved
    void *arg;
    const struct irq_chip *chip;
    void *chip_unit;      // the chip's: its unit
    uint32_t chip_handle; // the chip's: its entry
    uint64_t *counts;     // MSIs taken, by CPU index; written by that CPU alone
    struct irq *next;     // all irqs, in order of allocation
};

struct irq_config {
    enum irq_mode mode;
    const struct irq_chip *chip;      // of irqs that are not posted
    const struct irq_chip *chip_post; // of those that are; NULL where the platform can't post
    const struct problem *no_post;    // why it can't, where it can't
    unsigned loops;     // harvests per notification before ON is cleared (posted.loops)
    bool preempt;       // higher priority classes may interrupt immediate handlers (posted.preempt)
    uint64_t rate;      // notifications a second that all CPUs may take (posted.rate); 0: any
    uint64_t window_ns; // a timer harvests that often while the CPU is busy elsewhere; 0: never
    uint64_t spin_ns;   // at most so long the loop looks on before it sleeps (idle.spin)
    bool mwait;         // sleep by MONITOR/MWAIT on the descriptor (idle=mwait)
};

// Chooses chips and mode, and prepares the descriptors; before any irq_alloc(). Boot CPU.
void irq_init(const struct irq_config *config);

// Called from the boot CPU's loop after a VT-d fault event.
void irq_set_fault_handler(void (*handler)(void));

// The chip without remapping hardware: the message names CPU and vector itself, so ids above 254
// can't be reached.
extern const struct irq_chip irq_chip_msi;
enum irq_mode irq_get_mode(void);
const char *irq_mode_name(enum irq_mode mode);

static inline bool irq_mode_posts(enum irq_mode mode)
{
    return mode == IRQ_POSTED || mode == IRQ_ADAPTIVE || mode == IRQ_POLL;
}

// False where it lacks something, or can't be changed to: problem "irq-mode" says what.
bool irq_mode_is_possible(enum irq_mode mode, struct problem *p);

// A change of the mode. Embed it; it must stay valid until done() has been called on the boot CPU.
struct irq_mode_change {
    struct cpu_msg msg;
    enum irq_mode mode; // from then on
    unsigned loops;     // posted.loops, from then on; 0: as before
    bool ok;
    struct problem problem; // where not ok: of the first irq that stayed as it was, or "irq-mode"
    void (*done)(struct irq_mode_change *change);
    unsigned cpu;    // irq_mode.c's: whose turn it is
    struct irq *irq; // irq_mode.c's: which is next
};

// Changes the mode, with nothing lost: each CPU changes in its loop, then each irq by the CPU that it
// goes to, which posts or remaps it as the mode says, whatever irq_set_posted() has said before. Irqs
// may come, move and be masked meanwhile, and CPUs leave and return. Boot CPU, from its loop, one
// change at a time, while no irq is freed.
void irq_set_mode(struct irq_mode_change *change);

// Keeps the machine's notifications within so many a second from now on (posted.rate); 0: no matter how
// many. Boot CPU.
void irq_set_rate(uint64_t budget);

// A masked, routed irq for entry `index` of the device's MSI-X table, handled on CPU `cpu`. Call
// msix_enable() first. NULL: no vector or table entry is left.
struct irq *irq_alloc(struct pci_dev *dev, unsigned index, unsigned cpu, irq_handler handler,
                      void *arg, const char *name, struct problem *p);
void irq_enable(struct irq *irq);  // unmasks
void irq_disable(struct irq *irq); // masks
void irq_free(struct irq *irq);    // masked first; the device must have stopped

// While it is shut, its message gets nowhere, whoever writes it: for a device that somebody has who may have it write
// what it likes. Masked, and the device must have stopped. False: it is as it was. Boot CPU.
bool irq_set_shut(struct irq *irq, bool shut, struct problem *p);

// Writes its message and mask again, which the device may have lost. From where irq_set_posted() may
// be called.
void irq_rewrite(struct irq *irq);

// How many more irqs can go to the CPU, until the next one is allocated or moves. Any CPU.
unsigned irq_vectors_left(unsigned cpu);

// Posted, or its own interrupt: changed at any time without losing one. Problem "irq-delivery" where
// the mode has no chip for it. One whose MSIs come through another's is left as it is. As all changes,
// from the loop of the CPU that the irq goes to, since it may move; or from the boot CPU before
// irq_enable().
bool irq_set_posted(struct irq *irq, bool posted, struct problem *p);

// Urgent ones notify at once even while their CPU is awake. Problem "irq-urgent" where its MSIs come
// through another's. From where irq_set_posted() may be called.
bool irq_set_urgent(struct irq *irq, bool urgent, struct problem *p);

// The handler is to run in interrupt context, and from the loop only with interrupts off: it is
// never entered twice at once. If its MSIs come through another's, that one is to be immediate, too.
// Before irq_enable(), or while the device has nothing to send.
void irq_set_immediate(struct irq *irq);

// From the handler of an irq that others' MSIs come through: makes one of them pending, which may have
// sent it. Any CPU, in any context.
void irq_pass_on(struct irq *irq);

// Makes it pending by software: through the PIR where it is posted. From where irq_set_posted() may be
// called, in any context.
void irq_raise(struct irq *irq);

// Tells the driver that the irq now goes to `cpu`. On the CPU that had it, from its loop, after the
// last MSI by the old route was taken: what the handler touches is to be handed over. The handler may
// have been called on the new CPU before; it has to pass that over, and be called again.
void irq_on_move(struct irq *irq, irq_moved moved);

// A move under way. Embed it; it must stay valid until done() has been called on the CPU that asked.
struct irq_move {
    struct cpu_msg msg;
    struct irq *irq;
    unsigned to;
    unsigned from_cpu; // who asked
    bool ok;
    struct problem problem; // where not ok: the irq has stayed where it was
    void (*done)(struct irq_move *move);
};

// Moves the irq to CPU move->to, with nothing lost: what is pending by the old route (in the PIR, or
// in the old CPU's IRR) is raised on the new CPU. Any CPU, from its loop, while the irq is enabled.
void irq_set_affinity(struct irq_move *move);

// For a CPU that was told of as offline and stays: a change of the mode may have passed it over. Owner
// CPU, from its loop.
void irq_follow_mode(void);

// All irqs, for tables; NULL ends the list.
struct irq *irq_first(void);

// Runs the handlers of this CPU's ready irqs, after a harvest where the loop harvests (IRQ_ADAPTIVE,
// IRQ_POLL). Returns 0 where there was nothing to do. Owner CPU, from its loop, interrupts on.
unsigned irq_poll(void);

// Before a handler's own loop, which goes on until something has happened: in mode IRQ_POSTED, notifications
// wait for the handler's end, and are let through from here on. Owner CPU.
void irq_begin_inner_loop(void);

// From a handler that has left work for its next turn: it comes after all others that are ready.
// The CPU that the irq goes to, from its loop.
void irq_again(struct irq *irq);

// True where irq_poll() would find something; with interrupts on, for the moment. Owner CPU.
bool irq_pending(void);

// True where the calling CPU sleeps by MWAIT, and has not been failed by it.
bool irq_sleeps_by_mwait(void);

// Around a CPU's sleep, interrupts off: false where there is work, found at the last moment.
bool irq_fall_asleep(void);
void irq_wake_up(void);
const struct irq_config *irq_get_config(void);

// A CPU's descriptor, for the chip that posts. NULL where the platform can't post.
struct pi_desc *irq_pi_desc(unsigned cpu);
