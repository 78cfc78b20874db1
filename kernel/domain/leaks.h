// SPDX-License-Identifier: BSD-2-Clause
// What a program may learn of others though no table shows it to them: inside kernel/domain only.
#pragma once

struct domain;

// Warns of processors that show ring 3 what is ring 0's ("domain-meltdown"), and of each domain one of whose CPUs
// shares its core with a CPU that isn't the domain's ("domain-sibling"). Boot CPU, once; `first` may be NULL.
void domain_warn_leaks(const struct domain *first);
