// SPDX-License-Identifier: BSD-2-Clause
// Registers of one accelerator: finding out, commands, configuration (5.1, 9.2).

#include "drivers/dsa/device.h"

#include "drivers/dsa/dsa_regs.h"
#include "drivers/dsa/text.h"
#include "kernel/base/report.h"
#include "kernel/pci/pci_regs.h"
#include "kernel/x86/time.h"
#include "lib/mmio.h"

#define COMMAND_NS (2 * NS_PER_S)

#define CPUID_FEATURES_MORE 7
#define CPUID_7_ECX_MOVDIR64B BIT32(28)

static uint32_t read32(const struct dsa_device *d, size_t at)
{
    return mmio_read32(mmio_at(d->regs, at));
}

static uint64_t read64(const struct dsa_device *d, size_t at)
{
    return mmio_read64(mmio_at(d->regs, at));
}

// ---- commands ----

static bool is_active(const struct dsa_device *d)
{
    return read32(d, DSA_CMDSTATUS) & DSA_CMDSTATUS_ACTIVE;
}

static bool late(const struct dsa_device *d, enum dsa_command command, struct problem *p)
{
    return problem_set(
        p, "dsa-command",
        "%s: command \"%s\" has no end after 2 s (CMDSTATUS 0x%08x): switch the machine "
        "off and on",
        d->label, dsa_command_name(command), read32(d, DSA_CMDSTATUS));
}

// One at a time; a new one must not be written while another is active (9.2.12).
bool dsa_device_command(struct dsa_device *d, enum dsa_command command, uint32_t operand,
                        uint32_t *result, struct problem *p)
{
    if (!poll_until(!is_active(d), COMMAND_NS))
        return late(d, command, p);
    mmio_write32(mmio_at(d->regs, DSA_CMD), (uint32_t)(field_put(DSA_CMD_CODE, command) |
                                                       field_put(DSA_CMD_OPERAND, operand)));
    if (!poll_until(!is_active(d), COMMAND_NS))
        return late(d, command, p);
    uint32_t status = read32(d, DSA_CMDSTATUS);
    unsigned code = (unsigned)field_get(DSA_CMDSTATUS_ERROR, status);
    if (result)
        *result = (uint32_t)field_get(DSA_CMDSTATUS_RESULT, status);
    return !code ||
           problem_set(p, "dsa-command",
                       "%s: command \"%s\" (operand 0x%x) failed: %s (CMDSTATUS 0x%08x)", d->label,
                       dsa_command_name(command), operand, dsa_command_error(code), status);
}

bool dsa_device_wq_command(struct dsa_device *d, enum dsa_command command, unsigned wq,
                           struct problem *p)
{
    uint64_t operand =
        field_put(DSA_CMD_WQ_MAP, BIT32(wq % 16)) | field_put(DSA_CMD_WQ_GROUP, wq / 16);
    return dsa_device_command(d, command, (uint32_t)operand, NULL, p);
}

bool dsa_device_handle(struct dsa_device *d, unsigned entry, uint16_t *handle, struct problem *p)
{
    uint32_t result = entry;
    if (d->caps.asks_handles &&
        !dsa_device_command(d, DSA_REQUEST_HANDLE, (uint32_t)field_put(DSA_CMD_HANDLE_INDEX, entry),
                            &result, p))
        return false;
    *handle = (uint16_t)result;
    return true;
}

// ---- finding out ----

static bool announces_stores(const struct pci_dev *dev)
{
    return pci_read16(dev, PCI_SUBSYSTEM_VENDOR) == DSA_STORES_SUBSYSTEM_VENDOR &&
           pci_read16(dev, PCI_SUBSYSTEM_ID) == DSA_STORES_SUBSYSTEM;
}

static bool choose_stores(struct dsa_device *d, struct problem *p)
{
    bool has = cpuid(0, 0).a >= CPUID_FEATURES_MORE &&
               cpuid(CPUID_FEATURES_MORE, 0).c & CPUID_7_ECX_MOVDIR64B;
    d->by_stores = !has && announces_stores(d->dev);
    return has || d->by_stores ||
           problem_set(
               p, "dsa-movdir64b",
               "%s: the CPU has no MOVDIR64B (CPUID 7, ECX bit 28), by which work is given to "
               "an accelerator: it isn't used",
               d->label);
}

