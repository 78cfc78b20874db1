// SPDX-License-Identifier: BSD-2-Clause
// Intel Data Streaming Accelerator as the bus has it: registers, tables, descriptors, completion
// records. Names and sections are those of the architecture specification (341204-006, revision 3.0).
#pragma once

#include "lib/bits.h"
#include "lib/types.h"

// clang-format off: it would undo the indentation of fields below their register

#define DSA_VENDOR 0x8086
#define DSA_BAR_REGISTERS 0
#define DSA_BAR_PORTALS 2
#define DSA_REGISTERS_BYTES (64 * KIB) // at least

// ---- registers, BAR 0 (9.2) ----

#define DSA_VERSION 0x00 // 32 bits
#define   DSA_VERSION_MINOR BITS32(7, 0)
#define   DSA_VERSION_MAJOR BITS32(15, 8)

#define DSA_GENCAP 0x10 // 64 bits
#define   DSA_GENCAP_CACHE_CONTROL BIT64(2)
#define   DSA_GENCAP_CMDCAP BIT64(4)         // CMDCAP is there
#define   DSA_GENCAP_FAULT_INFO BIT64(12) // completion records have it
#define   DSA_GENCAP_MAX_TRANSFER BITS64(20, 16) // shift
#define   DSA_GENCAP_MAX_BATCH BITS64(24, 21)    // shift
#define   DSA_GENCAP_CONFIGURABLE BIT64(31)

#define DSA_WQCAP 0x20 // 64 bits
#define   DSA_WQCAP_TOTAL_SIZE BITS64(15, 0) // entries of all WQs together
#define   DSA_WQCAP_WQS BITS64(23, 16)
#define   DSA_WQCAP_WQCFG_SIZE BITS64(27, 24) // 2^(5 + n) bytes for each
#define   DSA_WQCAP_DEDICATED BIT64(49)

#define DSA_GRPCAP 0x30 // 64 bits
#define   DSA_GRPCAP_GROUPS BITS64(7, 0)
#define   DSA_GRPCAP_READ_BUFFERS BITS64(15, 8)
#define   DSA_GRPCAP_READ_BUFFER_CONTROL BIT64(16)

#define DSA_ENGCAP 0x38 // 64 bits
#define   DSA_ENGCAP_ENGINES BITS64(7, 0)

#define DSA_OPCAP 0x40 // 256 bits: one for each operation

#define DSA_OFFSETS 0x60 // 128 bits, in units of DSA_OFFSET_UNIT
#define   DSA_OFFSETS_GRPCFG BITS64(15, 0)
#define   DSA_OFFSETS_WQCFG BITS64(31, 16)
#define   DSA_OFFSETS_MSIX_PERM BITS64(47, 32)
#define DSA_OFFSET_UNIT 0x100

#define DSA_GENCFG 0x80 // 32 bits

#define DSA_GENCTRL 0x88 // 32 bits
#define   DSA_GENCTRL_ERROR_INTERRUPT BIT32(0)
#define   DSA_GENCTRL_HALT_INTERRUPT BIT32(1)

#define DSA_GENSTS 0x90 // 32 bits
#define   DSA_GENSTS_STATE BITS32(1, 0)
#define   DSA_GENSTS_RESET BITS32(3, 2) // what a halted one needs
#define DSA_STATE_DISABLED 0
#define DSA_STATE_ENABLED 1
#define DSA_STATE_DRAINING 2
#define DSA_STATE_HALTED 3

#define DSA_INTCAUSE 0x98 // 32 bits, a one clears
#define   DSA_INTCAUSE_ERROR BIT32(0)
#define   DSA_INTCAUSE_COMMAND BIT32(1)
#define   DSA_INTCAUSE_HALT BIT32(4)
#define   DSA_INTCAUSE_REVOKED BIT32(31) // interrupt handles

#define DSA_CMD 0xa0 // 32 bits
#define   DSA_CMD_OPERAND BITS32(19, 0)
#define   DSA_CMD_CODE BITS32(24, 20)

#define DSA_CMDSTATUS 0xa8 // 32 bits
#define   DSA_CMDSTATUS_ERROR BITS32(7, 0)
#define   DSA_CMDSTATUS_RESULT BITS32(23, 8)
#define   DSA_CMDSTATUS_ACTIVE BIT32(31)

#define DSA_CMDCAP 0xb0 // 32 bits: one for each command

#define DSA_SWERROR 0xc0 // 256 bits
#define   DSA_SWERROR_VALID BIT64(0)
#define   DSA_SWERROR_OVERFLOW BIT64(1) // there were more
#define   DSA_SWERROR_DESCRIPTOR BIT64(2) // operation and flags are a descriptor's
#define   DSA_SWERROR_WQ_VALID BIT64(3)
#define   DSA_SWERROR_BATCH BIT64(4)
#define   DSA_SWERROR_WRITE BIT64(5)
#define   DSA_SWERROR_CODE BITS64(15, 8)
#define   DSA_SWERROR_WQ BITS64(23, 16)
#define   DSA_SWERROR_OPERATION BITS64(39, 32)
#define DSA_SWERROR_ADDRESS 16 // bytes into it
#define DSA_SWERROR_WORDS 4

// ---- commands (9.2.12) ----

