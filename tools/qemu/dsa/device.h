// SPDX-License-Identifier: BSD-2-Clause
// A Data Streaming Accelerator of the model. Everything here runs under QEMU's big lock: accesses of the
// guest in its virtual CPUs, the device's own work in QEMU's main loop.
#pragma once

#include "tools/qemu/dsa/pci_abi.h"
#include "tools/qemu/dsa/regs.h"

#define DSA_TYPE "onebell-dsa"

#define MAX_WQS 64
#define MAX_GROUPS 16
#define MAX_ENGINES 16
#define MAX_VECTORS 64
#define DSA_FIRST_HANDLE 0x4000 // no index of an entry; modulo MAX_VECTORS it is that, though
#define MAX_TOTAL_SIZE 1024
#define DSA_READ_BUFFERS 96

// What the machine's owner says with -device onebell-dsa,NAME=VALUE.
struct dsa_options {
    uint64_t wqs, groups, engines, vectors;
    uint64_t total_size;              // entries of all queues
    uint64_t max_transfer, max_batch; // as powers of two
    bool handles;                     // interrupt handles must be asked for
    uint64_t max_handles;
    bool opcfg; // operations can be restricted by queue
    bool ats;   // there is the capability
    bool hold;  // queues keep what they have
};

// What the device does wrong on purpose, with every so many-th descriptor or command.
enum dsa_plant {
    DSA_PLANT_NONE,
    DSA_PLANT_TWICE,   // the record and the interrupt come once more, later
    DSA_PLANT_NEVER,   // neither comes
    DSA_PLANT_GARBAGE, // the record is nonsense
    DSA_PLANT_SILENT,  // the interrupt doesn't come
    DSA_PLANT_EARLY,   // the interrupt comes before the record
    DSA_PLANT_FULL,    // a queue drops what it has room for
    DSA_PLANT_ASTRAY,  // a wrong address: the source's and the destination's by turns
    DSA_PLANT_FAULT,   // a page fault where there is none
    DSA_PLANT_ERROR,   // a hardware error where there is none
    DSA_PLANT_CORRUPT, // success, though the data is wrong
    DSA_PLANT_HALT,    // it halts, right after a descriptor
    DSA_PLANT_REVOKE,  // it revokes all handles, likewise
    DSA_PLANT_STUCK,   // commands never end
    DSA_PLANTS_END,
};

struct dsa_descriptor {
    uint8_t bytes[DESCRIPTOR_BYTES];
    uint64_t number; // in the order of submission
    uint8_t wq;
    bool ims;        // came through a portal for IMS
    bool outdated;   // software had gone over to a newer handle by then
    bool batched;    // is a member of a batch
    uint16_t member; // its index there
};

struct dsa_wq {
    enum dsa_state state;
    unsigned head, count; // of the ring
    unsigned turns;       // what its priority still grants in this round
    struct dsa_descriptor *ring;
};

struct dsa_engine {
    bool busy, batch;
    struct dsa_descriptor work;
    uint32_t done, count; // of the batch
    bool failed;          // some member of it was
};

// The interrupt handles of an entry, which ascend, so that the newest one says what became of others.
struct dsa_handles {
    uint16_t value;   // 0: none is out
    uint16_t newest;  // that was ever given out
    uint16_t revoked; // those up to that one were
    uint16_t used;    // the newest one that was in a descriptor
};

// A portal's 64-byte slot while it is being written.
struct dsa_slot {
    uint8_t bytes[DESCRIPTOR_BYTES];
    uint8_t words;
};

struct dsa_record {
    uint64_t address;
    uint8_t bytes[RECORD_BYTES];
};

struct dsa_repeat { // of a completion, with DSA_PLANT_TWICE
    bool due;
    struct dsa_record record;
    bool has_record, has_interrupt;
    unsigned vector;
};

struct dsa_statistics {
    uint64_t submitted, dropped, completed, failed, interrupts, commands;
};

struct dsa {
    struct qemu_object *function;
    struct qemu_address_space *memory; // as it sees it
    struct qemu_region *bar0, *bar2;
    struct qemu_bh *work;
    struct dsa_options options;
    struct dsa *next;

