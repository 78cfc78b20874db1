// SPDX-License-Identifier: BSD-2-Clause
// What AER and DPC log on the way from a function to its root port. Status bits are set whether or
// not anybody asked to be told of them (PCIe Base 6.0, 6.2.3.2.2), so that looking finds them
// without an interrupt, and without a change of what firmware has set up.
//
// Who may clear them is for ACPI's _OSC to say, whose AML nobody runs here. But firmware that wants
// errors for itself has root ports send it system errors, and had its turn when the error occurred:
// there, nothing is written. Bits that stay set are not told again.

#include "kernel/base/report.h"
#include "kernel/mem/mem.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/pci_error_text.h"
#include "kernel/pci/pci_fence.h"
#include "kernel/pci/pci_regs.h"

#define QUIET_NS (60 * NS_PER_S) // between two sentences with nothing new in them
#define DEPTH_MAX 256            // bridges above a function: no more buses than that

// Of one status register.
struct register_seen {
    uint32_t left;     // bits that were set, and stay so
    uint32_t told;     // since then
    uint64_t since_ns; // 0: never
    unsigned untold;   // times
};

struct pci_errors {
    uint16_t aer, dpc; // config offsets; 0: none
    struct register_seen uncorrectable, correctable, received;
    bool fresh;    // the look that goes on has found an error of the function's own
    bool dpc_told; // of the link being down
};

// ---- registers ----

static uint32_t read_aer(const struct pci_dev *dev, unsigned offset)
{
    return pci_read32(dev, dev->errors->aer + offset);
}

static uint16_t read_express(const struct pci_dev *dev, unsigned offset)
{
    return pci_read16(dev, pci_find_cap(dev, PCI_CAP_EXP) + offset);
}

static uint16_t cap_within(const struct pci_dev *dev, uint16_t id, unsigned bytes)
{
    unsigned cap = pci_find_ext_cap(dev, id);
    return cap <= PCI_CONFIG_BYTES - bytes ? (uint16_t)cap : 0;
}

static void read_header(const struct pci_dev *dev, unsigned at, uint32_t *header)
{
    for (unsigned i = 0; i < 4; i++)
        header[i] = pci_read32(dev, at + 4 * i);
}

static bool is_root(const struct pci_dev *dev)
{
    return dev->port_type == PCI_EXP_TYPE_ROOT_PORT;
}

// Firmware is told of errors that the root port hears of (7.5.3.12).
static bool are_firmwares(const struct pci_dev *dev)
{
    for (; dev; dev = dev->parent)
        if (is_root(dev))
            return read_express(dev, PCI_EXP_ROOT_CONTROL) & PCI_EXP_ROOT_CONTROL_SYSTEM_ERRORS;
    return false;
}

// ---- what is new, and whether to say it ----

// Of the bits that are set now; they are cleared, if that may be.
static uint32_t take_new(const struct pci_dev *dev, unsigned at, bool may_clear,
                         struct register_seen *seen, uint32_t bits)
{
    uint32_t now = pci_read32(dev, at) & bits;
    uint32_t found = now & ~seen->left;
    if (may_clear && now) {
        pci_write32(dev, at, now);
        now = pci_read32(dev, at) & bits;
    }
    seen->left = now;
    return found;
}

static bool is_to_be_told(struct register_seen *seen, uint32_t bits, uint64_t now_ns)
{
    if (!seen->since_ns || now_ns - seen->since_ns >= QUIET_NS) {
        seen->since_ns = now_ns;
        seen->told = 0;
    }
    if (bits & ~seen->told) {
        seen->told |= bits;
        return true;
    }
    seen->untold++;
    return false;
}

static unsigned take_untold(struct register_seen *seen)
{
    unsigned untold = seen->untold;
    seen->untold = 0;
    return untold;
}

// ---- whose they are ----

static bool is_below(const struct pci_dev *dev, const struct pci_dev *port)
{
    while (dev && dev != port)
        dev = dev->physical ? dev->physical : dev->parent;
    return dev;
}

// The domain that has all functions there, the port's own included; NULL: it isn't one alone.
static const char *owner_of(const struct pci_dev *port)
{
    const char *owner = NULL;
    for_each_pci_dev (dev) {
        if (dev->header == PCI_HEADER_BRIDGE || dev->removed || !is_below(dev, port))
            continue;
        if (!dev->given_to || (owner && owner != dev->given_to))
            return NULL;
        owner = dev->given_to;
    }
    return owner;
}

// Who sent it is known: else it is the link's.
static const char *owner_by_id(const struct pci_dev *at, uint64_t id)
{
    for_each_pci_dev (dev)
        if (dev->given_to && pci_bears(dev, at->segment, (uint16_t)id))
            return dev->given_to;
    return owner_of(at);
}

static void tell(const char *owner, const struct problem *p)
{
    if (owner)
        warn("domain-pcie", "domain %s: %s", owner, p->message);
    else
        warn_problem(p);
}

