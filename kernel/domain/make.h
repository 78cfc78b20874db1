// SPDX-License-Identifier: BSD-2-Clause
// What a domain is made of, once for all of its lives: inside kernel/domain only. Boot CPU.
#pragma once

#include "kernel/domain/words.h"
#include "kernel/handoff.h"
#include "lib/problem.h"

struct domain;

// Whether it may have its functions, as they are now. False: the problem says why not.
bool domain_may_have(const struct domain *d, struct problem *p);

// As the words say; `others` are those made before. NULL: the problem, which begins with its name, says why
// it can't be, and nothing of the kernel's was touched.
struct domain *domain_make(const struct domain_words *words, const struct domain *others,
                           const struct handoff *h, struct problem *p);
