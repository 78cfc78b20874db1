// SPDX-License-Identifier: BSD-2-Clause
// The fence around DMA, against the register-level model: the order of the steps, with no moment at which
// a device reaches what nobody granted, and what grants and revocations do, on units of each kind.

#include "drivers/vtd/fence.h"
#include "vtd_machine.h"

#define DISK (&machine_devs[0])
#define OTHER (&machine_devs[1])
#define BEHIND_A_BRIDGE (&machine_devs[3])
#define BESIDE_IT (&machine_devs[4])
#define PIECE (8 * GIB)
#define PIECE_BYTES (6 * MIB)
#define REASON_BUS 1
#define REASON_FUNCTION 2
#define REASON_WIDTH 4
#define REASON_WRITE 5
#define REASON_READ 6

static struct problem p;

static bool drives(const struct pci_dev *dev)
{
    return dev == DISK;
}

static struct model_unit *fenced_unit(void)
{
    struct model_unit *m = machine_one_unit();
    vtd_set_driven(drives);
    vtd_set_dma(VTD_DMA_FENCE);
    return m;
}

static int end(void **state)
{
    vtd_set_driven(NULL);
    vtd_set_dma(VTD_DMA_OPEN);
    for (unsigned i = 0; i < MACHINE_DEVS; i++) {
        machine_devs[i].class_code = 0;
        machine_devs[i].granted = false;
        machine_devs[i].domain = NULL;
        machine_devs[i].requester = machine_devs[i].bdf;
    }
    return 0;
}

static void map(uint64_t base, uint64_t bytes)
{
    assert_true(model_dma_map(base, bytes, &p));
}

static void grant(struct pci_dev *dev)
{
    assert_true(machine_fence->grant(dev, &p));
    dev->granted = true;
}

static void revoke(struct pci_dev *dev)
{
    assert_true(machine_fence->revoke(dev, &p));
    dev->granted = false;
}

static unsigned reads(struct model_unit *m, const struct pci_dev *dev, uint64_t at)
{
    return model_dma(m, dev->requester, at, false);
}

static unsigned writes(struct model_unit *m, const struct pci_dev *dev, uint64_t at)
{
    return model_dma(m, dev->requester, at, true);
}

// The device reaches exactly the piece.
static void assert_reaches(struct model_unit *m, const struct pci_dev *dev, uint64_t base,
                           uint64_t bytes)
{
    assert_int_equal(reads(m, dev, base), 0);
    assert_int_equal(writes(m, dev, base + bytes - 1), 0);
    assert_int_equal(writes(m, dev, base + bytes / 2), 0);
    assert_int_equal(writes(m, dev, base - 1), REASON_WRITE);
    assert_int_equal(reads(m, dev, base + bytes), REASON_READ);
}

// ---- the way up ----

static void test_order(void **state)
{
    struct model_unit *m = fenced_unit();
    machine_enable();
    assert_rules_kept(m);
    assert_string_equal(m->log, "QIE+ SIRTP+ IEC SRTP+ CC TLB TE+ IRE+");
    assert_int_equal(m->ttm, 0);
    assert_int_equal(told.warnings + told.errors, 0);
    assert_int_equal(writes(m, DISK, PIECE), REASON_BUS);
    assert_int_equal(reads(m, DISK, PIECE), REASON_BUS);
}

static void test_open_is_open(void **state)
{
    struct model_unit *m = machine_one_unit();
    machine_enable();
    assert_rules_kept(m);
    assert_false(m->gsts & M_TE);
    assert_null(machine_fence);
    assert_int_equal(writes(m, OTHER, 0x1000), 0);
}

static void test_write_buffer(void **state)
{
    struct model_unit *m = fenced_unit();
    m->cap |= M_CAP_RWBF;
    machine_enable();
    assert_rules_kept(m);
    assert_string_equal(m->log, "QIE+ WBF+ SIRTP+ IEC WBF+ SRTP+ CC TLB TE+ IRE+");
    m->log[0] = 0;
    map(PIECE, PIECE_BYTES);
    assert_string_equal(m->log, "WBF+");
    grant(DISK);
    assert_string_equal(m->log, "WBF+ WBF+");
}

