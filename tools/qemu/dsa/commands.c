// SPDX-License-Identifier: BSD-2-Clause
// Administrative commands (3.15, 9.2.12). One at a time, and each takes its time: it begins in the device's
// own work, and ends when what it waits for is gone.
#include "tools/qemu/dsa/device.h"
#include "tools/qemu/strict.h"

#define ALL_WQS (~0ull)

void dsa_command_write(struct dsa *d, uint32_t word)
{
    if (d->cmdstatus & CMDSTATUS_ACTIVE) {
        strict_breach(RULE_DSA_CMD_ACTIVE, "%s: %#x while %#x is under way", dsa_name(d), word,
                      d->command.word);
        dsa_software_error(d, STATUS_COMMAND_ACTIVE, NULL, 0, 0, 0);
        return;
    }
    d->cmdstatus = CMDSTATUS_ACTIVE;
    d->command.word = word;
    d->command.begun = false;
    d->statistics.commands++;
    dsa_kick(d);
}

static void end(struct dsa *d, enum dsa_command_error error, uint32_t result)
{
    if (error && error != CMDERR_NO_HANDLE && !d->plant)
        strict_breach(RULE_DSA_COMMAND, "%s: %#x ended with error %#x", dsa_name(d),
                      d->command.word, error);
    d->cmdstatus = (uint32_t)(field_put(CMDSTATUS_RESULT, result) | error);
    if (d->command.word & CMD_INTERRUPT)
        dsa_cause(d, INTCAUSE_COMMAND);
}

static unsigned operand(const struct dsa *d)
{
    return (unsigned)field_get(CMD_OPERAND, d->command.word);
}

static enum dsa_command code(const struct dsa *d)
{
    return (enum dsa_command)field_get(CMD_CODE, d->command.word);
}

// The queues that an operand of group and bit map names. ----

static uint64_t named_wqs(const struct dsa *d)
{
    unsigned group = operand(d) >> 16;
    return group < 4 ? (uint64_t)(operand(d) & 0xffff) << 16 * group : 0;
}

static bool wqs_exist(const struct dsa *d)
{
    uint64_t there = d->options.wqs >= 64 ? ~0ull : BIT64(d->options.wqs) - 1;
    return named_wqs(d) && !(named_wqs(d) & ~there);
}

static bool all_enabled(const struct dsa *d, uint64_t wqs)
{
    for_each_bit (i, wqs)
        if (d->wqs[i].state != DSA_ENABLED)
            return false;
    return true;
}

static void set_wq_states(struct dsa *d, uint64_t wqs, enum dsa_state state)
{
    for (unsigned i = 0; i < d->options.wqs; i++)
        if ((wqs & BIT64(i)) && d->wqs[i].state != DSA_DISABLED)
            d->wqs[i].state = state;
}

static uint64_t scope(const struct dsa *d)
{
    switch (code(d)) {
    case CMD_DISABLE_WQ:
    case CMD_DRAIN_WQ:
    case CMD_ABORT_WQ:
    case CMD_RESET_WQ:
        return named_wqs(d);
    case CMD_DISABLE_DEVICE:
    case CMD_RESET_DEVICE:
    case CMD_DRAIN_ALL:
    case CMD_ABORT_ALL:
        return ALL_WQS;
    default: // no descriptor has a PASID here
        return 0;
    }
}

// ---- handles ----

static enum dsa_command_error check_index(const struct dsa *d)
{
    bool bad =
        (operand(d) & CMD_HANDLE_IMS) || (operand(d) & CMD_HANDLE_INDEX) >= d->options.vectors;
    return bad ? CMDERR_TABLE_INDEX : CMDERR_NONE;
}

static unsigned handles_out(const struct dsa *d)
{
    unsigned count = 0;
    for (unsigned i = 0; i < d->options.vectors; i++)
        count += dsa_handle_is_out(&d->handles[i]);
    return count;
}

// A handle is never the index of its entry, so that software which takes one for the other fails.
static void give_handle(struct dsa_handles *h, unsigned index)
{
    uint16_t first = (uint16_t)(DSA_FIRST_HANDLE + index);
    if (h->newest < first || h->newest > UINT16_MAX - MAX_VECTORS)
        *h = (struct dsa_handles){ .newest = first }; // the first, or all have been
    else
        h->newest += MAX_VECTORS;
    h->value = h->newest;
}

// One that is out, and good, is what is asked for (figure 7-3).
static void request_handle(struct dsa *d)
{
    unsigned index = operand(d) & CMD_HANDLE_INDEX;
    if (check_index(d)) {
        end(d, CMDERR_TABLE_INDEX, 0);
        return;
    }
    struct dsa_handles *h = &d->handles[index];
    if (!dsa_handle_is_out(h) && handles_out(d) >= d->options.max_handles) {
        end(d, CMDERR_NO_HANDLE, 0);
        return;
    }
    if (!dsa_handle_is_out(h))
        give_handle(h, index);
    end(d, CMDERR_NONE, h->value);
}

