// SPDX-License-Identifier: BSD-2-Clause
// The instructions that C has no words for, and the bits of the registers that they reach.
#pragma once

#include "lib/bits.h"

#define CR0_MP BIT64(1)
#define CR0_EM BIT64(2)
#define CR0_TS BIT64(3)
#define CR0_ET BIT64(4)
#define CR0_NE BIT64(5)
#define CR0_WP BIT64(16)
#define CR0_PG BIT64(31)
#define CR0_PE BIT64(0)
#define CR4_PAE BIT64(5)
#define CR4_MCE BIT64(6)
#define CR4_PGE BIT64(7)
#define CR4_UMIP BIT64(11)
#define CR4_LA57 BIT64(12)
#define CR4_SMEP BIT64(20)
#define CR4_SMAP BIT64(21)
#define RFLAGS_CF BIT64(0)
#define RFLAGS_PF BIT64(2)
#define RFLAGS_AF BIT64(4)
#define RFLAGS_ZF BIT64(6)
#define RFLAGS_SF BIT64(7)
#define RFLAGS_TF BIT64(8)
#define RFLAGS_IF BIT64(9)
#define RFLAGS_DF BIT64(10)
#define RFLAGS_OF BIT64(11)
#define RFLAGS_IOPL BITS64(13, 12)
#define RFLAGS_NT BIT64(14)
#define RFLAGS_RF BIT64(16)
#define RFLAGS_AC BIT64(18)
#define RFLAGS_ID BIT64(21)

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_BSP BIT64(8)
#define APIC_BASE_EXTD BIT64(10)
#define APIC_BASE_EN BIT64(11)
#define MSR_TSC_ADJUST 0x3b
#define CPUID_7_B_TSC_ADJUST BIT32(1) // it is there
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_MCG_CAP 0x179
#define MCG_CAP_COUNT BITS64(7, 0)
#define MCG_CAP_CTL BIT64(8)  // MCG_CTL is there
#define MCG_CAP_SER BIT64(24) // so are S and AR
#define MSR_MCG_STATUS 0x17a
#define MSR_MCG_CTL 0x17b
#define MSR_MC_CTL(bank) (0x400 + 4 * (bank))
#define MSR_MC_STATUS(bank) (0x401 + 4 * (bank))
#define MC_STATUS_VALID BIT64(63)
#define MC_STATUS_OVER BIT64(62)
#define MC_STATUS_UC BIT64(61)
#define MC_STATUS_MISCV BIT64(59)
#define MC_STATUS_ADDRV BIT64(58)
#define MC_STATUS_PCC BIT64(57)
#define MC_STATUS_S BIT64(56)
#define MSR_MC_ADDR(bank) (0x402 + 4 * (bank))
#define MSR_MC_MISC(bank) (0x403 + 4 * (bank))
#define MSR_SYSENTER_CS 0x174
#define MSR_PAT 0x277
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_EFER 0xc0000080
#define EFER_SCE BIT64(0)
#define EFER_LME BIT64(8)
#define EFER_NXE BIT64(11)
#define MSR_STAR 0xc0000081
#define STAR_SYSCALL_CS BITS64(47, 32) // SS: 8 more
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_FMASK 0xc0000084
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define VECTORS 256 // of interrupts and exceptions

struct cpuid {
    uint32_t a, b, c, d;
};

#ifdef ONEBELL_HOST
// A test's own processor; NULL: the host's.
__attribute__((weak)) struct cpuid (*cpuid_model)(uint32_t leaf, uint32_t sub);
#endif

static inline struct cpuid cpuid(uint32_t leaf, uint32_t sub)
{
    struct cpuid r;
#ifdef ONEBELL_HOST
    if (cpuid_model)
        return cpuid_model(leaf, sub);
#endif
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
    return r;
}

#ifdef ONEBELL_HOST
uint64_t rdtsc(void); // a test may have a clock of its own
#else
static inline uint64_t rdtsc(void)
{
    uint64_t low, high; // the instruction zeroes their upper halves
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return high << 32 | low;
}
#endif

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}

