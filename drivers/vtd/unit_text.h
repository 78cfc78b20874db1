// SPDX-License-Identifier: BSD-2-Clause
// What is wrong with a unit, as a problem with a sentence. Each returns false, so that the check that
// finds it can return it.
#pragma once

#include "lib/problem.h"
#include "lib/types.h"

struct vtd_unit;

// "vtd-unit-left": turning translation off could hang the display behind it.
bool vtd_problem_display(const struct vtd_unit *u, struct problem *p);

// "vtd-unit-absent": no registers where the table says, and registers where none can be.
bool vtd_problem_nowhere(const struct vtd_unit *u, size_t bytes, struct problem *p);
bool vtd_problem_absent(const struct vtd_unit *u, struct problem *p);

// "vtd-no-qi", "vtd-no-ir", "vtd-no-eim", "vtd-no-posting": a capability is missing.
bool vtd_problem_no_qi(const struct vtd_unit *u, struct problem *p);
bool vtd_problem_no_ir(const struct vtd_unit *u, struct problem *p);
bool vtd_problem_no_eim(const struct vtd_unit *u, struct problem *p);
bool vtd_problem_no_posting(const struct vtd_unit *u, struct problem *p);

// "dma-no-translation": it has no tables that we know; "dma-domains", "dma-reserved": dma=rmrr asks for
// more domains, or for higher addresses, than it has.
bool vtd_problem_no_translation(const struct vtd_unit *u, struct problem *p);
bool vtd_problem_domains(const struct vtd_unit *u, struct problem *p);
bool vtd_problem_reserved(const struct vtd_unit *u, const char *device, uint64_t end,
                          struct problem *p);

// "domain-ids": the unit knows no domain of that number, which the device was to be granted;
// "domain-alias": the requests of two devices bear one id, and were to reach different memory.
bool vtd_problem_space(const struct vtd_unit *u, const char *device, unsigned id,
                       struct problem *p);
bool vtd_problem_alias(const char *device, const char *other, struct problem *p);

// "vtd-timeout": it did not follow a bit of the global command register, ...
bool vtd_problem_command(const struct vtd_unit *u, uint32_t bit, bool on, struct problem *p);
// ... did not give up firmware's protected memory, ...
bool vtd_problem_protection(const struct vtd_unit *u, struct problem *p);
// ... did not finish what firmware asked of its registers, or of its queue.
bool vtd_problem_invalidations(const struct vtd_unit *u, struct problem *p);
