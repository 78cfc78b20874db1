// SPDX-License-Identifier: BSD-2-Clause
// Faults of posted interrupts, recorded in the unit's own fault registers.
#pragma once

#include "tools/qemu/model.h"

// NULL for a reason that the model neither raises nor counts.
const char *fault_name(enum fault_reason reason);

// Counts a fault that QEMU's own unit is going to report.
void fault_count(enum fault_reason reason, bool hidden);
// Blocks a request: counts the fault and, unless hidden by FPD, records it for the requester that
// the attributes name. The result is the one for the requester.
qemu_result fault_report(enum fault_reason reason, uint16_t index, bool hidden,
                         struct qemu_attrs attrs);

void faults_init(void); // once the registers are known
void faults_reset(void);

// The fault registers as the guest is to see them, one word at a time.
uint32_t faults_read(uint32_t offset);
void faults_write(uint32_t offset, uint32_t value);

// Around what can make QEMU's own unit send its fault event: sends the event itself where FEUADDR
// is in use, which QEMU ignores.
struct fault_event {
    uint32_t status, control;
};
struct fault_event fault_event_before(void);
void fault_event_after(struct fault_event before);
