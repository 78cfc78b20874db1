// SPDX-License-Identifier: BSD-2-Clause
// Block devices: asynchronous requests from any CPU, completed on the CPU that submitted them.
#pragma once

#include "kernel/base/cpus.h"
#include "kernel/cpu/msg.h"
#include "kernel/run/loop.h"
#include "lib/types.h"

#define BLOCK_SERIAL_BYTES 21

enum block_op { BLOCK_READ };

// Which of its CPU's queues a request takes: 0 the first, n the n-th after it, counted round where
// there are fewer; or one whose interrupts are urgent, where the device has such queues.
#define BLOCK_CHANNELS 256
#define BLOCK_URGENT (BLOCK_CHANNELS - 1)

enum block_status {
    BLOCK_OK,
    BLOCK_ERROR,   // the device said no: block_req.detail is its status
    BLOCK_TIMEOUT, // no answer; the buffer still belongs to the device until it is reset
    BLOCK_GONE,    // the device failed before or during the request
};

// detail of a BLOCK_ERROR that the device never saw: no blocks, blocks past its end, or a buffer
// that is not 4-byte aligned. No device status has this value.
#define BLOCK_DETAIL_RANGE 0xffffffffu

struct block_req {
    struct cpu_msg msg; // the block layer's and the driver's, while in flight

    // The submitter's:
    struct block_dev *dev;
    enum block_op op;
    uint64_t lba;
    uint32_t blocks; // > 0; any number: the driver splits what is too long for one command
    uint8_t channel; // see above
    void *buffer;    // from mem_alloc(), 4-byte aligned at least, physically contiguous
    void (*done)(struct block_req *req); // on the submitting CPU, from its loop
    void *arg;                           // for done()

    enum block_status status; // valid in done()
    uint32_t detail;          // the device's own status, for messages

    // The driver's, while in flight:
    unsigned cpu;           // who submitted it
    uint32_t issued;        // blocks handed to the device so far
    uint32_t pending;       // commands that have not ended
    struct block_req *next; // waiting for a slot
};

struct block_dev {
    char name[16];                   // "nvme0n1"
    char serial[BLOCK_SERIAL_BYTES]; // trimmed, printable
    char model[41];
    uint32_t nsid;
    uint32_t block_size; // bytes
    uint64_t blocks;
    uint64_t max_transfer; // bytes in one command; longer requests are split
    uint32_t queues;       // I/O queue pairs that aren't urgent
    uint32_t channels;     // of these for each CPU: at least one, which CPUs may share
    unsigned node;         // NUMA node, where buffers for it are best; NODE_ANY where unknown
    // Takes the request; it is on its way, or waits for a slot. Any CPU, from its loop.
    void (*submit)(struct block_req *req);
    void *driver;
    struct block_dev *next;
};

// Drivers add each namespace once, on the boot CPU, before apps run.
void block_add(struct block_dev *dev);
struct block_dev *block_first(void);
struct block_dev *block_find(const char *name, size_t length); // NULL: no such name

// Where buffers for a CPU's requests are best: near the device, or near the CPU where the device's
// node is unknown. Any CPU.
static inline unsigned block_buffer_node(const struct block_dev *dev, unsigned cpu)
{
    return dev->node == NODE_ANY ? cpu_node(cpu) : dev->node;
}

// Checks the range against the device and hands the request over; done() is always called later,
// never from within. The caller's CPU.
void block_submit(struct block_req *req);
