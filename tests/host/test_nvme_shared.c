// SPDX-License-Identifier: BSD-2-Clause
// Two controllers of a subsystem that lead to one disk, and ways that lead nowhere.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

static unsigned worlds; // disks of earlier ones are still known

static int begin(void **state)
{
    worlds++;
    return begin_two(state);
}

static struct model *member(unsigned id)
{
    struct model *m = model_new();
    m->id.cmic = NVME_CMIC_MULTI_CTRL;
    m->id.cntlid = (uint16_t)id;
    m->tells_more = true;
    snprintf(m->id.subnqn, sizeof(m->id.subnqn), "nqn.2014-08.org.nvmexpress:test%u", worlds);
    m->namespaces[0].data.nmic = NVME_NMIC_SHARED;
    memset(m->namespaces[0].data.nguid, 7, 16);
    memset(m->namespaces[0].uuid, 9, 16);
    return m;
}

static void start_all(void)
{
    nvme_init();
    assert_int_equal(world_errors(NULL) + world_warnings(), 0);
    nvme_print();
}

static void said(const char *words)
{
    if (!strstr(world_infos(), words))
        fail_msg("\"%s\" doesn't say \"%s\"", world_infos(), words);
}

static void two_ways(void **state)
{
    struct model *a = member(1), *b = member(2), *c = member(3);
    start_all();
    struct block_dev *first = world_disk(a, 1);
    assert_null(first->same_as);
    assert_ptr_equal(world_disk(b, 1)->same_as, first);
    assert_ptr_equal(world_disk(c, 1)->same_as, first);
    said("n1, by controller 2 of its subsystem");
    assert_non_null(strstr(world_json(), "\"same_as\":\"nvme"));
    reads_well(world_disk(b, 1), 1);
}

// The first of three is gone: the second one takes its place.
static void a_way_that_is_gone(void **state)
{
    struct model *m[3] = { member(1), member(2), member(3) };
    start_all();
    struct block_dev *dev[3];
    for (unsigned i = 0; i < 3; i++)
        dev[i] = world_disk(m[i], 1);
    assert_ptr_equal(dev[2]->same_as, dev[0]);
    is_given_up(m[0]);
    assert_true(dev[0]->gone);
    assert_null(dev[1]->same_as);
    assert_ptr_equal(dev[2]->same_as, dev[1]);
    reads_well(dev[1], 0);
}

// Each as the others, but for one thing.
static void two_disks(void **state)
{
    for (unsigned i = 0; i < 5; i++) {
        begin(NULL);
        struct model *a = member(1), *b = member(2);
        if (i == 0)
            b->id.sn[0] = 'X';
        if (i == 1)
            b->id.subnqn[20] = 'y';
        if (i == 2)
            b->namespaces[0].data.nmic = 0;
        if (i == 3)
            b->namespaces[0].data.nguid[15] = 8;
        if (i == 4)
            b->namespaces[0].uuid[0] = 8; // in the list of descriptors alone
        start_all();
        assert_null(world_disk(a, 1)->same_as);
        assert_null(world_disk(b, 1)->same_as);
        assert_null(strstr(world_infos(), "the same disk"));
        world_end();
    }
}

// Two controllers of a subsystem have one; of two disks it names neither.
static void a_serial_number_that_others_have(void **state)
{
    for (unsigned i = 0; i < 3; i++) {
        begin(NULL);
        struct model *m[3] = { member(1), member(i == 1 ? 1 : 2), member(3) };
        for (unsigned k = 0; k < 3; k++) // none that an earlier world had
            snprintf(m[k]->id.sn, sizeof(m[k]->id.sn), "%s%u", k == 2 ? "LONE" : "TWIN", i);
        if (i == 2)
            m[1]->id.subnqn[20] = 'y';
        const char *all = "TWIN0:TWIN1:TWIN2:LONE0:LONE1:LONE2";
        block_allow_writes(all, strlen(all));
        nvme_init();
        bool one_disk = i == 0;
        assert_int_equal(world_disk(m[0], 1)->writable, one_disk);
        assert_int_equal(world_disk(m[1], 1)->writable, one_disk);
        assert_ptr_equal(world_disk(m[1], 1)->same_as, one_disk ? world_disk(m[0], 1) : NULL);
        assert_true(world_disk(m[2], 1)->writable);
        assert_int_equal(world_errors("allow-write"), !one_disk);
        block_allow_writes(NULL, 0);
        world_end();
    }
}

