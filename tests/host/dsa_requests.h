// SPDX-License-Identifier: BSD-2-Clause
// Requests to an accelerator of the model's: what they are to do, and whether they have done it.
#pragma once

#include <setjmp.h>
#include <stdarg.h>

#include <stdlib.h>
#include <string.h>

#include "tests/host/dsa_model.h"

#include "kernel/base/percpu.h"
#include "lib/crc32c.h"

#include <cmocka.h>

#define REQUESTS 300
#define BYTES 256

static struct dsa_model *m;
static struct copy_req reqs[REQUESTS];
static unsigned ended[REQUESTS], ended_on[REQUESTS];
static uint8_t from[REQUESTS][BYTES], to[REQUESTS][BYTES];
#define DIFFERS_AT(i) ((i) * 7 % BYTES) // of a comparison with an odd number
static unsigned again;                  // so many are submitted anew from done()

static int begin(void **state)
{
    dsa_machine(IRQ_ADAPTIVE, 2);
    memset(reqs, 0, sizeof(reqs));
    memset(ended, 0, sizeof(ended));
    memset(to, 0, sizeof(to));
    again = 0;
    srand(1);
    for (unsigned i = 0; i < sizeof(from); i++)
        ((uint8_t *)from)[i] = (uint8_t)rand();
    m = dsa_model_new();
    return 0;
}

static int finish(void **state)
{
    dsa_end_machine();
    return 0;
}

static void done(struct copy_req *req)
{
    unsigned i = (unsigned)(req - reqs);
    ended[i]++;
    ended_on[i] = cpu_index();
    if (again && again--)
        copy_resubmit(req);
}

static void ask(unsigned i, enum copy_op op, struct copy_dev *dev)
{
    if (op == COPY_COMPARE) {
        memcpy(to[i], from[i], BYTES);
        to[i][DIFFERS_AT(i)] ^= i % 2;
    }
    reqs[i] = (struct copy_req){
        .op = op,
        .bytes = BYTES,
        .to = op == COPY_CRC32C ? NULL : to[i],
        .from = op == COPY_FILL ? NULL : from[i],
        .pattern = 0x8877665544332211 + i,
        .seed = i,
        .dev = dev,
        .done = done,
    };
    copy_submit(&reqs[i]);
}

static void ask_many(unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        ask(i, (enum copy_op)(i % COPY_OPS), copy_first());
}

static bool is_right(unsigned i)
{
    uint64_t pattern = 0x8877665544332211 + i;
    if (reqs[i].op == COPY_CRC32C)
        return reqs[i].crc == crc32c(i, from[i], BYTES);
    if (reqs[i].op == COPY_NOOP)
        return true;
    if (reqs[i].op == COPY_COMPARE)
        return reqs[i].differs == i % 2 && reqs[i].differs_at == (i % 2 ? DIFFERS_AT(i) : 0);
    if (reqs[i].op == COPY_MOVE)
        return !memcmp(to[i], from[i], BYTES);
    for (unsigned at = 0; at < BYTES; at += 8)
        if (memcmp(to[i] + at, &pattern, 8) != 0)
            return false;
    return true;
}

static void check(unsigned first, unsigned count, enum copy_status status)
{
    for (unsigned i = first; i < first + count; i++) {
        assert_int_equal(ended[i], 1);
        assert_int_equal(reqs[i].status, status);
        if (status == COPY_OK)
            assert_true(is_right(i));
    }
}

// Of requests that were submitted anew: each ended well the last time, and together they ended so often.
static inline void check_again(unsigned count, unsigned ends)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i++) {
        sum += ended[i];
        assert_int_equal(reqs[i].status, COPY_OK);
        assert_true(is_right(i));
    }
    assert_int_equal(sum, ends);
}

static void work(void)
{
    do
        dsa_run_cpus();
    while (dsa_model_work(m, UINT32_MAX));
    dsa_run_cpus();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
