// SPDX-License-Identifier: BSD-2-Clause
// Interrupts and their handles (3.7), software errors (9.2.15), the halt state (5.7).
#include "tools/qemu/dsa/descriptor.h"

void dsa_interrupt(struct dsa *d, unsigned vector)
{
    d->statistics.interrupts++;
    qemu_pci.msix_notify(d->function, vector);
}

void dsa_cause(struct dsa *d, uint32_t cause)
{
    d->intcause |= cause;
    dsa_interrupt(d, 0);
}

// ---- handles ----

int dsa_vector_of(const struct dsa *d, uint16_t handle, bool ims)
{
    if (ims) // this device has no interrupt message storage
        return -1;
    if (!d->options.handles)
        return handle < d->options.vectors ? handle : -1;
    const struct dsa_handles *h = &d->handles[handle % MAX_VECTORS];
    return h->value == handle && dsa_handle_is_out(h) ? handle % MAX_VECTORS : -1;
}

bool dsa_handle_is_out(const struct dsa_handles *h)
{
    return h->value > h->revoked;
}

void dsa_revoke(struct dsa *d)
{
    for (unsigned i = 0; i < d->options.vectors; i++)
        if (d->handles[i].value)
            d->handles[i].revoked = d->handles[i].value;
    dsa_cause(d, INTCAUSE_REVOKED);
}

// Software goes over to a new handle when nobody submits with the old one any more (figure 7-3). Members of
// a batch aren't looked at: they were submitted before they are read.
void dsa_note_handle(struct dsa *d, struct dsa_descriptor *w)
{
    uint16_t handle = descriptor_handle(w);
    struct dsa_handles *h = &d->handles[handle % MAX_VECTORS];
    if (!(descriptor_flags(w) & FLAG_INTERRUPT) || !d->options.handles)
        return;
    w->outdated = handle < h->used;
    if (handle == h->value)
        h->used = handle;
}

bool dsa_handle_was_revoked(const struct dsa *d, const struct dsa_descriptor *w)
{
    uint16_t handle = descriptor_handle(w);
    return handle >= DSA_FIRST_HANDLE && handle <= d->handles[handle % MAX_VECTORS].revoked &&
           !w->outdated;
}

// ---- errors ----

static uint64_t error_word(enum dsa_status code, const struct dsa_descriptor *w, uint64_t flags)
{
    uint64_t word = SWERROR_VALID | flags | field_put(SWERROR_CODE, code);
    if (!w)
        return word;
    return word | SWERROR_DESCRIPTOR | SWERROR_WQ_VALID | field_put(SWERROR_WQ, w->wq) |
           field_put(SWERROR_OPERATION, descriptor_operation(w)) | (w->batched ? SWERROR_BATCH : 0);
}

void dsa_software_error(struct dsa *d, enum dsa_status code, const struct dsa_descriptor *w,
                        uint64_t flags, uint32_t info, uint64_t address)
{
    if (d->swerror[0] & SWERROR_VALID) {
        d->swerror[0] |= SWERROR_OVERFLOW;
        return;
    }
    d->swerror[0] = (d->swerror[0] & SWERROR_OVERFLOW) | error_word(code, w, flags);
    d->swerror[1] = (w && w->batched ? w->member : 0) | (uint64_t)info << 32;
    d->swerror[2] = address;
    if (d->genctrl & GENCTRL_SOFTWARE_ERROR)
        dsa_cause(d, INTCAUSE_SOFTWARE_ERROR);
}

void dsa_halt(struct dsa *d, enum dsa_reset_type needed)
{
    d->state = DSA_HALTED;
    d->reset_type = needed;
    if (d->genctrl & GENCTRL_HALT)
        dsa_cause(d, INTCAUSE_HALT);
    dsa_kick(d);
}

// ---- occupancy (9.2.24) ----

void dsa_check_occupancy(struct dsa *d, unsigned wq)
{
    uint32_t limit = d->wqcfg[wq][WQCFG_OCCUPANCY_LIMIT / 4];
    uint32_t *state = &d->wqcfg[wq][WQCFG_STATE / 4];
    if (d->wqs[wq].state != DSA_ENABLED || !(limit & WQCFG_OCCUPANCY_ENABLE) ||
        (*state & WQCFG_OCCUPANCY_GENERATED) || d->wqs[wq].count > (limit & BITS32(15, 0)))
        return;
    uint16_t handle = (uint16_t)d->wqcfg[wq][WQCFG_OCCUPANCY_HANDLE / 4];
    int vector = dsa_vector_of(d, handle, false);
    if (vector < 0)
        return;
    *state |= WQCFG_OCCUPANCY_GENERATED;
    if (vector == 0)
        dsa_cause(d, INTCAUSE_OCCUPANCY);
    else
        dsa_interrupt(d, (unsigned)vector);
}