static void read_regs(const struct dsa_device *d, struct dsa_regs *r)
{
    *r = (struct dsa_regs){
        .version = read32(d, DSA_VERSION),
        .gencap = read64(d, DSA_GENCAP),
        .wqcap = read64(d, DSA_WQCAP),
        .grpcap = read64(d, DSA_GRPCAP),
        .engcap = read64(d, DSA_ENGCAP),
        .cmdcap = read32(d, DSA_CMDCAP),
        .bar_bytes = d->dev->bars[DSA_BAR_REGISTERS].bytes,
        .portal_bytes = d->dev->bars[DSA_BAR_PORTALS].bytes,
        .vectors = d->dev->msix.cap ? d->dev->msix.vectors : 0,
    };
    for (unsigned i = 0; i < ARRAY_SIZE(r->opcap); i++)
        r->opcap[i] = read64(d, DSA_OPCAP + 8 * i);
    for (unsigned i = 0; i < ARRAY_SIZE(r->offsets); i++)
        r->offsets[i] = read64(d, DSA_OFFSETS + 8 * i);
}

// Tables may lie further up than where registers end.
static bool map_registers(struct dsa_device *d, struct problem *p)
{
    pci_size_bars(d->dev);
    if (!pci_map_bar(d->dev, DSA_BAR_REGISTERS, DSA_REGISTERS_BYTES, &d->regs, p))
        return false;
    uint64_t bytes = d->dev->bars[DSA_BAR_REGISTERS].bytes;
    if (bytes <= DSA_REGISTERS_BYTES || bytes > PCI_MAP_BYTES_MAX)
        return true;
    return pci_map_bar(d->dev, DSA_BAR_REGISTERS, (size_t)bytes, &d->regs, p);
}

uint32_t dsa_device_status(const struct dsa_device *d)
{
    return read32(d, DSA_GENSTS);
}

static unsigned state_of(const struct dsa_device *d)
{
    return (unsigned)field_get(DSA_GENSTS_STATE, dsa_device_status(d));
}

static bool reset(struct dsa_device *d, struct problem *p)
{
    if (!dsa_device_command(d, DSA_RESET_DEVICE, 0, NULL, p))
        return false;
    return state_of(d) == DSA_STATE_DISABLED ||
           problem_set(
               p, "dsa-reset",
               "%s: after a reset its state is %u (GENSTS), not disabled: switch the machine "
               "off and on",
               d->label, state_of(d));
}

bool dsa_device_find(struct dsa_device *d, struct problem *p)
{
    struct dsa_regs regs;
    bool woken;
    if (!choose_stores(d, p) || !pci_power_on(d->dev, time_delay_ns, &woken, p))
        return false;
    pci_enable_memory(d->dev);
    if (!map_registers(d, p))
        return false;
    read_regs(d, &regs);
    regs.bar_bytes = MIN(regs.bar_bytes, (uint64_t)PCI_MAP_BYTES_MAX);
    return dsa_decode(&regs, d->label, &d->caps, p) &&
           pci_map_bar_part(d->dev, DSA_BAR_PORTALS, 0, d->caps.queues * DSA_PORTALS_BYTES,
                            &d->portals, p) &&
           reset(d, p);
}

// ---- configuration: the device is disabled (5.1) ----

static void write_group(struct dsa_device *d)
{
    volatile void *group = mmio_at(d->regs, d->caps.grpcfg);
    uint64_t engines = ~0ull >> (64 - d->caps.engines);
    for (unsigned word = 0; word < 4; word++) {
        unsigned left = d->count > 64 * word ? d->count - 64 * word : 0;
        uint64_t wqs = left >= 64 ? ~0ull : (1ull << left) - 1;
        mmio_write64(mmio_at(group, DSA_GRPCFG_WQS + 8 * word), wqs);
    }
    mmio_write64(mmio_at(group, DSA_GRPCFG_ENGINES), engines);
    if (d->caps.read_buffers)
        mmio_write64(mmio_at(group, DSA_GRPCFG_FLAGS),
                     field_put(DSA_GRPCFG_FLAGS_READ_BUFFERS, d->caps.read_buffers));
}

