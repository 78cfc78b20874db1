// SPDX-License-Identifier: BSD-2-Clause
// Functions with memory of their own: each reaches its space alone, at the addresses that it was mapped to,
// on units of each kind, against the register-level model.

#include "drivers/vtd/unit.h"
#include "vtd_fenced.h"

#define MINE (4 * GIB) // where a domain's devices find its memory,
#define PHYS (9 * GIB) // and where that is
#define PHYS_2 (11 * GIB + 2 * MIB)
#define BYTES (6 * MIB)

static struct pci_space *create(void)
{
    struct pci_space *s = machine_fence->create(&p);
    assert_non_null(s);
    return s;
}

static void map_in(struct pci_space *s, uint64_t at, uint64_t phys, uint64_t bytes)
{
    if (!machine_fence->map(s, at, phys, bytes, &p))
        fail_msg("%s", p.message);
}

static struct pci_space *create_with(uint64_t phys)
{
    struct pci_space *s = create();
    map_in(s, MINE, phys, BYTES);
    return s;
}

static void grant_space(struct pci_dev *dev, struct pci_space *s)
{
    dev->space = s;
    grant(dev);
}

// The device finds the memory that lies at `phys` at `at`, and nothing around it.
static void assert_finds(struct model_unit *m, const struct pci_dev *dev, uint64_t at,
                         uint64_t phys, uint64_t bytes)
{
    const uint64_t offsets[] = { 0, 0x1234, bytes / 2, bytes - 1 };
    for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
        assert_int_equal(writes(m, dev, at + offsets[i]), 0);
        assert_int_equal(m->arrived_at, phys + offsets[i]);
        assert_int_equal(reads(m, dev, at + offsets[i]), 0);
    }
    assert_int_equal(writes(m, dev, at - 1), REASON_WRITE);
    assert_int_equal(reads(m, dev, at + bytes), REASON_READ);
    assert_int_equal(writes(m, dev, phys), REASON_WRITE);
}

static const struct fenced_kind kinds[] = {
    { 0, 0 },
    { M_CAP_CM, 0 },
    { 0, M_ECAP_C },
    { M_CAP_CM | M_CAP_RWBF, M_ECAP_C },
    { M_CAP_SLLPS(3), 0 },                 // small pages alone
    { M_CAP_SAGAW(4), 0 },                 // 39 bits
    { M_CAP_SAGAW(3) | M_CAP_SAGAW(5), 0 } // 4 or 5 levels
};

// ---- one after the other, and both at once ----

// As a controller goes to a domain: from the arena, where its own queues were set up, and back.
static void test_a_life(void **state)
{
    struct model_unit *m;
    for_each_kind(m)
    {
        struct pci_space *s = create_with(PHYS);
        map(PIECE, PIECE_BYTES);
        for (unsigned round = 0; round < 3; round++) {
            grant_space(DISK, NULL);
            assert_reaches(m, DISK, PIECE, PIECE_BYTES);
            assert_int_equal(writes(m, DISK, MINE), REASON_WRITE);
            revoke(DISK);
            assert_false(m->pages_stale);
            grant_space(DISK, s);
            assert_finds(m, DISK, MINE, PHYS, BYTES);
            assert_int_equal(writes(m, DISK, PIECE), REASON_WRITE);
            revoke(DISK);
            assert_false(m->pages_stale); // DMA under way is drained
            assert_int_equal(writes(m, DISK, MINE), REASON_FUNCTION);
        }
        assert_rules_kept(m);
    }
}

static void test_two_at_once(void **state)
{
    struct model_unit *m;
    for_each_kind(m)
    {
        struct pci_space *a = create_with(PHYS), *b = create_with(PHYS_2);
        map(PIECE, PIECE_BYTES);
        grant_space(DISK, a);
        grant_space(OTHER, b);
        grant_space(BEHIND_A_BRIDGE, NULL);
        assert_finds(m, DISK, MINE, PHYS, BYTES);
        assert_finds(m, OTHER, MINE, PHYS_2, BYTES);
        assert_reaches(m, BEHIND_A_BRIDGE, PIECE, PIECE_BYTES);
        assert_int_equal(writes(m, BEHIND_A_BRIDGE, MINE), REASON_WRITE);
        revoke(DISK);
        assert_int_equal(writes(m, DISK, MINE), REASON_FUNCTION);
        assert_finds(m, OTHER, MINE, PHYS_2, BYTES);
        grant_space(DISK, b); // the next owner's
        assert_finds(m, DISK, MINE, PHYS_2, BYTES);
        assert_rules_kept(m);
    }
}

