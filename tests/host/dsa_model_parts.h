// SPDX-License-Identifier: BSD-2-Clause
// What the model's files share: registers as bytes, and states.
#pragma once

#include "tests/host/dsa_model.h"

#include <string.h>

#define PERMISSIONS 0x400
#define GROUPS 0x600
#define WQS 0x800
#define WQ_BYTES 32

static inline void put(struct dsa_model *m, unsigned at, uint64_t value, unsigned bytes)
{
    memcpy(m->space + at, &value, bytes);
}

static inline uint64_t get(const struct dsa_model *m, unsigned at, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, m->space + at, bytes);
    return value;
}

static inline unsigned state(const struct dsa_model *m)
{
    return m->space[0x90] & 3;
}

static inline unsigned wq_state(const struct dsa_model *m, unsigned wq)
{
    return (unsigned)(get(m, WQS + WQ_BYTES * wq + 0x18, 4) >> 30);
}

static inline void set_wq_state(struct dsa_model *m, unsigned wq, unsigned to)
{
    put(m, WQS + WQ_BYTES * wq + 0x18, (uint64_t)to << 30, 4);
}

static inline unsigned wq_size(const struct dsa_model *m, unsigned wq)
{
    return (unsigned)get(m, WQS + WQ_BYTES * wq, 2);
}

// A write to CMD; and all that the queue holds, carried out.
void dsa_model_command(struct dsa_model *m, uint32_t word);
void dsa_model_work_off(struct dsa_model *m, unsigned wq);
