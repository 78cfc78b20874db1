// SPDX-License-Identifier: BSD-2-Clause
// The command pci: functions, and the configuration space of one.

#include "apps/monitor/monitor.h"
#include "kernel/base/report.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/pci_regs.h"
#include "lib/format.h"
#include "lib/string.h"

#define CONFIG_BYTES 256
#define CAP_IDS 0x16     // of PCIe Base 6.0, 7.5
#define EXT_CAP_IDS 0x40 // 7.6

static const char *class_name(uint32_t class_code)
{
    static const struct {
        unsigned shift; // of the class code: interface, subclass or class
        uint32_t code;
        const char *name;
    } names[] = {
        { 0, 0x010802, "NVMe" },        { 8, 0x0108, "NVM" },        { 8, 0x0104, "RAID" },
        { 8, 0x0106, "SATA" },          { 8, 0x0200, "Ethernet" },   { 8, 0x0300, "VGA" },
        { 8, 0x0600, "host bridge" },   { 8, 0x0601, "ISA bridge" }, { 8, 0x0604, "PCI bridge" },
        { 8, 0x0880, "system device" }, { 8, 0x0c03, "USB" },        { 8, 0x0c05, "SMBus" },
        { 16, 0x01, "storage" },        { 16, 0x02, "network" },     { 16, 0x03, "display" },
        { 16, 0x04, "multimedia" },     { 16, 0x06, "bridge" },      { 16, 0x08, "system" },
        { 16, 0x0c, "serial bus" },     { 16, 0x12, "accelerator" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (class_code >> names[i].shift == names[i].code)
            return names[i].name;
    return "";
}

static void list(void)
{
    for_each_pci_dev (dev)
        if (!dev->removed)
            info("%-14s %04x:%04x class %06x %-14s%s%s", dev->name, dev->vendor, dev->device,
                 dev->class_code, class_name(dev->class_code),
                 pci_read16(dev, PCI_COMMAND) & PCI_COMMAND_MASTER ? " bus-master" : "",
                 !dev->granted ? ""
                 : dev->space  ? " granted to a domain"
                               : " granted");
}

static const struct command_field command_fields[] = {
    { "IOSE", PCI_COMMAND_IO, NULL },
    { "MSE", PCI_COMMAND_MEMORY, NULL },
    { "BME", PCI_COMMAND_MASTER, NULL },
    { "IntxDis", PCI_COMMAND_INTX_DISABLE, NULL },
};
static const struct command_field msix_fields[] = {
    { "Size", PCI_MSIX_CONTROL_TABLE_SIZE, NULL },
    { "FuncMask", PCI_MSIX_CONTROL_FUNCTION_MASK, NULL },
    { "Enable", PCI_MSIX_CONTROL_ENABLE, NULL },
};

static void print_config(const struct pci_dev *dev)
{
    for (unsigned at = 0; at < CONFIG_BYTES; at += 16)
        info("  %03x  %08x %08x %08x %08x", at, pci_read32(dev, at), pci_read32(dev, at + 4),
             pci_read32(dev, at + 8), pci_read32(dev, at + 12));
}

static void print_caps(const struct pci_dev *dev)
{
    for (unsigned id = 1; id < CAP_IDS; id++) {
        unsigned at = pci_find_cap(dev, (uint8_t)id);
        if (at)
            info("  capability %02x at %02x%s", id, at,
                 id == PCI_CAP_MSIX  ? " (MSI-X)"
                 : id == PCI_CAP_EXP ? " (PCI Express)"
                                     : "");
    }
    for (unsigned id = 1; id < EXT_CAP_IDS; id++) {
        unsigned at = pci_find_ext_cap(dev, (uint16_t)id);
        if (at)
            info("  extended capability %04x at %03x", id, at);
    }
    unsigned msix = pci_find_cap(dev, PCI_CAP_MSIX);
    if (msix)
        command_print_fields("  MSI-X control", pci_read16(dev, msix + PCI_MSIX_CONTROL),
                             msix_fields, ARRAY_SIZE(msix_fields));
}

static void print_function(const struct pci_dev *dev)
{
    info("%s: %04x:%04x, class %06x %s, requester id %04x", dev->name, dev->vendor, dev->device,
         dev->class_code, class_name(dev->class_code), dev->requester);
    command_print_fields("  Command", pci_read16(dev, PCI_COMMAND), command_fields,
                         ARRAY_SIZE(command_fields));
    print_caps(dev);
    print_config(dev);
}

static bool pci(const struct command_words *words, struct problem *p)
{
    if (!command_at_most(words, 1, p))
        return false;
    if (words->count == 1) {
        list();
        return true;
    }
    const struct pci_dev *dev = command_pci_function(words->word[1], p);
    if (!dev)
        return false;
    print_function(dev);
    return true;
}

static const char *pci_candidate(const struct command_words *before, size_t i)
{
    const struct pci_dev *dev = before->count == 1 ? pci_get(i) : NULL;
    return dev ? dev->name + (dev->segment ? 0 : 5) : NULL;
}

COMMAND(command_pci) = {
    .name = "pci",
    .usage = "[BUS:DEV.FN]",
    .help = "PCI functions; or capabilities and configuration space of one",
    .when = COMMAND_ALWAYS,
    .run = pci,
    .candidate = pci_candidate,
};
