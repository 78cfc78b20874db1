// SPDX-License-Identifier: BSD-2-Clause
// The CPU's side of the posted-interrupt descriptor's protocol (VT-d 9.11); it touches nothing but
// memory.
#pragma once

#include "kernel/base/pi_desc.h"

// Prepares a descriptor that no unit uses yet. `suppress` sets SN: post, but never notify.
static inline void pi_init(struct pi_desc *d, uint32_t apic_id, uint8_t vector, bool suppress)
{
    uint64_t control = field_put(PI_CONTROL_NDST, apic_id) | field_put(PI_CONTROL_NV, vector) |
                       (suppress ? PI_CONTROL_SN : 0);
    for (unsigned w = 0; w < PI_WORDS; w++)
        atomic_store_explicit(&d->pir[w], 0, memory_order_relaxed);
    atomic_store_explicit(&d->control, control, memory_order_release);
}

// Takes the bits of one word and clears them. The plain load comes first, so that an idle scan never
// takes the line away from the units. Acquire: what the device wrote before its MSI is visible
// after. Owner CPU.
static inline uint64_t pi_take(struct pi_desc *d, unsigned word)
{
    if (!atomic_load_explicit(&d->pir[word], memory_order_relaxed))
        return 0;
    return atomic_exchange_explicit(&d->pir[word], 0, memory_order_acq_rel);
}

// Lets the next post notify again. What was posted before is found by a harvest after this one:
// clear, then harvest, never the other way round. Owner CPU.
static inline void pi_clear_on(struct pi_desc *d)
{
    atomic_fetch_and_explicit(&d->control, ~PI_CONTROL_ON, memory_order_seq_cst);
}

// The same for all words: looks at all of them before it takes the first, as the line would else be
// fetched for reading, and once more for each exchange that a unit's post comes between. False:
// there was nothing, and nothing was stored. Owner CPU.
static inline bool pi_take_all(struct pi_desc *d, uint64_t bits[PI_WORDS])
{
    uint64_t any = 0;
#pragma GCC unroll 4
    for (unsigned w = 0; w < PI_WORDS; w++)
        any |= bits[w] = atomic_load_explicit(&d->pir[w], memory_order_relaxed);
    if (!any)
        return false;
#pragma GCC unroll 4
    for (unsigned w = 0; w < PI_WORDS; w++)
        if (bits[w])
            bits[w] = atomic_exchange_explicit(&d->pir[w], 0, memory_order_acq_rel);
    return true;
}

// True where a harvest would find something. Any CPU.
static inline bool pi_any(const struct pi_desc *d)
{
    uint64_t any = 0;
#pragma GCC unroll 4
    for (unsigned w = 0; w < PI_WORDS; w++)
        any |= atomic_load_explicit(&d->pir[w], memory_order_relaxed);
    return any;
}

// Sets or clears SN and clears ON, in one step: a unit changes nothing but ON in this word, and
// NV and NDST are the owner's. Owner CPU.
static inline void pi_set_control(struct pi_desc *d, bool suppress)
{
    uint64_t control = atomic_load_explicit(&d->control, memory_order_relaxed);
    field_set(&control, PI_CONTROL_ON, 0);
    field_set(&control, PI_CONTROL_SN, suppress);
    atomic_exchange_explicit(&d->control, control, memory_order_seq_cst);
}

// Before sleep: the next post notifies. False where something was posted while SN was set: nobody
// will notify of that, so the caller must not sleep. Interrupts off, so that a notification comes
// after the halt or ends it. Owner CPU.
static inline bool pi_fall_asleep(struct pi_desc *d)
{
    pi_set_control(d, false);
    return !pi_any(d);
}

// After sleep: posts no longer notify. A harvest must follow. Owner CPU.
static inline void pi_wake_up(struct pi_desc *d)
{
    pi_set_control(d, true);
}

// What a remapping unit does for an MSI, done by software: true where the caller is to send the
// notification vector (VT-d 5.2.3). Any CPU.
static inline bool pi_post(struct pi_desc *d, uint8_t vector, bool urgent)
{
    atomic_fetch_or_explicit(&d->pir[vector / 64], BIT64(vector % 64), memory_order_seq_cst);
    uint64_t control = atomic_load_explicit(&d->control, memory_order_seq_cst);
    do {
        if (control & PI_CONTROL_ON || (control & PI_CONTROL_SN && !urgent))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&d->control, &control, control | PI_CONTROL_ON,
                                                    memory_order_seq_cst, memory_order_seq_cst));
    return true;
}
