// SPDX-License-Identifier: BSD-2-Clause
// Every field of VT-d's registers and table entries by the specification's name, for people. Sections
// are those of revision 5.10; fields that older revisions name, and it doesn't, are left out.
#pragma once

#include "drivers/vtd/vtd_regs.h"
#include "kernel/run/command.h"

// clang-format off: a line for each field

static const char *const fields_no_yes[] = { "no", "yes", NULL };
static const char *const fields_off_on[] = { "off", "on", NULL };

static const struct command_field fields_cap[] = { // VT-d 11.4.2
    { "ESRTPS", BIT64(63), fields_no_yes },
    { "ESIRTPS", VTD_CAP_ESIRTPS, fields_no_yes },
    { "ECMDS", BIT64(61), fields_no_yes },
    { "FS5LP", BIT64(60), fields_no_yes },
    { "PI", VTD_CAP_PI, (const char *const[]){ "can't post interrupts", "posts interrupts", NULL } },
    { "FS1GP", BIT64(56), fields_no_yes },
    { "DRD", VTD_CAP_DRD, fields_no_yes },
    { "DWD", VTD_CAP_DWD, fields_no_yes },
    { "MAMV", BITS64(53, 48), NULL },
    { "NFR", VTD_CAP_NFR, NULL },
    { "PSI", BIT64(39), fields_no_yes },
    { "SSLPS", VTD_CAP_SLLPS, (const char *const[]){ "none", "2 MiB", "1 GiB", "2 MiB, 1 GiB", NULL } },
    { "FRO", VTD_CAP_FRO, NULL },
    { "ZLR", BIT64(22), fields_no_yes },
    { "MGAW", VTD_CAP_MGAW, NULL },
    { "SAGAW", VTD_CAP_SAGAW, NULL },
    { "CM", VTD_CAP_CM, fields_no_yes },
    { "PHMR", VTD_CAP_PHMR, fields_no_yes },
    { "PLMR", VTD_CAP_PLMR, fields_no_yes },
    { "RWBF", VTD_CAP_RWBF, fields_no_yes },
    { "ND", VTD_CAP_ND, (const char *const[]){ "16 domains", "64", "256", "1024", "4096", "16384",
                                               "65536", NULL } },
};

static const struct command_field fields_ecap[] = { // VT-d 11.4.3
    { "RPRIVS", BIT64(53), fields_no_yes },
    { "ADMS", VTD_ECAP_ADMS, fields_no_yes },
    { "RPS", BIT64(49), fields_no_yes },
    { "SMPWCS", BIT64(48), fields_no_yes },
    { "FSTS", BIT64(47), fields_no_yes },
    { "SSTS", BIT64(46), fields_no_yes },
    { "SSADS", BIT64(45), fields_no_yes },
    { "VCS", BIT64(44), fields_no_yes },
    { "SMTS", VTD_ECAP_SMTS, fields_no_yes },
    { "PDS", BIT64(42), fields_no_yes },
    { "DIT", BIT64(41), fields_no_yes },
    { "PASID", BIT64(40), fields_no_yes },
    { "PSS", BITS64(39, 35), NULL },
    { "EAFS", BIT64(34), fields_no_yes },
    { "NWFS", BIT64(33), fields_no_yes },
    { "SRS", BIT64(31), fields_no_yes },
    { "ERS", BIT64(30), fields_no_yes },
    { "PRS", VTD_ECAP_PRS, fields_no_yes },
    { "NEST", BIT64(26), fields_no_yes },
    { "MTS", BIT64(25), fields_no_yes },
    { "MHMV", VTD_ECAP_MHMV, NULL },
    { "IRO", VTD_ECAP_IRO, NULL },
    { "SC", BIT64(7), fields_no_yes },
    { "PT", BIT64(6), fields_no_yes },
    { "EIM", VTD_ECAP_EIM, (const char *const[]){ "8-bit APIC ids", "x2APIC ids", NULL } },
    { "IR", VTD_ECAP_IR, fields_no_yes },
    { "DT", BIT64(2), fields_no_yes },
    { "QI", VTD_ECAP_QI, fields_no_yes },
    { "C", VTD_ECAP_C, (const char *const[]){ "tables aren't snooped", "tables are snooped", NULL } },
};

static const struct command_field fields_gsts[] = { // VT-d 11.4.4.2
    { "TES", VTD_GCMD_TE, fields_off_on },
    { "RTPS", VTD_GCMD_SRTP, fields_no_yes },
    { "WBFS", VTD_GCMD_WBF, fields_no_yes },
    { "QIES", VTD_GCMD_QIE, fields_off_on },
    { "IRES", VTD_GCMD_IRE, fields_off_on },
    { "IRTPS", VTD_GCMD_SIRTP, fields_no_yes },
    { "CFIS", VTD_GCMD_CFI, (const char *const[]){ "compatibility format is blocked",
                                                   "compatibility format passes", NULL } },
};

static const struct command_field fields_fsts[] = { // VT-d 11.4.7.1
    { "FRI", VTD_FSTS_FRI, NULL },
    { "ITE", VTD_FSTS_ITE, fields_no_yes },
    { "ICE", VTD_FSTS_ICE, fields_no_yes },
    { "IQE", VTD_FSTS_IQE, fields_no_yes },
    { "PPF", VTD_FSTS_PPF, (const char *const[]){ "no fault is recorded", "faults are recorded", NULL } },
    { "PFO", VTD_FSTS_PFO, (const char *const[]){ "", "some found no record", NULL } },
};

static const struct command_field fields_event[] = { // VT-d 11.4.7.2
    { "IM", VTD_EVENT_IM, (const char *const[]){ "events are sent", "masked", NULL } },
    { "IP", VTD_EVENT_IP, fields_no_yes },
};

