// SPDX-License-Identifier: BSD-2-Clause
// Reads Identify data and capabilities: bytes in, checked values out. Pure.
#pragma once

#include "drivers/nvme/nvme_ns_regs.h"
#include "drivers/nvme/nvme_regs.h"
#include "drivers/nvme/prp.h"
#include "kernel/run/block_limits.h"
#include "lib/problem.h"
#include "lib/warnings.h"

// Longest transfer that one command is used for, whatever the controller would take.
#define NVME_TRANSFER_MAX MIB

// What CAP promises.
struct nvme_limits {
    unsigned
        queue_entries;     // of I/O queues, a power of two: NVME_QUEUE_ENTRIES or less, unless told
    unsigned entries_most; // that it takes, as a power of two up to NVME_QUEUE_ENTRIES_MOST
    unsigned stride;       // bytes from one doorbell to the next
    uint64_t ready_ms;     // deadline for CSTS.RDY
    bool has_cmbmsc;       // CMBMSC is there
    bool weighted;         // it has weighted round robin, with an urgent class
    bool command_sets;     // it has several, as namespaces need that are zoned
};
// `crto` counts only where CAP says so. CAP.MQES and CAP.CSS may be 0, against the specification:
// taken for two entries and the NVM command set.
bool nvme_parse_cap(const char *name, uint64_t cap, uint32_t crto, struct nvme_limits *out,
                    struct problem *p);

// Where the controller has memory that submission queues may lie in.
struct nvme_cmb_place {
    unsigned bar;
    uint64_t offset, bytes; // bytes 0: nowhere
};
// False: what CMBLOC and CMBSZ say can't be.
bool nvme_parse_cmb(uint32_t cmbloc, uint32_t cmbsz, struct nvme_cmb_place *out, struct problem *p);

// Entries of a queue for so many commands: a power of two, `most` if that is less.
unsigned nvme_entries_for(unsigned commands, unsigned most);

struct nvme_id {
    char serial[21], model[41], firmware[9]; // trimmed, printable
    uint64_t max_transfer; // bytes, a power of two from NVME_PAGE to NVME_TRANSFER_MAX
    uint64_t shutdown_ms;  // how long a normal shutdown may take
    uint32_t namespaces;   // the largest NSID
};
bool nvme_parse_controller(const char *name, const struct nvme_identify_controller *data,
                           struct nvme_id *out, struct problem *p);

// ---- identify_ctrl.c: what else a controller says of itself ----

#define NVME_SUBNQN_BYTES 224 // the longest name has 223 bytes

struct nvme_abilities {
    uint32_t commands;      // optional ones, by their bits of ONCS
    bool compare_and_write; // as one, fused
    bool write_cache;       // a volatile one
    bool flush_all;         // Flush takes NVME_NSID_ALL
    bool sgl;
    bool shadow_doorbells;
    bool manages_virtual;    // controllers of virtual functions
    bool manages_namespaces; // which controllers have them

    uint32_t atomic, atomic_power_fail, atomic_compare; // blocks, > 0, whatever the format

    uint32_t events;        // asynchronous ones, by their bits of OAES
    unsigned event_most;    // Asynchronous Event Requests at a time
    unsigned abort_most;    // Aborts at a time
    uint64_t retry_ms[4];   // by a completion's CRD: how long to wait before a retry
    uint64_t pause_ms;      // how long activation of firmware may take; 0: not told
    uint64_t keep_alive_ms; // granularity of its timer; 0: it has none
    unsigned error_entries; // of the error log
    uint8_t logs;           // bits of LPA
    unsigned warning_kelvin, critical_kelvin; // 0: not told

    // Where it belongs. A subsystem without a name of its own is named by the book: by vendor, serial
    // number and model (4.5.2).
    char subsystem[NVME_SUBNQN_BYTES];
    uint16_t id;           // within its subsystem
    bool shares;           // the subsystem may have more controllers
    bool ana;              // reports states of namespaces, by group
    uint64_t ana_ms;       // how long a change of state may take
    uint32_t ana_groups;   // how many
    uint64_t stripe;       // bytes, a power of two; 0: none
    bool extended_formats; // longer guards, storage tags and more formats, where they are enabled
};

// What can't be is added to the warnings, all as one kind, and left out. `quirks` are of
// enum nvme_quirk_kind.
void nvme_parse_abilities(const char *name, const struct nvme_identify_controller *data,
                          unsigned quirks, struct nvme_abilities *out, struct warnings *w);

// ---- identify_ns.c: a namespace ----

#define NVME_METADATA_MAX (64 * KIB) // of one command

