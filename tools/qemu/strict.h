// SPDX-License-Identifier: BSD-2-Clause
// strict=on: the programming rules of VT-d that stock QEMU lets pass. Each breach is told, counted,
// and makes QEMU exit with STRICT_EXIT.
#pragma once

#include <stdio.h>

#include "lib/bits.h"

#define STRICT_EXIT 77

// RULE(constant, short id, section, rule)
// clang-format off
#define STRICT_RULES(RULE)                                                                         \
    RULE(GCMD_ONE, "gcmd-one-command", "11.4.4.1", "GCMD changes one thing at a time")             \
    RULE(GCMD_BUSY, "gcmd-not-awaited", "11.4.4.1",                                                \
         "GCMD is written only when GSTS has shown the last command done")                         \
    RULE(IRE_TABLE, "ire-before-sirtp", "6.7", "IRE is set only when a table is, by SIRTP")        \
    RULE(IRE_CACHE, "ire-before-invalidation", "6.7",                                              \
         "a global invalidation of the interrupt entry cache follows SIRTP")                       \
    RULE(IRTA_SIRTP, "irta-without-sirtp", "6.7", "while IRE=1, SIRTP follows a change of IRTA")   \
    RULE(IRTA_VALUE, "irta-invalid", "5.1.3", "IRTA names RAM, and its reserved bits are zero")    \
    RULE(TE_TABLE, "te-before-srtp", "6.6", "TE is set only when a root table is, by SRTP")        \
    RULE(TE_CACHE, "te-before-invalidation", "6.6",                                                \
         "global invalidations of contexts, then of pages, follow SRTP")                           \
    RULE(TE_MASTER, "te-with-masters", "6.6",                                                \
         "a function that masters the bus when TE is set has a context")                           \
    RULE(RTADDR_VALUE, "rtaddr-invalid", "11.4.5", "RTADDR names RAM, and its reserved bits are "  \
         "zero")                                                                                   \
    RULE(RTADDR_MODE, "rtaddr-mode", "11.4.5", "the mode of tables changes only while TE=0")       \
    RULE(DMA_IN_PLACE, "dma-entry-in-place", "6.2.3",                                              \
         "a present entry of the tables for DMA is not changed in place")                          \
    RULE(DMA_RESERVED, "dma-entry-reserved", "9.1, 9.3, 9.8",                                      \
         "reserved bits of entries of the tables for DMA are zero")                                \
    RULE(DMA_STALE, "dma-entry-not-invalidated", "6.2, 6.5.3",                                     \
         "a changed entry of the tables for DMA is invalidated")                                   \
    RULE(DMA_DOMAIN, "dma-domain-of-two", "6.2.2.1, 9.3",                                          \
         "contexts of one domain lead to the same tables")                                         \
    RULE(IQA_WHILE_ON, "iqa-while-enabled", "6.5.2", "IQA is written only while QIE=0")            \
    RULE(IQA_VALUE, "iqa-invalid", "6.5.2", "IQA names RAM, and its reserved bits are zero")       \
    RULE(IQT_START, "iqt-not-zero", "6.5.2", "IQT is zero when QIE is set")                        \
    RULE(IQT_VALUE, "iqt-invalid", "6.5.2", "IQT points to a descriptor of the queue")             \
    RULE(QIE_OFF, "qie-off-with-work", "6.5.2", "QIE is cleared only when the queue is empty")     \
    RULE(QI_READ, "descriptor-unreadable", "6.5.2", "descriptors lie in memory")                   \
    RULE(QI_TYPE, "descriptor-type", "6.5.2", "a descriptor has a type that the unit knows")       \
    RULE(QI_RESERVED, "descriptor-reserved", "6.5.2", "reserved bits of descriptors are zero")     \
    RULE(QI_IEC_MASK, "iec-mask", "6.5.2.8", "IM is at most ECAP.MHMV")                            \
    RULE(QI_WAIT, "wait-status", "6.5.2.9", "a wait descriptor's status goes to RAM")              \
    RULE(IRTE_ABSENT, "entry-not-present", "5.1.4", "interrupts go to present entries")            \
    RULE(WINDOW_DATA, "data-in-interrupt-window", "3.14",                                          \
         "writes to the interrupt window are interrupts")                                          \
    RULE(IRTE_STALE, "entry-not-invalidated", "6.5.2.8",                                           \
         "a changed entry is invalidated in the interrupt entry cache")                            \
    RULE(IRTE_RESERVED, "entry-reserved", "9.9, 9.10", "reserved bits of entries are zero")        \
    RULE(PD_ALIGN, "posted-descriptor-unaligned", "9.10, 9.11",                                    \
         "a posted-interrupt descriptor is aligned to 64 bytes")                                   \
    RULE(PD_MEMORY, "posted-descriptor-memory", "9.11", "a posted-interrupt descriptor is RAM")    \
    RULE(PD_RESERVED, "posted-descriptor-reserved", "9.11",                                        \
         "reserved bits of posted-interrupt descriptors are zero")

// Of the Data Streaming Accelerator's specification.
#define DSA_STRICT_RULES(RULE)                                                                     \
    RULE(DSA_CMD_ACTIVE, "dsa-command-active", "9.2.12",                                           \
         "CMD is written only while CMDSTATUS.Active is 0")                                        \
    RULE(DSA_COMMAND, "dsa-command-failed", "5.8.3", "commands suit the state and configuration")  \
    RULE(DSA_LOCKED, "dsa-read-only", "table 9-4", "configuration changes only where it may")      \
    RULE(DSA_RESERVED, "dsa-register-reserved", "9.2", "reserved bits of registers are zero")      \
    RULE(DSA_BUS_MASTER, "dsa-bus-master", "5.7",                                                  \
         "bus mastering is on as long as the device is not Disabled")                              \
    RULE(DSA_PORTAL_WRITE, "dsa-portal-write", "9.3",                                              \
         "a portal takes 64 bytes at once, here as eight ascending stores")                        \
    RULE(DSA_PORTAL_CLOSED, "dsa-portal-closed", "5.3",                                            \
         "descriptors are written to enabled dedicated queues")                                    \
    RULE(DSA_QUEUE_FULL, "dsa-queue-full", "5.3", "software keeps count of a queue's entries")     \
    RULE(DSA_SUBMIT_BUSY, "dsa-submit-while-emptied", "3.15",                                      \
         "nothing is submitted to queues that are being drained or aborted")                       \
    RULE(DSA_DESCRIPTOR, "dsa-descriptor", "5.4", "descriptors pass their checks")                 \
    RULE(DSA_RECORD_CLEAR, "dsa-record-not-cleared", "3.6",                                        \
         "the status of a completion record is 0 before it is written")                            \
    RULE(DSA_WRITE_LOST, "dsa-write-lost", "3.13.1",                                               \
         "without ATS, all memory that is written is mapped")
// clang-format on

enum strict_rule {
#define RULE(constant, id, section, text) RULE_##constant,
    STRICT_RULES(RULE) DSA_STRICT_RULES(RULE)
#undef RULE
        RULES_END,
};

// From qemu_plugin_install(), ahead of what QEMU itself does at exit.
void strict_init(void);
bool strict_on(void);
// Does nothing unless strict=on.
void strict_breach(enum strict_rule rule, const char *format, ...) PRINTF_LIKE(2, 3);

// At exit.
void strict_print_table(void);
void strict_print_json(FILE *out); // a member of an object, after a comma
