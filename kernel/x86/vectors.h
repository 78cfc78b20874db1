// SPDX-License-Identifier: BSD-2-Clause
// Every interrupt vector. A vector's upper four bits are its priority class (SDM vol. 3, 11.8.3.1):
// timer and IPI stand above the notification, so that they can get in while it is in service.
#pragma once

#define VECTOR_NMI 2
#define VECTOR_INVALID_OPCODE 6
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_PAGE_FAULT 14
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_EXCEPTIONS 32

// Given out per CPU to device MSIs: IDT vector where remapped, bit number in the PIR where posted.
#define VECTOR_DEVICE_FIRST 0x20
#define VECTOR_DEVICE_LAST 0xee

#define VECTOR_NOTIFY 0xef // posted-MSI notification (the descriptor's NV)
#define VECTOR_TIMER 0xf0
#define VECTOR_IPI 0xf1
#define VECTOR_FAULT 0xf2 // VT-d fault event
#define VECTOR_ERROR 0xf3 // local APIC error
#define VECTOR_SPURIOUS 0xff
