// SPDX-License-Identifier: BSD-2-Clause
// A register-level model of an NVMe controller, and of the little kernel that the driver needs
// around it: CPUs taken in turn, messages, timers, a clock that only the test moves, irqs. The
// model checks what the host does as much as it answers; the first breach fails the test.
#pragma once

#include <setjmp.h>

#include "drivers/nvme/disk.h"
#include "drivers/nvme/nvme.h"
#include "drivers/nvme/nvme_virtual_regs.h"
#include "drivers/nvme/prp.h"
#include "drivers/nvme/recover.h"
#include "drivers/nvme/setup.h"
#include "kernel/irq/irq.h"
#include "kernel/run/block.h"

#define MODEL_NAMESPACES 8
#define MODEL_QUEUES 64
#define MODEL_COMMANDS 4096
#define MODEL_VECTORS 64
#define MODEL_PAGES 1024 // buckets of those that were written
#define MODEL_EVENTS 16
#define MODEL_FUNCTIONS 4
#define MODEL_SECONDARY(i) ((uint16_t)(0x40 + (i))) // controller of the i-th virtual function

// Memory that the functions of a domain reach.
struct pci_space {
    uint64_t at, bytes;
};

enum model_order { MODEL_FIFO, MODEL_LIFO, MODEL_RANDOM };

// What becomes of an Abort: the command ends as aborted; "not aborted"; "aborted", though the
// command doesn't end; it fails; it isn't answered.
enum model_abort { ABORT_WORKS, ABORT_NOT, ABORT_LIES, ABORT_FAILS, ABORT_SILENT };

// Asynchronous events: dword 0 of their completion (NVMe Base 2.0, 5.2.1).
#define MODEL_EVENT(type, info, page) ((uint32_t)((type) | (info) << 8 | (page) << 16))
#define MODEL_EVENT_RELIABILITY MODEL_EVENT(NVME_EVENT_SMART, 0, NVME_LOG_SMART)
#define MODEL_EVENT_TEMPERATURE MODEL_EVENT(NVME_EVENT_SMART, 1, NVME_LOG_SMART)
#define MODEL_EVENT_NAMESPACE                                                                      \
    MODEL_EVENT(NVME_EVENT_NOTICE, NVME_NOTICE_NAMESPACES, NVME_LOG_CHANGED_NAMESPACES)
#define MODEL_EVENT_ACTIVATION                                                                     \
    MODEL_EVENT(NVME_EVENT_NOTICE, NVME_NOTICE_FIRMWARE, NVME_LOG_FIRMWARE)

struct model_command {
    struct nvme_sqe sqe;
    unsigned sq;
};

struct model_queue {
    uint64_t sq, cq; // addresses; 0: not created
    unsigned sq_entries, cq_entries;
    unsigned sq_head, sq_tail, cq_head, cq_tail;
    bool phase;
    bool interrupts;
    unsigned vector;
    unsigned priority;                 // QPRIO
    unsigned cqid;                     // of the submission queue
    bool used[MODEL_COMMANDS];         // command ids in flight
    unsigned tail_writes, head_writes; // doorbells
};

struct model_page {
    struct model_page *next;
    uint32_t nsid;
    uint64_t number;
    uint8_t bytes[NVME_PAGE];
};

struct model_namespace {
    uint32_t nsid; // 0: none
    struct nvme_identify_namespace data;
    uint8_t csi, uuid[16];
    uint32_t elbaf;                              // of format 0, which is in use
    uint8_t independent_nmic, independent_group; // as CNS 8 has them
    struct nvme_identify_zoned_namespace zoned;
    struct model_zone {
        uint64_t write_pointer; // from the zone's start
        uint8_t state;          // 0: empty
    } zones[128];
};

struct model {
    struct pci_dev pci;
    volatile uint8_t *window; // never touched: only its addresses mean something
    uint16_t pci_command;
    unsigned table_bar; // of MSI-X
    uint64_t table_offset;

