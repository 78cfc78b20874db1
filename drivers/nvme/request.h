// SPDX-License-Identifier: BSD-2-Clause
// What the straight path (disk.c, stream.c) has from request.c. All functions: the queue's owner,
// from its loop.
#pragma once

#include "drivers/nvme/command.h"
#include "lib/mark.h"

// A request that can't go straight, whatever the reason. Any CPU.
void nvme_request_detour(struct nvme_queue *q, struct block_req *req);

// What is one command goes out at once, with all its fields written; all else takes the detour.
void nvme_request_in_full(struct nvme_queue *q, struct block_req *req);

// Behind what waits for a slot, to begin anew; none of its commands is in flight.
void nvme_request_enqueue(struct nvme_queue *q, struct block_req *req);

// A command of it has come to nothing: all of it is submitted again, not before due_ns, once its
// others have ended.
void nvme_request_again(struct block_req *req, uint64_t due_ns);

// A command of it has, and it is not tried again.
void nvme_request_give_up(struct block_req *req, enum block_status status);

// Issues what waits, as far as there is room.
void nvme_request_pump(struct nvme_queue *q);

// The `end` of a command that went straight; and what is odd about others, what waits first.
static inline void nvme_request_end(struct nvme_qpair *qp, void *command,
                                    const struct nvme_cqe *entry)
{
    struct block_req *req = command;
    MARK_BEGIN("callback");
    req->end(req);
    MARK_END("callback");
}
void nvme_request_look(struct nvme_qpair *qp, uint64_t tail, const struct nvme_cqe *entry);

// block_req.end of a request that is not straight.
void nvme_request_part_ended(struct block_req *req);

// The timer of requests that are to be tried again.
void nvme_request_retry_due(struct cpu_timer *timer);

// ---- stream.c ----

// As nvme_queue_reap(), for a queue with a stream: NVME_REAP_BUDGET entries at most.
unsigned nvme_stream_reap(struct nvme_queue *q);
