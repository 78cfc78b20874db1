// SPDX-License-Identifier: BSD-2-Clause
// What VMDs hide is found, on a model of their registers.

#include "tests/host/vmd_model.h"

static int begin(void **state)
{
    vmd_machine();
    return 0;
}

static int finish(void **state)
{
    vmd_machine();
    return end(state);
}

static void boot_well(void)
{
    vmd_boot();
    if (model.warnings)
        fail_msg("%s", model.warning);
}

// ---- what is found ----

static void finds_drives(void **state)
{
    struct vmd_fn *v = vmd_new(0x201d, 33, 0);
    for (unsigned i = 0; i < 5; i++)
        vmd_add_drive(v);
    boot_well();
    assert_int_equal(dev_count(), 11);
    for (unsigned i = 0; i < 5; i++) {
        const struct pci_dev *drive = vmd_drive_dev(&v->drives[i]);
        assert_non_null(drive);
        assert_int_equal(drive->class_code, 0x010802);
        assert_int_equal(drive->requester, v->fn->bdf);
        assert_ptr_equal(pci_visible(drive), vmd_dev(v));
        assert_int_equal(drive->parent->bdf, v->drives[i].port->bdf);
        assert_ptr_equal(drive->parent->parent, vmd_dev(v));
    }
    assert_string_equal(vmd_drive_dev(&v->drives[2])->name, "10000:03:00.0");
    assert_string_equal(vmd_told.info, "vmd0 0000:00:0e.0: Intel VMD: buses 00 to 1f as segment "
                                       "10000, 10 functions; their MSIs share 33 of its vectors");
    assert_non_null(strstr(vmd_told.json, "\"type\":\"vmd\",\"pci\":\"0000:00:0e.0\","
                                          "\"segment\":65536,\"first_bus\":0,\"last_bus\":31,"
                                          "\"functions\":10,\"bypass\":false,\"vectors\":33"));
}

// Each has a segment of its own, and nothing of one is taken for another's.
static void several(void **state)
{
    static const uint16_t ids[] = { 0x28c0, 0x201d, 0x9a0b };
    for (unsigned i = 0; i < 3; i++) {
        struct vmd_fn *v = vmd_new(ids[i], 8, 0);
        vmd_add_drive(v);
        vmd_add_drive(v);
    }
    boot_well();
    assert_int_equal(dev_count(), 3 + 3 * 4);
    assert_int_equal(vmd_told.infos, 3);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned n = 0; n < 2; n++) {
            struct problem p;
            volatile void *window;
            struct pci_dev *drive = vmd_drive_dev(&vmd_fns[i].drives[n]);
            assert_ptr_equal(pci_visible(drive), vmd_dev(&vmd_fns[i]));
            assert_true(pci_map_bar(drive, 0, DRIVE_BYTES, &window, &p));
            assert_int_equal((uint64_t)window - MODEL_VIRT, vmd_fns[i].drives[n].base);
        }
}

// Each id that the driver knows, and no other vendor's.
static void ids(void **state)
{
    static const uint16_t ids[] = { 0x201d, 0x28c0, 0x467f, 0x4c3d, 0x7d0b, 0x9a0b,
                                    0xa77f, 0xad0b, 0xb06f, 0xb07f, 0xb60b };
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        vmd_machine();
        vmd_add_drive(vmd_new(ids[i], 3, 0));
        boot_well();
        assert_int_equal(dev_count(), 3);
        assert_true(vmd_dev(&vmd_fns[0])->is_host);
        vmd_machine();
        vmd_add_drive(vmd_new(ids[i], 3, 0));
        model_set(vmd_fns[0].fn, 0, 0x1000, 2);
        boot_well();
        assert_int_equal(dev_count(), 1);
        assert_false(dev_at(0, vmd_fns[0].fn->bdf)->is_host);
    }
}

