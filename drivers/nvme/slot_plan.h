// SPDX-License-Identifier: BSD-2-Clause
// What to do about a slot that disks are put into and taken out of: which step follows which, and how
// long each may take (PCIe Base 6.0, 6.7). Pure: it is told what the slot says, and answers what to do.
//
// A disk that works is left alone, whatever the slot says: whether it is still there, its own
// registers tell best. Only a press of the button takes it out of use. Once nothing in the slot works,
// and something came since, power goes on, and what is there is looked at: the disk that was there
// before comes back under its name, any other is a new one.
#pragma once

#include "kernel/pci/pci.h"

enum nvme_slot_state {
    NVME_SLOT_IDLE,      // empty, or in use
    NVME_SLOT_REMOVING,  // its disks are taken out of use
    NVME_SLOT_RISING,    // its power is on, its link is not yet
    NVME_SLOT_SETTLING,  // its link is up, but nothing may be asked yet
    NVME_SLOT_PROBING,   // configuration space doesn't answer yet
    NVME_SLOT_RETURNING, // the disks that were there before are set up, if it is those
    NVME_SLOT_STARTING,  // new ones are
};

enum nvme_slot_action {
    NVME_SLOT_DO_NOTHING,
    NVME_SLOT_DO_REMOVE, // have its disks taken out of use
    NVME_SLOT_DO_POWER_OFF,
    NVME_SLOT_DO_POWER_ON,
    NVME_SLOT_DO_RETURN,  // have what was there before set up, if it is there again
    NVME_SLOT_DO_WELCOME, // it was: look for its namespaces
    NVME_SLOT_DO_SCAN,    // look for what is there now
    NVME_SLOT_DO_START,   // the next steps of what was found
    NVME_SLOT_DO_GIVE_UP,
};

struct nvme_slot_plan {
    enum nvme_slot_state state;
    bool changed;      // something came or went while the slot was in use
    uint64_t begun_ns; // since power went on
    uint64_t since_ns; // of this state
};

struct nvme_slot_input {
    uint64_t now_ns;
    struct pci_slot_look look;
    bool in_use;  // some disk in it works, or is just being given up
    bool answers; // its configuration space does; only asked for while NVME_SLOT_PROBING
    bool busy;    // some disk in it is on its way up
};

enum nvme_slot_action nvme_slot_step(struct nvme_slot_plan *plan, const struct nvme_slot_input *in);

// How long until the next step, if nothing happens before.
uint64_t nvme_slot_wait_ns(const struct nvme_slot_plan *plan);