// A unit that fails any of the steps passes all through again, and the run ends.
static void test_deaf(void **state)
{
    static const uint32_t deaf[] = { M_SRTP, M_TE };
    for (unsigned i = 0; i < ARRAY_SIZE(deaf); i++) {
        struct model_unit *m = fenced_unit();
        m->deaf = deaf[i];
        assert_true(vtd_init(&p));
        assert_false(vtd_enable(0xf2, 0x301, &p));
        assert_string_equal(p.what, "vtd-timeout");
        assert_int_equal(m->gsts & (M_TE | M_IRE | M_QIE), 0);
        assert_null(machine_fence);
    }
}

static void test_units_that_cannot(void **state)
{
    struct model_unit *m = fenced_unit();
    m->cap &= ~(M_CAP_SAGAW(3) | M_CAP_SAGAW(4));
    assert_false(vtd_init(&p));
    assert_string_equal(p.what, "dma-no-translation");
    assert_non_null(strstr(p.message, "0xfed90000"));
    assert_non_null(strstr(p.message, "dma=open"));
    assert_false(vtd_is_lacking(&p)); // plain MSIs would not help
    m = machine_one_unit();
    m->cap &= ~(M_CAP_SAGAW(3) | M_CAP_SAGAW(4));
    machine_enable();
}

// ---- what firmware left on ----

static struct model_unit *watched;
static unsigned unguarded;

// A device that nobody grants anything, at any moment.
static void attack(void)
{
    static const uint64_t targets[] = { 0x5000, 3 * GIB, 5 * GIB };
    if (model_busy || watched->gsts & M_TE)
        return;
    for (unsigned i = 0; i < ARRAY_SIZE(targets); i++)
        unguarded += !model_is_protected(watched, targets[i]);
}

// Watched from the first access to the last.
static void enable_watched(struct model_unit *m)
{
    watched = m;
    unguarded = 0;
    model_between = attack;
    machine_enable();
    model_between = NULL;
    assert_rules_kept(m);
    assert_int_equal(unguarded, 0);
    assert_int_equal(m->gsts & (M_TE | M_IRE), M_TE | M_IRE);
    assert_int_equal(m->pmen, 0);
    map(PIECE, PIECE_BYTES);
    grant(DISK);
    assert_reaches(m, DISK, PIECE, PIECE_BYTES);
}

static void test_firmware_translates(void **state)
{
    struct model_unit *m = fenced_unit();
    m->gsts = M_TE | M_SRTP;
    enable_watched(m);
    assert_string_equal(m->log, "QIE+ SIRTP+ IEC SRTP+ CC TLB IRE+");
}

// Firmware's cached contexts and pages are not ours.
static void test_firmware_s_cache(void **state)
{
    struct model_unit *m = fenced_unit();
    m->gsts = M_TE | M_SRTP;
    m->contexts[0] =
        (struct model_context){ .valid = true, .source = DISK->bdf, .entry = { 1, 1 | 1 << 8 } };
    m->translations[0] = (struct model_translation){ .valid = true, .domain = 1, .page = 0x1234 };
    machine_enable();
    grant(DISK);
    assert_int_equal(writes(m, DISK, 0x1234000), REASON_WRITE);
}

// Scalable mode's tables can't be followed by ours but with translation off.
static void test_firmware_translates_otherwise(void **state)
{
    struct model_unit *m = fenced_unit();
    m->ecap |= M_ECAP_SMTS;
    m->cap |= M_CAP_PLMR | M_CAP_PHMR;
    m->gsts = M_TE | M_SRTP;
    m->ttm = 1;
    enable_watched(m);
    assert_string_equal(m->log, "QIE+ SIRTP+ IEC TE- SRTP+ CC TLB TE+ IRE+");
}

static void test_firmware_protects(void **state)
{
    struct model_unit *m = fenced_unit();
    m->cap |= M_CAP_PLMR | M_CAP_PHMR;
    m->pmen = 1u << 31 | 1;
    m->plm_limit = 0xfff00000;
    m->phm_base = 4 * GIB;
    m->phm_limit = 1ull << 40;
    enable_watched(m);
}