    uint32_t gencfg, genctrl, intcause, cmdstatus;
    uint64_t swerror[SWERROR_BYTES / 8];
    enum dsa_state state;
    enum dsa_reset_type reset_type;
    uint32_t permissions[MAX_VECTORS];
    uint64_t group_wqs[MAX_GROUPS], group_engines[MAX_GROUPS], group_flags[MAX_GROUPS];
    uint32_t wqcfg[MAX_WQS][WQCFG_LARGE_BYTES / 4];

    struct {
        bool begun, stuck;
        uint32_t word;   // as it was written
        uint64_t before; // descriptors with lower numbers are to be waited for
    } command;
    struct dsa_handles handles[MAX_VECTORS];

    struct dsa_wq wqs[MAX_WQS];
    struct dsa_engine engines[MAX_ENGINES];
    unsigned first_engine; // that finishes first, next time
    uint64_t numbers;      // of descriptors, given out
    struct dsa_slot *slots;
    uint16_t requester;
    uint64_t moved; // bytes, since the device turned to its work

    enum dsa_plant plant;
    uint64_t plant_every, plant_count;
    struct dsa_repeat repeat;
    struct dsa_statistics statistics;
};

// ---- device.c ----

// Adds -device onebell-dsa to QEMU.
void dsa_register_type(void);
// The device's state beside QEMU's object.
struct dsa *dsa_of(struct qemu_object *);
struct dsa *dsa_first(void);
const char *dsa_name(const struct dsa *);
uint32_t dsa_config(const struct dsa *, uint32_t at, int size);
bool dsa_bus_master(const struct dsa *);
bool dsa_ats_on(const struct dsa *);
// Has the device work on, soon.
void dsa_kick(struct dsa *);

// ---- options.c ----

void dsa_options_init(struct dsa *);
void dsa_options_add(struct qemu_class *);
// Whether what is planted is due for one more descriptor or command.
bool dsa_planted(struct dsa *, enum dsa_plant);

// ---- registers.c ----

extern const struct qemu_region_ops dsa_register_ops;
uint64_t dsa_gencap(const struct dsa *);
uint64_t dsa_cmdcap(const struct dsa *);
uint64_t dsa_opcap(void);
// The initial values, but for what a Reset Device command leaves (table 9-3).
void dsa_registers_reset(struct dsa *);
void dsa_wqcfg_reset(struct dsa *, unsigned wq);
uint32_t dsa_wqcfg(const struct dsa *, unsigned wq, unsigned at);
unsigned dsa_wq_size(const struct dsa *, unsigned wq);

// ---- events.c: interrupts and errors ----

void dsa_interrupt(struct dsa *, unsigned vector);
// The interrupt of entry 0, and why.
void dsa_cause(struct dsa *, uint32_t cause);
void dsa_software_error(struct dsa *, enum dsa_status, const struct dsa_descriptor *,
                        uint64_t flags, uint32_t info, uint64_t address);
void dsa_halt(struct dsa *, enum dsa_reset_type);
// The entry that a handle names, or -1.
int dsa_vector_of(const struct dsa *, uint16_t handle, bool ims);
bool dsa_handle_is_out(const struct dsa_handles *);
// A descriptor has come, and whether that it has an invalid handle is the device's own doing.
void dsa_note_handle(struct dsa *, struct dsa_descriptor *);
bool dsa_handle_was_revoked(const struct dsa *, const struct dsa_descriptor *);
void dsa_revoke(struct dsa *);
void dsa_check_occupancy(struct dsa *, unsigned wq);

// ---- commands.c, enable.c ----

void dsa_command_write(struct dsa *, uint32_t word);
void dsa_command_step(struct dsa *);
enum dsa_command_error dsa_enable_checks(const struct dsa *);
enum dsa_command_error dsa_wq_enable_checks(const struct dsa *, unsigned wq);

// ---- portal.c ----

extern const struct qemu_region_ops dsa_portal_ops;

// ---- engine.c ----

// Moves everything one step on; false when there is nothing more to do for now.
bool dsa_engines_step(struct dsa *);
// Whether a descriptor of these queues with a number below `before` is still in the device.
bool dsa_busy(const struct dsa *, uint64_t wqs, uint64_t before);
void dsa_abandon(struct dsa *, uint64_t wqs, uint64_t before);
void dsa_engines_reset(struct dsa *);