    // The controller. Set before nvme_init() to have a different one.
    uint64_t cap;
    uint32_t vs, cc, csts, aqa, crto;
    uint64_t asq, acq;
    struct nvme_identify_controller id;
    struct model_namespace namespaces[MODEL_NAMESPACES];
    uint32_t alike;          // namespaces 1 to `alike` are as the first one
    unsigned grants;         // I/O queues granted
    unsigned grants_cqs;     // completion queues, where they are not as many; 0: they are
    uint64_t ready_delay_ns; // from CC.EN to CSTS.RDY
    enum model_order order;
    unsigned lazy_fetch; // commands taken from each queue in one model_work(); 0: all at once
    uint8_t error_log[NVME_PAGE], smart[512], firmware[512], ana[160 * KIB];
    void (*reads_log)(struct model *m); // what happens meanwhile
    uint32_t features[256];             // by feature identifier
    bool extended;                      // formats are enabled (LBAFEE)
    bool tells_more;                    // Identify of command sets, and lists of identifiers
    struct nvme_identify_nvm_controller nvm;
    uint8_t zasl;
    uint32_t cmbloc, cmbsz; // model_give_cmb()
    uint64_t cmbmsc;
    uint8_t *cmb_bar;  // what lies behind its BAR
    uint64_t boundary; // blocks: commands must not cross a multiple of it

    // Virtual functions: model_share()
    struct nvme_primary primary;
    struct nvme_secondaries secondaries;
    uint16_t primary_next[NVME_VIRTUAL_KINDS]; // once the function is reset
    struct model_allocated {
        uint32_t nsid; // 0: none
        uint16_t owner;
        bool owned;
    } allocated[MODEL_NAMESPACES];
    unsigned functions_most, functions_on, function_resets;
    uint64_t functions_since;
    struct model *functions[MODEL_FUNCTIONS]; // that were found

    // Faults.
    bool functions_refused;                  // they can't be turned on
    unsigned functions_missing;              // of those that are
    unsigned refused_secondary;              // which doesn't go online; 0: all do
    unsigned assigns_less;                   // than it is asked for
    bool keeps_all, functions_refused_reset; // a reset changes nothing, or it doesn't come back
    bool never_ready, stuck_ready;           // CSTS.RDY doesn't follow CC.EN up, or down
    bool fatal_at_enable, gone_at_enable;
    uint64_t deaf_ns;                // reads are all ones so long after CC.EN has changed
    uint64_t deaf_until;             // and until this time
    bool zeros;                      // reads are all zeros
    bool slow_reset;                 // CSTS must not be read for 2.5 s after a reset
    bool cmb_misplaced, cmb_refused; // CMBSTS.CBAI; no queue may lie there
    unsigned power_state;
    bool stays_asleep;
    unsigned queue_most;      // entries that an I/O queue may have; 0: by CAP.MQES
    const uint32_t *list_lie; // what CNS 2 is answered with
    bool removed;             // reads are all ones
    uint64_t away_until;      // so are they until this time: its link is down, or it is in D3
    bool forgets;             // all of its configuration, while it is away
    bool has_slot;            // in which it can be taken out; its port is the function itself:
    bool button, swapped;     // was pressed, and something came or went, since the last look
    bool slot_empty, slot_off;
    bool deaf;                // to configuration requests
    struct model *in_slot_of; // another, which it shares it with
    unsigned scans;           // of the slot
    bool master_stuck;        // its bus mastering can't be turned off;
    bool fenced,
        unfenced; // though nothing that it sends arrives, or though it ought to be off all does
    bool wild;    // it writes to its queues for ever, reset or not
    uint64_t wild_at[MODEL_QUEUES];
    bool never_shut_down;
    uint64_t shadows, shadow_events; // shadow doorbells, and the model's side; 0: none
    unsigned doorbells;              // register writes
    unsigned sgls;                   // transfers by SGL
    bool looks;                      // at shadows, of its own accord
    bool mute;                       // it never asks to be told again
    int fail_opcode, ignore_opcode;  // admin opcodes; -1: none
    int fatal_opcode;                // the controller fails at it
    uint32_t fail_cns, fail_nsid;    // which Identify fails, or is ignored; with these
    unsigned fail_qid;               // and which Create; ~0: any
    bool lists_past_nn;              // the list has namespaces that NN rules out
    uint32_t silent_nsid;            // Identify Namespace of it succeeds, and writes nothing
    uint32_t fail_status;
    bool hold;                    // I/O commands are fetched and not completed
    uint64_t drop_lba, error_lba; // never answered; answered with error_status; ~0: none
    uint32_t error_status;
    unsigned errors_left;   // so often; ~0: always
    unsigned drop_commands; // the next so many are never answered
    enum model_abort abort;
    bool haunted;             // remembers over a reset what it has not answered
    bool hostile;             // what is answered is anybody's guess, and so are the ids in use
    unsigned drop_interrupts; // so many are lost
    int sqhd_lie;             // added to SQHD
    bool odd_sqid;            // that every completion has
    bool sqid_lie, cid_lie, twice, stale_garbage;

