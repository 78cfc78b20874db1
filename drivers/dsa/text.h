// SPDX-License-Identifier: BSD-2-Clause
// What a DSA's codes mean, in words. Pure.
#pragma once

#include "drivers/dsa/dsa_regs.h"

#define DSA_TEXT_BYTES 200

const char *dsa_operation_name(unsigned operation); // "fill"; "an operation" where unknown
const char *dsa_command_name(unsigned command);     // "enable device"

// What CMDSTATUS says of a command that failed, and a completion record's or SWERROR's code of what is
// wrong with a descriptor: the end of a sentence; never NULL.
const char *dsa_command_error(unsigned code);
const char *dsa_status_text(unsigned code);

// The sentence for a completion record that isn't good, which has a field for what faulted where the device
// says so; for what SWERROR holds; and for a halt. Each
// returns `to`, which has DSA_TEXT_BYTES.
const char *dsa_describe_record(const struct dsa_descriptor *d, const struct dsa_record *record,
                                bool fault_info, char *to);
const char *dsa_describe_error(const uint64_t words[DSA_SWERROR_WORDS], char *to);
const char *dsa_describe_halt(uint32_t gensts, char *to);
