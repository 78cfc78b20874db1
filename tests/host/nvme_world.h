// SPDX-License-Identifier: BSD-2-Clause
// What the parts of the model share.
#pragma once

#include "tests/host/nvme_model.h"

// Needs cmocka.h.
#define require(condition, ...)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("the host broke a rule: " __VA_ARGS__);                                       \
    } while (0)

#define WORLD_CPUS 16
#define WORLD_MODELS 8

extern struct world {
    unsigned cpus, cpu;
    unsigned
        kept; // CPUs behind them that a domain has; behind those, they are its program's, likewise
    unsigned vectors_left[WORLD_CPUS];
    uint32_t apic_ids[WORLD_CPUS]; // as they are numbered, unless set
    uint64_t now, clock_step;
    bool timers_first;
    struct cpu_msg *inbox[WORLD_CPUS];
    struct cpu_timer *timers[WORLD_CPUS];
    struct model *models[WORLD_MODELS];
    unsigned models_count;
    // Routed to its new CPU; the old one, which this is, is not told yet.
    struct irq *moving[WORLD_CPUS];
} world;

// The program's side of the world: its CPUs are numbered from 0.
bool world_is_program(void);
unsigned world_offset(void); // of the numbers that the code under test has, in the world's
void world_run_events(void); // of the program's CPU
void *world_program_memory(size_t bytes, size_t align); // NULL: it isn't the program that asks
bool world_is_program_memory(const volatile void *at, uint64_t bytes);

void world_forget_memory(void);  // before a new world: what was given out is another one's
void world_free_memory(void);    // all that was given out: the driver must be new as well
void world_forget_reports(void); // before a new world
bool world_may_ring(const struct model *m, unsigned qid); // the CPU owns the I/O queue
struct model *world_add(void);                            // a zeroed one, with its PCI function
struct model *world_find(const volatile void *reg, size_t *offset); // whose register

uint64_t model_read(struct model *m, size_t offset, unsigned bytes); // a register
void model_write(struct model *m, size_t offset, uint64_t value, unsigned bytes);
void *model_memory(const struct model *m, uint64_t phys);
// By what the function was granted; what isn't is counted.
bool model_reaches(const struct model *m, uint64_t phys);
struct model_namespace *model_find_namespace(struct model *m, uint32_t nsid);
bool model_runs(const struct model *m); // takes commands and answers them
void model_reset(struct model *m);      // forgets all that the host has set up

uint32_t model_identify_virtual(struct model *m, const struct nvme_sqe *sqe);
uint32_t model_manage_virtual(struct model *m, const struct nvme_sqe *sqe, uint32_t *dw0);
uint32_t model_attach_to(struct model *m, const struct nvme_sqe *sqe);
uint32_t model_read_cmb(const struct model *m, size_t offset);
void model_lose_cmb(struct model *m);                        // its power
void *model_cmb_at(const struct model *m, uint64_t address); // NULL: it isn't there
volatile void *model_map_cmb(const struct model *m, unsigned bar, uint64_t offset); // by the host
uint32_t model_take_shadows(struct model *m, const struct nvme_sqe *sqe);
void model_check_shadow(const struct model *m, size_t offset, uint32_t value); // of a doorbell
void model_doorbell(struct model *m, size_t offset, uint32_t value);
void model_look_at_shadows(struct model *m);
void model_run_admin(struct model *m, const struct nvme_sqe *sqe);
uint32_t model_set_feature(struct model *m, const struct nvme_sqe *sqe);
uint32_t model_abort(struct model *m, const struct nvme_sqe *sqe, uint32_t *dw0);
uint32_t model_listen(struct model *m, const struct nvme_sqe *sqe); // 0: answered by an event
uint32_t model_get_log(struct model *m, const struct nvme_sqe *sqe);
void model_end_admin(struct model *m, unsigned cid, uint32_t status, uint32_t dw0);

uint32_t model_identify_more(struct model *m, const struct nvme_sqe *sqe);
void model_check_format(struct model *m, const struct nvme_sqe *sqe, unsigned opcode, uint64_t lba,
                        uint64_t blocks);
uint32_t model_check_zones(struct model *m, const struct nvme_sqe *sqe, unsigned opcode,
                           uint64_t lba, uint64_t blocks); // its status
void model_append(struct model *m, const struct nvme_sqe *sqe, struct nvme_sqe *write);
uint32_t model_send_zone(struct model *m, const struct nvme_sqe *sqe);
uint32_t model_report_zones(struct model *m, const struct nvme_sqe *sqe);

uint32_t model_execute_io(struct model *m, const struct nvme_sqe *sqe); // its status
// Ends a command that is pending, or was lost. False: there is no such command.
bool model_end_command(struct model *m, unsigned sq, unsigned cid, uint32_t status);

void model_fetch(struct model *m, unsigned qid, unsigned most); // at most so many commands
void model_write_cqe(struct model *m, unsigned cqid, unsigned cid, unsigned sqid, unsigned sqhd,
                     uint32_t status, uint32_t dw0);