static const struct command_field fields_rtaddr[] = { // VT-d 11.4.5
    { "RTA", VTD_RTADDR_RTA, NULL },
    { "TTM", VTD_RTADDR_TTM, (const char *const[]){ "legacy", "scalable", "reserved",
                                                    "aborts DMA", NULL } },
};

static const struct command_field fields_iqa[] = { // VT-d 11.4.9.3
    { "IQA", VTD_IQA_IQA, NULL },
    { "DW", VTD_IQA_DW, (const char *const[]){ "128-bit descriptors", "256-bit descriptors", NULL } },
    { "QS", VTD_IQA_QS, NULL },
};

static const struct command_field fields_iq_offset[] = { // VT-d 11.4.9.1, 11.4.9.2
    { "QH/QT", VTD_IQ_OFFSET, NULL },
};

static const struct command_field fields_irta[] = { // VT-d 11.4.10
    { "IRTA", VTD_IRTA_IRTA, NULL },
    { "EIME", VTD_IRTA_EIME, (const char *const[]){ "8-bit APIC ids", "x2APIC ids", NULL } },
    { "S", VTD_IRTA_S, NULL },
};

static const struct command_field fields_pmen[] = { // VT-d 11.4.8.1
    { "EPM", VTD_PMEN_EPM, fields_off_on },
    { "PRS", VTD_PMEN_PRS, fields_off_on },
};

static const struct command_field fields_frcd_low_dma[] = { // VT-d 11.4.7.6
    { "FI", VTD_FRCD_LOW_FI, NULL },
};
static const struct command_field fields_frcd_low_irq[] = {
    { "FI", VTD_FRCD_LOW_INDEX, NULL },
};
static const struct command_field fields_frcd_high[] = {
    { "F", VTD_FRCD_HIGH_F, fields_no_yes },
    { "T1", VTD_FRCD_HIGH_T1, NULL },
    { "FR", VTD_FRCD_HIGH_FR, NULL },
    { "T2", VTD_FRCD_HIGH_T2, NULL },
    { "SID", VTD_FRCD_HIGH_SID, NULL },
};

// ---- entries ----

static const struct command_field fields_irte_low_remapped[] = { // VT-d 9.9
    { "DST", IRTE_LOW_DST, NULL },
    { "V", IRTE_LOW_V, NULL },
    { "IM", IRTE_LOW_IM, (const char *const[]){ "remapped", "posted", NULL } },
    { "AVAIL", IRTE_LOW_AVAIL, NULL },
    { "DLM", IRTE_LOW_DLM, (const char *const[]){ "fixed", "lowest priority", "SMI", "reserved", "NMI",
                                                  "INIT", "reserved", "ExtINT", NULL } },
    { "TM", IRTE_LOW_TM, (const char *const[]){ "edge", "level", NULL } },
    { "RH", IRTE_LOW_RH, NULL },
    { "DM", IRTE_LOW_DM, (const char *const[]){ "physical", "logical", NULL } },
    { "FPD", IRTE_LOW_FPD, (const char *const[]){ "faults are recorded", "faults aren't recorded", NULL } },
    { "P", IRTE_LOW_P, (const char *const[]){ "absent", "present", NULL } },
};

static const struct command_field fields_irte_low_posted[] = { // VT-d 9.10
    { "PDAL", IRTE_LOW_PDAL, NULL },
    { "VV", IRTE_LOW_V, NULL },
    { "IM", IRTE_LOW_IM, (const char *const[]){ "remapped", "posted", NULL } },
    { "URG", IRTE_LOW_URG, (const char *const[]){ "not urgent", "urgent", NULL } },
    { "AVAIL", IRTE_LOW_AVAIL, NULL },
    { "FPD", IRTE_LOW_FPD, (const char *const[]){ "faults are recorded", "faults aren't recorded", NULL } },
    { "P", IRTE_LOW_P, (const char *const[]){ "absent", "present", NULL } },
};

#define FIELDS_IRTE_HIGH_BOTH                                                                      \
    { "SVT", IRTE_HIGH_SVT, (const char *const[]){ "no check", "SID and SQ", "buses", "reserved", NULL } }, \
    { "SQ", IRTE_HIGH_SQ, (const char *const[]){ "all bits count", "all but function bit 2",       \
                                                 "all but function bits 2:1", "all but the function", NULL } }, \
    { "SID", IRTE_HIGH_SID, NULL }
static const struct command_field fields_irte_high_remapped[] = { FIELDS_IRTE_HIGH_BOTH };
static const struct command_field fields_irte_high_posted[] = {
    { "PDAH", IRTE_HIGH_PDAH, NULL },
    FIELDS_IRTE_HIGH_BOTH,
};

static const struct command_field fields_root_low[] = { // VT-d 9.1
    { "CTP", ROOT_LOW_CTP, NULL },
    { "P", ROOT_LOW_P, (const char *const[]){ "absent", "present", NULL } },
};
static const struct command_field fields_context_low[] = { // VT-d 9.3
    { "SSPTPTR", CONTEXT_LOW_TABLE, NULL },
    { "TT", CONTEXT_LOW_TT, (const char *const[]){ "untranslated requests", "all requests",
                                                   "pass-through", "reserved", NULL } },
    { "FPD", CONTEXT_LOW_FPD, (const char *const[]){ "faults are recorded", "faults aren't recorded", NULL } },
    { "P", CONTEXT_LOW_P, (const char *const[]){ "absent", "present", NULL } },
};
static const struct command_field fields_context_high[] = {
    { "DID", CONTEXT_HIGH_DID, NULL },
    { "AW", CONTEXT_HIGH_AW, (const char *const[]){ "reserved", "3 levels", "4 levels", "5 levels", NULL } },
};
