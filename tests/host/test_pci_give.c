// SPDX-License-Identifier: BSD-2-Clause
// Which functions may be given to a domain: not those that could reach others past the remapping units, or
// that send by others' ids.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/host/pci_fixture.h"

#include <cmocka.h>

#define ACS 0x100
#define SRIOV 0x140
#define ROOT_PORT 4
#define UPSTREAM 5
#define DOWNSTREAM 6
#define TO_PCI 7
#define ALL 0x1f // of ACS

static struct problem p;
static struct model_fn *port, *up, *down, *disk, *root;

// A switch below a root port, with a disk behind each of its ports; and one on the root bus.
#define AT_PORT PCI_BDF(0, 1, 0)
#define AT_UP PCI_BDF(1, 0, 0)
#define AT_DOWN PCI_BDF(2, 0, 0)
#define AT_DOWN_2 PCI_BDF(2, 1, 0)
#define AT_DISK PCI_BDF(3, 0, 0)
#define AT_DISK_2 PCI_BDF(4, 0, 0)
#define AT_ROOT PCI_BDF(0, 4, 0)

static void add_acs(struct model_fn *f, uint16_t can, uint16_t does)
{
    model_set(f, ACS, 0x0d | 1u << 16 | (uint32_t)SRIOV << 20, 4);
    model_set(f, ACS + 4, can, 2);
    model_set(f, ACS + 6, does, 2);
    model_writable(f, ACS + 6, 0xffff, 2);
}

static struct model_fn *add_bridge(uint16_t bdf, unsigned type, uint8_t secondary,
                                   uint8_t subordinate)
{
    struct model_fn *f = model_bridge(0, bdf, secondary, subordinate);
    model_express(f, type);
    if (type == ROOT_PORT || type == DOWNSTREAM)
        add_acs(f, ALL, ALL);
    return f;
}

static struct model_fn *add_disk(uint16_t bdf)
{
    struct model_fn *f = model_add(0, bdf, 0x010802);
    model_express(f, 0);
    return f;
}

static int begin(void **state)
{
    model_reset();
    model_segment(0, ECAM, 0, 9);
    port = add_bridge(AT_PORT, ROOT_PORT, 1, 4);
    up = add_bridge(AT_UP, UPSTREAM, 2, 4);
    down = add_bridge(AT_DOWN, DOWNSTREAM, 3, 3);
    add_bridge(AT_DOWN_2, DOWNSTREAM, 4, 4);
    disk = add_disk(AT_DISK);
    add_disk(AT_DISK_2);
    root = add_disk(AT_ROOT);
    return 0;
}

static struct model_fn *multi(struct model_fn *first, struct model_fn *second)
{
    model_set(first, 0x0e, model_get(first, 0x0e, 1) | 0x80, 1);
    return second;
}

static bool may(unsigned count, const uint16_t *bdfs)
{
    struct pci_dev *given[8];
    for (unsigned i = 0; i < count; i++)
        assert_non_null(given[i] = dev_at(0, bdfs[i]));
    return pci_may_give(given, count, &p);
}

static void scan(void)
{
    assert_true(pci_init(&p));
    assert_int_equal(model.warnings, 0);
}

#define MAY(...)                                                                                   \
    do {                                                                                           \
        const uint16_t bdfs[] = { __VA_ARGS__ };                                                   \
        if (!may(sizeof(bdfs) / sizeof(bdfs[0]), bdfs))                                            \
            fail_msg("%s", p.message);                                                             \
    } while (0)

#define MAY_NOT(id, words, ...)                                                                    \
    do {                                                                                           \
        const uint16_t bdfs[] = { __VA_ARGS__ };                                                   \
        assert_false(may(sizeof(bdfs) / sizeof(bdfs[0]), bdfs));                                   \
        assert_string_equal(p.what, id);                                                           \
        if (!strstr(p.message, words))                                                             \
            fail_msg("%s", p.message);                                                             \
        assert_true(strlen(p.message) < sizeof(p.message) - 1); /* whole */                        \
    } while (0)

// ---- past the remapping units ----

static void behind_ports_that_redirect(void **state)
{
    scan();
    MAY(AT_DISK);
    MAY(AT_DISK_2);
    MAY(AT_ROOT);
    MAY(AT_DISK, AT_DISK_2, AT_ROOT);
}

// Each of what a port has to do; one that it can't do has nothing to it.
static void a_port_that_does_not_redirect(void **state)
{
    static const uint16_t needed[] = { 0x01, 0x04, 0x08, 0x10 };
    scan();
    for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        model_set(down, ACS + 6, (uint16_t)(ALL & ~needed[i]), 2);
        MAY_NOT("domain-acs",
                "0000:03:00.0 could reach 0000:04:00.0 past the remapping unit, since 0000:02:00.0",
                AT_DISK);
        MAY(AT_DISK, AT_DISK_2);
        MAY(AT_DISK_2);
        model_set(down, ACS + 4, (uint16_t)(ALL & ~needed[i]), 2);
        MAY(AT_DISK);
        model_set(down, ACS + 4, ALL, 2);
    }
    model_set(down, ACS + 6, 0x1d, 2); // translated requests are blocked by the unit, too
    MAY(AT_DISK);
}