// Zoned ones say so in another place.
static void two_ways_to_zones(void **state)
{
    struct model *m[2] = { member(1), member(2) };
    for (unsigned i = 0; i < 2; i++) {
        struct model_namespace *ns = &m[i]->namespaces[0];
        m[i]->cap |= NVME_CAP_CSS_ALL;
        ns->data.nmic = 0;
        ns->csi = NVME_CSI_ZONED;
        ns->zoned.mar = ns->zoned.mor = ~0u;
        ns->zoned.lbafe[0].zsze = 1 << 16;
        ns->independent_nmic = NVME_NMIC_SHARED;
        ns->independent_group = 9;
    }
    start_all();
    struct nvme_ns *ns = world_disk(m[1], 1)->driver;
    assert_ptr_equal(ns->dev.same_as, world_disk(m[0], 1));
    assert_int_equal(ns->identity.ana_group, 9);
}

// Nobody is asked for descriptors who can't share.
static void alone(void **state)
{
    struct model *m = model_new();
    start_all();
    for (unsigned i = 0; i < m->admin_count; i++)
        assert_true(m->admin_log[i].cdw10 != NVME_CNS_DESCRIPTORS ||
                    (m->admin_log[i].head & 0xff) != NVME_ADMIN_IDENTIFY);
}

// ---- states ----

static struct model *with_states(unsigned state_1, unsigned state_2)
{
    struct model *m = member(1);
    m->id.cmic |= NVME_CMIC_ANA;
    m->id.anagrpmax = m->id.nanagrpid = 2;
    m->namespaces[0].data.anagrpid = 1;
    model_add_namespace(m, 2, 9, 5000)->data.anagrpid = 2;
    m->ana[8] = 2;
    m->ana[16] = 1;
    m->ana[32] = (uint8_t)state_1;
    m->ana[48] = 2;
    m->ana[64] = (uint8_t)state_2;
    return m;
}

static void open_ways(void **state)
{
    struct model *m = with_states(NVME_ANA_OPTIMIZED, NVME_ANA_NON_OPTIMIZED);
    start_all();
    said("n2 ");
    said("reached by a way that is in state \"non-optimized\"");
    assert_null(strstr(world_infos(), "\"optimized\""));
    assert_non_null(strstr(world_json(), "\"ana_state\":\"non-optimized\""));
    reads_well(world_disk(m, 1), 0);
    struct nvme_sqe sqe = { 0 };
    for (unsigned i = 0; i < m->admin_count; i++)
        if ((m->admin_log[i].head & 0xff) == NVME_ADMIN_GET_LOG_PAGE &&
            (m->admin_log[i].cdw10 & 0xff) == NVME_LOG_ANA)
            sqe = m->admin_log[i];
    assert_int_equal(field_get(NVME_LOG_LSP, sqe.cdw10), 1); // groups only
}

static void closed(unsigned ana, const char *words)
{
    begin(NULL);
    struct model *m = with_states(NVME_ANA_CHANGE, ana);
    nvme_init();
    assert_null(world_disk(m, 2));
    assert_int_equal(world_errors(NULL), 0);
    assert_int_equal(world_warnings(), 1);
    assert_string_equal(world_last_warning_what(), "nvme-ana");
    if (!strstr(world_last_warning(), words))
        fail_msg("\"%s\" doesn't say \"%s\"", world_last_warning(), words);
    reads_well(world_disk(m, 1), 0);
    world_end();
}

static void closed_ways(void **state)
{
    closed(NVME_ANA_INACCESSIBLE, "n2: its access state here is \"inaccessible\" (group 2)");
    closed(NVME_ANA_LOST, "n2: its access state here is \"persistent loss\" (group 2)");
}

static void changes(struct model *m, unsigned state)
{
    m->ana[64] = (uint8_t)state;
    assert_true(model_event(m, MODEL_EVENT(NVME_EVENT_NOTICE, NVME_NOTICE_ANA, NVME_LOG_ANA)));
    world_pass(3 * NS_PER_S);
}

// What closes and opens while the controller runs.
static void ways_that_change(void **state)
{
    struct model *m = with_states(NVME_ANA_OPTIMIZED, NVME_ANA_NON_OPTIMIZED);
    m->id.oaes = NVME_AEN_ANA;
    start_all();
    assert_true(m->features[NVME_FEATURE_EVENTS] & NVME_AEN_ANA);
    changes(m, NVME_ANA_OPTIMIZED); // no news for those who read and write
    assert_int_equal(world_warnings(), 0);
    changes(m, NVME_ANA_INACCESSIBLE);
    assert_int_equal(world_warnings(), 1);
    assert_non_null(strstr(world_last_warning(),
                           "n2: its access state is \"inaccessible\" now, and "
                           "was \"optimized\": it can't be reached here"));
    changes(m, NVME_ANA_INACCESSIBLE);
    assert_int_equal(world_warnings(), 1);
    changes(m, NVME_ANA_OPTIMIZED);
    assert_int_equal(world_warnings(), 2);
    assert_non_null(strstr(world_last_warning(), "now, and was \"inaccessible\""));
}

