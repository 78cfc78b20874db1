// SPDX-License-Identifier: BSD-2-Clause
// Checks of what firmware hands over: each one has an id that never changes, the section that it comes
// from, and one verdict for the whole machine. Pure.
#pragma once

#include "lib/types.h"

#define CHECK_UNIT_FIRST CHECK_UNIT_ABSENT

enum verdict { CHECK_SKIPPED, CHECK_PASS, CHECK_WARN, CHECK_FAIL };

// In the order in which they are shown: checks_list[] has their words.
enum check_id {
    CHECK_TRUNCATED,
    CHECK_SIGNATURE,
    CHECK_CHECKSUM,
    CHECK_WIDTH,
    CHECK_FLAGS,
    CHECK_OPT_OUT,
    CHECK_STRUCTURE,
    CHECK_SHORT,
    CHECK_TYPE,
    CHECK_TYPE_ORDER,
    CHECK_LARGE,
    CHECK_NO_UNIT,
    CHECK_UNIT_ZERO,
    CHECK_UNIT_ADDRESS,
    CHECK_UNIT_ALIGN,
    CHECK_UNIT_RESERVED,
    CHECK_UNIT_TWICE,
    CHECK_UNIT_OVERLAP,
    CHECK_UNIT_RAM,
    CHECK_UNIT_EMPTY,
    CHECK_ALL_TWICE,
    CHECK_ALL_LAST,
    CHECK_SCOPE_LENGTH,
    CHECK_SCOPE_TYPE,
    CHECK_SCOPE_PLACE,
    CHECK_SCOPE_PATH,
    CHECK_SCOPE_WALK,
    CHECK_SCOPE_ABSENT,
    CHECK_SCOPE_HEADER,
    CHECK_SCOPE_TWICE,
    CHECK_SCOPE_SHARED,
    CHECK_IOAPIC_TWICE,
    CHECK_IOAPIC_UNKNOWN,
    CHECK_IOAPIC_MISSING,
    CHECK_HPET_TWICE,
    CHECK_HPET_UNKNOWN,
    CHECK_HPET_MISSING,
    CHECK_ACPI_UNKNOWN,
    CHECK_RMRR_ALIGN,
    CHECK_RMRR_ORDER,
    CHECK_RMRR_OVERLAP,
    CHECK_RMRR_MEMORY,
    CHECK_RMRR_UNLISTED,
    CHECK_RMRR_EMPTY,
    CHECK_ATSR_PORTS,
    CHECK_RHSA_UNIT,
    CHECK_RHSA_TWICE,
    CHECK_RHSA_DOMAIN,
    CHECK_ANDD_NAME,
    CHECK_ANDD_NUMBER,
    CHECK_SATC_EMPTY,
    CHECK_SIDP_EMPTY,
    CHECK_CHIPSET,
    CHECK_LEFT_MASTER,
    CHECK_HSTI_FORM,
    CHECK_HSTI_VERIFIED,
    // Of registers and of what firmware left in them: unit_check().
    CHECK_UNIT_ABSENT,
    CHECK_UNIT_IR,
    CHECK_UNIT_QI,
    CHECK_UNIT_EIM,
    CHECK_UNIT_EIM_ALONE,
    CHECK_UNIT_PI_ALONE,
    CHECK_UNIT_PROTECTS_HALF,
    CHECK_UNITS_DIFFER,
    CHECK_UNITS_WIDTH,
    CHECK_LEFT_REMAPPING,
    CHECK_LEFT_COMPATIBILITY,
    CHECK_LEFT_QUEUE,
    CHECK_LEFT_FAULTS,
    CHECK_LEFT_FAULT_EVENT,
    CHECK_LEFT_PROTECTED,
    CHECK_LEFT_PROTECTED_EMPTY,
    CHECK_LEFT_X2APIC,
    CHECK_LEFT_EIME,
    CHECK_LEFT_DMA_CLAIM,
    CHECKS,
};

struct check_words {
    const char *id;
    enum verdict bad; // what it is where it isn't passed
    const char *section;
    const char *what;   // what is asked for
    const char *remedy; // what to do where it isn't so
};
extern const struct check_words checks_list[CHECKS];

#define CHECK_FOUND_BYTES 120
struct check_result {
    enum verdict verdict;
    unsigned count;                // of what was found, 0 where it passed
    char found[CHECK_FOUND_BYTES]; // the first of it
};

struct checks {
    struct check_result of[CHECKS];
};

// Something was found.
void checks_add(struct checks *c, enum check_id id, const char *fmt, ...) PRINTF_LIKE(3, 4);

// All that is needed to make this check was there: passed, unless something was found.
void checks_made(struct checks *c, enum check_id id);

// How many have this verdict.
unsigned checks_count(const struct checks *c, enum verdict verdict);

const char *checks_verdict_name(enum verdict verdict);