// What the unit is asked to forget bears the space's own id, and only where it could know something.
static void test_the_right_domain_is_invalidated(void **state)
{
    struct model_unit *m = fenced_unit();
    machine_enable();
    struct pci_space *a = create(), *b = create();
    assert_int_not_equal(a->id, b->id);
    assert_false(a->id <= 1 || b->id <= 1);
    map_in(b, MINE, PHYS, BYTES);
    grant_space(DISK, b);
    assert_int_equal(writes(m, DISK, MINE), 0);
    m->log[0] = 0;
    revoke(DISK);
    assert_string_equal(m->log, "CC0020 TLB3");
    m = fenced_unit();
    m->cap |= M_CAP_CM;
    machine_enable();
    a = create();
    m->log[0] = 0;
    map_in(a, MINE, PHYS, BYTES);
    assert_string_equal(m->log, "TLB2");
}

static void test_memory_that_is_added_later(void **state)
{
    struct model_unit *m;
    for_each_kind(m)
    {
        struct pci_space *s = create_with(PHYS);
        grant_space(DISK, s);
        assert_int_equal(writes(m, DISK, MINE + GIB), REASON_WRITE);
        map_in(s, MINE + GIB, PHYS_2, BYTES);
        assert_finds(m, DISK, MINE + GIB, PHYS_2, BYTES);
        assert_rules_kept(m);
    }
}

// The first time may not have reached the unit: the space stays named until it has.
static void test_a_revocation_is_repeated(void **state)
{
    struct model_unit *m = fenced_unit();
    machine_enable();
    grant_space(DISK, create_with(PHYS));
    assert_int_equal(writes(m, DISK, MINE), 0);
    m->time_outs = 1;
    assert_false(machine_fence->revoke(DISK, &p));
    m->log[0] = 0;
    revoke(DISK);
    assert_string_equal(m->log, "CC0020 TLB2");
    assert_false(machine_fence->reaches(DISK));
}

// ---- pages ----

// Where both addresses allow it, and each unit can, pages are large.
static void test_page_sizes(void **state)
{
    static const struct {
        uint64_t sizes, at, phys, bytes;
        unsigned tables; // past the roots
    } cases[] = {
        { 3, MINE, PHYS, 2 * GIB, 0 }, // 1 GiB
        { 3, MINE, PHYS_2, GIB, 1 },   // 2 MiB
        { 3, MINE + 2 * MIB, PHYS, 4 * MIB, 1 },
        { 1, MINE, PHYS, GIB, 1 },
        { 0, MINE, PHYS, 4 * MIB, 3 }, // 4 KiB
        { 3, MINE, PHYS + 4096, 2 * MIB, 2 },
        { 3, MINE + 4096, PHYS + 4096, 4 * MIB - 4096, 2 }, // 4 KiB up to the next 2 MiB
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct model_unit *m = fenced_unit();
        m->cap = (m->cap & ~M_CAP_SLLPS(15)) | M_CAP_SLLPS(cases[i].sizes);
        machine_enable();
        struct pci_space *s = create();
        unsigned before = model_pieces_count;
        map_in(s, cases[i].at, cases[i].phys, cases[i].bytes);
        assert_int_equal(model_pieces_count - before, cases[i].tables);
        grant_space(DISK, s);
        assert_finds(m, DISK, cases[i].at, cases[i].phys, cases[i].bytes);
    }
}

static void assert_refused(struct pci_space *s, uint64_t at, uint64_t phys, uint64_t bytes)
{
    assert_problem(machine_fence->map(s, at, phys, bytes, &p), "domain-map");
}

