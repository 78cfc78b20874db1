// SPDX-License-Identifier: BSD-2-Clause
// The list of checks, and what was found by each.

#include "drivers/vtd/platform/checks.h"

#include "lib/format.h"

#define UPDATE "update the firmware"

const struct check_words checks_list[CHECKS] = {
    [CHECK_TRUNCATED] = { "dmar-truncated", CHECK_FAIL, "VT-d 8.1",
                          "the table is as long as it says", UPDATE },
    [CHECK_SIGNATURE] = { "dmar-signature", CHECK_FAIL, "VT-d 8.1", "it starts with DMAR", UPDATE },
    [CHECK_CHECKSUM] = { "dmar-checksum", CHECK_FAIL, "VT-d 8.1", "its bytes sum to 0", UPDATE },
    [CHECK_WIDTH] = { "dmar-width", CHECK_FAIL, "VT-d 8.1", "address width of 12 to 52 bits",
                      UPDATE },
    [CHECK_FLAGS] = { "dmar-flags", CHECK_WARN, "VT-d 8.1",
                      "remapping is offered, and flags that need it come with it",
                      "turn VT-d and interrupt remapping on in the set-up" },
    [CHECK_OPT_OUT] = { "dmar-x2apic-opt-out", CHECK_WARN, "VT-d 8.1",
                        "software isn't asked to leave x2APIC off",
                        "clear the x2APIC opt-out in the set-up" },
    [CHECK_STRUCTURE] = { "dmar-structure", CHECK_FAIL, "VT-d 8.2",
                          "each structure has a length, and ends within the table", UPDATE },
    [CHECK_SHORT] = { "dmar-short", CHECK_FAIL, "VT-d 8.3 to 8.9",
                      "each structure holds its fields", UPDATE },
    [CHECK_TYPE] = { "dmar-type", CHECK_WARN, "VT-d 8.2", "types are known",
                     "none is needed, if the machine is newer than the specification's revision" },
    [CHECK_TYPE_ORDER] = { "dmar-type-order", CHECK_WARN, "VT-d 8.2",
                           "structures are in the order of their types", UPDATE },
    [CHECK_LARGE] = { "dmar-large", CHECK_WARN, "-", "the table fits what is compared pair by pair",
                      "tell us of a machine that has so much" },
    [CHECK_NO_UNIT] = { "dmar-no-unit", CHECK_FAIL, "VT-d 8.3", "there is a remapping unit",
                        "turn VT-d on in the set-up" },
    [CHECK_UNIT_ZERO] = { "dmar-unit-zero", CHECK_FAIL, "VT-d 8.3", "units have an address",
                          "switch that part of the board on, or " UPDATE },
    [CHECK_UNIT_ADDRESS] = { "dmar-unit-address", CHECK_FAIL, "VT-d 8.3",
                             "units lie within the host address width", UPDATE },
    [CHECK_UNIT_ALIGN] = { "dmar-unit-align", CHECK_FAIL, "VT-d 8.3",
                           "registers are aligned to their size", UPDATE },
    [CHECK_UNIT_RESERVED] = { "dmar-unit-reserved", CHECK_WARN, "VT-d 8.3",
                              "reserved bits of flags and size are 0", UPDATE },
    [CHECK_UNIT_TWICE] = { "dmar-unit-twice", CHECK_FAIL, "VT-d 8.3", "each unit is named once",
                           UPDATE },
    [CHECK_UNIT_OVERLAP] = { "dmar-unit-overlap", CHECK_FAIL, "VT-d 8.3",
                             "registers of two units don't overlap", UPDATE },
    [CHECK_UNIT_RAM] = { "dmar-unit-ram", CHECK_FAIL, "VT-d 8.3", "registers don't lie in RAM",
                         UPDATE },
    [CHECK_UNIT_EMPTY] = { "dmar-unit-empty", CHECK_WARN, "VT-d 8.3", "each unit serves something",
                           UPDATE },
    [CHECK_ALL_TWICE] = { "dmar-all-twice", CHECK_FAIL, "VT-d 8.3",
                          "one unit of a segment takes all other devices (INCLUDE_PCI_ALL)",
                          UPDATE },
    [CHECK_ALL_LAST] = { "dmar-all-last", CHECK_FAIL, "VT-d 8.3", "that unit is the segment's last",
                         UPDATE },
    [CHECK_SCOPE_LENGTH] = { "dmar-scope-length", CHECK_FAIL, "VT-d 8.3.1",
                             "device scopes have whole pairs, and end within their structure",
                             UPDATE },
    [CHECK_SCOPE_TYPE] = { "dmar-scope-type", CHECK_WARN, "VT-d 8.3.1", "types of scopes are known",
                           "none is needed, if the machine is newer than the specification's "
                           "revision" },
    [CHECK_SCOPE_PLACE] = { "dmar-scope-place", CHECK_WARN, "VT-d 8.4 to 8.9",
                            "scopes are of a type that their structure may have", UPDATE },
    [CHECK_SCOPE_PATH] = { "dmar-scope-path", CHECK_FAIL, "VT-d 8.3.1",
                           "scopes have a path of device numbers up to 31, functions up to 7",
                           UPDATE },
    [CHECK_SCOPE_WALK] = { "dmar-scope-walk", CHECK_FAIL, "VT-d 8.3.1", "paths lead over bridges",
                           UPDATE },
    [CHECK_SCOPE_ABSENT] = { "dmar-scope-absent", CHECK_WARN, "VT-d 8.3.1", "named devices exist",
                             "none is needed for what is switched off, else " UPDATE },
    [CHECK_SCOPE_HEADER] = { "dmar-scope-header", CHECK_FAIL, "VT-d 8.3.1",
                             "endpoints are no bridges, and bridges are", UPDATE },
    [CHECK_SCOPE_TWICE] = { "dmar-scope-twice", CHECK_WARN, "VT-d 8.3.1",
                            "a structure names a device once", UPDATE },
    [CHECK_SCOPE_SHARED] = { "dmar-scope-shared", CHECK_FAIL, "VT-d 8.3.1",
                             "a device is behind one unit", UPDATE },
    [CHECK_IOAPIC_TWICE] = { "dmar-ioapic-twice", CHECK_FAIL, "VT-d 8.3.1.1",
                             "an IOAPIC is named once", UPDATE },
    [CHECK_IOAPIC_UNKNOWN] = { "dmar-ioapic-unknown", CHECK_FAIL, "VT-d 8.3.1.1",
                               "IOAPIC ids are those of the MADT", UPDATE },
    [CHECK_IOAPIC_MISSING] = { "dmar-ioapic-missing", CHECK_FAIL, "VT-d 8.3.1.1",
                               "each IOAPIC of the MADT is behind a unit", UPDATE },
    [CHECK_HPET_TWICE] = { "dmar-hpet-twice", CHECK_FAIL, "VT-d 8.3.1.2",
                           "an HPET is named once by each path", UPDATE },
    [CHECK_HPET_UNKNOWN] = { "dmar-hpet-unknown", CHECK_WARN, "VT-d 8.3.1.2",
                             "HPET numbers are those of the HPET table", UPDATE },
    [CHECK_HPET_MISSING] = { "dmar-hpet-missing", CHECK_WARN, "VT-d 8.3.1.2",
                             "each HPET is behind a unit",
                             "none is needed where its timers send no MSIs, else " UPDATE },
    [CHECK_ACPI_UNKNOWN] = { "dmar-acpi-unknown", CHECK_FAIL, "VT-d 8.7",
                             "ACPI devices in scopes have an ANDD", UPDATE },
    [CHECK_RMRR_ALIGN] = { "dmar-rmrr-align", CHECK_FAIL, "VT-d 8.4",
                           "reserved memory is whole pages", UPDATE },
    [CHECK_RMRR_ORDER] = { "dmar-rmrr-order", CHECK_FAIL, "VT-d 8.4",
                           "its limit isn't below its base", UPDATE },
    [CHECK_RMRR_OVERLAP] = { "dmar-rmrr-overlap", CHECK_WARN, "VT-d 8.4",
                             "ranges don't overlap in part", UPDATE },
    [CHECK_RMRR_MEMORY] = { "dmar-rmrr-memory", CHECK_FAIL, "VT-d 8.4",
                            "the UEFI memory map doesn't give reserved memory away", UPDATE },
    [CHECK_RMRR_UNLISTED] = { "dmar-rmrr-unlisted", CHECK_WARN, "VT-d 8.4",
                              "the UEFI memory map tells of all reserved memory", UPDATE },
    [CHECK_RMRR_EMPTY] = { "dmar-rmrr-empty", CHECK_FAIL, "VT-d 8.4",
                           "reserved memory is for some device", UPDATE },
    [CHECK_ATSR_PORTS] = { "dmar-atsr-ports", CHECK_WARN, "VT-d 8.5",
                           "ATSR names root ports, or says ALL_PORTS, and not both", UPDATE },
    [CHECK_RHSA_UNIT] = { "dmar-rhsa-unit", CHECK_FAIL, "VT-d 8.6",
                          "RHSA is of a unit that there is", UPDATE },
    [CHECK_RHSA_TWICE] = { "dmar-rhsa-twice", CHECK_FAIL, "VT-d 8.6", "a unit has one RHSA",
                           UPDATE },
    [CHECK_RHSA_DOMAIN] = { "dmar-rhsa-domain", CHECK_WARN, "VT-d 8.6",
                            "RHSA's proximity domain is in the SRAT", UPDATE },
    [CHECK_ANDD_NAME] = { "dmar-andd-name", CHECK_FAIL, "VT-d 8.7",
                          "ANDD's name is a path that ends", UPDATE },
    [CHECK_ANDD_NUMBER] = { "dmar-andd-number", CHECK_FAIL, "VT-d 8.7",
                            "ANDD's numbers start at 1, each is used once", UPDATE },
    [CHECK_SATC_EMPTY] = { "dmar-satc-empty", CHECK_WARN, "VT-d 8.8", "SATC names devices",
                           UPDATE },
    [CHECK_SIDP_EMPTY] = { "dmar-sidp-empty", CHECK_WARN, "VT-d 8.9", "SIDP names devices",
                           UPDATE },
    [CHECK_CHIPSET] = { "chipset-remapping", CHECK_FAIL, "errata 47, 53",
                        "the chipset is no 5500 or 5520 whose interrupt remapping is broken",
                        "turn interrupt remapping off in the set-up, and run with irq=msi" },
    [CHECK_LEFT_MASTER] = { "left-master", CHECK_WARN, "UEFI 2.10, 7.4.6",
                            "no device could write to memory after ExitBootServices",
                            "have firmware's driver of that device stop it" },
    [CHECK_HSTI_FORM] = { "hsti-form", CHECK_WARN, "HSTI 1.1a",
                          "Hardware Security Test Interfaces give whole structures", UPDATE },
    [CHECK_HSTI_VERIFIED] = { "hsti-verified", CHECK_WARN, "HSTI 1.1a",
                              "what the reference platform requires, some role has verified",
                              "ask the vendor what the bits stand for; provision the machine "
                              "(keys, locks, DMA protection)" },
    [CHECK_UNIT_ABSENT] = { "unit-absent", CHECK_WARN, "VT-d 11.4.2",
                            "units answer where they are said to be",
                            "switch that part of the board on, or " UPDATE },
    [CHECK_UNIT_IR] = { "unit-ir", CHECK_FAIL, "VT-d 8.1, 11.4.3",
                        "units remap interrupts where the table says that the platform does",
                        "turn interrupt remapping on in the set-up" },
    [CHECK_UNIT_QI] = { "unit-qi", CHECK_FAIL, "VT-d 11.4.3",
                        "units that remap have a queue of invalidations", UPDATE },
    [CHECK_UNIT_EIM] = { "unit-eim", CHECK_WARN, "VT-d 11.4.3",
                         "units that remap take x2APIC ids, where the CPUs have such",
                         "turn x2APIC on in the set-up" },
    [CHECK_UNIT_EIM_ALONE] = { "unit-eim-alone", CHECK_FAIL, "VT-d 11.4.3",
                               "units that take x2APIC ids remap", UPDATE },
    [CHECK_UNIT_PI_ALONE] = { "unit-pi-alone", CHECK_FAIL, "VT-d 11.4.2", "units that post remap",
                              UPDATE },
    [CHECK_UNIT_PROTECTS_HALF] = { "unit-protects-half", CHECK_WARN, "VT-d 11.4.2",
                                   "units protect low and high memory, or neither", UPDATE },
    [CHECK_UNITS_DIFFER] = { "units-differ", CHECK_WARN, "VT-d 11.4.2, 11.4.3",
                             "all units can post, remap, take x2APIC ids, or none can",
                             "look for a set-up word that is on for one socket alone" },
    [CHECK_UNITS_WIDTH] = { "units-width", CHECK_WARN, "VT-d 11.4.2",
                            "all units have the same widths of addresses and tables",
                            "none is needed: DMA is fenced by what all of them have" },
    [CHECK_LEFT_REMAPPING] = { "left-remapping", CHECK_WARN, "VT-d 11.4.4.2",
                               "firmware left interrupt remapping off",
                               "none is needed here; a system that doesn't take it over loses "
                               "interrupts" },
    [CHECK_LEFT_COMPATIBILITY] = { "left-compatibility", CHECK_WARN, "VT-d 5.1.4, 11.4.4.2",
                                   "firmware left compatibility format blocked", UPDATE },
    [CHECK_LEFT_QUEUE] = { "left-queue", CHECK_WARN, "VT-d 6.5.2, 11.4.4.2",
                           "firmware left the queue off, unless it translates or remaps", UPDATE },
    [CHECK_LEFT_FAULTS] = { "left-faults", CHECK_WARN, "VT-d 11.4.7.1",
                            "no fault and no error of the queue was recorded before",
                            "look for a device that firmware lets do what its tables don't allow" },
    [CHECK_LEFT_FAULT_EVENT] = { "left-fault-event", CHECK_WARN, "VT-d 11.4.7.2",
                                 "firmware left fault events masked", UPDATE },
    [CHECK_LEFT_PROTECTED] = { "left-protected", CHECK_WARN, "VT-d 11.4.8.1",
                               "protected memory is off, unless the platform claims to end DMA",
                               "none is needed here; a system that doesn't turn it off gets no "
                               "data from its disks" },
    [CHECK_LEFT_PROTECTED_EMPTY] = { "left-protected-empty", CHECK_FAIL, "VT-d 11.4.8",
                                     "protected memory that is on protects some", UPDATE },
    [CHECK_LEFT_X2APIC] = { "left-x2apic", CHECK_FAIL, "VT-d 8.1",
                            "with x2APIC left on, remapping is offered, and x2APIC not opted out "
                            "of",
                            "turn interrupt remapping on in the set-up, and the opt-out off" },
    [CHECK_LEFT_EIME] = { "left-eime", CHECK_FAIL, "VT-d 5.1.4, 11.4.10",
                          "remapping that was left on has ids of the CPUs' mode, which the unit "
                          "can",
                          UPDATE },
    [CHECK_LEFT_DMA_CLAIM] = { "left-dma-claim", CHECK_FAIL, "VT-d 8.1",
                               "where the platform claims to end DMA (flags, bit 2), it did",
                               "have firmware's drivers stop their devices, or leave DMA "
                               "protection on" },
};

void checks_add(struct checks *c, enum check_id id, const char *fmt, ...)
{
    struct check_result *r = &c->of[id];
    va_list args;
    r->verdict = checks_list[id].bad;
    if (r->count++)
        return;
    va_start(args, fmt);
    format_text_v(r->found, sizeof(r->found), fmt, args);
    va_end(args);
}

void checks_made(struct checks *c, enum check_id id)
{
    if (c->of[id].verdict == CHECK_SKIPPED)
        c->of[id].verdict = CHECK_PASS;
}

unsigned checks_count(const struct checks *c, enum verdict verdict)
{
    unsigned count = 0;
    for (size_t i = 0; i < CHECKS; i++)
        count += c->of[i].verdict == verdict;
    return count;
}

const char *checks_verdict_name(enum verdict verdict)
{
    static const char *const names[] = { "-", "PASS", "WARN", "FAIL" };
    return names[verdict];
}
