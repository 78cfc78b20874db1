// SPDX-License-Identifier: BSD-2-Clause
// A table without units.
// expect: dmar-no-unit dmar-ioapic-missing dmar-hpet-missing
#include "head.dsli"
