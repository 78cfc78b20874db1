// SPDX-License-Identifier: BSD-2-Clause
// What one CPU owns: the one place where the rooms of the kernel keep per-CPU state, so that the hot
// part of it lies together. Reached through GS; inside the kernel only (others use cpus.h).
#pragma once

#include "kernel/base/cpus.h"
#include "kernel/base/pi_desc.h"
#include "kernel/base/x86.h"
#include "lib/types.h"

struct irq;
struct cpu_msg;
struct cpu_timer;
struct cpu_state;

#define STACK_BYTES 16384

// Data before code, as SYSCALL wants the kernel's and SYSRET would want the others (SDM vol. 3, 6.8.8).
struct gdt_entries {
    uint64_t null, code, data;
    uint64_t tss_low, tss_high;
    uint64_t user_data, user_code;
};
#define SELECTOR_CODE 8
#define SELECTOR_DATA 16
#define SELECTOR_TSS 24
#define SELECTOR_USER_DATA 0x2b // with RPL 3
#define SELECTOR_USER_CODE 0x33
static_assert(offsetof(struct gdt_entries, user_code) == (SELECTOR_USER_CODE & ~3), "the GDT");

// Of a CPU that runs a ring-3 program: kernel/domain/ring.h.
struct ring_state {
    uint64_t frame_end;  // where an interrupt of ring 3 pushes: tss.rsp[0]
    uint64_t kernel_rsp; // of ring_switch()'s caller
    uint64_t user_rsp;   // kept by the SYSCALL entry while it changes stacks
    uint64_t user_gs;    // what MSR_KERNEL_GS_BASE was set to
};

// SDM vol. 3, figure 8-11.
struct PACKED tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;
};
static_assert(sizeof(struct tss) == 104, "SDM vol. 3, 8.7");

struct cpu {
    // entry.asm and the compiler know these offsets.
    struct cpu *self;       // GS:0
    uint64_t stack_top;     // GS:8, its stack, but for exceptions with one of their own (IST)
    uint32_t index;         // GS:16
    uint32_t apic_id;       // GS:20
    uint64_t batch_tsc;     // GS:24, see cpu_batch_tsc()
    bool only_wakes;        // GS:32, see irq_fall_asleep(), run_held()
    uint64_t stack_guard;   // GS:40: the stack protector's canary
    struct cpu_stats stats; // GS:48

    // The loop's and the interrupt handlers' own; whoever moves an irq here adds to immediate, urgent,
    // words, the flags for them, and vectors.
    uint64_t ready[PI_WORDS];     // irqs whose handler is to run, by vector
    uint64_t immediate[PI_WORDS]; // irqs whose handler doesn't wait for the loop, by vector
    uint64_t urgent[PI_WORDS];    // irqs whose handler runs before others, by vector
    unsigned words;               // of ready and PIR that have irqs: the loop looks no further
    bool loop_harvests;           // IRQ_ADAPTIVE, IRQ_POLL
    uint8_t irq_mode;             // enum irq_mode: the CPU's own, changed in its loop
    uint16_t loops;               // posted.loops
    union {
        struct {
            bool has_immediate; // there are such irqs
            bool has_urgent;
            bool urgent_due; // an urgent irq was made ready
            bool fault_due;  // a VT-d fault event came
            bool traced;
        };
        uint64_t rare; // not 0: one of these
    };
    bool in_immediate;        // an immediate irq's handler runs
    bool timer_due;           // the timer interrupt came
    bool leaving;             // ends its loop
    bool looping;             // is in its loop
    uint64_t round_tsc;       // when the last empty round ended; 0: the last one had work
    struct cpu_timer *timers; // armed ones, earliest first
    uint64_t window_ns;       // next harvest by timer; 0: none
    uint64_t notified_ns;     // when a notification, or the timer in place of one, last woke it
    uint64_t notified;        // stats.notifications then
    uint64_t spin_tsc;        // how long the loop looks on before it sleeps
    uint64_t apic_errors;     // all bits that ESR has shown
    uint64_t msis_before;     // stats.msis when the last wait began
    bool tsc_deadline;        // what its timer counts to; else down
    bool mwait_failed;        // too often: it sleeps by HLT
    struct irq *vectors[VECTORS];

    // Written by others: lines of their own.
    _Alignas(CACHE_LINE) struct cpu_msg *_Atomic inbox; // newest first
    _Atomic bool sleeping;
    bool online; // may be sent work

    // Written by the remapping units. 128 bytes to itself: the prefetcher fetches lines in pairs.
    _Alignas(2 * CACHE_LINE) struct pi_desc pi;

    _Alignas(2 * CACHE_LINE) uint32_t node;
    bool stop_asked;              // stop.c: an NMI by us is on its way to it
    const struct cpu_state *held; // stop.c: it stands by
    struct ring_state ring;
    struct gdt_entries gdt;
    struct tss tss;
};
static_assert(offsetof(struct cpu, stack_guard) == 40, "GCC: -mcmodel=kernel");
static_assert(offsetof(struct cpu, stack_top) == 8, "trampoline.asm");
static_assert(offsetof(struct cpu, index) == 16, "cpu_index()");
static_assert(offsetof(struct cpu, batch_tsc) == 24, "cpu_batch_tsc()");
static_assert(offsetof(struct cpu, only_wakes) == 32, "isr.asm");
static_assert(offsetof(struct cpu, stats.notifications) == 48, "isr.asm");
static_assert(offsetof(struct cpu, ring) == 2832, "ring_entry.asm");
static_assert(offsetof(struct cpu, pi) % (2 * CACHE_LINE) == 0, "a pair of lines");
static_assert(offsetof(struct cpu, node) - offsetof(struct cpu, pi) == 2 * CACHE_LINE,
              "alone there");

#ifdef ONEBELL_HOST
struct cpu *this_cpu(void); // the test says which CPU it plays
#else
static inline struct cpu *this_cpu(void)
{
    struct cpu *self;
    __asm__("movq %%gs:0, %0" : "=r"(self));
    return self;
}
#endif

extern struct cpu boot_cpu;

struct cpu *cpu_get(unsigned index);

// Gives the CPU the next index. Boot CPU, during bring-up.
void cpu_add(struct cpu *cpu);
// Likewise, after all others: for a domain.
void cpu_add_kept(struct cpu *cpu);

// Adds in one instruction, so that an interrupt of the same CPU may do the same at any time.
static inline void local_add(uint64_t *counter, uint64_t n)
{
    __asm__("addq %1, %0" : "+m"(*counter) : "er"(n));
}
