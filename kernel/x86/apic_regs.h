// SPDX-License-Identifier: BSD-2-Clause
// Local APIC in x2APIC mode: MSR addresses (SDM vol. 3, table 11-6) and fields.
#pragma once
// clang-format off: fields are indented below their register

#include "lib/bits.h"

#define X2APIC_ID 0x802
#define X2APIC_VERSION 0x803
    #define X2APIC_VERSION_MAX_LVT BITS64(23, 16)
#define X2APIC_TPR 0x808
#define X2APIC_EOI 0x80b
#define X2APIC_SVR 0x80f
    #define X2APIC_SVR_VECTOR BITS64(7, 0)
    #define X2APIC_SVR_ENABLE BIT64(8)
#define X2APIC_ISR 0x810 // eight registers of 32 bits
#define X2APIC_IRR 0x820 // eight registers of 32 bits
#define X2APIC_ESR 0x828
#define X2APIC_LVT_CMCI 0x82f
#define X2APIC_ICR 0x830
    #define X2APIC_ICR_VECTOR BITS64(7, 0)
    #define X2APIC_ICR_MODE BITS64(10, 8)
        #define X2APIC_ICR_MODE_FIXED 0
        #define X2APIC_ICR_MODE_NMI 4
        #define X2APIC_ICR_MODE_INIT 5
        #define X2APIC_ICR_MODE_STARTUP 6
    #define X2APIC_ICR_LEVEL_ASSERT BIT64(14)
    #define X2APIC_ICR_SHORTHAND BITS64(19, 18)
        #define X2APIC_ICR_SHORTHAND_OTHERS 3
    #define X2APIC_ICR_DESTINATION BITS64(63, 32)
#define X2APIC_LVT_TIMER 0x832
    #define X2APIC_LVT_VECTOR BITS64(7, 0)
    #define X2APIC_LVT_MODE BITS64(10, 8)
        #define X2APIC_LVT_MODE_SMI 2
        #define X2APIC_LVT_MODE_NMI 4
    #define X2APIC_LVT_MASKED BIT64(16)
    #define X2APIC_LVT_TIMER_MODE BITS64(18, 17)
        #define X2APIC_LVT_TIMER_ONE_SHOT 0
        #define X2APIC_LVT_TIMER_TSC_DEADLINE 2
#define X2APIC_LVT_THERMAL 0x833
#define X2APIC_LVT_PERFORMANCE 0x834
#define X2APIC_LVT_LINT0 0x835
#define X2APIC_LVT_LINT1 0x836
#define X2APIC_LVT_ERROR 0x837
#define X2APIC_TIMER_INITIAL 0x838
#define X2APIC_TIMER_CURRENT 0x839
#define X2APIC_TIMER_DIVIDE 0x83e
    #define X2APIC_TIMER_DIVIDE_1 0xb
