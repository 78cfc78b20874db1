// SPDX-License-Identifier: BSD-2-Clause
// What tests of posting work with: a device that sends requests when it is told to, entries of its unit's
// table and a vector on each CPU, and a posted-interrupt descriptor of the tests' own. The boot CPU sets it
// up, sends, and looks; nothing that the runtime goes on with is changed but the message in the
// device's MSI-X table, and the table's address for moments, both of which come back.
#pragma once

#include "drivers/vtd/irte.h"
#include "drivers/vtd/posting/verdict.h"
#include "drivers/vtd/unit.h"
#include "kernel/base/pi_desc.h"
#include "kernel/irq/generator.h"
#include "kernel/irq/irq.h"
#include "kernel/x86/time.h"

// How long something that must happen may take; only a test that fails waits so long.
#define RIG_WAIT_NS NS_PER_S
#define RIG_ANSWER_NS (20 * NS_PER_S) // of a CPU in its loop
#define RIG_SPARE 2                   // irqs on the target beyond the one that each CPU has

struct rig {
    struct irq_generator *generator;
    struct vtd_unit *unit;
    struct irte_source from; // whom its entries accept: the device
    struct irq **irqs;       // one on each CPU, and the spare ones
    unsigned irqs_count;
    uint64_t *before;   // what each had taken at rig_mark()
    unsigned target;    // the CPU that most tests notify: not the boot CPU, where there is another
    uint16_t entry;     // of the table: what requests go through
    uint16_t neighbour; // entry + 1, entry being even; has_neighbour: it is ours, too
    bool has_neighbour;
    struct pi_desc *descriptor;
    struct irte *other_table; // of as many entries as other_count, for tests that switch
    uint32_t other_count;
    void *page; // that no device was granted
};

// Borrows what it needs. False: this device or its unit can't be tested ("posting-..."); then
// rig_down() is due all the same.
bool rig_up(struct rig *r, struct irq_generator *generator, struct problem *p);
// Gives it back, and leaves the device's message as the irq core wants it. Once or more.
void rig_down(struct rig *r);
// The other devices behind the same unit; NULL past the last.
struct irq_generator *rig_next(const struct rig *r, const struct irq_generator *after);

// ---- entries and messages ----

// Replaces an entry, and has the unit know no older one.
bool rig_write(struct rig *r, uint16_t index, struct irte entry, struct verdict *v);
// Requests through `entry` are posted to the tests' descriptor from now on.
bool rig_aim(struct rig *r, uint8_t vector, bool urgent, struct verdict *v);
// The message that the device sends; at first the one for `entry`.
void rig_message(const struct rig *r, struct msi_msg msg);
// Sends one request; all of what was counted before is forgotten.
bool rig_send(struct rig *r, struct verdict *v);
// rig_aim() and rig_send().
bool rig_post(struct rig *r, uint8_t vector, bool urgent, struct verdict *v);

// ---- the descriptor ----

// Empties it: it notifies `cpu` by its vector there, with these bits of the control word (ON, SN) set.
void rig_descriptor(struct rig *r, unsigned cpu, uint64_t control);
uint64_t rig_control(const struct rig *r);
void rig_set_control(struct rig *r, uint64_t clear, uint64_t set);

// The PIR gets these bits within RIG_WAIT_NS, and has no other. One bit more than there was, by the
// number that was posted; or exactly those of `bits`.
bool rig_expect_posted(struct rig *r, uint8_t vector, struct verdict *v);
bool rig_expect_pir(struct rig *r, const uint64_t bits[PI_WORDS], struct verdict *v);
bool rig_expect_on(struct rig *r, bool on, struct verdict *v);

// ---- arrivals ----

// So many interrupts came since rig_mark() for this irq of r->irqs (its index is the CPU's, but for the
// spare ones), and none for any other. Where it is none, whatever was on its way has
// arrived: requests through the unit are drained, and the CPU has taken what its local APIC held.
bool rig_expect(struct rig *r, unsigned irq, unsigned count, struct verdict *v);
void rig_mark(struct rig *r);
// Every CPU has taken what is there for it: a test that failed leaves nothing to the next one.
bool rig_calm(struct verdict *v);
uint64_t rig_arrived(const struct rig *r, unsigned irq);

// ---- the table ----

// The unit uses this table from now on, and has forgotten the one before; `global`: told to.
bool rig_switch(struct rig *r, uint64_t irta, bool global, struct verdict *v);
uint64_t rig_irta(const struct rig *r);       // of the table that is the runtime's
uint64_t rig_other_irta(const struct rig *r); // of the other one
bool rig_fill_other(struct rig *r, struct verdict *v);
