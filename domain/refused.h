// SPDX-License-Identifier: BSD-2-Clause
// Ends of the program; domain.ld has calls go there that have no other way to say no.
#pragma once

#include "kernel/base/report.h"

noreturn void refused_pci(void);
noreturn void refused_map(void);
noreturn void refused_irq(void);
