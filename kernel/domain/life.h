// SPDX-License-Identifier: BSD-2-Clause
// A domain from its start to its end, a step at a time: inside kernel/domain only. Boot CPU.
//
//     off -> withdrawing -> clearing -> setting up -> running -> stopping -> silencing -> off
//                             ^                                                |
//                             '------- another life, after a pause or none ----'
#pragma once

#include "kernel/cpu/msg.h"
#include "kernel/cpu/timer.h"
#include "kernel/domain/abi.h"
#include "kernel/domain/cpu.h"
#include "kernel/domain/device.h"
#include "kernel/domain/memory.h"
#include "kernel/domain/program.h"
#include "kernel/domain/words.h"
#include "lib/problem.h"

enum domain_state {
    DOMAIN_OFF,
    DOMAIN_WITHDRAWING, // its functions are taken from the kernel
    DOMAIN_PAUSING,     // between two lives
    DOMAIN_CLEARING,    // its memory is, by its own CPU
    DOMAIN_SETTING_UP,  // its functions are, and all that the program finds
    DOMAIN_RUNNING,
    DOMAIN_STOPPING,  // its CPUs are on their way back
    DOMAIN_SILENCING, // its functions are; its memory is theirs until then
    DOMAIN_RETURNING, // its functions go back to the kernel
    DOMAIN_LOST,      // a function couldn't be silenced: its memory serves nobody any more
};

struct domain {
    const struct domain_words *words;
    struct domain *next;

    // Made once, for all lives.
    struct domain_team team; // its CPUs
    struct space *space;     // what they see
    struct pci_space *reach; // what its functions do; NULL: it has none
    struct domain_memory memory;
    struct domain_program program;
    struct domain_info *info;
    void **stacks; // of each CPU
    struct domain_seat *seats;
    struct domain_device *devices[DOMAIN_FUNCTIONS_MAX];
    unsigned devices_count;
    struct domain_grant grant;

    enum domain_state state;
    enum domain_end end;
    unsigned at;                     // function whose turn it is
    unsigned working;                // CPUs that haven't come back
    unsigned taken;                  // functions that are not the kernel's
    bool dying;                      // this life ends
    bool lost[DOMAIN_FUNCTIONS_MAX]; // functions that couldn't be silenced
    bool any_lost;
    bool again; // lives may be left
    bool cleared;
    uint32_t lives;       // that have begun
    unsigned short_lives; // of these the last ones
    uint64_t since_ns;    // it is in its state
    uint64_t began_ns;
    struct cpu_timer step, time, look;
    struct cpu_msg clear;
    struct problem problem;
};

// Begins a life; what follows goes by timers and messages.
void domain_live(struct domain *d);

// Ends it: from any state.
void domain_die(struct domain *d, enum domain_end end);

// For its team.
void domain_is_over(struct domain_team *team, enum domain_end why);
void domain_cpu_is_back(struct domain_team *team);