static void test_protection_that_does_not_end(void **state)
{
    struct model_unit *m = fenced_unit();
    m->cap |= M_CAP_PLMR | M_CAP_PHMR;
    m->pmen = 1u << 31 | 1;
    m->deaf_pmen = true;
    assert_true(vtd_init(&p));
    assert_false(vtd_enable(0xf2, 0x301, &p));
    assert_string_equal(p.what, "vtd-timeout");
}

// ---- widths and pages ----

// RAM up to `ram`: the unit's tables have so many levels, and the arena such a limit.
static void test_widths(void **state)
{
    static const struct {
        uint64_t sagaw;
        unsigned mgaw;
        uint64_t ram;
        unsigned levels, limit;
    } cases[] = {
        { M_CAP_SAGAW(3), 39, 16 * GIB, 3, 39 },
        { M_CAP_SAGAW(4), 48, 16 * GIB, 4, 48 },
        { M_CAP_SAGAW(5), 57, 16 * GIB, 5, 57 },
        { M_CAP_SAGAW(3) | M_CAP_SAGAW(4), 48, 16 * GIB, 3, 39 },
        { M_CAP_SAGAW(3) | M_CAP_SAGAW(4), 48, 1ull << 39, 3, 39 },
        { M_CAP_SAGAW(3) | M_CAP_SAGAW(4), 48, (1ull << 39) + 1, 4, 48 },
        { M_CAP_SAGAW(3) | M_CAP_SAGAW(4), 42, 1ull << 45, 4, 42 },
        { M_CAP_SAGAW(3), 39, 1ull << 45, 3, 39 },
        { M_CAP_SAGAW(4) | M_CAP_SAGAW(5), 57, 1ull << 50, 5, 57 },
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct model_unit *m = fenced_unit();
        m->cap = M_CAP_PI | M_CAP_RECORDS(0x220, 4) | cases[i].sagaw | M_CAP_MGAW(cases[i].mgaw) |
                 M_CAP_SLLPS(3);
        model_ram_end = cases[i].ram;
        machine_enable();
        assert_int_equal(model_dma_limit, 1ull << cases[i].limit);
        uint64_t top = MIN(model_dma_limit, 1ull << 52); // no RAM lies higher
        map(top - 4 * GIB, 2 * GIB);
        grant(DISK);
        assert_reaches(m, DISK, top - 4 * GIB, 2 * GIB);
        assert_int_equal(vtd_unit_get(0)->levels, cases[i].levels);
        if (cases[i].limit < 57)
            assert_int_equal(writes(m, DISK, model_dma_limit), REASON_WIDTH);
        assert_rules_kept(m);
    }
    model_ram_end = 16 * GIB;
}

// Pages as large as can be, and not larger: the piece ends where it ends.
static void test_page_sizes(void **state)
{
    static const unsigned sizes[] = { 0, 1, 3, 2, 7, 15 };
    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct model_unit *m = fenced_unit();
        m->cap = (m->cap & ~M_CAP_SLLPS(15)) | M_CAP_SLLPS(sizes[i]);
        machine_enable();
        grant(DISK);
        size_t used = model_memory_used;
        map(3 * GIB - 2 * MIB - 0x3000, 2 * GIB + 4 * MIB + 0x7000);
        assert_reaches(m, DISK, 3 * GIB - 2 * MIB - 0x3000, 2 * GIB + 4 * MIB + 0x7000);
        // Each table takes two pages here, with its gap. Those of the ends: two of 4 KiB pages, and two of
        // 2 MiB pages; of 2 GiB between them, none, two of 2 MiB pages, or 1024 and four.
        size_t tables = (model_memory_used - used) / 8192;
        assert_int_equal(tables, !(sizes[i] & 1) ? 1032 : sizes[i] & 2 ? 4 : 6);
        assert_rules_kept(m);
    }
}

