// SPDX-License-Identifier: BSD-2-Clause
// A Data Streaming Accelerator at the level of its registers, from the specification (341204-006), on the
// PCI model and the IRQ core's world. Descriptors that were accepted wait until the test lets the device
// work. What software must not do ends the test at once.
#pragma once

#include "drivers/dsa/dsa.h"
#include "kernel/run/copy.h"
#include "tests/host/irq_world.h"

#define MODEL_WQS 8
#define MODEL_ENTRIES 128
#define MODEL_VECTORS 9

struct dsa_word { // a descriptor, as it was written
    uint64_t words[8];
};

struct dsa_model {
    unsigned number;
    uint16_t bdf;
    uint64_t registers, portals; // physical
    uint8_t space[0x10000];      // BAR 0
    struct dsa_word queue[MODEL_WQS][MODEL_ENTRIES];
    unsigned head[MODEL_WQS], count[MODEL_WQS];
    uint64_t line[8]; // of eight stores, so far
    unsigned stores;
    uint16_t handles[MODEL_VECTORS], last_handle;

    // How it behaves.
    bool backwards;           // the youngest descriptor ends first
    bool silent;              // its interrupts don't come
    uint8_t status;           // of all descriptors, instead of their own; 0: their own
    bool no_records;          // records can't be written: SWERROR tells
    unsigned stuck;           // the command that never ends
    unsigned refuse, refusal; // the command that fails, and with what
    uint32_t garbage;         // CRCs are wrong by that
    uint32_t differs_at;      // what it says of comparisons; 0: what is true
    unsigned bad_member;      // of each batch, counted from 1: it fails
    unsigned batch_end; // batches end behind so many members, with a page fault; 0: they don't
    bool lenient;       // writes where nothing is to be written are kept

    // What happened.
    unsigned submitted, dropped, completed, interrupts, commands[32];
    unsigned batches, members; // completed: the latter within the former
};

extern struct dsa_told {
    char warning[400], warning_what[64], info[300], json[300];
    unsigned warnings, infos;
} told;

// A new machine without accelerators, with so many CPUs; MOVDIR64B is there.
void dsa_machine(enum irq_mode mode, unsigned cpus);
void dsa_end_machine(void);
void dsa_set_movdir64b(bool there);

struct dsa_model *dsa_model_new(void);
// GENCAP etc.: before the start.
void dsa_model_set(struct dsa_model *m, unsigned at, uint64_t value, unsigned bytes);
uint64_t dsa_model_get(const struct dsa_model *m, unsigned at, unsigned bytes);
void dsa_model_config(struct dsa_model *m, unsigned at, uint32_t value, unsigned bytes);
void dsa_model_ask_handles(struct dsa_model *m);
bool dsa_model_is_master(const struct dsa_model *m);

// As init/main.c does; the words of the command line.
void dsa_boot(const char *words);

// The device works on what it has, at most so many descriptors; returns how many.
unsigned dsa_model_work(struct dsa_model *m, unsigned most);
void dsa_model_cause(struct dsa_model *m, uint32_t causes); // with its interrupt
void dsa_model_halt(struct dsa_model *m, unsigned reset);
void dsa_model_revoke(struct dsa_model *m);

// The loops of all CPUs, until nothing is left to do; and a second later.
void dsa_run_cpus(void);
void dsa_second(void);
