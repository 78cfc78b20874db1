// SPDX-License-Identifier: BSD-2-Clause
// A domain with one function: what kernel/domain does with a driver, and its program's part of the world.
#pragma once

#include "drivers/nvme/give.h"
#include "kernel/domain/device.h"
#include "tests/host/nvme_fixture.h"
#include "tests/host/nvme_world.h"

#define DOMAIN_CPUS 2u
#define PROGRAM(cpu) (world_kernel_cpus() + DOMAIN_CPUS + (cpu)) // as world_use_cpu() counts

// A world in which the kernel has so many CPUs, and the domain DOMAIN_CPUS.
void domain_world_begin(unsigned cpus);
unsigned world_kernel_cpus(void);

// For cmocka: such a world, in which the kernel has two CPUs; its program is no more at the end.
int begin_domain(void **state);
int end_domain(void **state);

struct domain_device *domain_function(const struct model *m);

// Each takes a step to its end, with rounds of the world, whose answer it returns; a failure's problem is
// domain_problem.
extern struct problem domain_problem;
enum domain_step domain_withdraw(struct model *m);
enum domain_step domain_set_up(struct model *m);
enum domain_step domain_silence(struct model *m);
enum domain_step domain_give_back(struct model *m);
void domain_fails(enum domain_step step, const char *what, const char *text); // so

// With the function set up: the program begins; its disk `nsid`. And what there is of it is no more.
struct block_dev *program_start(struct model *m, uint32_t nsid);
void program_end(void);
const struct domain_info *program_info(void);
extern unsigned program_disk_bytes; // as the kernel says that it tells of each disk
void *program_memory(size_t bytes); // for buffers

// A read by the program. Its data are checked by program_ends_well().
struct program_read {
    struct block_req req;
    bool done;
};
void program_read(struct program_read *r, struct block_dev *dev, unsigned cpu, uint64_t lba,
                  uint32_t blocks);
void program_ends_well(struct program_read *r);

// The function is set up, and the program begins: its first disk. A read of it that ends well.
struct block_dev *program_set_up(struct model *m);
void program_reads(struct block_dev *dev, unsigned cpu);

void domain_is_off(const struct model *m); // it has stopped, and reaches nothing

// All addresses are the domain's memory, as devices see it.
extern bool domain_has_all;

unsigned domain_events(unsigned cpu); // that the kernel has told of
unsigned domain_strays(void);         // that were nobody's
uint64_t domain_memory_sum(void);     // of the domain's memory as it is
