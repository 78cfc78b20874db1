// SPDX-License-Identifier: BSD-2-Clause
// A ticket lock, for set-up and console paths; the I/O path has none. Not for interrupt context.
#pragma once

#include <stdatomic.h>

#include "lib/types.h"

struct spinlock {
    _Atomic uint32_t next, serving;
};

static inline void spinlock_lock(struct spinlock *lock)
{
    uint32_t ticket = atomic_fetch_add_explicit(&lock->next, 1, memory_order_relaxed);
    while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket)
        __builtin_ia32_pause();
}

// Only the holder writes `serving`.
static inline void spinlock_unlock(struct spinlock *lock)
{
    uint32_t serving = atomic_load_explicit(&lock->serving, memory_order_relaxed);
    atomic_store_explicit(&lock->serving, serving + 1, memory_order_release);
}

static inline struct spinlock *spinlock_taken(struct spinlock *lock)
{
    spinlock_lock(lock);
    return lock;
}

static inline void spinlock_let_go(struct spinlock *const *lock)
{
    spinlock_unlock(*lock);
}

// Holds the lock up to the end of the block. Clang doesn't take the end for a use.
#define spinlock_guard(lock)                                                                       \
    __attribute__((cleanup(spinlock_let_go), unused)) struct spinlock *const held_ =               \
        spinlock_taken(lock)

// For the moment; for who finds out what a CPU that was stopped has left.
static inline bool spinlock_is_locked(const struct spinlock *lock)
{
    return atomic_load_explicit(&lock->next, memory_order_relaxed) !=
           atomic_load_explicit(&lock->serving, memory_order_relaxed);
}