static void test_what_cannot_be_mapped(void **state)
{
    struct model_unit *m = fenced_unit();
    machine_enable(); // 39 bits
    struct pci_space *s = create_with(PHYS);
    assert_refused(s, MINE + GIB, PHYS, 0);
    assert_refused(s, MINE + GIB + 1, PHYS, 4096);
    assert_refused(s, MINE + GIB, PHYS + 0x800, 4096);
    assert_refused(s, MINE + GIB, PHYS, 4095);
    assert_refused(s, BIT64(39) - 4096, PHYS, 8192);
    assert_refused(s, BIT64(39), PHYS, 4096);
    assert_refused(s, UINT64_MAX - 4095, PHYS, 8192);
    assert_refused(s, MINE + GIB, BIT64(52) - 4096, 8192);
    map_in(s, BIT64(39) - 4096, PHYS, 4096);
    map_in(s, MINE + GIB, BIT64(52) - 4096, 4096);
    assert_refused(s, 0xfee00000, PHYS, 4096);
    assert_refused(s, 0xfeeff000, PHYS, 4096);
    assert_refused(s, 0xfe000000, PHYS, 16 * MIB);
    map_in(s, 0xfedff000, PHYS, 4096);
    map_in(s, 0xfef00000, PHYS, 4096);
    assert_rules_kept(m);
}

// An address is one place: what is there already stays, be it by pages of another size.
static void test_what_is_mapped_stays(void **state)
{
    struct model_unit *m = fenced_unit();
    machine_enable();
    struct pci_space *s = create_with(PHYS);
    map_in(s, MINE + 16 * MIB, PHYS_2 + 4096, 2 * MIB); // 4 KiB
    map_in(s, MINE, PHYS, BYTES);                       // again
    map_in(s, MINE + 4096, PHYS + 4096, 4096);          // in a larger one
    map_in(s, MINE + 16 * MIB, PHYS_2 + 4096, 4096);
    assert_refused(s, MINE, PHYS_2, BYTES);
    assert_refused(s, MINE + 4096, PHYS + 8192, 4096);
    assert_refused(s, MINE + 16 * MIB, PHYS, 2 * MIB);
    grant_space(DISK, s);
    assert_finds(m, DISK, MINE, PHYS, BYTES);
    assert_finds(m, DISK, MINE + 16 * MIB, PHYS_2 + 4096, 2 * MIB);
    assert_rules_kept(m);
}

// ---- several units ----

#define BASE_2 0xfed91000ull

// The disk's unit, and one that takes all others, which knows 39 bits, no large pages, and doesn't snoop.
static struct model_unit *two_units(struct model_unit **second)
{
    struct model_unit *m = fenced_unit();
    dmar_begin(&machine_dmar, 1);
    size_t at = dmar_drhd(&machine_dmar, false, 0, MACHINE_BASE);
    dmar_scope(&machine_dmar, at, 1, 0, DMAR_PATH(4, 0));
    dmar_drhd(&machine_dmar, true, 0, BASE_2);
    blob_finish(&machine_dmar);
    *second = machine_unit(1, BASE_2);
    m->cap &= ~M_CAP_SAGAW(3);
    (*second)->cap &= ~(M_CAP_SAGAW(4) | M_CAP_SLLPS(15));
    (*second)->ecap &= ~M_ECAP_C;
    return m;
}

// It doesn't matter behind which unit a function is that comes to the space, or when.
static void test_units_that_differ(void **state)
{
    struct model_unit *other, *m = two_units(&other);
    machine_enable();
    struct pci_space *s = create_with(PHYS);
    grant_space(DISK, s);
    assert_finds(m, DISK, MINE, PHYS, BYTES);
    map_in(s, MINE + GIB, PHYS_2, BYTES);
    grant_space(OTHER, s);
    assert_finds(other, OTHER, MINE, PHYS, BYTES);
    assert_finds(other, OTHER, MINE + GIB, PHYS_2, BYTES);
    revoke(DISK);
    assert_int_equal(writes(m, DISK, MINE), REASON_FUNCTION);
    assert_finds(other, OTHER, MINE, PHYS, BYTES);
    assert_rules_kept(m);
    assert_rules_kept(other);
}

