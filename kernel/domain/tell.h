// SPDX-License-Identifier: BSD-2-Clause
// What people and tools are told of a domain's life: inside kernel/domain only. Boot CPU.
#pragma once

struct domain;
struct domain_device;

void domain_tell_start(const struct domain *d);
void domain_tell_end(const struct domain *d);
void domain_tell_lost(const struct domain *d, const struct domain_device *device);

// Its state in one line, for the monitor.
void domain_tell_state(const struct domain *d);
