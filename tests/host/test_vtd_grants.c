// SPDX-License-Identifier: BSD-2-Clause
// What functions reach that are granted memory, or are no longer, and those that nobody drives, on units
// of each kind, against the register-level model.

#include "vtd_fenced.h"

// ---- granting and revoking, on units of each kind ----

static const struct fenced_kind kinds[] = {
    { 0, 0 },
    { M_CAP_CM, 0 },
    { 0, M_ECAP_C },
    { M_CAP_CM | M_CAP_RWBF, M_ECAP_C },
    { M_CAP_DRD | M_CAP_DWD, 0 },
    { M_CAP_DRD, M_ECAP_SMTS },
    { M_CAP_ESRTPS | M_CAP_ESIRTPS, 0 },
};

// Before, after, and after memory was added: each is so at once, whatever the unit has in its caches.
static void test_a_life(void **state)
{
    struct model_unit *m;
    for_each_kind(m)
    {
        for (unsigned round = 0; round < 3; round++) {
            uint64_t piece = PIECE + round * GIB;
            assert_true(writes(m, DISK, piece));
            grant(DISK);
            assert_int_equal(writes(m, DISK, piece), REASON_WRITE);
            assert_int_equal(reads(m, DISK, piece + PIECE_BYTES), REASON_READ);
            map(piece, PIECE_BYTES);
            assert_reaches(m, DISK, piece, PIECE_BYTES);
            assert_true(writes(m, OTHER, piece));
            revoke(DISK);
            assert_false(m->pages_stale); // what was translated before has been drained
            assert_int_equal(writes(m, DISK, piece), REASON_FUNCTION);
            assert_int_equal(reads(m, DISK, PIECE), REASON_FUNCTION);
        }
        assert_rules_kept(m);
    }
}

static void test_what_is_done_twice(void **state)
{
    struct model_unit *m;
    for_each_kind(m)
    {
        map(PIECE, PIECE_BYTES);
        revoke(DISK); // it has nothing yet
        grant(DISK);
        m->log[0] = 0;
        grant(DISK);
        assert_string_equal(m->log, "");
        assert_reaches(m, DISK, PIECE, PIECE_BYTES);
        revoke(DISK);
        revoke(DISK);
        map(PIECE, PIECE_BYTES); // it is mapped
        map(PIECE, 2 * PIECE_BYTES);
        grant(DISK);
        assert_reaches(m, DISK, PIECE, 2 * PIECE_BYTES);
        assert_rules_kept(m);
    }
}

// Two functions whose requests bear their bridge's id: the one's end is not the other's.
static void test_a_shared_id(void **state)
{
    struct model_unit *m = fenced_unit();
    BEHIND_A_BRIDGE->requester = BESIDE_IT->requester = PCI_BDF(2, 0, 0);
    machine_enable();
    map(PIECE, PIECE_BYTES);
    grant(BEHIND_A_BRIDGE);
    assert_reaches(m, BEHIND_A_BRIDGE, PIECE, PIECE_BYTES);
    assert_int_equal(model_dma(m, BEHIND_A_BRIDGE->bdf, PIECE, true), 0);
    grant(BESIDE_IT);
    revoke(BEHIND_A_BRIDGE);
    assert_reaches(m, BESIDE_IT, PIECE, PIECE_BYTES);
    assert_int_equal(model_dma(m, BEHIND_A_BRIDGE->bdf, PIECE, true), REASON_FUNCTION);
    revoke(BESIDE_IT);
    assert_int_equal(writes(m, BESIDE_IT, PIECE), REASON_FUNCTION);
    assert_rules_kept(m);
}

// Disks that a VMD hides send as the VMD does.
static void test_disks_behind_a_vmd(void **state)
{
    struct pci_domain domain = { .host = OTHER };
    struct model_unit *m = fenced_unit();
    BEHIND_A_BRIDGE->domain = BESIDE_IT->domain = &domain;
    machine_enable();
    map(PIECE, PIECE_BYTES);
    grant(BEHIND_A_BRIDGE);
    grant(BESIDE_IT);
    assert_reaches(m, OTHER, PIECE, PIECE_BYTES);
    assert_int_equal(model_dma(m, BESIDE_IT->bdf, PIECE, true), REASON_BUS);
    revoke(BEHIND_A_BRIDGE);
    assert_reaches(m, OTHER, PIECE, PIECE_BYTES);
    revoke(BESIDE_IT);
    assert_int_equal(writes(m, OTHER, PIECE), REASON_FUNCTION);
    assert_rules_kept(m);
}