// Bus numbers begin where VMCONFIG says, if VMCAP says that it does.
static void restricted_buses(void **state)
{
    static const uint8_t first[] = { 0, 128, 224 };
    for (unsigned set = 0; set < 3; set++)
        for (unsigned restricts = 0; restricts < 2; restricts++) {
            vmd_machine();
            struct vmd_fn *v = vmd_new(0x28c0, 8, restricts ? first[set] : 0);
            model_set(v->fn, 0x40, restricts, 2);
            model_set(v->fn, 0x44, set << 8, 2);
            vmd_add_drive(v);
            boot_well();
            assert_non_null(vmd_drive_dev(&v->drives[0]));
        }
    vmd_machine();
    struct vmd_fn *v = vmd_new(0x201d, 8, 0); // it has no such field
    model_set(v->fn, 0x40, 1, 2);
    model_set(v->fn, 0x44, 0x100, 2);
    vmd_add_drive(v);
    boot_well();
    assert_non_null(vmd_drive_dev(&v->drives[0]));
}

// A switch behind a port; and only the first bus is a root bus.
static void deeper(void **state)
{
    struct vmd_fn *v = vmd_new(0x201d, 8, 0);
    model_express(model_bridge(VMD_SEGMENT(0), PCI_BDF(0, 2, 0), 1, 4), 4);
    model_express(model_bridge(VMD_SEGMENT(0), PCI_BDF(1, 0, 0), 2, 4), 5);
    model_express(model_bridge(VMD_SEGMENT(0), PCI_BDF(2, 9, 0), 4, 4), 6);
    model_express(model_add(VMD_SEGMENT(0), PCI_BDF(4, 0, 0), 0x010802), 0);
    model_add(VMD_SEGMENT(0), PCI_BDF(7, 0, 0), 0x010802); // where no bridge leads
    boot_well();
    assert_int_equal(dev_count(), 5);
    const struct pci_dev *drive = dev_at(PCI_SEGMENT_HIDDEN, PCI_BDF(4, 0, 0));
    assert_non_null(drive);
    assert_int_equal(drive->requester, v->fn->bdf);
}

// Old bridges behind it change nothing: all that leaves has the VMD's id.
static void behind_an_old_bridge(void **state)
{
    struct vmd_fn *v = vmd_new(0x201d, 8, 0);
    model_express(model_bridge(VMD_SEGMENT(0), PCI_BDF(0, 2, 0), 1, 2), 4);
    model_express(model_bridge(VMD_SEGMENT(0), PCI_BDF(1, 0, 0), 2, 2), 7);
    model_add(VMD_SEGMENT(0), PCI_BDF(2, 3, 0), 0x010802);
    boot_well();
    assert_int_equal(dev_at(PCI_SEGMENT_HIDDEN, PCI_BDF(2, 3, 0))->requester, v->fn->bdf);
}

// ---- bus mastering ----

// What firmware left behind it doesn't master the bus, until a driver lets it, and all above it.
static void masters(void **state)
{
    struct problem p;
    struct vmd_fn *v = vmd_new(0x201d, 8, 0);
    struct vmd_drive *d = vmd_add_drive(v), *other = vmd_add_drive(v);
    boot_well();
    assert_false(vmd_is_master(v->fn) || vmd_is_master(d->fn) || vmd_is_master(d->port));
    assert_true(pci_enable(vmd_drive_dev(d), &p));
    assert_true(vmd_is_master(v->fn) && vmd_is_master(d->fn) && vmd_is_master(d->port));
    assert_false(vmd_is_master(other->fn) || vmd_is_master(other->port));
    pci_stop_bus_master(vmd_drive_dev(d));
    assert_false(vmd_is_master(d->fn));
    vmd_shutdown();
    assert_false(vmd_is_master(v->fn));
}

static uint64_t stopped[8];
static unsigned stops;

static void note_stop(uint64_t phys, uint64_t value, unsigned bytes)
{
    struct model_fn *f;
    unsigned at;
    if (model_config(phys, &f, &at) && f && at == 4 && vmd_is_master(f) && !(value & 4))
        stopped[stops++] = f->bdf;
}

// The way up stays open for what is still on it.
static void stops_the_host_last(void **state)
{
    struct vmd_fn *v = vmd_new(0x201d, 8, 0);
    struct vmd_drive *d = vmd_add_drive(v);
    stops = 0;
    model.before_write = note_stop;
    boot_well();
    assert_int_equal(stops, 3);
    assert_int_equal(stopped[0], d->fn->bdf);
    assert_int_not_equal(stopped[1], d->fn->bdf);
    assert_int_not_equal(stopped[2], d->fn->bdf);
}

