// SPDX-License-Identifier: BSD-2-Clause
// Several controllers of a subsystem can lead to one namespace, each by its own way. Boot CPU.
#pragma once

#include "drivers/nvme/disk.h"

// Two controllers' ways to one disk.
bool nvme_ways_other(const struct nvme_ns *a, const struct nvme_ns *b);

// Finds the disk that the namespace is another way to, if there is one.
void nvme_ways_find(struct nvme_ns *ns);

// A serial number that another disk has, too, names neither: none of both may be written to. After
// block_add().
void nvme_ways_doubt(struct nvme_ns *ns);

// The namespace is gone: the first of its other ways takes its place.
void nvme_ways_forget(const struct nvme_ns *ns);

// The states of the controller's ways, by group. False: it doesn't answer any more.
bool nvme_ways_read(struct nvme_ctrl *c, struct problem *p);

// They changed: the log page is read anew, in so many pieces, each into a page. Once the last one was
// taken, ways that closed or opened are told.
unsigned nvme_ways_pieces(const struct nvme_ctrl *c);
struct nvme_sqe nvme_ways_ask(const struct nvme_ctrl *c, unsigned piece, const void *page);
void nvme_ways_take(struct nvme_ctrl *c, unsigned piece, const void *page);

// The namespace's way as last read; 0 where the controller doesn't tell.
enum nvme_ana_state nvme_way_state(const struct nvme_ctrl *c, const struct nvme_identity *identity);

// Data can be read and written by a way in this state, now or after a while.
bool nvme_way_is_open(enum nvme_ana_state state);
