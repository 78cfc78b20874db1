// SPDX-License-Identifier: BSD-2-Clause
// Whether the machine is a virtual one, and whose.
#pragma once

#include "kernel/base/x86.h"

// True on a virtual machine (CPUID 1 ECX bit 31, which no processor sets itself). Any CPU.
bool hypervisor_is_there(void);

// True where writes to a device's registers leave the virtual machine, which takes thousands of cycles:
// on one whose processor isn't itself emulated (TCG). Any CPU.
bool hypervisor_traps(void);

// True where CPUID names one that may be QEMU. Any CPU, any context.
bool hypervisor_may_be_qemu(void);

#define HYPERVISOR_NAME_BYTES 13

// Whose it is, in its own letters: "TCGTCGTCGTCG", "KVMKVMKVM"; "none" on a real machine. Returns `to`,
// which has HYPERVISOR_NAME_BYTES. Any CPU.
const char *hypervisor_name(char *to);

// Pure: the same by CPUID's leaves 1 and 40000000h.
const char *hypervisor_read_name(struct cpuid leaf1, struct cpuid leaf40000000, char *to);
bool hypervisor_names_qemu(struct cpuid leaf1, struct cpuid leaf40000000);