// A group that isn't told of, and a log that isn't there: the namespace is tried.
static void untold(void **state)
{
    struct model *m = with_states(NVME_ANA_OPTIMIZED, NVME_ANA_LOST);
    m->ana[8] = 1;
    start_all();
    assert_non_null(world_disk(m, 2));
}

static void log_refused(void **state)
{
    struct model *m = with_states(NVME_ANA_OPTIMIZED, NVME_ANA_LOST);
    m->fail_opcode = NVME_ADMIN_GET_LOG_PAGE;
    nvme_init();
    assert_int_equal(world_errors(NULL), 0);
    assert_int_equal(world_warnings(), 1);
    assert_non_null(strstr(world_last_warning(), "Asymmetric Namespace Access failed"));
    assert_non_null(world_disk(m, 2));
}

static void log_without_an_answer(void **state)
{
    struct model *m = with_states(NVME_ANA_OPTIMIZED, NVME_ANA_LOST);
    world_set_clock_step(NS_PER_MS);
    m->ignore_opcode = NVME_ADMIN_GET_LOG_PAGE;
    nvme_init();
    assert_int_equal(world_errors("nvme-admin-timeout"), 1);
    assert_int_equal(world_warnings(), 0);
    assert_null(world_disk(m, 1));
}

// ---- more groups than a page has room for ----

static void set_state(struct model *m, unsigned group, unsigned state)
{
    struct nvme_ana_group g = { .group = group, .state = (uint8_t)state };
    memcpy(m->ana + 16 + (group - 1) * sizeof(g), &g, sizeof(g));
}

// The last one's way is closed; namespace 2 is of the first one, and 3 of the last.
static struct model *with_groups(unsigned groups)
{
    struct model *m = member(1);
    m->id.cmic |= NVME_CMIC_ANA;
    m->id.oaes = NVME_AEN_ANA;
    m->id.aerl = 3;
    m->id.lpa = NVME_LPA_EXTENDED;
    m->id.anagrpmax = m->id.nanagrpid = groups;
    m->namespaces[0].data.anagrpid = groups / 2 + 1;
    model_add_namespace(m, 2, 9, 5000)->data.anagrpid = 1;
    model_add_namespace(m, 3, 9, 5000)->data.anagrpid = groups;
    m->ana[8] = (uint8_t)groups;
    m->ana[9] = (uint8_t)(groups >> 8);
    for (unsigned group = 1; group <= groups; group++)
        set_state(m, group, group == groups ? NVME_ANA_LOST : NVME_ANA_OPTIMIZED);
    return m;
}

static const struct nvme_ns *ns_of(const struct model *m, uint32_t nsid)
{
    return world_disk(m, nsid)->driver;
}

static void tell_of_changes(struct model *m)
{
    assert_true(model_event(m, MODEL_EVENT(NVME_EVENT_NOTICE, NVME_NOTICE_ANA, NVME_LOG_ANA)));
}

static void many_groups(void **state)
{
    static const unsigned groups[] = { 126, 127, 128, 254, 255, 1000, 4096 };
    for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
        begin(NULL);
        struct model *m = with_groups(groups[i]);
        nvme_init();
        assert_int_equal(m->logs_read, DIV_UP(groups[i], 127));
        assert_null(world_disk(m, 3));
        assert_int_equal(world_warnings(), 1);
        assert_non_null(strstr(world_last_warning(), "is \"persistent loss\" (group"));
        assert_int_equal(ns_of(m, 1)->way, NVME_ANA_OPTIMIZED);
        set_state(m, 1, NVME_ANA_INACCESSIBLE);
        set_state(m, groups[i] / 2 + 1, NVME_ANA_NON_OPTIMIZED);
        tell_of_changes(m);
        world_pass(3 * NS_PER_S);
        assert_int_equal(ns_of(m, 2)->way, NVME_ANA_INACCESSIBLE);
        assert_int_equal(ns_of(m, 1)->way, NVME_ANA_NON_OPTIMIZED);
        assert_int_equal(m->logs_read, 2 * DIV_UP(groups[i], 127));
        world_end();
    }
}