    // What happened.
    struct model_queue queues[MODEL_QUEUES];
    struct model_command pending[MODEL_COMMANDS], lost[MODEL_COMMANDS];
    unsigned pending_count, lost_count;
    struct model_page *written[MODEL_PAGES];
    bool changed;                     // namespaces came, went or shrank: the host can't have known
    uint32_t changes[1024];           // the Changed Namespace List
    uint16_t listeners[MODEL_EVENTS]; // command ids of Asynchronous Event Requests
    uint32_t events[MODEL_EVENTS];    // that nobody was told of
    unsigned listeners_count, events_count;
    unsigned told_types;             // of events whose log page wasn't read since
    bool settling;                   // CC.EN was changed, and CSTS.RDY has not followed
    uint64_t change_at;              // time at which CSTS.RDY follows CC.EN
    uint64_t reset_at;               // time of the last CC.EN 1 -> 0
    bool ours;                       // enabled by the driver, not by firmware
    struct irq *irqs[MODEL_VECTORS]; // the kernel's,
    struct irq *domain_irqs[MODEL_VECTORS];
    struct irq *messages[MODEL_VECTORS]; // and whose message is in the table
    uint64_t mapped_at, mapped_bytes,
        mapped_offset;                 // doorbells that a program has, and where they are
    unsigned domain_cpu[MODEL_QUEUES]; // the program's, that may ring a queue's
    bool masked[MODEL_VECTORS], raised[MODEL_VECTORS];
    bool lost_message[MODEL_VECTORS];
    bool msix_enabled;
    bool kept, lost_config; // by pci_keep(); registers read all ones until it was restored
    unsigned commands;      // fetched from I/O queues
    unsigned reads, writes, flushes, blocks, starts, resets, resets_at_start, interrupts, aborts,
        logs_read;
    unsigned copies, copy_ranges, fuas, compares;
    uint32_t differs_status; // of comparisons
    uint64_t longest;        // bytes of one read
    uint64_t result;         // dwords 0 and 1 of I/O completions
    unsigned deleted_sqs, deleted_cqs;
    struct nvme_sqe admin_log[64]; // admin commands as they came, the last 64
    unsigned admin_count;
    unsigned asked_sqs, asked_cqs;     // by Set Features,
    unsigned granted_sqs, granted_cqs; // and what it was answered
    unsigned namespaces_asked;         // Identify Namespace
};

// A controller as QEMU's would be: one namespace of 512-byte blocks, MQES 2047, MDTS 7, 65 vectors
// less what the test sets.
struct model *model_new(void);
struct model_namespace *model_add_namespace(struct model *m, uint32_t nsid, unsigned block_shift,
                                            uint64_t blocks);
unsigned model_blocked(bool forget); // accesses to memory that wasn't granted, of all, so far
void model_work(struct model *m);    // completes what is pending, by its order and faults
void model_answer_lost(struct model *m, uint32_t status); // late; 0: they are carried out first
// Writes an entry to the I/O completion queue, right or wrong.
void model_post(struct model *m, unsigned sq, unsigned cid, unsigned sqid, unsigned sqhd,
                uint32_t status);
void model_interrupt(struct model *m, unsigned cq);