struct nvme_format {
    uint64_t blocks;
    unsigned block_shift;     // block size is 1 << block_shift bytes, from 512 to 65536
    unsigned index;           // of the format among the namespace's
    uint16_t metadata;        // bytes for each block
    uint16_t metadata_buffer; // of these, what each command must have a buffer for: all or none
    uint8_t protection;       // type 1 to 3; 0: none
    bool extended;            // it is there only where the host enables such formats
    uint32_t control;         // what CDW12 of commands has besides NLB
    uint64_t tag_mask;        // of the first LBA: the reference tag of commands; 0: they have none
};
// The format in use (NVM Command Set 1.0, 4.1.5.1, FLBAS), as a place in lbaf[]; it may be one that
// isn't there.
unsigned nvme_format_index(const struct nvme_identify_namespace *data);

// A problem: the namespace can't be used, and why. `blocks` 0 and true: it is not active. `nvm` (may
// be NULL) is from controllers that have extended formats.
bool nvme_parse_format(const char *name, const struct nvme_identify_namespace *data,
                       const struct nvme_identify_nvm_namespace *nvm, uint64_t max_transfer,
                       struct nvme_format *out, struct warnings *w, struct problem *p);

// Of a namespace that can be used; the abilities are its controller's.
void nvme_parse_limits(const char *name, const struct nvme_identify_namespace *data,
                       const struct nvme_format *format, const struct nvme_abilities *c,
                       uint64_t max_transfer, struct block_limits *out, struct warnings *w);
// Adds what there is for commands without data. `data` may be NULL: the controller doesn't tell.
void nvme_parse_nvm_controller(const struct nvme_identify_nvm_controller *data,
                               const struct nvme_abilities *c, struct block_limits *limits);

// ---- identify_zns.c: zones ----

struct nvme_zoned {
    uint64_t zone_blocks; // of each zone; any number
    uint64_t zones;
    uint32_t max_active, max_open; // zones; 0: no limit
    uint64_t max_append;           // bytes in one command
    bool read_across;              // a read may go on past the end of a zone
    unsigned extension_bytes;      // behind each descriptor, where they are asked for
};
// `ctrl` may be NULL: the controller doesn't tell.
bool nvme_parse_zoned(const char *name, const struct nvme_identify_zoned_namespace *data,
                      const struct nvme_identify_zoned_controller *ctrl,
                      const struct nvme_format *format, uint64_t max_transfer,
                      struct nvme_zoned *out, struct warnings *w, struct problem *p);

// From a report of zones, as it is returned for the zone that starts at `first`: up to `most` of
// them. False: what it says can't be.
bool nvme_parse_zones(const char *name, const void *report, size_t bytes,
                      const struct nvme_zoned *zoned, uint64_t first, struct block_zone *out,
                      size_t most, size_t *count, struct problem *p);

// ---- identify_ways.c: whose namespace it is, and what state its way is in ----

struct nvme_identity {
    uint8_t nguid[16], eui64[8], uuid[16]; // zeros: it has none
    uint8_t csi;                           // its command set
    bool shared;                           // other controllers may have it, too
    uint32_t ana_group;
};
void nvme_parse_identity(const struct nvme_identify_namespace *data, struct nvme_identity *out);
// What of it is the same for each command set (CNS 08h), which those have that aren't NVM's.
void nvme_parse_independent(const struct nvme_independent_namespace *data,
                            struct nvme_identity *out);
// Adds what a list of identification descriptors has, as far as it makes sense.
void nvme_parse_descriptors(const char *name, const uint8_t page[NVME_PAGE],
                            struct nvme_identity *out, struct warnings *w);

// A namespace as one controller shows it.
struct nvme_way {
    const char *subsystem, *serial;
    uint16_t controller; // its number in the subsystem
    uint32_t nsid;
    const struct nvme_identity *identity;
};
// Two controllers of one subsystem.
bool nvme_is_same_subsystem(const struct nvme_way *a, const struct nvme_way *b);

// Both lead to the same data: one subsystem, one NSID, both shared, and no identifier that differs.
// Identifiers alone prove nothing: many disks have those of others of their kind.
bool nvme_is_same_disk(const struct nvme_way *a, const struct nvme_way *b);

enum nvme_ana_state {
    NVME_ANA_OPTIMIZED = 1,
    NVME_ANA_NON_OPTIMIZED = 2,
    NVME_ANA_INACCESSIBLE = 3,
    NVME_ANA_LOST = 4,
    NVME_ANA_CHANGE = 15,
};
// The group's state from the log page. False: there is no such group, or the page makes no sense.
bool nvme_parse_ana(const void *log, size_t bytes, uint32_t group, enum nvme_ana_state *state);
const char *nvme_ana_text(enum nvme_ana_state state);

// ---- identify.c ----

// How many entries an active namespace list (5.17.2.2) has, all of which rise strictly from `after`,
// with zeros behind them. False: it is no such list.
bool nvme_parse_list(const uint32_t list[NVME_NSID_LIST_ENTRIES], uint32_t after, uint32_t last,
                     size_t *count);