// ---- a function's own errors ----

static const char *kind_of(const struct pci_dev *dev)
{
    switch (dev->port_type) {
    case PCI_EXP_TYPE_ROOT_PORT:
        return "root port";
    case PCI_EXP_TYPE_UPSTREAM:
        return "upstream port";
    case PCI_EXP_TYPE_DOWNSTREAM:
        return "downstream port";
    default:
        return dev->header == PCI_HEADER_BRIDGE ? "bridge" : "endpoint";
    }
}

// The header log holds until the bit that it belongs to is cleared (6.2.4.2): so it is read first.
static void look_at_uncorrectable(const struct pci_dev *dev, bool may_clear, uint64_t now_ns)
{
    struct problem p;
    uint16_t id;
    struct register_seen *seen = &dev->errors->uncorrectable;
    struct pci_error_log log = {
        .name = dev->name,
        .kind = kind_of(dev),
        .severity = read_aer(dev, PCI_AER_UNCORRECTABLE_SEVERITY),
        .control = read_aer(dev, PCI_AER_CONTROL),
    };
    read_header(dev, dev->errors->aer + PCI_AER_HEADER, log.header);
    uint32_t masked = read_aer(dev, PCI_AER_UNCORRECTABLE_MASK);
    log.uncorrectable = ~masked & take_new(dev, dev->errors->aer + PCI_AER_UNCORRECTABLE, may_clear,
                                           seen, UINT32_MAX);
    dev->errors->fresh |= log.uncorrectable;
    if (!log.uncorrectable || !is_to_be_told(seen, log.uncorrectable, now_ns))
        return;
    log.before = take_untold(seen);
    pci_error_uncorrectable(&log, &p);
    tell(pci_error_sender(&log, &id) ? owner_by_id(dev, id) : owner_of(dev), &p);
}

static void look_at_correctable(const struct pci_dev *dev, bool may_clear, uint64_t now_ns)
{
    struct problem p;
    struct register_seen *seen = &dev->errors->correctable;
    struct pci_error_log log = { .name = dev->name, .kind = kind_of(dev) };
    uint32_t masked = read_aer(dev, PCI_AER_CORRECTABLE_MASK);
    log.correctable = ~masked & take_new(dev, dev->errors->aer + PCI_AER_CORRECTABLE, may_clear,
                                         seen, UINT32_MAX);
    dev->errors->fresh |= log.correctable;
    if (!log.correctable || !is_to_be_told(seen, log.correctable, now_ns))
        return;
    log.before = take_untold(seen);
    pci_error_correctable(&log, &p);
    tell(owner_of(dev), &p);
}

// ---- what a root port was told ----

static bool has_told_itself(const struct pci_dev *dev, uint64_t id)
{
    for (unsigned i = 0; dev && i < DEPTH_MAX; i++, dev = dev->parent)
        if (dev->bdf == id)
            return dev->errors && dev->errors->fresh;
    return false;
}

static void tell_message(const struct pci_dev *root, enum pci_error_message message, uint64_t id)
{
    struct problem p;
    pci_error_message(root->name, message, (uint16_t)id, &p);
    tell(owner_by_id(root, id), &p);
}

// `dev`: the function whose way to the root port is looked at.
static void look_at_messages(const struct pci_dev *root, const struct pci_dev *dev, bool may_clear,
                             uint64_t now_ns)
{
    struct register_seen *seen = &root->errors->received;
    uint32_t source = read_aer(root, PCI_AER_ROOT_SOURCE);
    uint32_t received = take_new(root, root->errors->aer + PCI_AER_ROOT_STATUS, may_clear, seen,
                                 PCI_AER_ROOT_RECEIVED);
    if (!received || !is_to_be_told(seen, received, now_ns))
        return;
    uint64_t corrected = field_get(PCI_AER_ROOT_SOURCE_CORRECTABLE, source);
    uint64_t lost = field_get(PCI_AER_ROOT_SOURCE_UNCORRECTABLE, source);
    if (received & PCI_AER_ROOT_CORRECTABLE && !has_told_itself(dev, corrected))
        tell_message(root, PCI_ERR_COR, corrected);
    if (received & PCI_AER_ROOT_UNCORRECTABLE && !has_told_itself(dev, lost))
        tell_message(root, received & PCI_AER_ROOT_FATAL ? PCI_ERR_FATAL : PCI_ERR_NONFATAL, lost);
}

// ---- DPC ----

static bool is_dpc_firmwares(const struct pci_dev *port, bool firmwares)
{
    uint16_t control = pci_read16(port, port->errors->dpc + PCI_DPC_CONTROL);
    return firmwares || control & (PCI_DPC_CONTROL_ERR_COR | PCI_DPC_CONTROL_SIG_SFW);
}

