// SPDX-License-Identifier: BSD-2-Clause
// MSIs from behind VMDs reach their handlers: past the VMD, or through its own vectors, which may be
// fewer than what is behind it has. The registers are a model's, the IRQ core is real.

#include "tests/host/vmd_msis.h"

// ---- past the VMD ----

static void passes_by(void **state)
{
    for_each_mode(mode)
    {
        struct vmd_fn *v = boot(mode, 2, 0x28c0, 8, 2);
        struct irq *irqs[4];
        assert_true(model_get(v->fn, 0x44, 2) & 2);
        for (unsigned i = 0; i < 4; i++)
            irqs[i] = new_queue(&v->drives[i / 2], i % 2, i % 2, i);
        assert_int_equal(own_irqs(v, UINT32_MAX), 0);
        for (unsigned i = 0; i < 4; i++) {
            assert_string_not_equal(irqs[i]->chip->name, "VMD");
            assert_reaches(&v->drives[i / 2], irqs[i]);
        }
        assert_non_null(strstr(vmd_told.info, "their MSIs pass it by"));
    }
}

// It says that it can, and doesn't: then it takes them.
static void bypass_is_refused(void **state)
{
    start_on(2, (struct irq_config){ .mode = IRQ_ADAPTIVE });
    struct vmd_fn *v = vmd_new(0x28c0, 8, 0);
    struct vmd_drive *d = vmd_add_drive(v);
    model_writable(v->fn, 0x44, 0, 2);
    vmd_boot();
    assert_int_equal(model.warnings, 0);
    assert_true(msix_enable(vmd_drive_dev(d), &p));
    assert_true(pci_enable(vmd_drive_dev(d), &p));
    struct irq *irq = new_queue(d, 0, 1, 0);
    assert_string_equal(irq->chip->name, "VMD");
    assert_reaches(d, irq);
}

// ---- through its own vectors ----

static void each_cpu_has_its_own(void **state)
{
    for_each_mode(mode)
    {
        struct vmd_fn *v = boot(mode, 4, 0x201d, 8, 1);
        struct irq *irqs[4];
        for (unsigned i = 0; i < 4; i++)
            irqs[i] = new_queue(&v->drives[0], i, i, i);
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(own_irqs(v, i), 1);
            assert_reaches(&v->drives[0], irqs[i]);
        }
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(taken[i].calls, 1); // nobody else's
        assert_int_equal(world.ipis, 0);
    }
}

// A second vector on a CPU only as long as the CPUs without one are provided for.
static void spare_vectors_are_given_out(void **state)
{
    struct vmd_fn *v = boot(IRQ_ADAPTIVE, 4, 0x201d, 5, 2);
    for (unsigned i = 0; i < 3; i++)
        new_queue(&v->drives[0], i, 0, i);
    assert_int_equal(own_irqs(v, 0), 2);
    for (unsigned cpu = 1; cpu < 4; cpu++)
        new_queue(&v->drives[1], cpu, cpu, 10 + cpu);
    for (unsigned cpu = 1; cpu < 4; cpu++)
        assert_int_equal(own_irqs(v, cpu), 1);
}

// Irqs that share one are called together, as nothing tells them apart; each on its own CPU.
static void fewer_vectors_than_drives(void **state)
{
    for (unsigned vectors = 1; vectors <= 3; vectors++)
        for_each_mode(mode)
        {
            struct vmd_fn *v = boot(mode, 3, 0x201d, vectors, 4);
            struct irq *irqs[12];
            for (unsigned i = 0; i < 12; i++)
                irqs[i] = new_queue(&v->drives[i / 3], i % 3, i % 3, i);
            assert_int_equal(own_irqs(v, UINT32_MAX), vectors);
            for (unsigned i = 0; i < 12; i++)
                assert_reaches(&v->drives[i / 3], irqs[i]);
            if (vectors == 3)
                assert_int_equal(world.ipis, 0); // those of one CPU share
            for (unsigned i = 0; i < 12; i++)
                assert_int_equal(taken[i].calls, 12 / vectors);
        }
}

// The first entry of a client's VMD is not for what is behind it.
static void first_entry_is_its_own(void **state)
{
    struct vmd_fn *v = boot(IRQ_ADAPTIVE, 2, 0x9a0b, 3, 1);
    struct irq *irqs[] = { new_queue(&v->drives[0], 0, 0, 0), new_queue(&v->drives[0], 1, 1, 1) };
    uint32_t control;
    assert_int_equal(own_irqs(v, UINT32_MAX), 2);
    for (unsigned i = 0; i < 2; i++)
        assert_reaches(&v->drives[0], irqs[i]);
    memcpy(&control, v->memory + 12, 4);
    assert_int_equal(control, 1); // masked
}

static void several_vmds(void **state)
{
    start_on(2, (struct irq_config){ .mode = IRQ_ADAPTIVE });
    static const uint16_t ids[] = { 0x201d, 0x28c0, 0x467f };
    struct irq *irqs[6];
    for (unsigned i = 0; i < 3; i++) {
        struct vmd_fn *v = vmd_new(ids[i], 4, 0);
        vmd_add_drive(v);
        vmd_add_drive(v);
    }
    vmd_boot();
    for (unsigned i = 0; i < 6; i++) {
        struct vmd_drive *d = &vmd_fns[i / 2].drives[i % 2];
        assert_true(msix_enable(vmd_drive_dev(d), &p));
        assert_true(pci_enable(vmd_drive_dev(d), &p));
        irqs[i] = new_queue(d, 3, i % 2, i);
    }
    for (unsigned i = 0; i < 6; i++)
        assert_reaches(&vmd_fns[i / 2].drives[i % 2], irqs[i]);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(taken[i].calls, 1);
}