// Id 0 is no domain's, id 1 the arena's. A unit isn't told of ids that it doesn't know.
static void test_ids(void **state)
{
    struct model_unit *other, *m = two_units(&other);
    struct pci_space *s[15];
    other->cap &= ~M_CAP_ND(7);
    other->cap |= M_CAP_CM;
    machine_enable();
    for (unsigned i = 0; i < ARRAY_SIZE(s); i++)
        s[i] = create_with(PHYS);
    grant_space(OTHER, s[13]);
    assert_finds(other, OTHER, MINE, PHYS, BYTES);
    revoke(OTHER);
    OTHER->space = s[14];
    assert_problem(machine_fence->grant(OTHER, &p), "domain-ids");
    assert_non_null(strstr(p.message, OTHER->name));
    assert_non_null(strstr(p.message, "0xfed91000"));
    assert_int_equal(writes(other, OTHER, MINE), REASON_FUNCTION);
    grant_space(DISK, s[14]); // behind the one that knows more
    assert_finds(m, DISK, MINE, PHYS, BYTES);
    assert_rules_kept(m);
    assert_rules_kept(other);
}

static void test_no_id_is_left(void **state)
{
    struct pci_space *s = NULL;
    fenced_unit();
    machine_enable();
    for (unsigned id = 2; id <= UINT16_MAX; id++) {
        model_memory_used = MODEL_MEMORY / 2; // nobody looks at the tables
        s = create();
        assert_int_equal(s->id, id);
    }
    assert_null(machine_fence->create(&p));
    assert_string_equal(p.what, "domain-ids");
}

// ---- ids that others bear ----

static void test_a_shared_id(void **state)
{
    struct model_unit *m = fenced_unit();
    BEHIND_A_BRIDGE->requester = BESIDE_IT->requester = PCI_BDF(2, 0, 0);
    machine_enable();
    struct pci_space *a = create_with(PHYS), *b = create_with(PHYS_2);
    grant_space(BEHIND_A_BRIDGE, a);
    BESIDE_IT->space = b;
    assert_problem(machine_fence->grant(BESIDE_IT, &p), "domain-alias");
    assert_non_null(strstr(p.message, BESIDE_IT->name));
    assert_non_null(strstr(p.message, BEHIND_A_BRIDGE->name));
    BESIDE_IT->space = NULL;
    assert_problem(machine_fence->grant(BESIDE_IT, &p), "domain-alias");
    assert_finds(m, BEHIND_A_BRIDGE, MINE, PHYS, BYTES);
    grant_space(BESIDE_IT, a);
    revoke(BEHIND_A_BRIDGE);
    assert_finds(m, BESIDE_IT, MINE, PHYS, BYTES);
    revoke(BESIDE_IT);
    assert_int_equal(writes(m, BESIDE_IT, MINE), REASON_FUNCTION);
    grant_space(BEHIND_A_BRIDGE, b);
    assert_finds(m, BEHIND_A_BRIDGE, MINE, PHYS_2, BYTES);
    assert_rules_kept(m);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_a_life, end),
        cmocka_unit_test_teardown(test_two_at_once, end),
        cmocka_unit_test_teardown(test_the_right_domain_is_invalidated, end),
        cmocka_unit_test_teardown(test_memory_that_is_added_later, end),
        cmocka_unit_test_teardown(test_a_revocation_is_repeated, end),
        cmocka_unit_test_teardown(test_page_sizes, end),
        cmocka_unit_test_teardown(test_what_cannot_be_mapped, end),
        cmocka_unit_test_teardown(test_what_is_mapped_stays, end),
        cmocka_unit_test_teardown(test_units_that_differ, end),
        cmocka_unit_test_teardown(test_ids, end),
        cmocka_unit_test_teardown(test_no_id_is_left, end),
        cmocka_unit_test_teardown(test_a_shared_id, end),
    };
    return run_on_both_kinds(tests);
}