static void a_port_without(void **state)
{
    model_set(down, ACS, 0, 4);
    scan();
    MAY_NOT("domain-acs", "0000:02:00.0 doesn't keep", AT_DISK);
    MAY(AT_DISK, AT_DISK_2);
    MAY(AT_ROOT);
}

// All of a root port's is reached by what it doesn't redirect, and no more.
static void a_root_port_without(void **state)
{
    model_set(port, ACS, 0, 4);
    scan();
    MAY_NOT("domain-acs", "could reach 0000:04:00.0 past the remapping unit, since 0000:00:01.0",
            AT_DISK);
    MAY(AT_DISK, AT_DISK_2);
    MAY(AT_ROOT);
}

// Root ports of one device are joined like the functions of any.
static void root_ports_of_one_device(void **state)
{
    struct model_fn *second = multi(port, add_bridge(PCI_BDF(0, 1, 1), ROOT_PORT, 5, 5));
    struct model_fn *third = add_bridge(PCI_BDF(0, 2, 0), ROOT_PORT, 6, 6);
    add_disk(PCI_BDF(5, 0, 0));
    add_disk(PCI_BDF(6, 0, 0));
    model_set(second, ACS, 0, 4);
    model_set(third, ACS, 0, 4);
    scan();
    MAY_NOT("domain-acs", "0000:05:00.0 could reach 0000:03:00.0", PCI_BDF(5, 0, 0));
    MAY(PCI_BDF(6, 0, 0)); // alone there
    MAY(AT_DISK);
}

static void functions_of_one_device(void **state)
{
    struct model_fn *second = multi(disk, add_disk(AT_DISK + 1));
    scan();
    MAY_NOT("domain-acs", "0000:03:00.0 could reach 0000:03:00.1", AT_DISK);
    MAY(AT_DISK, AT_DISK + 1);
    MAY_NOT("domain-acs", "0000:03:00.1 could reach 0000:03:00.0", AT_DISK + 1, AT_ROOT);
    add_acs(second, 0x0c, 0x0c);
    MAY(AT_DISK + 1);
    model_set(second, ACS + 6, 0x04, 2);
    MAY_NOT("domain-acs", "0000:03:00.1 doesn't keep", AT_DISK + 1);
    model_set(second, ACS + 6, 0x08, 2);
    MAY_NOT("domain-acs", "0000:03:00.1 doesn't keep", AT_DISK + 1);
    model_set(second, ACS + 4, 0x00, 2); // it reaches nobody
    MAY(AT_DISK + 1);
    dev_at(0, AT_DISK + 1)->removed = true;
    MAY(AT_DISK);
}

static void functions_of_one_device_on_the_root_bus(void **state)
{
    multi(root, add_disk(AT_ROOT + 1));
    add_disk(PCI_BDF(0, 5, 0));
    scan();
    MAY_NOT("domain-acs", "0000:00:04.0 could reach 0000:00:04.1", AT_ROOT);
    MAY(AT_ROOT, AT_ROOT + 1);
    MAY(PCI_BDF(0, 5, 0));
}

// A switch's own functions, such as a DMA engine beside its upstream port.
static void beside_an_upstream_port(void **state)
{
    add_disk(AT_UP + 1);
    multi(up, NULL);
    scan();
    MAY_NOT("domain-acs", "0000:03:00.0 could reach 0000:01:00.1", AT_DISK);
    add_acs(up, ALL, 0x0c);
    MAY(AT_DISK);
}

// What can redirect does so once there is a fence.
static bool grant(const struct pci_dev *d, struct problem *why)
{
    return true;
}

static bool reaches(const struct pci_dev *d)
{
    return false;
}

static void the_fence_redirects(void **state)
{
    static const struct pci_fence fence = { grant, grant, reaches, NULL, NULL };
    struct model_fn *second = multi(disk, add_disk(AT_DISK + 1));
    add_acs(second, 0x0c, 0);
    model_set(port, ACS + 6, 0, 2);
    model_set(down, ACS + 6, 0, 2);
    scan();
    MAY_NOT("domain-acs", "", AT_DISK + 1);
    pci_set_fence(&fence);
    MAY(AT_DISK + 1);
    pci_set_fence(NULL);
}

