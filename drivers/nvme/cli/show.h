// SPDX-License-Identifier: BSD-2-Clause
// What nvme-cli's commands of the same name print, from the bytes that the controller returned. Pure.
// Each adds its members to the sheet's JSON object.
#pragma once

#include "drivers/nvme/cli/sheet.h"
#include "drivers/nvme/nvme_regs.h"

void nvme_show_controller(const struct sheet *s, const struct nvme_identify_controller *id);
void nvme_show_namespace(const struct sheet *s, const struct nvme_identify_namespace *ns);

void nvme_show_smart(const struct sheet *s, const struct nvme_smart_log *log);
// Those of `count` entries that hold an error.
void nvme_show_errors(const struct sheet *s, const struct nvme_error_entry *log, size_t count);
void nvme_show_firmware(const struct sheet *s, const struct nvme_firmware_log *log);
void nvme_show_self_tests(const struct sheet *s, const struct nvme_self_test_log *log);

// `sel` is Get Features' (5.15), `value` dword 0 of its completion.
void nvme_show_feature(const struct sheet *s, unsigned fid, unsigned sel, uint32_t value);
const char *nvme_feature_name(unsigned fid);
size_t nvme_feature_bytes(unsigned fid);  // of data that it has besides
unsigned nvme_feature_next(unsigned fid); // the next one that has a name; 0: none

// Reads a register of 4 or 8 bytes.
typedef uint64_t nvme_read_reg(const void *arg, unsigned offset, unsigned bytes);
void nvme_show_regs(const struct sheet *s, nvme_read_reg *read, const void *arg);
