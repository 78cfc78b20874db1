// SPDX-License-Identifier: BSD-2-Clause
// Asynchronous copies, fills, sums and comparisons of memory, by a device that does such things where there is one,
// else by the CPU itself.
//
// As a block request, one is prepared once and may then be submitted any number of times.
#pragma once

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "lib/problem.h"
#include "lib/types.h"

enum copy_op {
    COPY_MOVE,    // `bytes` from `from` to `to`, which don't overlap
    COPY_FILL,    // `bytes` at `to` with `pattern`, its lowest byte first, again and again
    COPY_CRC32C,  // of `bytes` at `from`, as lib/crc32c.h has it
    COPY_COMPARE, // `bytes` at `from` and at `to`
    COPY_NOOP,    // nothing: what a request costs
    COPY_OPS
};

enum copy_status {
    COPY_OK,
    COPY_ERROR, // the device said no: `detail` is its code; data may be written in part
    COPY_GONE,  // the device failed before or during the request
};

// detail of a COPY_ERROR that no device saw. No device's code has these values.
#define COPY_DETAIL_RANGE 0xffffffffu       // no bytes, more than it can, or overlapping
#define COPY_DETAIL_MEMORY 0xfffffffeu      // memory that is not from mem_alloc_dma()
#define COPY_DETAIL_UNSUPPORTED 0xfffffffdu // an operation that it doesn't have
#define COPY_DETAIL_LOST 0xfffffffcu        // the device took it and never answered

struct copy_req;
struct copy_dev;

// Where a device takes requests; the driver embeds it.
struct copy_port {
    void (*submit)(struct copy_port *port, struct copy_req *req);
};

struct copy_req {
    uint64_t words[8]; // the driver's: what it tells the device

    struct copy_port *port;             // where it goes
    unsigned cpu;                       // who prepared it
    enum copy_status status;            // valid in done()
    uint32_t crc;                       // of COPY_CRC32C: valid in done()
    bool differs;                       // of COPY_COMPARE: valid in done()
    uint32_t differs_at;                // offset of the first byte that differs
    uint32_t detail;                    // valid in done(): the device's own code, for messages
    void (*done)(struct copy_req *req); // on the submitting CPU, from its loop
    void *arg;                          // for done()

    // The submitter's; copy_prepare() reads them.
    enum copy_op op;
    uint32_t bytes;
    void *to;
    const void *from;
    uint64_t pattern;
    uint32_t seed;        // of COPY_CRC32C: 0, or the sum of what stands before
    struct copy_dev *dev; // NULL: whoever is faster, by copy_measure()

    // While in flight:
    struct copy_req *next;
    struct cpu_msg msg;
} __attribute__((aligned(CACHE_LINE)));

struct copy_dev {
    char name[8]; // "dsa0"
    unsigned node;
    unsigned queues;     // CPUs with a queue of their own, from the first one on; others share them
    unsigned depth;      // requests that a queue takes at once; more wait
    uint32_t ops;        // those that it has: a bit for each copy_op
    uint32_t most;       // bytes of a request
    unsigned batch_most; // requests that it takes together; less than 2: none
    bool gone;           // copy_remove()'s
    // Fills in `words` and `port`, for submissions by the calling CPU. All else is good. Any CPU.
    void (*prepare)(struct copy_dev *dev, struct copy_req *req);
    // From now on, so many requests that a CPU submits in a round of its loop go out together, with one
    // interrupt; less than 2: each by itself. Boot CPU, while none is in flight. NULL where batch_most < 2.
    void (*set_batch)(struct copy_dev *dev, unsigned count);
    struct copy_dev *next;
};

// Drivers add each device once, on the boot CPU, before apps run; and take away one that failed: who
// knows it may keep it, but nobody finds it any more.
void copy_add(struct copy_dev *dev);
void copy_remove(struct copy_dev *dev);
struct copy_dev *copy_first(void);

static inline bool copy_is_gone(const struct copy_dev *dev)
{
    return __atomic_load_n(&dev->gone, __ATOMIC_RELAXED);
}

// Works out what submissions by the calling CPU need. False: it can't be; where it is submitted all
// the same, it ends with COPY_ERROR and says why in `detail`. Any CPU.
bool copy_prepare(struct copy_req *req);

// Submits a prepared request, on the CPU that prepared it, as it was then; memory may have changed.
// done() is always called later, never from within.
static inline void copy_resubmit(struct copy_req *req)
{
    req->port->submit(req->port, req);
}

static inline void copy_submit(struct copy_req *req)
{
    copy_prepare(req);
    copy_resubmit(req);
}

// For drivers: ends a request that failed, on the CPU that prepared it, now or later. One that might have
// gone anywhere is done by the CPU instead, and ends well.
void copy_fail(struct copy_req *req, enum copy_status status, uint32_t detail);
void copy_fail_later(struct copy_req *req, enum copy_status status, uint32_t detail);

// From how many bytes on the device is faster than the CPU, of requests with `dev` NULL; UINT32_MAX:
// never, or it wasn't measured yet.
uint32_t copy_least(enum copy_op op);
void copy_set_least(enum copy_op op, uint32_t bytes);
// The device that such a request of the calling CPU would take; NULL: the CPU.
struct copy_dev *copy_choose(const struct copy_req *req);