// What is put in beside a domain's function, where nothing keeps them apart.
static void what_comes_later(void **state)
{
    int domain;
    model_set(down, ACS + 6, 0, 2);
    scan();
    assert_true(pci_slot_scan(dev_at(0, AT_DOWN_2), &p));
    dev_at(0, AT_DISK)->space = (void *)&domain;
    assert_false(pci_slot_scan(dev_at(0, AT_DOWN_2), &p));
    assert_string_equal(p.what, "domain-acs");
    assert_non_null(strstr(p.message, "0000:03:00.0 could reach 0000:04:00.0"));
    model_set(down, ACS + 6, ALL, 2);
    assert_true(pci_slot_scan(dev_at(0, AT_DOWN_2), &p));
}

// ---- virtual functions ----

static void add_virtual(unsigned count)
{
    model_set(disk, 0x100, 0x10 | 1u << 16, 4);
    model_set(disk, 0x100 + 0x08, 0x9, 2);
    model_set(disk, 0x100 + 0x0e, count, 2);
    model_set(disk, 0x100 + 0x10, count, 2);
    model_set(disk, 0x100 + 0x14, 1, 2);
    model_set(disk, 0x100 + 0x16, 1, 2);
    for (unsigned i = 1; i <= count; i++) {
        struct model_fn *f = add_disk((uint16_t)(AT_DISK + i));
        model_set(f, 0, 0xffffffff, 4);
    }
}

static void virtual_functions(void **state)
{
    add_virtual(2);
    scan();
    assert_ptr_equal(dev_at(0, AT_DISK + 1)->physical, dev_at(0, AT_DISK));
    MAY(AT_DISK + 1);
    MAY(AT_DISK + 1, AT_DISK + 2);
    MAY_NOT("domain-virtual", "0000:03:00.0 has 2 virtual functions, of which", AT_DISK);
    MAY_NOT("domain-virtual", "would have 1", AT_DISK, AT_DISK + 1);
    MAY(AT_DISK, AT_DISK + 1, AT_DISK + 2);
}

// Those that reach their siblings say so.
static void virtual_functions_that_reach_others(void **state)
{
    add_virtual(2);
    struct model_fn *second = model.fns[model.fns_count - 1];
    add_acs(second, 0x0c, 0);
    scan();
    MAY_NOT("domain-acs", "0000:03:00.2 could reach 0000:03:00.0", AT_DISK + 2);
    model_set(second, ACS + 6, 0x0c, 2);
    MAY(AT_DISK + 2);
}

// ---- ids ----

static void behind_a_bridge_to_pci(void **state)
{
    add_bridge(PCI_BDF(0, 6, 0), TO_PCI, 5, 5);
    add_disk(PCI_BDF(5, 1, 0));
    scan();
    MAY(PCI_BDF(5, 1, 0)); // alone
    model_add(0, PCI_BDF(5, 2, 0), 0x020000);
    scan();
    MAY_NOT("domain-alias", "0000:05:01.0 and 0000:05:02.0 send by one", PCI_BDF(5, 1, 0));
    MAY_NOT("domain-alias", "0000:05:01.0 and 0000:05:02.0 send by one", PCI_BDF(5, 1, 0),
            PCI_BDF(5, 2, 0));
}

// The function that has the bridge's id for its own.
static void by_another_s_own_id(void **state)
{
    add_bridge(PCI_BDF(0, 6, 0), TO_PCI, 5, 5);
    add_disk(PCI_BDF(5, 0, 0));
    add_disk(PCI_BDF(5, 1, 0));
    scan();
    MAY_NOT("domain-alias", "0000:05:00.0 and 0000:05:01.0", PCI_BDF(5, 0, 0));
}

static void what_a_vmd_hides(void **state)
{
    struct pci_domain domain = { 0 };
    scan();
    domain.host = dev_at(0, AT_ROOT);
    dev_at(0, AT_DISK)->domain = &domain;
    dev_at(0, AT_DISK)->requester = AT_ROOT;
    MAY_NOT("domain-alias", "0000:03:00.0 sends by the requester id of 0000:00:04.0", AT_DISK);
    MAY_NOT("domain-alias", "0000:00:04.0 and 0000:03:00.0", AT_ROOT);
    MAY(AT_DISK_2);
}

#define give_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        give_test(behind_ports_that_redirect),
        give_test(a_port_that_does_not_redirect),
        give_test(a_port_without),
        give_test(a_root_port_without),
        give_test(root_ports_of_one_device),
        give_test(functions_of_one_device),
        give_test(functions_of_one_device_on_the_root_bus),
        give_test(beside_an_upstream_port),
        give_test(the_fence_redirects),
        give_test(what_comes_later),
        give_test(virtual_functions),
        give_test(virtual_functions_that_reach_others),
        give_test(behind_a_bridge_to_pci),
        give_test(by_another_s_own_id),
        give_test(what_a_vmd_hides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