// A VMD that firmware left asleep is woken.
static void asleep(void **state)
{
    struct vmd_fn *v = vmd_new(0x201d, 8, 0);
    vmd_add_drive(v);
    model_cap(v->fn, 0xa0, 1);
    model_set(v->fn, 0xa4, 3, 2);
    model_writable(v->fn, 0xa4, 3, 2);
    vmd_boot();
    assert_int_equal(model.warnings, 1);
    assert_string_equal(model.warning_what, "pci-woken");
    assert_int_equal(dev_count(), 3);
}

// ---- configuration space ----

static const struct spinlock *lock;
static unsigned accesses;

static void check_lock(uint64_t phys, bool write)
{
    struct model_fn *f;
    if (!model_in_hidden(phys, &f))
        return;
    accesses++;
    assert_true(spinlock_is_locked(lock));
}

// The hardware may hang if two CPUs are in it at once.
static void one_access_at_a_time(void **state)
{
    struct vmd_drive *d = vmd_add_drive(vmd_new(0x201d, 8, 0));
    boot_well();
    const struct pci_dev *dev = vmd_drive_dev(d);
    lock = &dev->domain->lock;
    accesses = 0;
    model.after_access = check_lock;
    pci_read8(dev, 3);
    pci_read16(dev, 6);
    pci_read32(dev, 8);
    pci_write16(dev, 4, 0);
    pci_write16(dev, 6, 0);
    pci_write32(dev, 0x10, 0);
    assert_int_equal(accesses, 3 + 2 * 3); // each write is read back
    assert_false(spinlock_is_locked(lock));
}

// ---- NUMA nodes ----

static void nodes(void **state)
{
    struct vmd_fn *v = vmd_new(0x201d, 8, 0);
    struct vmd_drive *d = vmd_add_drive(v);
    struct srat_device near = { .segment = 0, .bdf = v->fn->bdf, .node = 1 };
    boot_well();
    pci_set_nodes(&near, 1);
    assert_int_equal(vmd_drive_dev(d)->node, 1);
    near = (struct srat_device){ .segment = 0, .bdf = d->fn->bdf, .node = 2 }; // another segment's
    pci_set_nodes(&near, 1);
    assert_int_not_equal(vmd_drive_dev(d)->node, 2);
}

// ---- memory ----

static bool maps(struct pci_dev *dev, struct problem *p)
{
    volatile void *window;
    return pci_map_bar(dev, 0, DRIVE_BYTES, &window, p);
}

static void unassigned(void **state)
{
    struct problem p;
    struct vmd_drive *d = vmd_add_drive(vmd_new(0x201d, 8, 0));
    model_bar64(d->fn, 0, 0, DRIVE_BYTES);
    boot_well();
    assert_false(maps(vmd_drive_dev(d), &p));
    assert_string_equal(p.what, "pci-bar");
    assert_non_null(strstr(p.message, "10000:01:00.0: BAR 0"));
}