static void release_handle(struct dsa *d)
{
    unsigned index = operand(d) & CMD_HANDLE_INDEX;
    enum dsa_command_error error = check_index(d);
    if (!error)
        d->handles[index].value = 0;
    end(d, error, 0);
}

// ---- begin ----

static void enable_device(struct dsa *d)
{
    enum dsa_command_error error = dsa_enable_checks(d);
    if (!error)
        d->state = DSA_ENABLED;
    end(d, error, 0);
}

static void enable_wq(struct dsa *d)
{
    unsigned wq = operand(d) & 0xff;
    enum dsa_command_error error = operand(d) >> 8 ? CMDERR_RESERVED : dsa_wq_enable_checks(d, wq);
    if (!error)
        d->wqs[wq].state = DSA_ENABLED;
    end(d, error, 0);
    if (!error)
        dsa_check_occupancy(d, wq);
}

static enum dsa_command_error refusal(const struct dsa *d)
{
    if (!(dsa_cmdcap(d) & BIT64(code(d))))
        return CMDERR_UNSUPPORTED;
    if (d->command.word & CMD_RESERVED)
        return CMDERR_RESERVED;
    if (d->state == DSA_HALTED && (code(d) != CMD_RESET_DEVICE || d->reset_type != RESET_SOFTWARE))
        return CMDERR_HALTED;
    switch (code(d)) {
    case CMD_DISABLE_DEVICE:
        return d->state == DSA_ENABLED ? CMDERR_NONE : CMDERR_NOT_ENABLED;
    case CMD_DISABLE_WQ:
    case CMD_DRAIN_WQ:
    case CMD_ABORT_WQ:
        if (!wqs_exist(d))
            return CMDERR_WQ_INDEX;
        return all_enabled(d, named_wqs(d)) ? CMDERR_NONE : CMDERR_WQS_NOT_ENABLED;
    case CMD_RESET_WQ:
        return wqs_exist(d) ? CMDERR_NONE : CMDERR_WQ_INDEX;
    default:
        return CMDERR_NONE;
    }
}

// The queues take no more, and what they have is dropped where the command says so.
static void begin(struct dsa *d)
{
    switch (code(d)) {
    case CMD_ENABLE_DEVICE:
        enable_device(d);
        return;
    case CMD_ENABLE_WQ:
        enable_wq(d);
        return;
    case CMD_REQUEST_HANDLE:
        request_handle(d);
        return;
    case CMD_RELEASE_HANDLE:
        release_handle(d);
        return;
    case CMD_RESET_DEVICE:
        if (d->state == DSA_HALTED)
            dsa_engines_reset(d);
        // fallthrough
    case CMD_DISABLE_DEVICE:
        d->state = d->state == DSA_DISABLED ? DSA_DISABLED : DSA_DRAINING;
        // fallthrough
    case CMD_DISABLE_WQ:
    case CMD_RESET_WQ:
        set_wq_states(d, scope(d), DSA_DRAINING);
        break;
    default:
        break;
    }
    d->command.before = d->numbers;
    if (code(d) == CMD_ABORT_ALL || code(d) == CMD_ABORT_WQ || code(d) == CMD_RESET_DEVICE ||
        code(d) == CMD_RESET_WQ)
        dsa_abandon(d, scope(d), d->command.before);
}

// ---- end ----

static void reset_wqs(struct dsa *d, uint64_t wqs)
{
    for_each_bit (i, wqs) {
        uint32_t size = d->wqcfg[i][WQCFG_SIZE];
        dsa_wqcfg_reset(d, (unsigned)i);
        d->wqcfg[i][WQCFG_SIZE] = size;
    }
}

static void finish(struct dsa *d)
{
    switch (code(d)) {
    case CMD_RESET_DEVICE:
        dsa_registers_reset(d);
        // fallthrough
    case CMD_DISABLE_DEVICE:
        d->state = DSA_DISABLED;
        d->reset_type = RESET_SOFTWARE;
        // fallthrough
    case CMD_DISABLE_WQ:
        set_wq_states(d, scope(d), DSA_DISABLED);
        break;
    case CMD_RESET_WQ:
        set_wq_states(d, scope(d), DSA_DISABLED);
        reset_wqs(d, named_wqs(d));
        break;
    default:
        break;
    }
    end(d, CMDERR_NONE, 0);
}

void dsa_command_step(struct dsa *d)
{
    if (!(d->cmdstatus & CMDSTATUS_ACTIVE) || d->command.stuck)
        return;
    if (!d->command.begun) {
        d->command.begun = true;
        d->command.stuck = dsa_planted(d, DSA_PLANT_STUCK);
        if (d->command.stuck)
            return;
        enum dsa_command_error error = refusal(d);
        if (error)
            end(d, error, 0);
        else
            begin(d);
    }
    if ((d->cmdstatus & CMDSTATUS_ACTIVE) && !dsa_busy(d, scope(d), d->command.before))
        finish(d);
}
