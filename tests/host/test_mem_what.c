// SPDX-License-Identifier: BSD-2-Clause
// What lies at an address, to its first and last byte.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mem/dma.h"
#include "kernel/mem/map.h"
#include "kernel/mem/mem.h"

#include <cmocka.h>

// As linker.ld has them: code, constants, data.
__asm__(".pushsection .bss\n"
        ".globl text_start, text_end, rodata_end, kernel_end\n"
        "text_start: .zero 0x3000\n"
        "text_end: .zero 0x2000\n"
        "rodata_end: .zero 0x5000\n"
        "kernel_end: .zero 8\n"
        ".popsection\n");
extern char text_start[];

#define IMAGE 0x40000000ull
#define ARENA 0x80000000ull
#define ARENA_END 0x80200000ull
#define RAM_END 0x100000000ull

#include "kernel/mem/what.c"

uint64_t mem_phys(const volatile void *virt)
{
    return (uint64_t)virt - (uint64_t)text_start + IMAGE;
}

bool mem_is_dma(const volatile void *virt, uint64_t bytes)
{
    uint64_t phys = (uint64_t)virt; // mem_at() of a host
    assert_int_equal(bytes, 1);
    return phys >= ARENA && phys < ARENA_END;
}

bool mem_is_ram(uint64_t phys, uint64_t bytes)
{
    assert_int_equal(bytes, 1);
    return phys < RAM_END;
}

static void each_to_its_ends(void **state)
{
    static const struct {
        uint64_t first, last;
        const char *what;
    } parts[] = {
        { 0, IMAGE - 1, "RAM that devices may not reach" },
        { IMAGE, IMAGE + 0x2fff, "the kernel's code" },
        { IMAGE + 0x3000, IMAGE + 0x4fff, "the kernel's constants" },
        { IMAGE + 0x5000, IMAGE + 0x9fff, "the kernel's data" },
        { IMAGE + 0xa000, ARENA - 1, "RAM that devices may not reach" },
        { ARENA, ARENA_END - 1, "memory for devices" },
        { ARENA_END, 0xfedfffff, "RAM that devices may not reach" },
        { 0xfee00000, 0xfeefffff, "the interrupt window" }, // whatever is behind it
        { 0xfef00000, RAM_END - 1, "RAM that devices may not reach" },
        { RAM_END, UINT64_MAX, "no RAM of ours" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        assert_string_equal(mem_what(parts[i].first), parts[i].what);
        assert_string_equal(mem_what(parts[i].last), parts[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_to_its_ends) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