static void test_a_device_without_a_unit(void **state)
{
    fenced_unit();
    machine_enable();
    assert_false(machine_fence->grant(&machine_devs[2], &p)); // segment 9
    assert_string_equal(p.what, "vtd-no-unit");
    revoke(&machine_devs[2]);
}

// A bus without a table is as good as a function without an entry.
static void assert_absent(struct model_unit *m, uint16_t source)
{
    uint64_t entry[2];
    assert_in_range(model_context_reason(m, source, entry), REASON_BUS, REASON_FUNCTION);
}

// A unit whose queue fails doesn't let a revocation pass for done, though no entry of the function's stays.
static void test_a_revocation_that_is_not_confirmed(void **state)
{
    struct model_unit *m = fenced_unit();
    BEHIND_A_BRIDGE->requester = PCI_BDF(2, 0, 0);
    machine_enable();
    map(PIECE, PIECE_BYTES);
    grant(BEHIND_A_BRIDGE);
    m->hang_waits = true;
    assert_false(machine_fence->revoke(BEHIND_A_BRIDGE, &p));
    assert_string_equal(p.what, "vtd-queue-stuck");
    assert_absent(m, BEHIND_A_BRIDGE->bdf);
    assert_absent(m, PCI_BDF(2, 0, 0));
}

// Nor does a grant that it didn't take leave anything, be it by the first of two ids or by the second.
static void test_a_grant_that_is_not_confirmed(void **state)
{
    for (unsigned granted = 0; granted < 2; granted++) {
        struct model_unit *m = fenced_unit();
        m->cap |= M_CAP_CM;
        BEHIND_A_BRIDGE->requester = BEHIND_A_BRIDGE->bdf;
        machine_enable();
        if (granted)
            assert_true(machine_fence->grant(BEHIND_A_BRIDGE, &p)); // as was its first id
        BEHIND_A_BRIDGE->requester = PCI_BDF(2, 0, 0);
        m->hang_waits = true;
        assert_false(machine_fence->grant(BEHIND_A_BRIDGE, &p));
        assert_string_equal(p.what, "vtd-queue-stuck");
        assert_absent(m, BEHIND_A_BRIDGE->bdf);
        assert_absent(m, PCI_BDF(2, 0, 0));
    }
}

// The first time may not have reached the unit.
static void test_a_revocation_is_repeated(void **state)
{
    struct model_unit *m = fenced_unit();
    machine_enable();
    map(PIECE, PIECE_BYTES);
    grant(DISK);
    assert_reaches(m, DISK, PIECE, PIECE_BYTES);
    m->time_outs = 1;
    assert_false(machine_fence->revoke(DISK, &p));
    assert_string_equal(p.what, "vtd-queue-error");
    m->log[0] = 0;
    assert_true(machine_fence->revoke(DISK, &p));
    assert_string_equal(m->log, "CC0020 TLB1");
    assert_false(machine_fence->reaches(DISK));
}

// Nothing of the grant is left where the unit doesn't confirm it.
static void test_a_grant_that_fails(void **state)
{
    struct model_unit *m = fenced_unit();
    m->cap |= M_CAP_RWBF;
    machine_enable();
    m->deaf = M_WBF;
    assert_false(machine_fence->grant(DISK, &p));
    assert_string_equal(p.what, "vtd-timeout");
    assert_false(machine_fence->reaches(DISK));
}

static void test_who_still_reaches(void **state)
{
    struct pci_domain domain = { .host = OTHER };
    fenced_unit();
    BEHIND_A_BRIDGE->domain = BESIDE_IT->domain = &domain;
    machine_enable();
    assert_true(machine_fence->reaches(&machine_devs[2])); // behind no unit
    assert_false(machine_fence->reaches(BESIDE_IT));
    grant(BEHIND_A_BRIDGE);
    grant(BESIDE_IT);
    revoke(BEHIND_A_BRIDGE);
    assert_true(machine_fence->reaches(BEHIND_A_BRIDGE)); // by the VMD's id, as the other
    revoke(BESIDE_IT);
    assert_false(machine_fence->reaches(BEHIND_A_BRIDGE));
}

// ---- what nobody drives ----

static void test_a_display_is_blocked_quietly(void **state)
{
    struct model_unit *m = fenced_unit();
    OTHER->class_code = 0x030000;
    machine_enable();
    assert_int_equal(writes(m, OTHER, PIECE), REASON_FUNCTION);
    assert_int_equal(m->fsts, 0);
    assert_int_equal(writes(m, DISK, PIECE), REASON_FUNCTION); // the same bus
    assert_int_equal(m->fsts & M_FSTS_PPF, M_FSTS_PPF);
    assert_non_null(strstr(told.info, "0000:00:05.0"));
    map(PIECE, PIECE_BYTES);
    grant(OTHER); // somebody drives it after all
    assert_reaches(m, OTHER, PIECE, PIECE_BYTES);
    assert_rules_kept(m);
}