// Two units: the arena lies where both reach it, each by tables of its own width.
static void test_units_of_two_widths(void **state)
{
    struct model_unit *first = fenced_unit();
    first->cap &= ~M_CAP_SAGAW(4);
    dmar_begin(&machine_dmar, 1);
    size_t at = dmar_drhd(&machine_dmar, false, 0, MACHINE_BASE);
    dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(4, 0));
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE + 0x2000);
    blob_finish(&machine_dmar);
    struct model_unit *second = machine_unit(1, MACHINE_BASE + 0x2000);
    second->cap &= ~(M_CAP_SAGAW(3) | M_CAP_SLLPS(15));
    second->cap |= M_CAP_CM;
    second->ecap &= ~M_ECAP_C;
    machine_enable();
    assert_int_equal(model_dma_limit, 1ull << 39);
    map(PIECE, PIECE_BYTES);
    grant(DISK);
    grant(OTHER);
    assert_reaches(first, DISK, PIECE, PIECE_BYTES);
    assert_reaches(second, OTHER, PIECE, PIECE_BYTES);
    assert_int_equal(writes(first, OTHER, PIECE), REASON_FUNCTION);
    assert_int_equal(writes(second, DISK, PIECE), REASON_FUNCTION);
    assert_rules_kept(first);
    assert_rules_kept(second);
}

// ---- granting and revoking, on units of each kind ----

static const struct {
    uint64_t cap, ecap; // to change
} kinds[] = {
    { 0, 0 },
    { M_CAP_CM, 0 },
    { 0, M_ECAP_C },
    { M_CAP_CM | M_CAP_RWBF, M_ECAP_C },
    { M_CAP_DRD | M_CAP_DWD, 0 },
    { M_CAP_DRD, M_ECAP_SMTS },
    { M_CAP_ESRTPS | M_CAP_ESIRTPS, 0 },
};

#define for_each_kind(m)                                                                           \
    for (unsigned kind = 0; kind < ARRAY_SIZE(kinds); kind++)                                      \
        if ((m = fenced_unit(), m->cap ^= kinds[kind].cap, m->ecap ^= kinds[kind].ecap,            \
             machine_enable(), true))

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

// ---- what nobody drives ----

// The first time may not have reached the unit.
static void test_a_revocation_is_repeated(void **state)
{
    struct model_unit *m = fenced_unit();
    machine_enable();
    map(PIECE, PIECE_BYTES);
    grant(DISK);
    assert_reaches(m, DISK, PIECE, PIECE_BYTES);
    m->bad_requests = 0;
    machine_fence->revoke(DISK, &p);
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

static void test_too_few_domains(void **state)
{
    struct model_unit *m = with_reserved(VTD_DMA_RMRR);
    m->cap &= ~M_CAP_ND(7); // 16
    dmar_begin(&machine_dmar, 1);
    dmar_drhd(&machine_dmar, true, 0, MACHINE_BASE);
    size_t at = dmar_rmrr(&machine_dmar, 0, 1ull << 45, (1ull << 45) + 0xfff);
    dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(5, 0));
    blob_finish(&machine_dmar);
    assert_true(vtd_init(&p));
    assert_false(vtd_enable(0xf2, 0x301, &p));
    assert_string_equal(p.what, "dma-reserved"); // beyond 39 bits
}

// ---- the end ----

static void test_hand_back(void **state)
{
    struct model_unit *m = fenced_unit();
    machine_enable();
    m->log[0] = 0;
    vtd_hand_back();
    assert_string_equal(m->log, "IRE- TE- QIE-");
    assert_int_equal(m->rtaddr, 0);
    assert_rules_kept(m);
    fenced_unit();
    machine_enable();
}

// ---- what is told ----

static void test_print(void **state)
{
    fenced_unit();
    machine_enable();
    model_dma_bytes = 32 * MIB;
    grant(DISK);
    vtd_fence_print();
    assert_string_equal(told.info, "dma=fence: 1 function reaches 32 MiB, by pages of up to 1 GiB; "
                                   "nothing else is reached, and by nobody else");
    assert_non_null(strstr(told.object, "\"dma\":\"fence\",\"functions\":1,\"arena\":33554432"));
    assert_string_equal(vtd_what_lies_at(mem_phys(vtd_unit_get(0)->table.entries) + 0x5000),
                        "an interrupt remapping table");
    assert_string_equal(vtd_what_lies_at(mem_phys(vtd_unit_get(0)->root)), "a root table");
    assert_string_equal(vtd_what_lies_at(mem_phys(vtd_unit_get(0)->queue.descriptors)),
                        "an invalidation queue");
    assert_non_null(strstr(vtd_what_lies_at(ALIGN_DOWN((uint64_t)(uintptr_t)&machine_pi[1], 4096)),
                           "posted-interrupt descriptor"));
    assert_string_equal(vtd_what_lies_at(0x123000), "RAM");
}

