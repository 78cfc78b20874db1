// SPDX-License-Identifier: BSD-2-Clause
// What the driver's tests share beyond the models: a test's begin and end, and reads.
#pragma once

#include "tests/host/nvme_model.h"

#define TICK_NS (30 * NS_PER_S / NVME_WATCH_TICKS) // of the watch, with the world's time-out

// For cmocka: a world of one CPU, or two.
int begin_one(void **state);
int begin_two(void **state);
int end_world(void **state);

unsigned namespaces_of(const struct model *m); // how many its controller has

struct block_dev *start(struct model *m); // all controllers; the disk of this one
unsigned resets_since_start(const struct model *m);

// Moves the vector, and the old CPU is told at once.
void move_now(struct model *m, unsigned vector, unsigned to);

// Gives a controller up that is removed, just so far that each queue's owner is told of it.
void is_given_up(struct model *m);

// It was given up, for this reason, and nothing reaches it any more, nor it memory.
void is_gone_for(struct model *m, struct block_dev *dev, const char *words);

// It fails in a way that a reset helps: CSTS.CFS, RDY falls, all ones for half a second; or somebody
// asks for a reset.
enum failure { FAILS_FATAL, FAILS_NOT_READY, FAILS_AWAY, FAILS_ASKED, FAILURES };
void model_fails(struct model *m, enum failure way);

// A read with its own buffer.
struct world_read {
    struct block_req req;
    uint8_t *memory; // the buffer with guards around it
    bool done;
    unsigned done_cpu;
};
void world_read_start(struct world_read *r, struct block_dev *dev, unsigned cpu, uint64_t lba,
                      uint32_t blocks, size_t misalign);
void world_read_start_for(struct world_read *r, struct block_dev *dev, unsigned cpu, uint64_t lba,
                          uint32_t blocks, size_t misalign, void (*done)(struct block_req *req));
void world_read_done(struct block_req *req);
void world_read_free(struct world_read *r);

// These free the read.
void ends_well(struct world_read *r); // has ended, on its CPU, with the right data
void ends(struct world_read *r, enum block_status status); // has ended so
void finish(struct world_read *r);                         // ends well, in 1000 rounds at most
void finish_within(struct world_read *r, unsigned rounds);

void starts(struct model *m); // all controllers; the disk of this one reads well
void warned_once(const char *what, const char *text); // which the one warning has
void reads_well(struct block_dev *dev, unsigned cpu);

// ---- formats ----

// A namespace of 100,000 blocks of 512 bytes, with so many bytes of metadata apart from the data, and
// protection information of this type.
struct model_namespace *add_formatted(struct model *m, uint32_t nsid, unsigned metadata,
                                      unsigned type);
struct block_dev *start_unwarned(struct model *m, uint32_t nsid); // all controllers; this disk
void read_some(struct block_dev *dev, unsigned count); // at random, by two CPUs; they end well
void print_says(const char *line, const char *json);   // nvme_print(), among others
