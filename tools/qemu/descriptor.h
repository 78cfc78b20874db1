// SPDX-License-Identifier: BSD-2-Clause
// The remapping unit's side of a posted-interrupt descriptor (VT-d 5.2.3). Virtual CPUs work on the
// same line from their own threads while the unit posts, hence the atomics.
#pragma once

#include "tools/qemu/model_regs.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "descriptor words are used in place");

struct descriptor {
    uint64_t pir[4];
    uint64_t control;
    uint64_t reserved[3];
};
static_assert(sizeof(struct descriptor) == 64, "VT-d 9.11");
static_assert(offsetof(struct descriptor, control) == 32, "VT-d 9.11");

enum post_outcome {
    POST_REFUSED,    // reserved bits are set: nothing was written
    POST_NOTIFIED,   // ON was set by this post: send the notification
    POST_COALESCED,  // ON was set already
    POST_SUPPRESSED, // SN is set and the request isn't urgent
};

struct post {
    enum post_outcome outcome;
    bool repeated;  // the PIR bit was set already
    bool overrode;  // notified only because the request is urgent
    uint8_t vector; // of the notification
    uint32_t apic_id;
};

static inline bool descriptor_reserved_clear(const struct descriptor *d, bool x2apic)
{
    uint64_t control = __atomic_load_n(&d->control, __ATOMIC_RELAXED);
    uint64_t reserved = CONTROL_RESERVED | (x2apic ? 0 : CONTROL_RESERVED_XAPIC);

    for (unsigned i = 0; i < ARRAY_SIZE(d->reserved); i++)
        if (__atomic_load_n(&d->reserved[i], __ATOMIC_RELAXED))
            return false;
    return !(control & reserved);
}

// Sets ON where ON=0 and (URG=1 or SN=0). A processor that clears ON or SN and then looks at the
// PIR either finds the bit that is already there, or has made this see its cleared ON or SN.
static inline void descriptor_notify(struct descriptor *d, bool urgent, bool x2apic, struct post *p)
{
    uint64_t control = __atomic_load_n(&d->control, __ATOMIC_SEQ_CST);
    do {
        if (control & CONTROL_ON) {
            p->outcome = POST_COALESCED;
            return;
        }
        if ((control & CONTROL_SN) && !urgent) {
            p->outcome = POST_SUPPRESSED;
            return;
        }
    } while (!__atomic_compare_exchange_n(&d->control, &control, control | CONTROL_ON, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    p->outcome = POST_NOTIFIED;
    p->overrode = control & CONTROL_SN;
    p->vector = (uint8_t)field_get(CONTROL_NV, control);
    p->apic_id = (uint32_t)field_get(x2apic ? CONTROL_NDST : CONTROL_NDST_XAPIC, control);
}

// Hardware does it in one exclusive access to the line. The PIR bit first and ON after comes to
// the same for software, save that a harvest between the two can lead to one notification too many.
static inline struct post descriptor_post(struct descriptor *d, uint8_t virtual_vector, bool urgent,
                                          bool x2apic)
{
    struct post p = { .outcome = POST_REFUSED };
    if (!descriptor_reserved_clear(d, x2apic))
        return p;
    uint64_t bit = BIT64(virtual_vector % 64);
    p.repeated = __atomic_fetch_or(&d->pir[virtual_vector / 64], bit, __ATOMIC_SEQ_CST) & bit;
    descriptor_notify(d, urgent, x2apic, &p);
    return p;
}
