// SPDX-License-Identifier: BSD-2-Clause
// What a post does to the descriptor, and when it notifies (VT-d 5.2.3, 9.11).

#include "drivers/vtd/posting/check.h"
#include "kernel/base/cpus.h"
#include "lib/bits.h"

#define BURST 32u
#define FIRST 0x70 // vectors of posts; any would do
#define SECOND 0x71

static bool posts_bit(struct rig *r, unsigned vector, struct verdict *v)
{
    rig_descriptor(r, r->target, PI_CONTROL_SN);
    return rig_post(r, (uint8_t)vector, false, v) && rig_expect_posted(r, (uint8_t)vector, v);
}

static bool check_pir(struct rig *r, struct verdict *v)
{
    for (unsigned vector = 0; vector < PI_WORDS * 64; vector++)
        if (!posts_bit(r, vector, v))
            return false;
    return true;
}

// One bit each, with those of before.
static bool check_burst(struct rig *r, struct verdict *v)
{
    uint64_t bits[PI_WORDS] = { 0 };
    uint64_t came = 0;
    rig_descriptor(r, r->target, 0);
    for (unsigned i = 0; i < BURST; i++) {
        unsigned vector = i * 8 + i % 8;
        bits[vector / 64] |= BIT64(vector % 64);
        if (!rig_post(r, (uint8_t)vector, false, v) || !rig_expect_pir(r, bits, v) ||
            !rig_expect(r, r->target, i == 0, v))
            return false;
        came += rig_arrived(r, r->target);
    }
    return verdict_note(v, "%u posts, %lu notification", BURST, came);
}

// ---- ON ----

static bool first_post(struct rig *r, struct verdict *v)
{
    rig_descriptor(r, r->target, 0);
    return rig_post(r, FIRST, false, v) && rig_expect_posted(r, FIRST, v);
}

static bool check_on_set(struct rig *r, struct verdict *v)
{
    return first_post(r, v) && rig_expect(r, r->target, 1, v) && rig_expect_on(r, true, v);
}

static bool both_posted(struct rig *r, struct verdict *v)
{
    uint64_t bits[PI_WORDS] = { 0 };
    bits[FIRST / 64] = BIT64(FIRST % 64) | BIT64(SECOND % 64);
    return rig_expect_pir(r, bits, v);
}

// Set here, and not by a post: only what a post does with it is asked.
static bool posts_with_on(struct rig *r, bool urgent, struct verdict *v)
{
    rig_descriptor(r, r->target, PI_CONTROL_ON);
    return rig_post(r, FIRST, urgent, v) && rig_expect_posted(r, FIRST, v) &&
           rig_expect(r, r->target, 0, v);
}

static bool check_on_coalesces(struct rig *r, struct verdict *v)
{
    return posts_with_on(r, false, v) && rig_expect_on(r, true, v);
}

static bool check_on_cleared(struct rig *r, struct verdict *v)
{
    if (!posts_with_on(r, false, v))
        return false;
    rig_set_control(r, PI_CONTROL_ON, 0);
    return rig_expect(r, r->target, 0, v) && rig_post(r, SECOND, false, v) && both_posted(r, v) &&
           rig_expect(r, r->target, 1, v);
}

// ---- SN and URG ----

static bool posts_with_sn(struct rig *r, struct verdict *v)
{
    rig_descriptor(r, r->target, PI_CONTROL_SN);
    return rig_post(r, FIRST, false, v) && rig_expect_posted(r, FIRST, v);
}

static bool check_sn_suppresses(struct rig *r, struct verdict *v)
{
    return posts_with_sn(r, v) && rig_expect(r, r->target, 0, v);
}

static bool check_sn_leaves_on(struct rig *r, struct verdict *v)
{
    if (!posts_with_sn(r, v))
        return false;
    (void)rig_expect(r, r->target, 0, &(struct verdict){ 0 }); // the post is over
    return rig_expect_on(r, false, v);
}

