// SPDX-License-Identifier: BSD-2-Clause
// Disks that are put into slots, and taken out of them, while the machine runs. slot_plan.h says what
// follows what. All of it runs on the boot CPU, by a timer and in short steps, so that what other
// disks do goes on.
#pragma once

// Looks after all slots from now on, once the disks that were there have been started.
void nvme_slots_start(void);

// No more; what is half-way up is stopped.
void nvme_slots_stop(void);
