// SPDX-License-Identifier: BSD-2-Clause
// show-regs. INTMS and INTMC are not to be accessed with MSI-X on (3.1.3.3), so they are left out.
#include "drivers/nvme/cli/show.h"

#define REGS_WIDTH 8

static const struct {
    const char *name, *key;
    uint16_t offset;
    uint8_t bytes;
} registers[] = {
    { "cap", "cap", NVME_CAP, 8 },
    { "version", "vs", NVME_VS, 4 },
    { "cc", "cc", NVME_CC, 4 },
    { "csts", "csts", NVME_CSTS, 4 },
    { "nssr", "nssr", NVME_NSSR, 4 },
    { "crto", "crto", NVME_CRTO, 4 },
    { "aqa", "aqa", NVME_AQA, 4 },
    { "asq", "asq", NVME_ASQ, 8 },
    { "acq", "acq", NVME_ACQ, 8 },
    { "cmbloc", "cmbloc", NVME_CMBLOC, 4 },
    { "cmbsz", "cmbsz", NVME_CMBSZ, 4 },
    { "bpinfo", "bpinfo", NVME_BPINFO, 4 },
    { "bprsel", "bprsel", NVME_BPRSEL, 4 },
    { "bpmbl", "bpmbl", NVME_BPMBL, 8 },
    { "cmbmsc", "cmbmsc", NVME_CMBMSC, 8 },
    { "cmbsts", "cmbsts", NVME_CMBSTS, 4 },
    { "pmrcap", "pmrcap", NVME_PMRCAP, 4 },
    { "pmrctl", "pmrctl", NVME_PMRCTL, 4 },
    { "pmrsts", "pmrsts", NVME_PMRSTS, 4 },
    { "pmrebs", "pmrebs", NVME_PMREBS, 4 },
    { "pmrswtp", "pmrswtp", NVME_PMRSWTP, 4 },
};

void nvme_show_regs(const struct sheet *s, nvme_read_reg *read, const void *arg)
{
    for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
        uint64_t value = read(arg, registers[i].offset, registers[i].bytes);
        sheet_line(s, "%-*s: %llx", REGS_WIDTH, registers[i].name, (unsigned long long)value);
        json_u64(s->json, registers[i].key, value);
    }
}
