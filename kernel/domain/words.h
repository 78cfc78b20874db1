// SPDX-License-Identifier: BSD-2-Clause
// domain=NAME:cpus=2-3,5:disks=nvme1n1,nvme2n1:mem=256m:prog=FILE:time=10s:lives=3:WORD:WORD on the command line:
// a domain, and what it gets. Only cpus= must be there; words of other names are the command line of its
// program, where %3a stands for a colon. Pure.
#pragma once

#include "kernel/base/cpus.h"
#include "kernel/domain/abi.h"
#include "kernel/handoff.h"
#include "lib/problem.h"
#include "lib/types.h"

#define DOMAINS_MAX 8u
#define DOMAIN_DISKS_MAX 64u
#define DOMAIN_DISK_BYTES 16 // as struct block_dev has it
#define DOMAIN_WORDS_BYTES 1024
#define DOMAIN_TIME_MAX_US 3600000000ull
#define DOMAIN_LIVES_MAX 1000000u
#define DOMAIN_MEMORY_STEP (2 * MIB)
#define DOMAIN_MEMORY_USUAL (64 * MIB)

#define DOMAIN_PATIENCE_US 10000000ull

struct domain_words {
    char name[DOMAIN_NAME_BYTES];
    uint64_t cpus[CPU_MAX / 64]; // bit n: the n-th of the machine, as smp_keep_back() counts
    unsigned cpus_count;         // at least 1
    unsigned disks_count;
    char disks[DOMAIN_DISKS_MAX][DOMAIN_DISK_BYTES];
    uint64_t memory;                    // bytes, a multiple of DOMAIN_MEMORY_STEP
    char program[HANDOFF_PROGRAM_NAME]; // empty: the one that the image has
    uint64_t time_us;                   // when each of its lives is ended; 0: never
    uint64_t patience_us;           // a CPU that doesn't come round its loop for so long ends it
    uint32_t lives;                 // how many times it begins, at least 1
    char words[DOMAIN_WORDS_BYTES]; // with a blank between any two
};

// Reads the value of one domain= and adds it to `all`, which has room for DOMAINS_MAX. Problem "domain-words":
// what can't be meant, and what an earlier one has already.
bool domain_words_add(struct domain_words *all, unsigned *count, const char *text, size_t length,
                      struct problem *p);

// Its disks= has that one.
bool domain_words_have(const struct domain_words *d, const char *disk);

// The CPUs of all of them.
void domain_words_places(const struct domain_words *all, unsigned count,
                         uint64_t places[CPU_MAX / 64]);