// Who clears SN must look itself: nobody tells of what was posted before.
static bool check_sn_cleared(struct rig *r, struct verdict *v)
{
    if (!posts_with_sn(r, v))
        return false;
    (void)rig_expect(r, r->target, 0, &(struct verdict){ 0 });
    rig_set_control(r, PI_CONTROL_SN | PI_CONTROL_ON, 0);
    rig_mark(r);
    return rig_expect(r, r->target, 0, v) && rig_post(r, SECOND, false, v) && both_posted(r, v) &&
           rig_expect(r, r->target, 1, v);
}

static bool check_urgent(struct rig *r, struct verdict *v)
{
    rig_descriptor(r, r->target, PI_CONTROL_SN);
    return rig_post(r, FIRST, true, v) && rig_expect_posted(r, FIRST, v) &&
           rig_expect(r, r->target, 1, v);
}

static bool check_urgent_coalesces(struct rig *r, struct verdict *v)
{
    return posts_with_on(r, true, v);
}

// ---- the rest of the control word ----

// To another vector of the same CPU, once posts to the first one have notified.
static bool check_nv(struct rig *r, struct verdict *v)
{
    unsigned spare = cpu_count();
    if (!first_post(r, v) || !rig_expect(r, r->target, 1, v))
        return false;
    rig_set_control(r, PI_CONTROL_ON | PI_CONTROL_NV,
                    field_put(PI_CONTROL_NV, r->irqs[spare]->vector));
    return rig_post(r, SECOND, false, v) && both_posted(r, v) && rig_expect(r, spare, 1, v);
}

// To another CPU's vector; both are the other CPU's, but set in one word.
static bool check_ndst(struct rig *r, struct verdict *v)
{
    if (cpu_count() < 2)
        return verdict_skip(v, "there is one CPU: raise cpus=");
    if (!first_post(r, v) || !rig_expect(r, r->target, 1, v))
        return false;
    rig_set_control(r, ~0ull,
                    field_put(PI_CONTROL_NV, r->irqs[0]->vector) |
                        field_put(PI_CONTROL_NDST, cpu_apic_id(0)));
    return rig_post(r, SECOND, false, v) && both_posted(r, v) && rig_expect(r, 0, 1, v);
}

static bool reserved_is_zero(const struct rig *r)
{
    const volatile uint64_t *words = r->descriptor->reserved;
    return !(words[0] | words[1] | words[2]);
}

// All but ON, with SN set and overridden.
static bool check_kept(struct rig *r, struct verdict *v)
{
    rig_descriptor(r, r->target, PI_CONTROL_SN);
    uint64_t before = rig_control(r);
    if (!rig_post(r, FIRST, true, v) || !rig_expect_posted(r, FIRST, v))
        return false;
    (void)rig_expect(r, r->target, 1, &(struct verdict){ 0 });
    uint64_t after = rig_control(r) & ~PI_CONTROL_ON;
    if (after != before)
        return verdict_fail(v, "the control word changed from 0x%016lx to 0x%016lx", before, after);
    return reserved_is_zero(r) || verdict_fail(v, "reserved bytes of the descriptor were written");
}

const struct posting_check checks_descriptor[] = {
    { "pir-bits", "5.2.3", true, check_pir },
    { "burst", "5.2.3", true, check_burst },
    { "on-set", "5.2.3", true, check_on_set },
    { "on-coalesces", "5.2.3", true, check_on_coalesces },
    { "on-cleared", "5.2.3", true, check_on_cleared },
    { "sn-suppresses", "5.2.3", true, check_sn_suppresses },
    { "sn-leaves-on", "5.2.3", true, check_sn_leaves_on },
    { "sn-cleared", "5.2.3", true, check_sn_cleared },
    { "urgent", "5.2.3", true, check_urgent },
    { "urgent-coalesces", "5.2.3", true, check_urgent_coalesces },
    { "nv-changes", "9.11", true, check_nv },
    { "ndst-changes", "9.11", true, check_ndst },
    { "control-kept", "9.11", true, check_kept },
    { 0 },
};