static struct model_unit *with_reserved(enum vtd_dma dma)
{
    struct model_unit *m = fenced_unit();
    vtd_set_dma(dma);
    dmar_begin(&machine_dmar, 1);
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
    size_t at = dmar_rmrr(&machine_dmar, 0, 0x7c000000, 0x7c7fffff);
    dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(5, 0));
    at = dmar_rmrr(&machine_dmar, 0, 0xe0000, 0xeffff);
    dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(5, 0));
    dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(4, 0)); // which is driven
    blob_finish(&machine_dmar);
    return m;
}

static void test_reserved_memory_is_kept_from_its_device(void **state)
{
    struct model_unit *m = with_reserved(VTD_DMA_FENCE);
    machine_enable();
    assert_int_equal(writes(m, OTHER, 0x7c000000), REASON_FUNCTION);
    assert_int_equal(m->fsts, 0);
    assert_non_null(strstr(told.info, "dma=rmrr"));
    assert_int_equal(writes(m, DISK, 0xe0000), REASON_FUNCTION);
    assert_int_equal(m->fsts & M_FSTS_PPF, M_FSTS_PPF); // a driver's: no silence
}

static void test_reserved_memory_is_left(void **state)
{
    struct model_unit *m = with_reserved(VTD_DMA_RMRR);
    machine_enable();
    assert_reaches(m, OTHER, 0x7c000000, 0x800000);
    assert_reaches(m, OTHER, 0xe0000, 0x10000);
    map(PIECE, PIECE_BYTES);
    assert_int_equal(writes(m, OTHER, PIECE), REASON_WRITE);
    grant(DISK);
    assert_reaches(m, DISK, PIECE, PIECE_BYTES);
    assert_int_equal(writes(m, DISK, 0xe0000), REASON_WRITE);
    assert_rules_kept(m);
}

static void reserve(uint64_t base, uint64_t bytes, const struct pci_dev *dev)
{
    size_t at = dmar_rmrr(&machine_dmar, 0, base, base + bytes - 1);
    dmar_scope(&machine_dmar, at, 1, PCI_BUS(dev->bdf),
               DMAR_PATH(PCI_DEV(dev->bdf), PCI_FN(dev->bdf)));
}

// Functions behind one bridge send by its id, or by their own: what is reserved for each of them is
// reached by all of these. One that is driven has nothing reserved.
static void test_reserved_memory_behind_a_bridge(void **state)
{
    struct model_unit *m = fenced_unit();
    vtd_set_dma(VTD_DMA_RMRR);
    BEHIND_A_BRIDGE->requester = BESIDE_IT->requester = DISK->requester = PCI_BDF(2, 0, 0);
    dmar_begin(&machine_dmar, 1);
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
    reserve(0xe0000, 0x10000, BEHIND_A_BRIDGE);
    reserve(0x7c000000, 0x800000, BESIDE_IT);
    reserve(0x7d000000, 0x1000, DISK);
    blob_finish(&machine_dmar);
    machine_enable();
    const uint16_t ids[] = { PCI_BDF(2, 0, 0), BEHIND_A_BRIDGE->bdf, BESIDE_IT->bdf };
    for (unsigned i = 0; i < ARRAY_SIZE(ids); i++) {
        assert_int_equal(model_dma(m, ids[i], 0xe0000, true), 0);
        assert_int_equal(model_dma(m, ids[i], 0x7c7ff000, false), 0);
        assert_int_equal(model_dma(m, ids[i], 0x7d000000, true), REASON_WRITE);
    }
    assert_in_range(model_dma(m, DISK->bdf, 0xe0000, true), REASON_BUS, REASON_FUNCTION);
    assert_rules_kept(m);
}

static void test_a_display_behind_a_bridge(void **state)
{
    struct model_unit *m = fenced_unit();
    BESIDE_IT->requester = PCI_BDF(2, 0, 0);
    BESIDE_IT->class_code = 0x030000;
    machine_enable();
    assert_int_equal(writes(m, BESIDE_IT, PIECE), REASON_FUNCTION);
    assert_int_equal(model_dma(m, BESIDE_IT->bdf, PIECE, true), REASON_FUNCTION);
    assert_int_equal(m->fsts, 0);
}