static unsigned reads_before;

// Ahead of the piece that is being read: the controller tells again, and all is read again.
static void close_the_first(struct model *m)
{
    if (m->logs_read != reads_before + 3)
        return;
    set_state(m, 1, NVME_ANA_INACCESSIBLE);
    tell_of_changes(m);
}

static void changes_while_it_is_read(void **state)
{
    struct model *m = with_groups(1000);
    nvme_init();
    reads_before = m->logs_read;
    m->reads_log = close_the_first;
    tell_of_changes(m);
    world_pass(3 * NS_PER_S);
    assert_int_equal(m->logs_read, reads_before + 16);
    assert_int_equal(ns_of(m, 2)->way, NVME_ANA_INACCESSIBLE);
    assert_int_equal(m->listeners_count, 4);
}

static uint32_t last_log_command(const struct model *m)
{
    unsigned i = m->admin_count - 1;
    while ((m->admin_log[i % ARRAY_SIZE(m->admin_log)].head & 0xff) != NVME_ADMIN_GET_LOG_PAGE)
        i--;
    return m->admin_log[i % ARRAY_SIZE(m->admin_log)].cdw10;
}

// The last piece fails, or never comes; what is told later is read nonetheless.
static void pieces_that_are_missing(void **state)
{
    struct model *m = with_groups(1000);
    nvme_init();
    m->fail_cns = last_log_command(m); // as CDW10
    for (int way = 0; way < 2; way++) {
        *(way ? &m->ignore_opcode : &m->fail_opcode) = NVME_ADMIN_GET_LOG_PAGE;
        unsigned before = m->logs_read, asked = m->admin_count;
        tell_of_changes(m);
        world_pass(way ? 40 * NS_PER_S : 3 * NS_PER_S); // a reset follows
        assert_int_equal(m->logs_read, before + 7);
        assert_true(way || m->admin_count == asked + 9); // and to be told of the next one
        m->fail_opcode = m->ignore_opcode = -1;
        set_state(m, 1, way ? NVME_ANA_OPTIMIZED : NVME_ANA_INACCESSIBLE);
        tell_of_changes(m);
        world_pass(3 * NS_PER_S);
        assert_int_equal(ns_of(m, 2)->way, way ? NVME_ANA_OPTIMIZED : NVME_ANA_INACCESSIBLE);
    }
}

// No more is read than there is room for, whatever it says.
static void too_many_groups(void **state)
{
    struct model *m = with_groups(4096);
    m->id.anagrpmax = m->id.nanagrpid = ~0u;
    m->ana[8] = m->ana[9] = 0xff;
    set_state(m, 4096, NVME_ANA_OPTIMIZED);
    model_add_namespace(m, 4, 9, 5000)->data.anagrpid = 4097;
    set_state(m, 4097, NVME_ANA_LOST);
    nvme_init();
    assert_non_null(world_disk(m, 3));
    assert_int_equal(ns_of(m, 3)->way, NVME_ANA_OPTIMIZED);
    assert_int_equal(ns_of(m, 4)->way, 0);
    assert_int_equal(world_warnings(), 1);
    assert_string_equal(world_last_warning_what(), "nvme-ana-groups");
    assert_true(world_bytes_on(WORLD_DEVICE_NODE) < 2 * MIB);
}

static void groups_without_offsets(void **state)
{
    struct model *m = with_groups(300);
    m->id.lpa = 0;
    nvme_init();
    assert_int_equal(m->logs_read, 1);
    assert_int_equal(world_warnings(), 1);
    assert_non_null(strstr(world_last_warning(), "of its 300 groups of access states only 127"));
    assert_int_equal(ns_of(m, 2)->way, NVME_ANA_OPTIMIZED);
    assert_int_equal(ns_of(m, 3)->way, 0);
    reads_well(world_disk(m, 3), 0);
}

#define shared_test(f) cmocka_unit_test_setup_teardown(f, begin, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        shared_test(two_ways),
        shared_test(a_way_that_is_gone),
        cmocka_unit_test(two_disks),
        cmocka_unit_test(a_serial_number_that_others_have),
        shared_test(two_ways_to_zones),
        shared_test(alone),
        shared_test(open_ways),
        cmocka_unit_test(closed_ways),
        shared_test(ways_that_change),
        shared_test(untold),
        shared_test(log_refused),
        shared_test(log_without_an_answer),
        cmocka_unit_test(many_groups),
        shared_test(changes_while_it_is_read),
        shared_test(pieces_that_are_missing),
        shared_test(too_many_groups),
        shared_test(groups_without_offsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
