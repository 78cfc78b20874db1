// SPDX-License-Identifier: BSD-2-Clause
// Exceptions of ring 3 in words, and frames that ring 3 may be entered with.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/percpu.h"
#include "kernel/domain/fault_text.h"
#include "kernel/domain/ring_frame.h"

static void says(struct trap_frame f, uint64_t address, const char *code, const char *wanted)
{
    char text[DOMAIN_FAULT_BYTES];
    domain_fault_text(&f, address, (const uint8_t *)code, text);
    assert_string_equal(text, wanted);
}

static void page_faults(void **state)
{
    const uint64_t kernel = 0xffff800000001000ull;
    says((struct trap_frame){ .vector = 14, .error = 4 }, 0x10, NULL,
         "page fault: reading 0x10, where it has nothing");
    says((struct trap_frame){ .vector = 14, .error = 7 }, 0x400000, NULL,
         "page fault: writing 0x400000, which it may only read");
    says((struct trap_frame){ .vector = 14, .error = 0x15 }, 0x600000, NULL,
         "page fault: executing 0x600000, which isn't code");
    says((struct trap_frame){ .vector = 14, .error = 5 }, kernel, NULL,
         "page fault: reading 0xffff800000001000, which is the kernel's");
    says((struct trap_frame){ .vector = 14, .error = 4 }, 0x800000000000, NULL,
         "page fault: reading 0x800000000000, which is the kernel's");
    says((struct trap_frame){ .vector = 14, .error = 4 }, 0x7fffffffffff, NULL,
         "page fault: reading 0x7fffffffffff, where it has nothing");
}

static void general_protection_faults(void **state)
{
    const struct trap_frame gp = { .vector = 13 };
    says(gp, 0, "\xfa\x90\x90\x90", "CLI, which is the kernel's alone");
    says(gp, 0, "\x66\xed\x90\x90", "access to an I/O port, which is the kernel's alone");
    says(gp, 0, "\x0f\x30\x90\x90", "WRMSR, which is the kernel's alone");
    says(gp, 0, "\x48\x0f\x07\x90", "SYSRET, which is the kernel's alone");
    says(gp, 0, "\x48\x48\x48\x0f",
         "general protection fault: an address that isn't canonical, as a rule");
    says(gp, 0, NULL, "general protection fault: an address that isn't canonical, as a rule");
    says((struct trap_frame){ .vector = 13, .error = 0x402 }, 0, "\xcd\x80\x90\x90",
         "INT 0x80: calls are SYSCALLs");
    says((struct trap_frame){ .vector = 13, .error = 8 }, 0, "\x48\xcf\x90\x90",
         "segment selector 0x8, which it doesn't have");
    says((struct trap_frame){ .vector = 13, .rip = RING_END }, 0, NULL,
         "a jump to 0x800000000000, which is no address of its own");
}

static void others(void **state)
{
    says((struct trap_frame){ .vector = 0 }, 0, NULL,
         "a division by zero, or with too large a result");
    says((struct trap_frame){ .vector = 30, .error = 5 }, 0, NULL, "exception 30, error code 0x5");
}

static void frames_are_cleaned(void **state)
{
    struct trap_frame f = { .rip = RING_END - 1, .rflags = ~0ull, .cs = 8, .ss = 16 };
    assert_true(ring_frame_clean(&f));
    assert_int_equal(f.cs, SELECTOR_USER_CODE);
    assert_int_equal(f.ss, SELECTOR_USER_DATA);
    assert_int_equal(f.rflags & (RFLAGS_IOPL | RFLAGS_RF | BIT64(17)), 0); // nor VM
    assert_true(f.rflags & RFLAGS_IF);
    f.rflags = 0;
    assert_true(ring_frame_clean(&f));
    assert_int_equal(f.rflags, RFLAGS_IF | BIT64(1));
    f.rip = RING_END;
    assert_false(ring_frame_clean(&f));
    f.rip = 0xffffffff80000000ull;
    assert_false(ring_frame_clean(&f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_faults),
        cmocka_unit_test(general_protection_faults),
        cmocka_unit_test(others),
        cmocka_unit_test(frames_are_cleaned),
    };
    return cmocka_run_group_tests_name("faults of ring 3", tests, NULL, NULL);
}