static void outside(void **state)
{
    static const struct {
        uint64_t base;
        bool ok;
    } cases[] = {
        { VMD_MEM1(0), true },
        { VMD_MEM1(0) + VMD_MEM1_BYTES - DRIVE_BYTES, true },
        { VMD_MEM1(0) + VMD_MEM1_BYTES, false },
        { VMD_MEM1(0) - DRIVE_BYTES, false },
        { VMD_MEM2(0), false }, // half of it would be the VMD's own registers
        { VMD_MEM2(0) + 0x4000, true },
        { VMD_MEM2(0) + VMD_MEM2_BYTES - DRIVE_BYTES, true },
        { VMD_MEM2(0) + VMD_MEM2_BYTES, false },
        { VMD_CFG(0), false },
        { 0xfebf0000, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct problem p = { 0 };
        vmd_machine();
        struct vmd_drive *d = vmd_add_drive(vmd_new(0x201d, 8, 0));
        model_bar64(d->fn, 0, cases[i].base, DRIVE_BYTES);
        boot_well();
        assert_int_equal(maps(vmd_drive_dev(d), &p), cases[i].ok);
        if (!cases[i].ok) {
            assert_string_equal(p.what, "pci-bar-hidden");
            assert_non_null(strstr(p.message, "10000:01:00.0: BAR 0"));
            assert_non_null(strstr(p.message, "0000:00:0e.0 forwards"));
        }
    }
}

// A guest's addresses are not those that its drives have: shadow registers tell both.
static void shadows(void **state)
{
    const uint64_t phys[] = { 0x380000000000ull, 0x390000000000ull };
    for (unsigned by_cap = 0; by_cap < 2; by_cap++) {
        vmd_machine();
        struct problem p;
        struct vmd_fn *v = vmd_new(by_cap ? 0x201d : 0x28c0, 8, 0);
        uint64_t marked[] = { phys[0] | 0xc, phys[1] | 0xc };
        v->phys1 = phys[0];
        if (by_cap) {
            model_cap(v->fn, 0xc0, 9);
            model_set(v->fn, 0xc4, 0x53484457, 4);
            memcpy(v->fn->space + 0xc8, marked, 16);
        } else {
            model_set(v->fn, 0x70, 2, 4);
            memcpy(v->memory + 0x2000, marked, 16);
        }
        struct vmd_drive *d = vmd_add_drive(v);
        boot_well();
        assert_true(maps(vmd_drive_dev(d), &p));
        assert_int_equal(model.mapped[model.mapped_count - 1].phys, d->base);
        assert_non_null(strstr(vmd_told.json, "\"bypass\":false"));
    }
}

// ... unless they aren't there, or the bit that turns them on is off.
static void no_shadows(void **state)
{
    for (unsigned by_cap = 0; by_cap < 2; by_cap++) {
        vmd_machine();
        struct problem p;
        struct vmd_fn *v = vmd_new(by_cap ? 0x201d : 0x28c0, 8, 0);
        memset(v->memory + 0x2000, 0x11, 16);
        if (by_cap) {
            model_cap(v->fn, 0xc0, 9);
            model_set(v->fn, 0xc4, 0x53484458, 4); // no signature
            memset(v->fn->space + 0xc8, 0x11, 16);
        }
        struct vmd_drive *d = vmd_add_drive(v);
        boot_well();
        assert_true(maps(vmd_drive_dev(d), &p));
        assert_int_equal(model.mapped[model.mapped_count - 1].phys, d->base);
    }
}

// A drive that is put into a slot behind it later, in a guest as well: its BAR gets what the port's window
// says, and is mapped where that is.
static void put_in_later(void **state)
{
    struct problem p;
    struct vmd_fn *v = vmd_new(0x28c0, 8, 0);
    uint64_t phys[] = { 0x380000000000ull, 0x390000000000ull };
    struct vmd_drive *first = vmd_add_drive(v);
    struct model_fn *port = model_bridge(VMD_SEGMENT(0), PCI_BDF(0, 9, 0), 9, 9);
    model_express(port, 4);
    model_bar64(first->fn, 0, phys[0], DRIVE_BYTES);
    model_set(port, 0x24, 0x00310031, 4); // prefetchable window of 1 MiB, at MEMBAR1 + 3 MiB
    model_set(port, 0x28, 0x3800, 4);
    model_set(port, 0x2c, 0x3800, 4);
    model_set(v->fn, 0x70, 2, 4);
    memcpy(v->memory + 0x2000, phys, 16);
    boot_well();
    struct model_fn *late = model_add(VMD_SEGMENT(0), PCI_BDF(9, 0, 0), 0x010802);
    model_bar64(late, 0, 0, DRIVE_BYTES);
    assert_true(pci_slot_scan(dev_at(PCI_SEGMENT_HIDDEN, port->bdf), &p));
    struct pci_dev *dev = dev_at(PCI_SEGMENT_HIDDEN, late->bdf);
    assert_non_null(dev);
    assert_int_equal(dev->requester, v->fn->bdf);
    assert_ptr_equal(pci_visible(dev), vmd_dev(v));
    pci_enable_memory(dev);
    assert_true(maps(dev, &p));
    assert_int_equal(dev->bars[0].base, phys[0] + 0x300000);
    assert_int_equal(model.mapped[model.mapped_count - 1].phys, VMD_MEM1(0) + 0x300000);
}

#define test(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        test(finds_drives), test(several),
        test(ids),          test(restricted_buses),
        test(deeper),       test(behind_an_old_bridge),
        test(masters),      test(stops_the_host_last),
        test(asleep),       test(one_access_at_a_time),
        test(nodes),        test(unassigned),
        test(outside),      test(shadows),
        test(no_shadows),   test(put_in_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
