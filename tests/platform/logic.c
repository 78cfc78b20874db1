// SPDX-License-Identifier: BSD-2-Clause
// The platform model's pure parts: requests, entries, descriptors. Bit numbers here are those of
// the specification's figures (VT-d 5.1.2.2, 9.10, 9.11), not the masks of the model.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka needs the four above
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/qemu/descriptor.h"
#include "tools/qemu/irte.h"

// ---- requests ----

static void request_is(uint64_t address, uint32_t data, int expected_index)
{
    struct msi_request r = msi_request_decode(address, data);
    assert_true(r.remappable);
    assert_int_equal(r.index, expected_index);
}

static void test_request_index(void **state)
{
    request_is(0xfee00010, 0, 0);
    request_is(0xfee000b0, 0, 5);
    request_is(0xfeeffff0, 0, 0x7fff);
    request_is(0xfee00014, 0, 0x8000);
    request_is(0xfeefffff, 0, 0xffff);
    request_is(0xfee000b0, 7, 5);          // no SHV: data is ignored
    request_is(0xfee000b0, 0xffff0000, 5); // all of it
    request_is(0xfee000b8, 7, 12);
    request_is(0xfee0001c, 0xffff, 0x7fff); // 8000h + ffffh, cut to 16 bits
}

static void test_request_format(void **state)
{
    assert_false(msi_request_decode(0xfee01000, 0x55).remappable);
    assert_false(msi_request_decode(0xfee0100c, 0x55).remappable);
}

static void test_request_reserved_data(void **state)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        assert_int_equal(msi_request_decode(0xfee00018, 1u << bit).data_reserved, bit >= 16);
        assert_false(msi_request_decode(0xfee00010, 1u << bit).data_reserved);
    }
}

// ---- entries ----

static bool entry_bit_reserved(unsigned bit)
{
    return (bit >= 2 && bit <= 7) || bit == 12 || bit == 13 || (bit >= 24 && bit <= 37) ||
           (bit >= 84 && bit <= 95);
}

static struct irte entry_with(unsigned bit)
{
    struct irte e = { .low = 1 | 1 << 15 };
    *(bit < 64 ? &e.low : &e.high) |= 1ull << bit % 64;
    return e;
}

static void test_entry_reserved_bits(void **state)
{
    for (unsigned bit = 0; bit < 128; bit++) {
        enum fault_reason expected = entry_bit_reserved(bit) ? 0x24 : 0;
        assert_int_equal(irte_posted_fault(entry_with(bit), false, 0), expected);
    }
}

static void test_entry_fields(void **state)
{
    struct irte e = { .low = 0x8765432100425003, .high = 0x123456780000beef };
    assert_int_equal(irte_virtual_vector(e), 0x42);
    assert_int_equal(irte_descriptor_address(e), 0x1234567887654300);
    assert_true(e.low & IRTE_URG);
    assert_true(e.low & IRTE_FPD);
}

static enum fault_reason source_fault(unsigned svt, unsigned sq, unsigned sid, unsigned source)
{
    struct irte e = { .low = 1 | 1 << 15, .high = sid | sq << 16 | (uint64_t)svt << 18 };
    return irte_posted_fault(e, true, (uint16_t)source);
}

static void test_source_qualifier(void **state)
{
    static const unsigned ignored[] = { 0, 4, 6, 7 };
    for (unsigned sq = 0; sq < 4; sq++) {
        for (unsigned bit = 0; bit < 16; bit++) {
            bool match = ignored[sq] >> bit & 1;
            assert_int_equal(source_fault(1, sq, 0x1234, 0x1234 ^ 1 << bit), match ? 0 : 0x26);
        }
    }
}

static void test_source_bus_range(void **state)
{
    for (unsigned bus = 0; bus < 256; bus++)
        assert_int_equal(source_fault(2, 0, 0x1020, bus << 8 | 0x55),
                         bus >= 0x10 && bus <= 0x20 ? 0 : 0x26);
}