// What was reserved for a device that sat there before is not its successor's.
static void test_a_driver_comes_to_reserved_memory(void **state)
{
    struct model_unit *m = with_reserved(VTD_DMA_RMRR);
    machine_enable();
    assert_reaches(m, OTHER, 0x7c000000, 0x800000);
    map(PIECE, PIECE_BYTES);
    grant(OTHER);
    assert_reaches(m, OTHER, PIECE, PIECE_BYTES);
    vtd_report_faults();
    told.errors = 0;
    assert_int_equal(writes(m, OTHER, 0x7c000000), REASON_WRITE);
    (void)reads(m, OTHER, 0x7c000000); // which its firmware may go on asking for
    vtd_report_faults();
    assert_int_equal(told.errors, 0);
    assert_rules_kept(m);
}

// Tables that reserve RAM, or very much, are not believed.
static void test_reserved_memory_that_cannot_be(void **state)
{
    static const uint64_t ranges[][2] = { { 5 * GIB, 5 * GIB + 0xfff }, { 32 * GIB, 40 * GIB } };
    for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++) {
        struct model_unit *m = fenced_unit();
        vtd_set_dma(VTD_DMA_RMRR);
        dmar_begin(&machine_dmar, 1);
        dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
        size_t at = dmar_rmrr(&machine_dmar, 0, ranges[i][0], ranges[i][1]);
        dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(5, 0));
        blob_finish(&machine_dmar);
        machine_enable();
        assert_int_equal(writes(m, OTHER, ranges[i][0]), REASON_WRITE);
        assert_string_equal(told.warning_what, "dma-reserved");
    }
}

static void test_reserved_memory_beyond_the_unit(void **state)
{
    with_reserved(VTD_DMA_RMRR);
    dmar_begin(&machine_dmar, 1);
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
    size_t at = dmar_rmrr(&machine_dmar, 0, 1ull << 45, (1ull << 45) + 0xfff);
    dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(5, 0));
    blob_finish(&machine_dmar);
    assert_true(vtd_init(&p));
    assert_false(vtd_enable(0xf2, 0x301, &p));
    assert_string_equal(p.what, "dma-reserved"); // beyond 39 bits
}

// One domain is 0's, one the arena's: 14 are left.
static void test_too_few_domains(void **state)
{
    for (unsigned devices = 14; devices <= 15; devices++) {
        struct model_unit *m = fenced_unit();
        vtd_set_dma(VTD_DMA_RMRR);
        m->cap &= ~M_CAP_ND(7);
        machine_devs_count = MACHINE_DEVS + devices;
        dmar_begin(&machine_dmar, 1);
        dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
        size_t at = dmar_rmrr(&machine_dmar, 0, 0x7c000000, 0x7c000fff);
        for (unsigned i = 0; i < devices; i++) {
            struct pci_dev *dev = &machine_devs[MACHINE_DEVS + i];
            dev->bdf = dev->requester = PCI_BDF(4, i, 0);
            dmar_scope(&machine_dmar, at, 1, 4, DMAR_PATH((uint8_t)i, 0));
        }
        blob_finish(&machine_dmar);
        assert_true(vtd_init(&p));
        assert_int_equal(vtd_enable(0xf2, 0x301, &p), devices == 14);
    }
    assert_string_equal(p.what, "dma-domains");
    machine_devs_count = MACHINE_DEVS;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_life, end),
        cmocka_unit_test_teardown(test_what_is_done_twice, end),
        cmocka_unit_test_teardown(test_a_shared_id, end),
        cmocka_unit_test_teardown(test_disks_behind_a_vmd, end),
        cmocka_unit_test_teardown(test_a_device_without_a_unit, end),
        cmocka_unit_test_teardown(test_a_revocation_that_is_not_confirmed, end),
        cmocka_unit_test_teardown(test_a_grant_that_is_not_confirmed, end),
        cmocka_unit_test_teardown(test_a_revocation_is_repeated, end),
        cmocka_unit_test_teardown(test_a_grant_that_fails, end),
        cmocka_unit_test_teardown(test_who_still_reaches, end),
        cmocka_unit_test_teardown(test_a_display_is_blocked_quietly, end),
        cmocka_unit_test_teardown(test_reserved_memory_is_kept_from_its_device, end),
        cmocka_unit_test_teardown(test_reserved_memory_is_left, end),
        cmocka_unit_test_teardown(test_reserved_memory_behind_a_bridge, end),
        cmocka_unit_test_teardown(test_a_display_behind_a_bridge, end),
        cmocka_unit_test_teardown(test_a_driver_comes_to_reserved_memory, end),
        cmocka_unit_test_teardown(test_reserved_memory_that_cannot_be, end),
        cmocka_unit_test_teardown(test_reserved_memory_beyond_the_unit, end),
        cmocka_unit_test_teardown(test_too_few_domains, end),
    };
    return run_on_both_kinds(tests);
}