static void write_wq(struct dsa_device *d, const struct dsa_queue *q)
{
    volatile void *wq = mmio_at(d->regs, d->caps.wqcfg + (size_t)q->number * d->caps.wqcfg_bytes);
    mmio_write32(mmio_at(wq, DSA_WQCFG_SIZE), q->depth);
    mmio_write32(mmio_at(wq, DSA_WQCFG_THRESHOLD), 0);
    mmio_write32(mmio_at(wq, DSA_WQCFG_MODE),
                 (uint32_t)(DSA_WQCFG_DEDICATED | field_put(DSA_WQCFG_PRIORITY, 1)));
    mmio_write32(mmio_at(wq, DSA_WQCFG_LIMITS),
                 (uint32_t)(field_put(DSA_WQCFG_MAX_TRANSFER, d->caps.transfer_shift) |
                            field_put(DSA_WQCFG_MAX_BATCH, d->caps.batch_shift)));
}

static void write_tables(struct dsa_device *d)
{
    mmio_write32(mmio_at(d->regs, DSA_GENCFG), 0);
    write_group(d);
    for (unsigned i = 0; i < d->count; i++)
        write_wq(d, d->queues[i]);
    for (unsigned i = 0; i <= d->count; i++) // without PASID (9.2.22)
        mmio_write64(mmio_at(d->regs, d->caps.msix_perm + i * DSA_MSIX_PERM_BYTES), 0);
}

static bool enable_queue(struct dsa_device *d, struct dsa_queue *q, struct problem *p)
{
    size_t at = d->caps.wqcfg + (size_t)q->number * d->caps.wqcfg_bytes + DSA_WQCFG_STATE;
    if (!dsa_device_handle(d, q->number + 1, &q->handle, p) ||
        !dsa_device_command(d, DSA_ENABLE_WQ, q->number, NULL, p))
        return false;
    uint32_t state = read32(d, at);
    return field_get(DSA_WQCFG_STATE_MASK, state) == DSA_WQ_ENABLED ||
           problem_set(p, "dsa-queue",
                       "%s: WQ %u isn't enabled after it was (WQCFG word 6 is 0x%08x): switch the "
                       "machine off and on",
                       d->label, q->number, state);
}

// What was there before is of no interest: a one clears.
static void enable_errors(struct dsa_device *d)
{
    mmio_write32(mmio_at(d->regs, DSA_INTCAUSE), read32(d, DSA_INTCAUSE));
    mmio_write64(mmio_at(d->regs, DSA_SWERROR), DSA_SWERROR_VALID | DSA_SWERROR_OVERFLOW);
    mmio_write32(mmio_at(d->regs, DSA_GENCTRL),
                 DSA_GENCTRL_ERROR_INTERRUPT | DSA_GENCTRL_HALT_INTERRUPT);
}

bool dsa_device_enable(struct dsa_device *d, struct problem *p)
{
    write_tables(d);
    enable_errors(d);
    if (!dsa_device_command(d, DSA_ENABLE_DEVICE, 0, NULL, p))
        return false;
    for (unsigned i = 0; i < d->count; i++)
        if (!enable_queue(d, d->queues[i], p))
            return false;
    return true;
}

// ---- the end ----

// Disabling waits for what is in flight (3.15); where that fails, it is aborted.
bool dsa_device_disable(struct dsa_device *d)
{
    struct problem p;
    bool ok = true;
    mmio_write32(mmio_at(d->regs, DSA_GENCTRL), 0);
    for (unsigned i = 0; i < d->count && ok; i++)
        ok = dsa_device_wq_command(d, DSA_DISABLE_WQ, i, &p);
    ok = ok && dsa_device_command(d, DSA_DISABLE_DEVICE, 0, NULL, &p);
    if (!ok && state_of(d) != DSA_STATE_HALTED) {
        warn_problem(&p);
        if (!dsa_device_command(d, d->caps.has_abort ? DSA_ABORT_ALL : DSA_RESET_DEVICE, 0, NULL,
                                &p))
            warn_problem(&p);
    }
    return pci_stop_bus_master(d->dev);
}

void dsa_device_give_up(struct dsa_device *d)
{
    struct problem p;
    if (d->regs)
        (void)dsa_device_command(d, DSA_RESET_DEVICE, 0, NULL, &p); // it may be what failed
    pci_stop_bus_master(d->dev);
}
