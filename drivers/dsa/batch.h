// SPDX-License-Identifier: BSD-2-Clause
// Requests of a loop's round that go out as one batch descriptor (3.8, 8.3.2): one entry of the queue, and one
// interrupt, for all of them. What comes alone, or finds no batch free, goes out by itself.
#pragma once

#include "drivers/dsa/queue.h"

#define DSA_BATCH_MOST 64 // descriptors of a batch

// So many from now on; less than DSA_BATCH_LEAST: none. Boot CPU, while nothing is in flight.
void dsa_batch_set(struct dsa_queue *q, unsigned most);

// No queue is used any more. Boot CPU.
void dsa_batch_shutdown(void);
