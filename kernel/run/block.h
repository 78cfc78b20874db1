// SPDX-License-Identifier: BSD-2-Clause
// Block devices: asynchronous requests from any CPU, completed on the CPU that submitted them.
//
// A request is prepared once and may then be submitted any number of times, each time for another
// LBA: all that depends on its device, length and buffer alone is worked out once.
#pragma once

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/run/block_limits.h"
#include "kernel/run/loop.h"
#include "lib/problem.h"
#include "lib/types.h"

#define BLOCK_SERIAL_BYTES 21

enum block_op {
    BLOCK_READ,
    BLOCK_WRITE,
    BLOCK_FLUSH,        // what was written before is durable; no blocks, no buffer
    BLOCK_WRITE_ZEROES, // no buffer
    BLOCK_DEALLOCATE,   // the blocks' content is no longer needed; no buffer
    BLOCK_COMPARE,      // with the buffer; BLOCK_DIFFERS where it isn't the same
    BLOCK_VERIFY,       // the device reads and checks, and hands nothing over; no buffer
    BLOCK_COPY, // by the device itself, from `sources`, one behind the other; no buffer. It is
                // anybody's guess what comes of a copy onto one of its own sources

    // Of disks with zones (limits.zone). `lba` is where a zone begins; the last two have one block, and
    // no buffer.
    BLOCK_ZONE_REPORT, // of zones from there on, as many as the buffer has room for: read_zones()
    BLOCK_ZONE_APPEND, // a write to where the zone's data end, which `lba` tells in done()
    BLOCK_ZONE_FINISH, // it is full, whatever it has
    BLOCK_ZONE_RESET,  // it is empty
    BLOCK_OPS
};

// Which of its CPU's queues a request takes: 0 the first, n the n-th after it, counted round where
// there are fewer; or one whose interrupts are urgent, where the device has such queues.
#define BLOCK_CHANNELS 256
#define BLOCK_URGENT (BLOCK_CHANNELS - 1)

enum block_status {
    BLOCK_OK,
    BLOCK_ERROR,   // the device said no: block_req.detail is its status
    BLOCK_TIMEOUT, // no answer in time; it was aborted, or the device was reset
    BLOCK_GONE,    // the device failed, or was taken away, before or during the request
    BLOCK_DIFFERS, // of a comparison: the device holds other data
};

// detail of a BLOCK_ERROR that the device never saw. No device status has these values.
#define BLOCK_DETAIL_RANGE                                                                         \
    0xffffffffu // no blocks, or some past its end; or not those of a copy's sources
#define BLOCK_DETAIL_BUFFER 0xfffffffeu // none, not 4-byte aligned, or pieces of another length
#define BLOCK_DETAIL_UNSUPPORTED 0xfffffffdu // an operation that it doesn't have
#define BLOCK_DETAIL_PROTECTED 0xfffffffcu   // its serial number is not in allow-write=
#define BLOCK_DETAIL_MEMORY 0xfffffffbu      // a buffer that is not from mem_alloc_dma()

// Where a device takes requests; the driver embeds it.
struct block_req;
struct block_port {
    void (*submit)(struct block_port *port, struct block_req *req);
};

// A piece of memory for whole blocks, 4-byte aligned; from mem_alloc_dma(), physically contiguous.
struct block_piece {
    void *at;
    uint32_t blocks; // > 0
};

// What a copy takes its blocks from.
struct block_source {
    uint64_t lba;
    uint32_t blocks; // > 0
};

struct block_req {
    // All that a submission and a completion touch: one line.
    uint64_t lba;                       // the submitter's
    uint64_t lba_most;                  // with these blocks, none goes past the device's end
    struct block_port *port;            // where it goes
    void (*end)(struct block_req *req); // of a command: done(), unless there is more to do
    uint64_t command;                   // the driver's: what it tells the device,
    uint64_t data[2];                   // where the buffer is,
    uint32_t length;                    // how much it is
    enum block_status status;           // valid in done()

    // The submitter's; block_prepare() reads them.
    struct block_dev *dev;
    void *buffer; // from mem_alloc_dma(), 4-byte aligned, physically contiguous; NULL: pieces
    const struct block_piece *pieces;   // which hold `blocks` together; unchanged until done()
    const struct block_source *sources; // of a copy: which have `blocks` together; likewise
    uint32_t blocks; // > 0; any number: the driver splits what is too long for one command
    enum block_op op;
    uint8_t channel;                     // see above
    bool fua;                            // written data are durable before done()
    void (*done)(struct block_req *req); // on the submitting CPU, from its loop
    void *arg;                           // for done()

    uint32_t detail; // valid in done(): the device's own status, for messages

    // The driver's, while in flight:
    unsigned cpu;           // who prepared it
    uint32_t issued;        // blocks handed to the device so far
    uint32_t pending;       // commands that have not ended, and one while not all are issued
    struct block_req *next; // waiting for a slot, or for due_ns
    struct cpu_msg msg;
    uint64_t due_ns; // when it is tried again
    uint8_t tries;   // that failed
    bool again;      // all of it is submitted again, once its commands have ended
} __attribute__((aligned(CACHE_LINE)));
static_assert(offsetof(struct block_req, dev) == CACHE_LINE, "the hot fields");

