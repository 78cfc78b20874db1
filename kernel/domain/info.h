// SPDX-License-Identifier: BSD-2-Clause
// What a program is told at the start (struct domain_info): inside kernel/domain only. Boot CPU.
#pragma once

struct domain;

// Begins it anew, with room for what drivers tell (struct domain_grant).
void domain_info_begin(struct domain *d);

// And with all that they told.
void domain_info_end(struct domain *d);
