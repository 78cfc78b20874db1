// SPDX-License-Identifier: BSD-2-Clause
// A register-level model of an NVMe controller, and of the little kernel that the driver needs
// around it: CPUs taken in turn, messages, timers, a clock that only the test moves, irqs. The
// model checks what the host does as much as it answers; the first breach fails the test.
#pragma once

#include "drivers/nvme/disk.h"
#include "drivers/nvme/nvme.h"
#include "drivers/nvme/prp.h"
#include "drivers/nvme/recover.h"
#include "drivers/nvme/setup.h"
#include "kernel/irq/irq.h"
#include "kernel/run/block.h"

#define MODEL_NAMESPACES 8
#define MODEL_QUEUES 64
#define MODEL_COMMANDS 4096
#define MODEL_VECTORS 64

enum model_order { MODEL_FIFO, MODEL_LIFO, MODEL_RANDOM };

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
    unsigned cqid;                     // of the submission queue
    bool used[0x10000];                // command ids in flight
    unsigned tail_writes, head_writes; // doorbells
};

struct model_namespace {
    uint32_t nsid; // 0: none
    struct nvme_identify_namespace data;
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

    // Faults.
    bool never_ready, stuck_ready; // CSTS.RDY doesn't follow CC.EN up, or down
    bool fatal_at_enable, gone_at_enable;
    uint64_t deaf_ns;    // reads are all ones so long after CC.EN has changed
    uint64_t deaf_until; // and until this time
    bool zeros;          // reads are all zeros
    bool slow_reset;     // CSTS must not be read for 2.5 s after a reset
    unsigned power_state;
    bool stays_asleep;
    unsigned queue_most;      // entries that an I/O queue may have; 0: by CAP.MQES
    const uint32_t *list_lie; // what CNS 2 is answered with
    bool removed;             // reads are all ones
    bool never_shut_down;
    int fail_opcode, ignore_opcode; // admin opcodes; -1: none
    int fatal_opcode;               // the controller fails at it
    uint32_t fail_cns, fail_nsid;   // which Identify fails, or is ignored; with these
    bool lists_past_nn;             // the list has namespaces that NN rules out
    uint32_t silent_nsid;           // Identify Namespace of it succeeds, and writes nothing
    uint32_t fail_status;
    bool hold;                    // I/O commands are fetched and not completed
    uint64_t drop_lba, error_lba; // never answered; answered with error_status; ~0: none
    uint32_t error_status;
    unsigned drop_interrupts; // so many are lost
    int sqhd_lie;             // added to SQHD
    bool sqid_lie, cid_lie, twice, stale_garbage;

    // What happened.
    struct model_queue queues[MODEL_QUEUES];
    struct model_command pending[MODEL_COMMANDS];
    unsigned pending_count;
    uint64_t change_at; // time at which CSTS.RDY follows CC.EN
    uint64_t reset_at;  // time of the last CC.EN 1 -> 0
    bool ours;          // enabled by the driver, not by firmware
    struct irq *irqs[MODEL_VECTORS];
    bool masked[MODEL_VECTORS], raised[MODEL_VECTORS];
    bool msix_enabled;
    unsigned reads, blocks, resets, interrupts;
    uint64_t longest; // bytes of one read
    unsigned deleted_sqs, deleted_cqs;
    struct nvme_sqe admin_log[64]; // admin commands as they came, the last 64
    unsigned admin_count;
    unsigned asked_sqs, asked_cqs; // by Set Features
    unsigned namespaces_asked;     // Identify Namespace
};

// A controller as QEMU's would be: one namespace of 512-byte blocks, MQES 2047, MDTS 7, 65 vectors
// less what the test sets.
struct model *model_new(void);
struct model_namespace *model_add_namespace(struct model *m, uint32_t nsid, unsigned block_shift,
                                            uint64_t blocks);
void model_work(struct model *m); // completes what is pending, by its order and faults
// Writes an entry to the I/O completion queue, right or wrong.
void model_post(struct model *m, unsigned sq, unsigned cid, unsigned sqid, unsigned sqhd,
                uint32_t status);
void model_interrupt(struct model *m, unsigned cq);

// What the disk holds.
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
unsigned world_warnings(void);
const char *world_last_warning(void);
const char *world_last_warning_what(void);
const char *world_last_info(void);
const char *world_infos(void); // all of them, each with a newline
const char *world_json(void);  // the last object
struct block_dev *world_disk(const struct model *m, uint32_t nsid);
struct nvme_ctrl *world_ctrl(const struct model *m); // NULL: without a disk
unsigned world_node_of(const volatile void *at);     // that its memory was asked for on
size_t world_bytes_on(unsigned node);                // asked for since world_begin()
void world_use_cpu(unsigned cpu);
void world_set_vectors_left(unsigned cpu, unsigned left); // for irqs
uint64_t world_now(void);
// Timers before irqs in each round: they see completions whose interrupt is still under way.
void world_set_timers_first(bool first);
// Time that a call of time_ns() takes.
void world_set_clock_step(uint64_t ns);
