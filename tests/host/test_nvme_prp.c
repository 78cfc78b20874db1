// SPDX-License-Identifier: BSD-2-Clause
// PRP building against a walk of what it built.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/nvme/prp.h"

#define LIST_PHYS 0x123000ull

static uint64_t list[600];

// Reads entry n of the transfer: PRP1, PRP2 or the list.
static uint64_t page_of(const struct nvme_prp *prp, bool has_list, size_t n)
{
    if (n == 0)
        return prp->prp1;
    return has_list ? list[n - 1] : prp->prp2;
}

static void check(uint64_t phys, uint64_t bytes)
{
    memset(list, 0xff, sizeof(list));
    struct nvme_prp prp = nvme_prp_build(phys, bytes, list, LIST_PHYS);
    uint64_t pages = (phys % NVME_PAGE + bytes + NVME_PAGE - 1) / NVME_PAGE;
    uint64_t at = phys;

    assert_int_equal(prp.prp1, phys);
    if (pages == 1)
        assert_int_equal(prp.prp2, 0);
    if (pages > 2)
        assert_int_equal(prp.prp2, LIST_PHYS);
    for (size_t n = 0; n < pages; n++) {
        assert_int_equal(page_of(&prp, pages > 2, n), at);
        at = at - at % NVME_PAGE + NVME_PAGE;
    }
    assert_true(at >= phys + bytes);
    // Nothing behind the list was written, and it is no longer than what was reserved for it.
    size_t used = pages > 2 ? pages - 1 : 0;
    assert_int_equal(list[used], ~0ull);
    assert_true(used <= nvme_prp_list_entries(bytes));
}

static void one_page(void **state)
{
    check(0x10000, 4096);
    check(0x10000, 512);
    check(0x10004, 4092);
    check(0x10ffc, 4);
}

static void two_pages(void **state)
{
    check(0x10004, 4096);
    check(0x10000, 8192);
    check(0x10ffc, 4100);
    check(0x10ffc, 8);
}

static void lists(void **state)
{
    check(0x10004, 8192);
    check(0x10000, 8196);
    check(0x10000, 1 << 20);
    check(0x10ffc, 1 << 20);
    check(0x10ffc, 2 << 20);
}

static void every_shape(void **state)
{
    for (uint64_t offset = 0; offset < NVME_PAGE; offset += 4 * 31)
        for (uint64_t bytes = 512; bytes <= 70000; bytes += 512)
            check(0x7fff00000000ull + offset, bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_page),
        cmocka_unit_test(two_pages),
        cmocka_unit_test(lists),
        cmocka_unit_test(every_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