enum dsa_command {
    DSA_ENABLE_DEVICE = 1,
    DSA_DISABLE_DEVICE,
    DSA_DRAIN_ALL,
    DSA_ABORT_ALL,
    DSA_RESET_DEVICE,
    DSA_ENABLE_WQ, // by number; those that follow by a bit map within a group of 16
    DSA_DISABLE_WQ,
    DSA_DRAIN_WQ,
    DSA_ABORT_WQ,
    DSA_RESET_WQ,
    DSA_DRAIN_PASID,
    DSA_ABORT_PASID,
    DSA_REQUEST_HANDLE, // by entry of the MSI-X table
    DSA_RELEASE_HANDLE,
};
#define DSA_CMD_WQ_MAP BITS32(15, 0)
#define DSA_CMD_WQ_GROUP BITS32(19, 16)
#define DSA_CMD_HANDLE_INDEX BITS32(15, 0)

// ---- tables in BAR 0, where OFFSETS says ----

// Group configuration (9.2.23)
#define DSA_GRPCFG_BYTES 64
#define DSA_GRPCFG_WQS 0x00     // 256 bits
#define DSA_GRPCFG_ENGINES 0x20 // 64 bits
#define DSA_GRPCFG_FLAGS 0x28   // 64 bits
#define   DSA_GRPCFG_FLAGS_READ_BUFFERS BITS64(27, 20) // that it may use at most

// Work queue configuration (9.2.24), in 32-bit words
#define DSA_WQCFG_BYTES_SHIFT 5 // of the smallest one
#define DSA_WQCFG_SIZE 0x00
#define DSA_WQCFG_THRESHOLD 0x04
#define DSA_WQCFG_MODE 0x08
#define   DSA_WQCFG_DEDICATED BIT32(0)
#define   DSA_WQCFG_PRIORITY BITS32(7, 4) // 1 to 15
#define DSA_WQCFG_LIMITS 0x0c
#define   DSA_WQCFG_MAX_TRANSFER BITS32(4, 0) // shift
#define   DSA_WQCFG_MAX_BATCH BITS32(8, 5)    // shift
#define DSA_WQCFG_STATE 0x18
#define   DSA_WQCFG_STATE_MASK BITS32(31, 30)
#define DSA_WQ_ENABLED 1

// Permissions of the MSI-X table's entries (9.2.22): which PASID may use them
#define DSA_MSIX_PERM_BYTES 8

// ---- portals, BAR 2 (9.3) ----

#define DSA_PORTALS_BYTES (16 * KIB) // of each WQ
#define DSA_PORTAL_BYTES (4 * KIB)   // the first one: no limit, handles of the MSI-X table

// Where a machine lets eight stores of 8 bytes, in ascending order, stand for MOVDIR64B, the device
// says so by its subsystem ids.
#define DSA_STORES_SUBSYSTEM_VENDOR 0x1af4
#define DSA_STORES_SUBSYSTEM 0x4f42

// ---- descriptors (8) ----

enum dsa_operation {
    DSA_NOOP = 0x00,
    DSA_BATCH = 0x01,
    DSA_DRAIN = 0x02,
    DSA_MOVE = 0x03,
    DSA_FILL = 0x04,
    DSA_COMPARE = 0x05,
    DSA_CRC = 0x10,
};

#define DSA_FLAG_FENCE BIT32(0) // in a batch: not before those that stand before it have ended
#define DSA_FLAG_RECORD_VALID BIT32(2)
#define DSA_FLAG_RECORD BIT32(3)
#define DSA_FLAG_INTERRUPT BIT32(4)
#define DSA_FLAG_CACHE BIT32(8) // written data go to the cache

struct dsa_descriptor {
    uint32_t pasid; // 31: privileged
    uint32_t flags; // 31:24 the operation
    uint64_t record;
    uint64_t source; // or pattern, or a batch's descriptors
    uint64_t destination;
    uint32_t bytes; // or a batch's number of descriptors
    uint16_t handle;
    uint16_t reserved;
    uint32_t seed; // of a CRC
    uint32_t specific[5];
} __attribute__((aligned(64)));
static_assert(sizeof(struct dsa_descriptor) == 64, "8.1");
static_assert(offsetof(struct dsa_descriptor, handle) == 36, "8.1");
static_assert(offsetof(struct dsa_descriptor, seed) == 40, "8.3.12");
#define DSA_FLAGS_OPERATION BITS32(31, 24)
#define DSA_BATCH_LEAST 2

struct dsa_record {
    uint8_t status;
    uint8_t result;
    uint8_t fault_info; // where GENCAP says so
    uint8_t reserved;
    uint32_t bytes_done; // or descriptors; where two regions differ
    uint64_t fault;
    uint32_t crc; // or invalid flags
    uint32_t specific[3];
} __attribute__((aligned(32)));
static_assert(sizeof(struct dsa_record) == 32, "8.2");
static_assert(offsetof(struct dsa_record, crc) == 16, "8.3.12");
#define DSA_STATUS_CODE 0x3f
#define DSA_STATUS_WRITE 0x80 // the fault was a write's
#define DSA_FAULT_MASKED BIT32(0) // its address isn't told
#define DSA_FAULT_OPERAND BITS32(3, 1)

enum dsa_status {
    DSA_OK = 0x01,
    DSA_OK_PREDICATE = 0x02,
    DSA_PAGE_FAULT = 0x03,
    DSA_BATCH_FAILED = 0x05, // one at least of its descriptors
    DSA_BAD_HANDLE = 0x19,
};