#ifdef ONEBELL_HOST

// Privileged: host tests put a model of the machine behind them.
uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t value);
void interrupts_off(void);
void interrupts_on(void);
void interrupts_on_and_halt(void);
void interrupts_on_and_mwait(void);
void cpu_monitor(const volatile void *line);
noreturn void halt_forever(void);
uint64_t interrupts_save(void);
void interrupts_restore(uint64_t flags);
void out8(uint16_t port, uint8_t value);
void out16(uint16_t port, uint16_t value);
uint8_t in8(uint16_t port);
uint16_t in16(uint16_t port);
noreturn void cpu_triple_fault(void);
uint64_t rdtsc_ordered(void);

#else

// Neither before the loads that stand before it, nor after what stands behind it.
static inline uint64_t rdtsc_ordered(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

#ifdef ONEBELL_DOMAIN

// No interrupt runs any of the program's code, so there is none to keep out.
static inline void interrupts_off(void)
{
}

static inline void interrupts_on(void)
{
}

static inline uint64_t interrupts_save(void)
{
    return 0;
}

static inline void interrupts_restore(uint64_t flags)
{
}

// Privileged: nowhere to be found, so what needs one can't be linked into a domain.
uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t value);
uint8_t in8(uint16_t port);
uint16_t in16(uint16_t port);
uint32_t in32(uint16_t port);
void out8(uint16_t port, uint8_t value);
void out16(uint16_t port, uint16_t value);
noreturn void halt_forever(void);

#else

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

#define CONTROL_REGISTER(n)                                                                        \
    static inline uint64_t read_cr##n(void)                                                        \
    {                                                                                              \
        uint64_t value;                                                                            \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(value)::"memory");                            \
        return value;                                                                              \
    }                                                                                              \
    static inline void write_cr##n(uint64_t value)                                                 \
    {                                                                                              \
        __asm__ volatile("mov %0, %%cr" #n ::"r"(value) : "memory");                               \
    }
CONTROL_REGISTER(0)
CONTROL_REGISTER(2)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)
#undef CONTROL_REGISTER

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint16_t in16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void interrupts_off(void)
{
    __asm__ volatile("cli" ::: "memory");
}

static inline void interrupts_on(void)
{
    __asm__ volatile("sti" ::: "memory");
}

// Turns interrupts on and halts; none can come between the two, so that no wake-up is lost
// (SDM vol. 2, STI: the next instruction runs before interrupts are taken).
static inline void interrupts_on_and_halt(void)
{
    __asm__ volatile("sti\n\thlt" ::: "memory");
}

// Watches the cache line for a store; then waits for one, or for an interrupt. As above, none can
// come between the two instructions; state C1.
static inline void cpu_monitor(const volatile void *line)
{
    __asm__ volatile("monitor" ::"a"(line), "c"(0), "d"(0) : "memory");
}

static inline void interrupts_on_and_mwait(void)
{
    __asm__ volatile("sti\n\tmwait" ::"a"(0), "c"(0) : "memory");
}

static inline uint64_t read_rflags(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags)::"memory");
    return flags;
}

// Turns interrupts off; the result tells whether they were on.
static inline uint64_t interrupts_save(void)
{
    uint64_t flags = read_rflags();
    interrupts_off();
    return flags;
}

static inline void interrupts_restore(uint64_t flags)
{
    if (flags & RFLAGS_IF)
        interrupts_on();
}

noreturn static inline void halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli\n\thlt" ::: "memory");
}

// An exception without an IDT to handle it, or what handles that, shuts the processor down, which
// chipsets answer with a reset (SDM vol. 3, 7.15, double fault).
noreturn static inline void cpu_triple_fault(void)
{
    struct PACKED {
        uint16_t limit;
        uint64_t base;
    } none = { 0, 0 };
    __asm__ volatile("lidt %0\n\tint3" ::"m"(none));
    halt_forever();
}

#endif
#endif
