// SPDX-License-Identifier: BSD-2-Clause
// Reads of the TPM's registers are all ones where there is no TPM, as on a PC. QEMU's answer is zero, which OVMF takes
// for a TPM that isn't ready yet: it waits for it 750 ms and more, longer than for all else.
#include "tools/qemu/model.h"

#define TPM_BASE                                                                                   \
    0xfed40000u // TCG PC Client Platform TPM Profile, 6.3: five localities of a page each
#define TPM_SIZE 0x5000u
#define BELOW_PCI (-2) // QEMU has PCI's memory at -1; a TPM of its own is above that

static uint64_t nobody_read(void *opaque, uint64_t offset, unsigned size)
{
    return UINT64_MAX;
}

static void nobody_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
}

void no_tpm_attach(void)
{
    static const struct qemu_region_ops ops = {
        .read = nobody_read,
        .write = nobody_write,
        .endianness = QEMU_LITTLE_ENDIAN,
        .valid = { .min_access_size = 1, .max_access_size = 4 },
        .impl = { .min_access_size = 1, .max_access_size = 4 },
    };
    qemu_add_memory(TPM_BASE, TPM_SIZE, BELOW_PCI, MODEL_NAME "-no-tpm", &ops);
}