static void test_source_types(void **state)
{
    assert_int_equal(source_fault(0, 0, 0x1234, 0x4321), 0);
    assert_int_equal(source_fault(3, 0, 0x1234, 0x1234), 0x26);
    assert_int_equal(irte_posted_fault((struct irte){ .high = 1 << 18 }, false, 0), 0);
}

static void test_source_before_reserved(void **state)
{
    struct irte e = { .low = 1 | 1 << 2 | 1 << 15, .high = 1 << 18 };
    assert_int_equal(irte_posted_fault(e, true, 1), 0x26);
    assert_int_equal(irte_posted_fault(e, true, 0), 0x24);
}

// ---- descriptors ----

static bool descriptor_bit_reserved(unsigned bit, bool x2apic)
{
    return (bit >= 258 && bit <= 271) || (bit >= 280 && bit <= 287) || bit >= 320 ||
           (!x2apic && ((bit >= 288 && bit <= 295) || (bit >= 304 && bit <= 319)));
}

static void test_descriptor_reserved_bits(void **state)
{
    for (unsigned bit = 0; bit < 512; bit++) {
        for (unsigned x2apic = 0; x2apic < 2; x2apic++) {
            uint64_t words[8] = { 0 }, before[8];
            words[bit / 64] = 1ull << bit % 64;
            memcpy(before, words, sizeof(before));
            struct post p = descriptor_post((struct descriptor *)words, 9, false, x2apic);
            bool reserved = descriptor_bit_reserved(bit, x2apic);
            assert_int_equal(p.outcome == POST_REFUSED, reserved);
            if (reserved)
                assert_memory_equal(words, before, sizeof(before));
        }
    }
}

static void test_descriptor_outcomes(void **state)
{
    for (unsigned i = 0; i < 8; i++) {
        bool on = i & 1, sn = i & 2, urgent = i & 4;
        bool notified = !on && (urgent || !sn);
        struct descriptor d = { .control = on | sn << 1 | 0xe7 << 16 | 0x12345678ull << 32 };
        struct post p = descriptor_post(&d, 0x42, urgent, true);
        assert_int_equal(p.outcome == POST_NOTIFIED, notified);
        assert_int_equal(p.outcome == POST_COALESCED, on);
        assert_int_equal(p.outcome == POST_SUPPRESSED, !on && !notified);
        assert_int_equal(p.overrode, notified && sn);
        assert_int_equal(d.control, (on || notified) | sn << 1 | 0xe7 << 16 | 0x12345678ull << 32);
        assert_int_equal(d.pir[1], 4);
    }
}

static void test_descriptor_notification(void **state)
{
    struct descriptor x2apic = { .control = 0xe7 << 16 | 0x12345678ull << 32 };
    struct post p = descriptor_post(&x2apic, 0, false, true);
    assert_int_equal(p.vector, 0xe7);
    assert_int_equal(p.apic_id, 0x12345678);
    struct descriptor xapic = { .control = 0xe7 << 16 | 0x5a00ull << 32 };
    p = descriptor_post(&xapic, 0, false, false);
    assert_int_equal(p.vector, 0xe7);
    assert_int_equal(p.apic_id, 0x5a);
}

static void test_descriptor_repeated(void **state)
{
    struct descriptor d = { 0 };
    assert_false(descriptor_post(&d, 255, false, true).repeated);
    assert_false(descriptor_post(&d, 254, false, true).repeated);
    assert_true(descriptor_post(&d, 255, false, true).repeated);
    assert_int_equal(d.pir[3], 3ull << 62);
}

// ---- a post and its processor, interleaved at every instruction ----

// The unit posts in a child process, which is stopped after so many instructions; then the processor
// has its turn; then the child goes on. Afterwards the post must have been seen by the processor, or
// have a notification to come.
static struct stage {
    struct descriptor d;
    struct post post;
    unsigned over;
} *stage;

