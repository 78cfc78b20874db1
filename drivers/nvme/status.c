// SPDX-License-Identifier: BSD-2-Clause
// Status types and codes that a host that only reads may meet.

#include "drivers/nvme/status.h"

#include "drivers/nvme/nvme_regs.h"
#include "lib/format.h"

static const struct {
    uint16_t status;
    const char *words;
} codes[] = {
    // Generic command status
    { NVME_STATUS(0, 0x00), "success" },
    { NVME_STATUS(0, 0x01), "invalid command opcode" },
    { NVME_STATUS(0, 0x02), "invalid field in command" },
    { NVME_STATUS(0, 0x03), "command id conflict" },
    { NVME_STATUS(0, 0x04), "data transfer error" },
    { NVME_STATUS(0, 0x05), "aborted by power loss" },
    { NVME_STATUS(0, 0x06), "internal error" },
    { NVME_STATUS(0, 0x07), "abort requested" },
    { NVME_STATUS(0, 0x08), "aborted as its submission queue was deleted" },
    { NVME_STATUS(0, 0x0b), "invalid namespace or format" },
    { NVME_STATUS(0, 0x0c), "command sequence error" },
    { NVME_STATUS(0, 0x13), "PRP offset invalid" },
    { NVME_STATUS(0, 0x1c), "sanitize failed" },
    { NVME_STATUS(0, 0x1d), "sanitize in progress" },
    { NVME_STATUS(0, 0x24), "admin command media not ready" },
    { NVME_STATUS(0, 0x80), "LBA out of range" },
    { NVME_STATUS(0, 0x82), "namespace not ready" },
    { NVME_STATUS(0, 0x83), "reservation conflict" },
    { NVME_STATUS(0, 0x84), "format in progress" },
    // Command specific status
    { NVME_STATUS(1, 0x00), "completion queue invalid" },
    { NVME_STATUS(1, 0x01), "invalid queue identifier" },
    { NVME_STATUS(1, 0x02), "invalid queue size" },
    { NVME_STATUS(1, 0x08), "invalid interrupt vector" },
    { NVME_STATUS(1, 0x0c), "invalid queue deletion" },
    { NVME_STATUS(1, 0x0d), "feature identifier not saveable" },
    { NVME_STATUS(1, 0x1f), "invalid controller identifier" },
    { NVME_STATUS(1, 0x20), "invalid secondary controller state" },
    { NVME_STATUS(1, 0x21), "invalid number of controller resources" },
    { NVME_STATUS(1, 0x22), "invalid resource identifier" },
    // Media and data integrity errors
    { NVME_STATUS(2, 0x81), "unrecovered read error" },
    { NVME_STATUS(2, 0x82), "end-to-end guard check error" },
    { NVME_STATUS(2, 0x83), "end-to-end application tag check error" },
    { NVME_STATUS(2, 0x84), "end-to-end reference tag check error" },
    { NVME_STATUS(2, 0x86), "access denied" },
    { NVME_STATUS(2, 0x87), "deallocated or unwritten logical block" },
    // Path related status
    { NVME_STATUS(3, 0x00), "internal path error" },
    { NVME_STATUS(3, 0x01), "asymmetric access persistent loss" },
    { NVME_STATUS(3, 0x02), "asymmetric access inaccessible" },
    { NVME_STATUS(3, 0x03), "asymmetric access transition" },
};

static const char *const types[8] = {
    "generic error",  "command specific error", "media error",    "path error",
    "reserved error", "reserved error",         "reserved error", "vendor specific error",
};

static const char *words(uint32_t status)
{
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (codes[i].status == (status & (NVME_STATUS_SCT | NVME_STATUS_SC)))
            return codes[i].words;
    return types[field_get(NVME_STATUS_SCT, status)];
}

const char *nvme_status_text(uint32_t status, char *to, size_t bytes)
{
    format_text(to, bytes, "%s (status type %u, code %02xh)", words(status),
                (unsigned)field_get(NVME_STATUS_SCT, status),
                (unsigned)field_get(NVME_STATUS_SC, status));
    return to;
}
