// SPDX-License-Identifier: BSD-2-Clause
// The register block: QEMU's own, save for the posting capability, the table pointer that the model
// latches with it, and the fault registers. QEMU hands over 64-bit accesses as two of 32 bits.
#include "tools/qemu/faults.h"
#include "tools/qemu/model.h"
#include "tools/qemu/plant.h"
#include "tools/qemu/rules.h"
#include "tools/qemu/strict.h"

static uint64_t registers_read(void *opaque, uint64_t offset, unsigned size)
{
    rules_register_read((uint32_t)offset);
    if (offset == REG_CAP_HIGH)
        return stock_read(REG_CAP_HIGH) | CAP_HIGH_PI;
    return plant_in_read((uint32_t)offset, faults_read((uint32_t)offset));
}

// The pointer takes effect with the command, not when it is written (VT-d 6.7).
static void registers_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    if (strict_on())
        rules_register_write((uint32_t)offset, (uint32_t)value);
    faults_write((uint32_t)offset, plant_in_write((uint32_t)offset, (uint32_t)value));
    if (offset == REG_GCMD && (value & GCMD_SIRTP))
        model.irta = stock_read64(REG_IRTA);
    if (offset == REG_GCMD && (value & GCMD_SRTP))
        model.rtaddr = stock_read64(REG_RTADDR);
}

const struct qemu_region_ops registers_ops = {
    .read = registers_read,
    .write = registers_write,
    .endianness = QEMU_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};