// A second way to complete and resubmit, for whoever keeps a number of like requests in flight: those
// that ended well come together, and go on together, each in the slot that it had. Whatever doesn't
// fit into that (a failure, a queue that moved, a slot to wait for) takes the way of any request, by
// done(). The submitting CPU.
struct block_turn {
    struct block_req *req; // ended well; submitted again, at its new `lba`; NULL from turn(): not
    uint64_t slot;         // the driver's
};
struct block_stream {
    void (*done)(struct block_req *req); // requests with this done() are the stream's
    // True: all of them go on. False: not those whose `req` was set to NULL.
    bool (*turn)(struct block_stream *stream, struct block_turn *turns, unsigned count);
};

// What a device says of its own state.
struct block_health {
    uint16_t kelvin;
    uint16_t kelvin_most; // that a sample has found
    uint8_t warnings;     // SMART's bits; 0: none
    uint8_t spare_percent, used_percent;
    // since it was made
    uint64_t bytes_read, bytes_written;
    uint64_t media_errors, logged_errors;
    uint64_t hot_minutes; // above the temperature of which it warns
};

struct block_dev {
    char name[16];                   // "nvme0n1"
    char serial[BLOCK_SERIAL_BYTES]; // trimmed, printable
    char model[41];
    bool writable; // block_add()'s
    bool gone;     // block_remove()'s
    uint32_t ops;  // those that it has: a bit for each block_op
    uint32_t nsid;
    uint32_t block_size; // bytes
    uint64_t blocks;
    uint64_t max_transfer; // bytes in one command; longer requests are split
    struct block_limits limits;
    uint32_t queues;   // I/O queue pairs that aren't urgent
    uint32_t channels; // of these for each CPU: at least one, which CPUs may share
    unsigned node;     // NUMA node, where buffers for it are best; NODE_ANY where unknown
    // Fills in the request's driver fields and its port, for submissions by the calling CPU. Its
    // operation, buffer and length are good. Any CPU.
    void (*prepare)(struct block_req *req);
    bool (*open_stream)(struct block_req *req, struct block_stream *stream); // may be NULL
    void (*close_stream)(struct block_req *req);
    // What a report of zones says that was asked for from `first` on; up to `most` of them. False: it
    // makes no sense. NULL: it has none.
    bool (*read_zones)(const struct block_dev *dev, const void *report, size_t bytes,
                       uint64_t first, struct block_zone *out, size_t most, size_t *count,
                       struct problem *p);
    // Asks the device. False: it doesn't tell. NULL: it never does. Boot CPU, from the app.
    bool (*health)(struct block_dev *dev, struct block_health *out);
    // Asks without waiting for the answer, which counts for kelvin_most; not more often than once a
    // second. Returns the newest answer's kelvins, 0 before there is one. NULL: it has no samples.
    // Boot CPU, from its loop.
    uint16_t (*sample_health)(struct block_dev *dev);
    void *driver;
    const struct block_dev *same_as; // the same disk by another way; NULL: this is the first
    struct block_dev *next;
};

// Which disks may be written to: allow-write='s list of serial numbers, which must stay where it is.
// NULL: none. Boot CPU, before any disk is added.
void block_allow_writes(const char *serials, size_t length);
bool block_allows(const char *serial);

// Drivers add each namespace once, on the boot CPU, before apps run.
void block_add(struct block_dev *dev);
// The disk is gone: nobody finds it any more. Who knows it may keep it, and ask for what it was; what
// is prepared for it from now on ends as BLOCK_GONE, unless it comes back and is added again. Boot CPU.
void block_remove(struct block_dev *dev);
struct block_dev *block_first(void);
struct block_dev *block_find(const char *name, size_t length); // NULL: no such name

// Where buffers for a CPU's requests are best: near the device, or near the CPU where the device's
// node is unknown. Any CPU.
static inline unsigned block_buffer_node(const struct block_dev *dev, unsigned cpu)
{
    return dev->node == NODE_ANY ? cpu_node(cpu) : dev->node;
}

static inline bool block_is_gone(const struct block_dev *dev)
{
    return __atomic_load_n(&dev->gone, __ATOMIC_RELAXED);
}

// Works out what submissions by the calling CPU need, and checks all but the LBA. False: it can't
// be; where it is submitted all the same, it ends with BLOCK_ERROR and says why in `detail`.
bool block_prepare(struct block_req *req);

// Ends it with BLOCK_ERROR, later: done() must not run within a submission.
void block_refuse(struct block_req *req, uint32_t detail);

// Submits a prepared request, on the CPU that prepared it; of the submitter's fields, only `lba` may
// have changed since. done() is always called later, never from within.
static inline void block_resubmit(struct block_req *req)
{
    struct block_port *port = req->port;
    if (unlikely(req->lba > req->lba_most))
        return block_refuse(req, BLOCK_DETAIL_RANGE);
    port->submit(port, req);
}

// Requests with the stream's done(), of the queue that `req` goes to, are a stream from now on. False:
// that queue has one already, the device has no such way, or the requests aren't of a kind that fits.
// The CPU that prepared `req`, which is one of them.
bool block_open_stream(struct block_req *req, struct block_stream *stream);
void block_close_stream(struct block_req *req); // the one that it was opened with

// Prepares a request and submits it.
static inline void block_submit(struct block_req *req)
{
    block_prepare(req);
    block_resubmit(req);
}
