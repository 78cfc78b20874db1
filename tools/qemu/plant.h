// SPDX-License-Identifier: BSD-2-Clause
// plant=NAME: one fault that a real unit might have, for tests of what looks for such faults. Hooks where a
// request is decoded, posted or blocked; without plant= they change nothing.
#pragma once

#include "tools/qemu/descriptor.h"
#include "tools/qemu/irte.h"
#include "tools/qemu/qemu_abi.h"

// PLANT(constant, name, what the unit does)
// clang-format off
#define PLANTS(PLANT)                                                                              \
    PLANT(ON_NOT_SET, "on-not-set", "a post notifies and leaves ON clear")                         \
    PLANT(ON_IGNORED, "on-ignored", "posts notify though ON is set")                               \
    PLANT(ON_WITH_SN, "on-with-sn", "a post that SN suppresses sets ON")                           \
    PLANT(SN_IGNORED, "sn-ignored", "posts notify though SN is set")                               \
    PLANT(URG_IGNORED, "urg-ignored", "urgent posts are suppressed as others are")                 \
    PLANT(URG_REPEATS, "urg-repeats", "urgent posts notify though ON is set")                      \
    PLANT(PIR_BIT, "pir-bit-wrong", "vectors from 80h on set the bit 80h below")                   \
    PLANT(PIR_WORD, "pir-word-lost", "a post clears the rest of its word")                         \
    PLANT(NDST_SHIFTED, "ndst-shifted", "NDST is taken from bits 15:8, as in xAPIC mode")          \
    PLANT(NDST_STALE, "ndst-stale", "NDST is the one of before while the PIR isn't empty")         \
    PLANT(NV_STALE, "nv-stale", "NV is the one of the first post to this destination")             \
    PLANT(CONTROL_WRITTEN, "control-written", "an urgent post clears SN")                          \
    PLANT(SUBHANDLE, "subhandle-ignored", "the subhandle isn't added to the handle")               \
    PLANT(DATA_ADDED, "data-added", "the data are added to the handle whatever SHV says")          \
    PLANT(BUS_RANGE, "bus-range-refused", "SVT 2 accepts nobody")                                  \
    PLANT(REMAPPED_VECTOR, "remapped-vector", "bit 0 of a remapped entry's vector is inverted")    \
    PLANT(STALE_TABLE, "stale-over-sirtp", "global invalidations leave the entry cache as it is")  \
    PLANT(MASK, "mask-ignored", "an invalidation reaches one entry whatever IM says")              \
    PLANT(FAULT_REASON, "fault-code-wrong", "26h is recorded as 22h")                              \
    PLANT(FAULT_INDEX, "fault-index-wrong", "recorded indexes are one too high")                   \
    PLANT(FAULT_SOURCE, "fault-source-wrong", "recorded sources have another device number")       \
    PLANT(FAULT_LOST, "fault-lost", "28h isn't recorded")                                          \
    PLANT(FPD_IGNORED, "fpd-ignored", "faults are recorded though FPD is set")                     \
    PLANT(EVENT_LOST, "event-lost", "the fault event can't be unmasked")                           \
    PLANT(OVERFLOW_UNTOLD, "overflow-untold", "FSTS.PFO is never seen")                            \
    PLANT(COMPATIBILITY, "compatibility-passes", "compatibility format isn't blocked")             \
    PLANT(SOURCE, "source-unchecked", "posted entries serve any sender")                           \
    PLANT(ENTRY_RESERVED, "entry-reserved-passes", "reserved bits of entries don't count")         \
    PLANT(DESCRIPTOR_RESERVED, "descriptor-reserved-passes",                                       \
          "reserved bits of descriptors don't count")
// clang-format on

enum plant {
    NO_PLANT,
#define PLANT(constant, name, text) PLANT_##constant,
    PLANTS(PLANT)
#undef PLANT
};

// Refuses a name that there isn't.
void plant_choose(const char *name);
bool planted(enum plant plant);

// What the request asks for; data as sent.
void plant_in_request(struct msi_request *request, uint64_t address, uint32_t data);
// Who the entry accepts, and whether its format is right.
enum fault_reason plant_in_entry(struct irte e, enum fault_reason fault);
// The message of a remapped entry.
void plant_in_message(struct msi_message *message);
// A post to the descriptor, in place of descriptor_post().
struct post plant_post(struct descriptor *d, uint64_t address, struct irte e, bool x2apic);
// What is to be recorded.
void plant_in_fault(enum fault_reason *reason, uint16_t *index, bool *hidden,
                    struct qemu_attrs *attrs);
// Registers of the unit, as the guest reads and writes them.
uint32_t plant_in_read(uint32_t offset, uint32_t value);
uint32_t plant_in_write(uint32_t offset, uint32_t value);