static pid_t start_poster(void)
{
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        __asm__ volatile("int3" ::: "memory"); // stops here, or ends the child if it isn't traced
        stage->post = descriptor_post(&stage->d, 0x42, false, true);
        __atomic_store_n(&stage->over, 1, __ATOMIC_SEQ_CST);
        _exit(0);
    }
    assert_true(child > 0);
    return child;
}

static bool wait_for_stop(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSTOPPED(status);
}

// False once the post is over.
static bool step(pid_t child, unsigned instructions)
{
    assert_true(wait_for_stop(child));
    for (unsigned i = 0; i < instructions && !stage->over; i++) {
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
        assert_true(wait_for_stop(child));
    }
    return !stage->over;
}

static bool harvest(void)
{
    return __atomic_exchange_n(&stage->d.pir[1], 0, __ATOMIC_SEQ_CST);
}

static bool handle_notification(void)
{
    __atomic_fetch_and(&stage->d.control, ~CONTROL_ON, __ATOMIC_SEQ_CST);
    return harvest();
}

static bool clear_sn_and_look(void)
{
    __atomic_fetch_and(&stage->d.control, ~CONTROL_SN, __ATOMIC_SEQ_CST);
    return harvest();
}

#define OTHER_BIT BIT64(7)
#define OTHER_DESTINATION field_put(CONTROL_NDST, 5)

static bool change_the_rest_of_the_line(void)
{
    __atomic_fetch_or(&stage->d.pir[1], OTHER_BIT, __ATOMIC_SEQ_CST);
    __atomic_fetch_or(&stage->d.control, OTHER_DESTINATION, __ATOMIC_SEQ_CST);
    return false;
}

// False once the post ends within so many instructions.
static bool interleave(unsigned instructions, uint64_t control, bool (*processor)(void))
{
    *stage = (struct stage){ .d = { .control = control } };
    pid_t child = start_poster();
    bool in_time = step(child, instructions);
    bool seen = processor();
    assert_int_equal(ptrace(PTRACE_CONT, child, NULL, NULL), 0);
    assert_false(wait_for_stop(child));
    bool notified = stage->post.outcome == POST_NOTIFIED && (stage->d.control & CONTROL_ON);
    if (!seen)
        assert_true(notified && (stage->d.pir[1] & ~OTHER_BIT));
    return in_time;
}

static void start_stage(void)
{
    stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(stage, MAP_FAILED);
}

static void test_no_post_is_lost(void **state)
{
    unsigned points = 0;
    start_stage();
    while (interleave(points, CONTROL_ON, handle_notification))
        points++;
    assert_in_range(points, 20, 10000);
    for (points = 0; interleave(points, CONTROL_SN, clear_sn_and_look);)
        points++;
    assert_in_range(points, 20, 10000);
}

static void test_a_post_undoes_nothing(void **state)
{
    unsigned points = 0;
    start_stage();
    while (interleave(points, 0, change_the_rest_of_the_line)) {
        assert_true(stage->d.pir[1] & OTHER_BIT);
        assert_true(stage->d.control & OTHER_DESTINATION);
        points++;
    }
    assert_in_range(points, 20, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_index),
        cmocka_unit_test(test_request_format),
        cmocka_unit_test(test_request_reserved_data),
        cmocka_unit_test(test_entry_reserved_bits),
        cmocka_unit_test(test_entry_fields),
        cmocka_unit_test(test_source_qualifier),
        cmocka_unit_test(test_source_bus_range),
        cmocka_unit_test(test_source_types),
        cmocka_unit_test(test_source_before_reserved),
        cmocka_unit_test(test_descriptor_reserved_bits),
        cmocka_unit_test(test_descriptor_outcomes),
        cmocka_unit_test(test_descriptor_notification),
        cmocka_unit_test(test_descriptor_repeated),
        cmocka_unit_test(test_no_post_is_lost),
        cmocka_unit_test(test_a_post_undoes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