// A controller memory buffer for submission queues: so many units of 4 KiB << 4 * `unit`, at an offset
// of as many into a BAR of `bar_bytes`, which needn't have room for it. With CMBMSC, or, older, without.
void model_give_cmb(struct model *m, bool has_cmbmsc, unsigned bar, uint64_t bar_bytes,
                    unsigned unit, unsigned offset, unsigned size);
bool model_is_cmb(const struct model *m, uint64_t address); // by what the host has told it

// It can have so many virtual functions, to which it can give so many queues and interrupts, all of which
// it has itself at first.
void model_share(struct model *m, unsigned functions, unsigned queues, unsigned interrupts);

// Namespaces that change under the host, and events that tell it so. False: the host did not ask to
// be told.
bool model_attach(struct model *m, uint32_t nsid, unsigned block_shift, uint64_t blocks);
bool model_detach(struct model *m, uint32_t nsid);
bool model_resize(struct model *m, uint32_t nsid, uint64_t blocks);
bool model_event(struct model *m, uint32_t event);

void model_pause(struct model *m, bool paused); // CSTS.PP: it takes no commands meanwhile
void model_go_away(struct model *m,
                   uint64_t ns); // all ones for so long; then it is as after a reset

// What an untouched disk holds, and what this one does.
void model_disk_read(struct model *m, uint32_t nsid, uint64_t offset, void *data, uint64_t bytes);
void model_disk_write(struct model *m, uint32_t nsid, uint64_t offset, const void *data,
                      uint64_t bytes);
void model_expect(uint32_t nsid, uint64_t offset, void *data, uint64_t bytes);
bool model_holds(uint32_t nsid, uint64_t offset, const void *data, uint64_t bytes);

// ---- the world ----

// NUMA nodes: each CPU has its own, and so have the devices.
#define WORLD_NODE(cpu) (1 + (cpu))
#define WORLD_DEVICE_NODE 100
#define WORLD_ELSEWHERE 200 // the models' own

void world_begin(unsigned cpus);
void world_end(void);   // shuts the driver down and checks that all it owes was done
void world_round(void); // each CPU's loop once, then each controller

// For tests of what may come in between: one part of a CPU's round, or anything at random.
enum world_part { WORLD_IRQS, WORLD_MESSAGES, WORLD_TIMERS, WORLD_FLUSH, WORLD_PARTS };
void world_turn(unsigned cpu, enum world_part part);
void world_turn_any(void);

// The vector's MSIs go to another CPU from now on; the one that had it is told in its next turn.
// False: it is there, or moves already, or that CPU is busy with another move.
bool world_move(struct model *m, unsigned vector, unsigned to);

bool world_run(const bool *stop, unsigned rounds); // false: *stop is still false
void world_pass(uint64_t ns);                      // lets the time pass in small steps, with rounds
void world_skip(uint64_t ns);                      // lets the time pass at once
unsigned world_errors(const char *what);           // errors with this id; NULL: all
const char *world_last_error(void);
void world_prepare_fail(jmp_buf *to); // where fail() goes; NULL: it fails the test
unsigned world_warnings(void);
const char *world_last_warning(void);
const char *world_last_warning_what(void);
const char *world_last_info(void);
const char *world_infos(void); // all of them, each with a newline
const char *world_json(void);  // the last object
struct block_dev *world_disk(const struct model *m, uint32_t nsid);
struct nvme_ctrl *world_ctrl(const struct model *m);
unsigned world_node_of(const volatile void *at); // that its memory was asked for on
size_t world_bytes_on(unsigned node);            // asked for since world_begin()
unsigned world_allocations(void);                // that the kernel has made, ever
void world_use_cpu(unsigned cpu);
void world_set_apic_id(unsigned cpu, uint32_t id);
void world_set_vectors_left(unsigned cpu, unsigned left); // for irqs
uint64_t world_now(void);
// Timers before irqs in each round: they see completions whose interrupt is still under way.
void world_set_timers_first(bool first);
// Time that a call of time_ns() takes.
void world_set_clock_step(uint64_t ns);