static void all_shares_are_taken(void **state)
{
    struct vmd_fn *v = boot(IRQ_ADAPTIVE, 2, 0x201d, 1, 1);
    for (unsigned i = 0; i < 256; i++)
        new_queue(&v->drives[0], i % DRIVE_VECTORS, i % 2, i);
    assert_null(irq_alloc(vmd_drive_dev(&v->drives[0]), 0, 1, take, NULL, "late", &p));
    assert_string_equal(p.what, "vmd-shared");
    irq_free(irq_first()->next); // the VMD's own comes after the first from below
    assert_non_null(irq_alloc(vmd_drive_dev(&v->drives[0]), 0, 1, take, NULL, "late", &p));
}

static void no_vector_is_left(void **state)
{
    struct vmd_fn *v = boot(IRQ_ADAPTIVE, 2, 0x201d, 4, 1);
    keep_vectors(0, VECTOR_DEVICE_LAST + 1);
    assert_null(irq_alloc(vmd_drive_dev(&v->drives[0]), 0, 0, take, NULL, "none", &p));
    assert_string_equal(p.what, "irq-no-vector");
    give_vectors_back(0);
    assert_reaches(&v->drives[0], new_queue(&v->drives[0], 0, 0, 1));
}

// ---- who is called ----

static void masked_and_freed_are_left_alone(void **state)
{
    struct vmd_fn *v = boot(IRQ_ADAPTIVE, 1, 0x201d, 1, 3);
    struct irq *irqs[3];
    for (unsigned i = 0; i < 3; i++)
        irqs[i] = new_queue(&v->drives[i], 0, 0, i);
    irq_disable(irqs[1]);
    irq_free(irqs[2]);
    assert_reaches(&v->drives[0], irqs[0]);
    assert_int_equal(taken[1].calls + taken[2].calls, 0);
    assert_false(signal_from(&v->drives[1], 0));
    irq_enable(irqs[1]);
    assert_reaches(&v->drives[1], irqs[1]);
    struct irq *again = new_queue(&v->drives[2], 0, 0, 3); // its share is free again
    assert_reaches(&v->drives[2], again);
}

static void delivery_is_the_vmds(void **state)
{
    struct vmd_fn *v = boot(IRQ_ADAPTIVE, 2, 0x201d, 4, 1);
    struct irq *irq = new_queue(&v->drives[0], 0, 0, 0);
    assert_true(irq_set_posted(irq, false, &p));
    assert_string_equal(irq->chip->name, "VMD");
    assert_true(irq_set_urgent(irq, false, &p));
    assert_false(irq_set_urgent(irq, true, &p));
    assert_string_equal(p.what, "irq-urgent");
    assert_non_null(strstr(p.message, "0000:00:0e.0"));
    assert_false(irq->urgent);
    struct irq *own = irq_first()->dev == vmd_dev(v) ? irq_first() : irq_first()->next;
    assert_true(irq_set_posted(own, false, &p)); // this changes how they come
    assert_reaches(&v->drives[0], irq);
}

static void raised_by_software(void **state)
{
    struct vmd_fn *v = boot(IRQ_ADAPTIVE, 2, 0x201d, 4, 1);
    struct irq *irq = new_queue(&v->drives[0], 0, 0, 0);
    irq_raise(irq);
    assert_true(irq_pending());
    run_all();
    assert_int_equal(taken[0].calls, 1);
}

// What a reset of the drive takes from its table comes back.
static void rewritten(void **state)
{
    struct vmd_fn *v = boot(IRQ_ADAPTIVE, 2, 0x201d, 4, 1);
    struct vmd_drive *d = &v->drives[0];
    struct irq *irq = new_queue(d, 2, 1, 0);
    memset(model_data(d->base + DRIVE_TABLE, 1), 0, 16 * DRIVE_VECTORS);
    irq_rewrite(irq);
    assert_reaches(d, irq);
}

// ---- the end ----

static void gives_back(void **state)
{
    struct vmd_fn *v = boot(IRQ_ADAPTIVE, 2, 0x28c0, 4, 1);
    assert_true(model_get(v->fn, 0x44, 2) & 2);
    vmd_shutdown();
    assert_false(model_get(v->fn, 0x44, 2) & 2);
    assert_false(vmd_is_master(v->fn));
    finish(NULL);
    begin(NULL);
    v = boot(IRQ_ADAPTIVE, 2, 0x201d, 4, 1);
    assert_true(VMD_MSIX_CONTROL(v->fn) & 0x8000);
    vmd_shutdown();
    assert_false(VMD_MSIX_CONTROL(v->fn) & 0x8000);
}

static void stays_in_bypass(void **state)
{
    struct vmd_fn *v = boot(IRQ_ADAPTIVE, 2, 0x28c0, 4, 1);
    model_writable(v->fn, 0x44, 0, 2);
    vmd_shutdown();
    assert_string_equal(model.warning_what, "vmd-locked");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        test(passes_by),
        test(bypass_is_refused),
        test(each_cpu_has_its_own),
        test(spare_vectors_are_given_out),
        test(fewer_vectors_than_drives),
        test(first_entry_is_its_own),
        test(several_vmds),
        test(all_shares_are_taken),
        test(no_vector_is_left),
        test(masked_and_freed_are_left_alone),
        test(delivery_is_the_vmds),
        test(raised_by_software),
        test(rewritten),
        test(gives_back),
        test(stays_in_bypass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
