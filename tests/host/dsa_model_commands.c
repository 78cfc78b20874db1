// SPDX-License-Identifier: BSD-2-Clause
// The model's commands, with the checks of the specification's 5.1 and 5.2.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "tests/host/dsa_model_parts.h"

#include "lib/bits.h"

#include <cmocka.h>

static void drop_all(struct dsa_model *m)
{
    memset(m->head, 0, sizeof(m->head));
    memset(m->count, 0, sizeof(m->count));
}

static unsigned enable_device(struct dsa_model *m)
{
    unsigned sum = 0;
    if (state(m))
        return 0x10;
    if (!dsa_model_is_master(m))
        return 0x12;
    for (unsigned wq = 0; wq < MODEL_WQS; wq++) {
        bool grouped = get(m, GROUPS, 8) >> wq & 1;
        sum += wq_size(m, wq);
        if (grouped != (wq_size(m, wq) > 0))
            return 0x16;
    }
    if (sum > MODEL_ENTRIES)
        return 0x14;
    if (!get(m, GROUPS + 32, 8) != !get(m, GROUPS, 8))
        return 0x15;
    if (get(m, 0x38, 1) < 64 && get(m, GROUPS + 32, 8) >> get(m, 0x38, 1))
        return 0x17;
    put(m, 0x90, 1, 4);
    return 0;
}

static unsigned enable_wq(struct dsa_model *m, unsigned wq)
{
    if (state(m) != 1)
        return 0x20;
    if (wq >= MODEL_WQS)
        return 2;
    if (wq_state(m, wq))
        return 0x21;
    if (!wq_size(m, wq))
        return 0x22;
    uint32_t mode = (uint32_t)get(m, WQS + WQ_BYTES * wq + 8, 4);
    uint32_t limits = (uint32_t)get(m, WQS + WQ_BYTES * wq + 12, 4);
    if (!(mode & 0xf0))
        return 0x23;
    if (!(mode & 1))
        return 0x24;
    if (!(limits & 0x1e0) || (limits >> 5 & 15) > (get(m, 0x10, 8) >> 21 & 15))
        return 0x27;
    if ((limits & 31) > (get(m, 0x10, 8) >> 16 & 31))
        return 0x28;
    set_wq_state(m, wq, 1);
    return 0;
}

static unsigned of_wqs(struct dsa_model *m, unsigned code, unsigned operand)
{
    assert_int_equal(operand >> 16, 0);
    for (unsigned wq = 0; wq < 16; wq++) {
        if (!(operand >> wq & 1))
            continue;
        if (wq >= MODEL_WQS)
            return 2;
        if (wq_state(m, wq) != 1)
            return 0x32;
        if (code == 9)
            m->count[wq] = 0;
        dsa_model_work_off(m, wq);
        if (code == 7)
            set_wq_state(m, wq, 0);
    }
    return 0;
}

static unsigned disable_device(struct dsa_model *m)
{
    if (state(m) != 1)
        return 0x31;
    for (unsigned wq = 0; wq < MODEL_WQS; wq++) {
        dsa_model_work_off(m, wq);
        set_wq_state(m, wq, 0);
    }
    put(m, 0x90, 0, 4);
    return 0;
}

static void reset(struct dsa_model *m)
{
    drop_all(m);
    memset(m->space + GROUPS, 0, 0x100);
    memset(m->space + WQS, 0, WQ_BYTES * MODEL_WQS);
    memset(m->space + PERMISSIONS, 0, 0x100);
    memset(m->handles, 0, sizeof(m->handles));
    put(m, 0x88, 0, 4);
    put(m, 0x90, 0, 4);
    put(m, 0x98, 0, 4);
}

static unsigned request_handle(struct dsa_model *m, unsigned entry)
{
    if (entry >= MODEL_VECTORS)
        return 0x41;
    m->handles[entry] = ++m->last_handle;
    put(m, 0xa8, (uint32_t)m->last_handle << 8, 4);
    return 0;
}

static unsigned carry_out(struct dsa_model *m, unsigned code, unsigned operand)
{
    if (code == m->refuse)
        return m->refusal;
    if (!(get(m, 0xb0, 4) >> code & 1))
        return 1;
    if (state(m) == 3)
        return 5;
    switch (code) {
    case 1:
        return enable_device(m);
    case 2:
        return disable_device(m);
    case 4:
        drop_all(m);
        return 0;
    case 5:
        reset(m);
        return 0;
    case 6:
        return enable_wq(m, operand);
    case 7:
    case 8:
    case 9:
        return of_wqs(m, code, operand);
    case 13:
        return request_handle(m, operand);
    default:
        return 1;
    }
}

void dsa_model_command(struct dsa_model *m, uint32_t word)
{
    unsigned code = word >> 20 & 31;
    assert_false(get(m, 0xa8, 4) >> 31); // one at a time
    assert_int_equal(word >> 25, 0);
    m->commands[code]++;
    put(m, 0xa8, 0, 4);
    if (code == m->stuck)
        put(m, 0xa8, 1u << 31, 4);
    else
        m->space[0xa8] = (uint8_t)carry_out(m, code, word & 0xfffff);
}

void dsa_model_ask_handles(struct dsa_model *m)
{
    put(m, 0xb0, get(m, 0xb0, 4) | BIT32(13), 4);
    m->last_handle = 0x4000;
}

void dsa_model_revoke(struct dsa_model *m)
{
    memset(m->handles, 0, sizeof(m->handles));
    dsa_model_cause(m, BIT32(31));
}