static void tell_dpc(const struct pci_dev *port, uint16_t status, bool firmwares)
{
    struct problem p;
    unsigned at = port->errors->dpc;
    struct pci_dpc_log log = {
        .name = port->name,
        .status = status,
        .source = pci_read16(port, at + PCI_DPC_SOURCE),
        .released = !firmwares,
    };
    if (pci_read16(port, at + PCI_DPC_CAP) & PCI_DPC_CAP_ROOT) {
        log.pio = pci_read32(port, at + PCI_DPC_PIO);
        read_header(port, at + PCI_DPC_PIO_HEADER, log.header);
    }
    pci_error_dpc(&log, &p);
    tell(owner_by_id(port, log.source), &p);
}

// Not before the link is down, and the port at rest (6.2.11): else at a later look.
static void release(const struct pci_dev *port, uint16_t status)
{
    unsigned at = port->errors->dpc;
    if (status & PCI_DPC_STATUS_BUSY ||
        read_express(port, PCI_EXP_LINK_STATUS) & PCI_EXP_LINK_STATUS_ACTIVE)
        return;
    if (pci_read16(port, at + PCI_DPC_CAP) & PCI_DPC_CAP_ROOT)
        pci_write32(port, at + PCI_DPC_PIO, pci_read32(port, at + PCI_DPC_PIO));
    pci_write16(port, at + PCI_DPC_STATUS, PCI_DPC_STATUS_TRIGGERED);
}

static void look_at_dpc(const struct pci_dev *port, bool firmwares)
{
    uint16_t status = pci_read16(port, port->errors->dpc + PCI_DPC_STATUS);
    if (status == UINT16_MAX || !(status & PCI_DPC_STATUS_TRIGGERED)) {
        port->errors->dpc_told = false;
        return;
    }
    firmwares = is_dpc_firmwares(port, firmwares);
    if (!port->errors->dpc_told)
        tell_dpc(port, status, firmwares);
    port->errors->dpc_told = true;
    if (!firmwares)
        release(port, status);
}

// ---- looks ----

// All ones: it isn't there.
static bool answers(const struct pci_dev *dev)
{
    return read_aer(dev, PCI_AER_UNCORRECTABLE) != UINT32_MAX;
}

static void look_at(const struct pci_dev *dev, const struct pci_dev *from, bool firmwares,
                    uint64_t now_ns)
{
    struct pci_errors *e = dev->errors;
    e->fresh = false;
    if (e->aer && answers(dev)) {
        look_at_uncorrectable(dev, !firmwares, now_ns);
        look_at_correctable(dev, !firmwares, now_ns);
        if (is_root(dev))
            look_at_messages(dev, from, !firmwares, now_ns);
    }
    if (e->dpc)
        look_at_dpc(dev, firmwares);
}

void pci_errors_look(struct pci_dev *dev, uint64_t now_ns)
{
    dev = pci_lowest(dev);
    bool firmwares = are_firmwares(dev);
    for (const struct pci_dev *d = dev; d; d = d->parent)
        if (d->errors)
            look_at(d, dev, firmwares, now_ns);
}

static void begin_anew(struct register_seen *seen)
{
    seen->since_ns = 0;
    seen->untold = 0;
}

void pci_errors_end(struct pci_dev *dev, uint64_t now_ns)
{
    pci_errors_look(dev, now_ns);
    for (const struct pci_dev *d = pci_lowest(dev); d; d = d->parent) {
        if (!d->errors)
            continue;
        begin_anew(&d->errors->uncorrectable);
        begin_anew(&d->errors->correctable);
        begin_anew(&d->errors->received);
    }
}

// ---- start ----

static void forget(const struct pci_dev *dev, bool may_clear)
{
    struct pci_errors *e = dev->errors;
    take_new(dev, e->aer + PCI_AER_UNCORRECTABLE, may_clear, &e->uncorrectable, UINT32_MAX);
    take_new(dev, e->aer + PCI_AER_CORRECTABLE, may_clear, &e->correctable, UINT32_MAX);
    if (is_root(dev))
        take_new(dev, e->aer + PCI_AER_ROOT_STATUS, may_clear, &e->received, PCI_AER_ROOT_RECEIVED);
}

static void find(struct pci_dev *dev, bool may_clear)
{
    uint16_t aer = cap_within(dev, PCI_EXT_CAP_AER, PCI_AER_BYTES);
    uint16_t dpc = cap_within(dev, PCI_EXT_CAP_DPC, PCI_DPC_BYTES);
    if (!aer && !dpc)
        return;
    dev->errors = mem_alloc(sizeof(*dev->errors), CACHE_LINE, dev->node);
    dev->errors->aer = aer;
    dev->errors->dpc = dpc;
    if (aer)
        forget(dev, may_clear);
}

bool pci_errors_start(struct pci_dev *dev)
{
    bool any = false;
    dev = pci_lowest(dev);
    bool may_clear = !are_firmwares(dev);
    for (struct pci_dev *d = dev; d; d = d->parent) {
        if (!d->errors)
            find(d, may_clear);
        any |= d->errors != NULL;
    }
    return any;
}
