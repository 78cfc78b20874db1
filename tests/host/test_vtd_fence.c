// SPDX-License-Identifier: BSD-2-Clause
// The fence around DMA, against the register-level model: the order of the steps, with no moment at which
// a device reaches what nobody granted, on units of each width; its end, and what is told.

#include "vtd_fenced.h"

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

// Nor by what firmware protects besides, where that is not all memory.
static void test_firmware_translates_otherwise_and_protects(void **state)
{
    struct model_unit *m = fenced_unit();
    m->ecap |= M_ECAP_SMTS;
    m->cap |= M_CAP_PLMR | M_CAP_PHMR;
    m->gsts = M_TE | M_SRTP;
    m->ttm = 1;
    m->pmen = 1u << 31 | 1;
    m->plm_limit = 0xf00000;
    m->phm_base = 4 * GIB;
    m->phm_limit = 4 * GIB;
    enable_watched(m);
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
        map(6 * GIB - 2 * MIB - 0x3000, 2 * GIB + 4 * MIB + 0x7000);
        assert_reaches(m, DISK, 6 * GIB - 2 * MIB - 0x3000, 2 * GIB + 4 * MIB + 0x7000);
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

// Nor is what it had tried before it was driven, whoever had it then.
static void test_faults_from_before_a_grant(void **state)
{
    struct model_unit *m = fenced_unit();
    machine_enable();
    (void)writes(m, DISK, 0x123456);
    grant(DISK);
    vtd_report_faults();
    assert_int_equal(told.errors, 0);
    assert_int_equal(told.warnings, 1);
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
        cmocka_unit_test_teardown(test_firmware_translates_otherwise_and_protects, end),
        cmocka_unit_test_teardown(test_firmware_protects, end),
        cmocka_unit_test_teardown(test_protection_that_does_not_end, end),
        cmocka_unit_test_teardown(test_widths, end),
        cmocka_unit_test_teardown(test_page_sizes, end),
        cmocka_unit_test_teardown(test_units_of_two_widths, end),
        cmocka_unit_test_teardown(test_hand_back, end),
        cmocka_unit_test_teardown(test_print, end),
        cmocka_unit_test_teardown(test_faults_are_told, end),
        cmocka_unit_test_teardown(test_faults_from_before_a_grant, end),
        cmocka_unit_test_teardown(test_what_is_owed_is_told, end),
    };
    return run_on_both_kinds(tests);
}
