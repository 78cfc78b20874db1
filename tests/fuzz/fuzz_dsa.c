// SPDX-License-Identifier: BSD-2-Clause
// An accelerator all of whose registers, completion records and interrupts are made of the fuzzer's bytes.
// Whatever it says, the driver ends, and each request ends once.

#include <setjmp.h>
#include <stdarg.h>

#include <string.h>

#include "tests/fuzz/input.h"
#include "tests/host/dsa_model.h"

#include <cmocka.h>

#define REQUESTS 100
#define BYTES 64

static struct copy_req reqs[REQUESTS];
static bool out[REQUESTS];
static uint8_t from[BYTES], to[REQUESTS][BYTES];

static void done(struct copy_req *req)
{
    require(out[req - reqs]);
    out[req - reqs] = false;
}

static void submit(struct input *in, struct copy_dev *dev)
{
    unsigned i = (unsigned)take(in, 1) % REQUESTS;
    if (out[i])
        return;
    out[i] = true;
    reqs[i] = (struct copy_req){ .op = (enum copy_op)(take(in, 1) % COPY_OPS),
                                 .from = from,
                                 .to = to[i],
                                 .bytes = BYTES,
                                 .dev = i % 8 ? dev : NULL,
                                 .done = done };
    world.current = i % 2;
    copy_submit(&reqs[i]);
    world.current = 0;
}

// As firmware and hardware have it, but for some of its bytes.
static void spoil(struct dsa_model *m, struct input *in)
{
    static const unsigned places[] = { 0x00, 0x10, 0x20, 0x30, 0x38, 0x40,
                                       0x60, 0x90, 0x98, 0xb0, 0xc0 };
    for (size_t n = take(in, 1) % 8; n > 0; n--) {
        unsigned at = places[take(in, 1) % ARRAY_SIZE(places)] + (unsigned)take(in, 1) % 8;
        m->lenient = true;
        dsa_model_set(m, at, take(in, 1), 1);
    }
}

// Its word for errors; interrupts follow.
static void tell(struct dsa_model *m, struct input *in)
{
    for (unsigned word = 0; word < 4; word++)
        dsa_model_set(m, 0xc0 + 8 * word, take(in, 4), 4);
    dsa_model_cause(m, (uint32_t)take(in, 4));
}

static void step(struct dsa_model *m, struct input *in, struct copy_dev *dev)
{
    switch (take(in, 1) % 16) {
    case 0:
        return tell(m, in);
    case 1:
        return dsa_second();
    case 2:
        m->status = (uint8_t)take(in, 1);
        return;
    case 3:
        m->backwards = take(in, 1) & 1;
        m->silent = take(in, 1) & 1;
        m->no_records = take(in, 1) & 1;
        return;
    case 4:
        return dsa_model_revoke(m);
    case 5:
        m->refuse = (unsigned)take(in, 1) % 16;
        m->refusal = (unsigned)take(in, 1) % 8; // none, often enough
        return;
    case 6:
        return dsa_run_cpus();
    case 12:
        m->bad_member = (unsigned)take(in, 1) % 8;
        m->batch_end = (unsigned)take(in, 1) % 8;
        m->differs_at = (uint32_t)take(in, 4);
        return;
    case 7:
        dsa_model_set(m, 0x90, take(in, 1), 1);
        return;
    case 8:
        dsa_model_work(m, (unsigned)take(in, 1));
        return;
    default:
        return submit(in, dev);
    }
}

// It goes away: whoever still waits is told.
static void end(struct dsa_model *m)
{
    dsa_model_set(m, 0x90, UINT32_MAX, 4);
    dsa_second();
    dsa_run_cpus();
    for (unsigned i = 0; i < REQUESTS; i++)
        require(!out[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, data + size };
    unsigned kind = (unsigned)take(&in, 1);
    dsa_machine(kind & 1 ? IRQ_ADAPTIVE : IRQ_REMAPPED, 2);
    memset(out, 0, sizeof(out));
    for (unsigned op = 0; op < COPY_OPS; op++)
        copy_set_least((enum copy_op)op, 1);
    struct dsa_model *m = dsa_model_new();
    if (kind & 2)
        dsa_model_ask_handles(m);
    if (kind & 4)
        spoil(m, &in);
    dsa_boot(kind & 8 ? "dsa.queues=1" : "");
    struct copy_dev *dev = copy_first();
    if (dev && dev->set_batch)
        dev->set_batch(dev, kind / 16);
    while (dev && in.at < in.end)
        step(m, &in, dev);
    if (dev)
        end(m);
    dsa_end_machine();
    return 0;
}
