// SPDX-License-Identifier: BSD-2-Clause
// What to do about a controller that doesn't answer as it should: which step follows which, how
// long each may take, and how often all of it is tried. Pure: it reads no register and sends
// nothing, it is told what happened and answers what to do now.
//
// A late command is aborted. Where that doesn't end it, or the controller failed, the controller is
// reset and set up again; where that fails a few times in a row, it is given up. Nothing that is in
// flight ends before the controller can't reach memory any more.
#pragma once

#include "lib/types.h"

#define NVME_ABORTS_MOST 8u // with more commands late than this, the controller is reset at once
#define NVME_RESETS_MOST 3u // in a row, with no command completed in between

enum nvme_plan_state {
    NVME_RUNNING,
    NVME_ABSENT,    // its registers read all ones; it may come back
    NVME_ABORTING,  // one Abort is under way
    NVME_QUIETING,  // the queues' owners are to leave them alone
    NVME_DISABLING, // CC.EN is 0, CSTS.RDY is not yet
    NVME_CLEARING,  // the queues' owners take back what was in flight
    NVME_ENABLING,  // CC.EN is 1, CSTS.RDY is not yet
    NVME_RESTORING, // it is told of its queues
    NVME_GONE,
};

enum nvme_plan_event {
    NVME_TICK,         // look at CSTS and at what is late
    NVME_ABORT_ENDED,  // it says that the command was aborted
    NVME_ABORT_FAILED, // it says that it was not, or nothing
    NVME_QUIET,
    NVME_CLEARED,
    NVME_RESTORED,
    NVME_NOT_RESTORED,
    NVME_RESET_ASKED,   // by somebody who knows better
    NVME_REMOVAL_ASKED, // by somebody who stands in front of it
    NVME_RETURN_ASKED,  // by its slot, where something is again
    NVME_REPLACED,      // another is in its place
};

enum nvme_plan_action {
    NVME_DO_NOTHING,
    NVME_DO_ABORT,   // of one late command
    NVME_DO_QUIET,   // NVME_QUIET follows
    NVME_DO_DISABLE, // CC.EN = 0
    NVME_DO_CLEAR,   // NVME_CLEARED follows
    NVME_DO_ENABLE,  // CC.EN = 1
    NVME_DO_RESTORE, // NVME_RESTORED or NVME_NOT_RESTORED follows
    NVME_DO_RESUME,  // let the queues go on
    NVME_DO_REMOVE,  // stop its DMA, and end all requests
};

// Why it is, or was last, reset or given up.
enum nvme_plan_reason {
    NVME_WHY_LATE,      // commands without an answer
    NVME_WHY_FATAL,     // CSTS.CFS
    NVME_WHY_NOT_READY, // CSTS.RDY fell
    NVME_WHY_ABSENT,    // all ones
    NVME_WHY_STUCK,     // its reset doesn't end
    NVME_WHY_SETUP,     // after its reset it can't be set up
    NVME_WHY_ASKED,
    NVME_WHY_REMOVED, // as was asked for
    NVME_WHY_OTHER,   // it is another disk now
};

struct nvme_plan_limits {
    uint64_t ready_ns;  // for CSTS.RDY to follow CC.EN
    uint64_t settle_ns; // after CC.EN = 0, before CSTS may be read
    uint64_t abort_ns;  // for a late command to end once its Abort was sent
    uint64_t absent_ns; // for registers to answer again
};

struct nvme_plan {
    enum nvme_plan_state state;
    enum nvme_plan_reason reason;
    unsigned resets;   // in a row
    unsigned late;     // commands, when the Abort under way was sent
    uint64_t since_ns; // of this state
    struct nvme_plan_limits limits;
};

struct nvme_plan_input {
    enum nvme_plan_event event;
    uint64_t now_ns;
    uint32_t csts; // as read now; not looked at where nvme_plan_reads_csts() is false
    unsigned late; // commands in flight whose time is up
    bool progress; // some command has completed since the last reset
};

// CSTS may be read and counts: false shortly after a reset.
bool nvme_plan_reads_csts(const struct nvme_plan *plan, uint64_t now_ns);

// What to do now. Once it is NVME_GONE, nothing any more, unless it is to return.
enum nvme_plan_action nvme_plan_step(struct nvme_plan *plan, const struct nvme_plan_input *in);

// When to look again, if nothing happens before.
uint64_t nvme_plan_next_ns(const struct nvme_plan *plan, uint64_t now_ns);

// Firmware may be activated without a reset: CSTS.PP is 1, and commands wait (NVMe Base 2.0,
// 3.1.3.6). That time doesn't count against them, for as long as MTFA allows.
struct nvme_pause {
    uint64_t since_ns; // 0: it isn't paused
};
bool nvme_pause_holds(struct nvme_pause *pause, uint32_t csts, uint64_t now_ns, uint64_t most_ns);

// A command that failed may be tried again (3.3.3.2.1): where DNR is 0, and so often at most.
#define NVME_TRIES_MOST 5u
bool nvme_may_retry(uint32_t status, unsigned tries);
// How long to wait before, of the delays that the controller names.
uint64_t nvme_retry_delay_ns(uint32_t status, const uint64_t retry_ms[4]);