// One of a driver's device is an error, one of a stranger's a warning.
static void test_faults_are_told(void **state)
{
    struct model_unit *m = fenced_unit();
    machine_enable();
    grant(DISK);
    (void)writes(m, OTHER, 0x123456);
    vtd_report_faults();
    assert_int_equal(told.errors, 0);
    assert_non_null(strstr(told.warning, "blocked a write of 0000:00:05.0 at 0x123000 (RAM)"));
    (void)reads(m, DISK, 0x123456);
    vtd_report_faults();
    assert_int_equal(told.errors, 1);
    assert_non_null(strstr(told.error, "blocked a read of 0000:00:04.0 at 0x123000 (RAM): it may "
                                       "not read there (reason 06h)"));
    assert_non_null(strstr(told.object, "\"address\":\"0x123000\",\"access\":\"read\""));
}

// Beyond the first sentences they are counted, and the last number is told at the end.
static void test_what_is_owed_is_told(void **state)
{
    struct model_unit *m = fenced_unit();
    machine_enable();
    for (unsigned i = 0; i < 13; i++) {
        (void)writes(m, OTHER, 0x1000 * i);
        vtd_report_faults();
    }
    assert_int_equal(told.warnings, 10);
    assert_int_equal(vtd_fault_count(), 13);
    vtd_hand_back();
    assert_int_equal(told.warnings, 11);
    assert_non_null(strstr(told.warning, "3 more VT-d faults"));
    assert_null(machine_timer);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_order, end),
        cmocka_unit_test_teardown(test_open_is_open, end),
        cmocka_unit_test_teardown(test_write_buffer, end),
        cmocka_unit_test_teardown(test_deaf, end),
        cmocka_unit_test_teardown(test_units_that_cannot, end),
        cmocka_unit_test_teardown(test_firmware_translates, end),
        cmocka_unit_test_teardown(test_firmware_s_cache, end),
        cmocka_unit_test_teardown(test_firmware_translates_otherwise, end),
        cmocka_unit_test_teardown(test_firmware_protects, end),
        cmocka_unit_test_teardown(test_protection_that_does_not_end, end),
        cmocka_unit_test_teardown(test_widths, end),
        cmocka_unit_test_teardown(test_page_sizes, end),
        cmocka_unit_test_teardown(test_units_of_two_widths, end),
        cmocka_unit_test_teardown(test_a_life, end),
        cmocka_unit_test_teardown(test_what_is_done_twice, end),
        cmocka_unit_test_teardown(test_a_shared_id, end),
        cmocka_unit_test_teardown(test_disks_behind_a_vmd, end),
        cmocka_unit_test_teardown(test_a_device_without_a_unit, end),
        cmocka_unit_test_teardown(test_a_revocation_that_is_not_confirmed, end),
        cmocka_unit_test_teardown(test_a_revocation_is_repeated, end),
        cmocka_unit_test_teardown(test_a_grant_that_fails, end),
        cmocka_unit_test_teardown(test_who_still_reaches, end),
        cmocka_unit_test_teardown(test_a_grant_that_is_not_confirmed, end),
        cmocka_unit_test_teardown(test_a_display_is_blocked_quietly, end),
        cmocka_unit_test_teardown(test_reserved_memory_is_kept_from_its_device, end),
        cmocka_unit_test_teardown(test_reserved_memory_is_left, end),
        cmocka_unit_test_teardown(test_a_driver_comes_to_reserved_memory, end),
        cmocka_unit_test_teardown(test_reserved_memory_that_cannot_be, end),
        cmocka_unit_test_teardown(test_too_few_domains, end),
        cmocka_unit_test_teardown(test_hand_back, end),
        cmocka_unit_test_teardown(test_print, end),
        cmocka_unit_test_teardown(test_faults_are_told, end),
        cmocka_unit_test_teardown(test_what_is_owed_is_told, end),
    };
    return run_on_both_kinds(tests);
}
