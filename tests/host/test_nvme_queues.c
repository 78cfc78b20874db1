// SPDX-License-Identifier: BSD-2-Clause
// Several queues for each CPU: how many there are, whose they are, and which one a request takes.

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/host/nvme_fixture.h"

static int end_of_many(void **state)
{
    nvme_set_queues(1);
    nvme_set_urgent(false);
    return end_world(state);
}

// `wanted` for each CPU, of a controller that has `grants`.
static struct model *many(unsigned cpus, unsigned wanted, bool urgent, unsigned grants)
{
    world_begin(cpus);
    nvme_set_queues(wanted);
    nvme_set_urgent(urgent);
    struct model *m = model_new();
    m->grants = grants;
    return m;
}

static void read_once(struct world_read *r, struct block_dev *dev, unsigned cpu, uint64_t lba)
{
    world_read_start(r, dev, cpu, lba, 8, 0);
    assert_true(world_run(&r->done, 10));
}

static void read_again(struct world_read *r, unsigned cpu, unsigned channel)
{
    r->done = false;
    r->req.channel = (uint8_t)channel;
    memset(r->req.buffer, 0, r->req.blocks * 512);
    world_use_cpu(cpu);
    block_submit(&r->req);
    world_use_cpu(0);
}

// The queue, by its number, that a CPU's read on the channel takes.
static unsigned queue_taken(struct model *m, struct block_dev *dev, unsigned cpu, unsigned channel)
{
    struct world_read r;
    unsigned writes[MODEL_QUEUES], taken = 0;
    read_once(&r, dev, cpu, 7);
    for (unsigned q = 1; q < MODEL_QUEUES; q++)
        writes[q] = m->queues[q].tail_writes;
    read_again(&r, cpu, channel);
    finish(&r);
    for (unsigned q = 1; q < MODEL_QUEUES; q++)
        if (m->queues[q].tail_writes != writes[q]) {
            assert_int_equal(taken, 0);
            taken = q;
        }
    return taken;
}

static void check_queues(const struct model *m, const struct block_dev *dev, unsigned plain,
                         unsigned urgent)
{
    unsigned made = 0;
    for (unsigned q = 1; q < MODEL_QUEUES; q++)
        made += m->queues[q].sq != 0;
    assert_int_equal(made, plain + urgent);
    assert_int_equal(dev->queues, plain);
    for (unsigned i = 0; i < made; i++)
        assert_int_equal(m->irqs[i]->urgent, i >= plain);
}

static void three_for_each_cpu(void **state)
{
    struct model *m = many(2, 3, false, 64);
    struct block_dev *dev = start(m);
    check_queues(m, dev, 6, 0);
    assert_int_equal(dev->channels, 3);
    assert_int_equal(world_warnings(), 0);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(m->irqs[i]->cpu, i % 2);
    for (unsigned cpu = 0; cpu < 2; cpu++)
        for (unsigned channel = 0; channel < 3; channel++)
            assert_int_equal(queue_taken(m, dev, cpu, channel), 1 + channel * 2 + cpu);
}

// Each number that a request can have leads to a queue.
static void channels_count_round(void **state)
{
    struct model *m = many(2, 3, false, 64);
    struct block_dev *dev = start(m);
    for (unsigned channel = 0; channel < BLOCK_URGENT; channel++)
        assert_int_equal(queue_taken(m, dev, 1, channel), 1 + channel % 3 * 2 + 1);
    assert_int_equal(queue_taken(m, dev, 1, BLOCK_URGENT), 2); // there are no urgent ones
}

static void as_many_as_there_are(void **state)
{
    struct model *m = many(1, 60, false, 60);
    struct block_dev *dev = start(m);
    check_queues(m, dev, 60, 0);
    assert_int_equal(queue_taken(m, dev, 0, 59), 60);
    assert_int_equal(world_warnings(), 0);
}

static void urgent_ones_too(void **state)
{
    struct model *m = many(2, 3, true, 64);
    struct block_dev *dev = start(m);
    check_queues(m, dev, 6, 2);
    assert_int_equal(world_warnings(), 0);
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        assert_int_equal(queue_taken(m, dev, cpu, 2), 5 + cpu);
        assert_int_equal(queue_taken(m, dev, cpu, 3), 1 + cpu);
        assert_int_equal(queue_taken(m, dev, cpu, BLOCK_URGENT), 7 + cpu);
    }
}

// ---- fewer than wanted ----

static void check_warning(const char *part)
{
    assert_int_equal(world_warnings(), 1);
    if (!strstr(world_last_warning(), part))
        fail_msg("\"%s\" isn't in: %s", part, world_last_warning());
}

// As many of both kinds are asked for, and granted apart: a pair takes one of each.
static void fewer_of_one_kind(unsigned grants, unsigned grants_cqs)
{
    struct model *m = many(4, 3, false, grants);
    m->grants_cqs = grants_cqs;
    check_queues(m, start(m), 4, 0);
    assert_int_equal(m->asked_sqs, 12);
    assert_int_equal(m->asked_cqs, 12);
    assert_int_equal(world_warnings(), 1);
    assert_non_null(strstr(world_last_warning(), "there are 5: each CPU uses 1"));
}

static void fewer_completion_queues(void **state)
{
    fewer_of_one_kind(64, 5);
}

static void fewer_submission_queues(void **state)
{
    fewer_of_one_kind(5, 64);
}

// 0-based in 16 bits: the most that there can be.
static void all_queues_there_can_be(void **state)
{
    struct model *m = many(2, 1, false, 0x10000);
    check_queues(m, start(m), 2, 0);
}

// A set that isn't whole isn't used: no CPU has more than another.
static void whole_sets_only(void **state)
{
    struct model *m = many(2, 3, false, 5);
    struct block_dev *dev = start(m);
    check_queues(m, dev, 4, 0);
    assert_int_equal(dev->channels, 2);
    assert_int_equal(queue_taken(m, dev, 1, 2), 2);
    check_warning(": nvme.queues=3 takes 6 queues and vectors, and there are 5: each CPU uses 2");
}

static void too_few_vectors(void **state)
{
    struct model *m = many(2, 3, false, 64);
    m->pci.msix.vectors = 3;
    check_queues(m, start(m), 2, 0);
    check_warning("there are 3: each CPU uses 1");
}

static void too_few_doorbells(void **state)
{
    struct model *m = many(2, 3, false, 64);
    m->pci.bars[0].bytes = NVME_DOORBELLS + 6 * 8; // the admin queue's, and five
    check_queues(m, start(m), 4, 0);
    check_warning("there are 5: each CPU uses 2");
}

static void urgent_ones_go_first(void **state)
{
    struct model *m = many(2, 3, true, 5);
    struct block_dev *dev = start(m);
    check_queues(m, dev, 2, 2);
    assert_int_equal(queue_taken(m, dev, 1, BLOCK_URGENT), 4);
    check_warning(
        "nvme.queues=3 with nvme.urgent=1 takes 8 queues and vectors, and there are 5: each "
        "CPU uses 1");
}

// Not one for each CPU: all channels are the one that a CPU shares with others.
static void shared(void **state)
{
    struct model *m = many(4, 3, false, 2);
    struct block_dev *dev = start(m);
    check_queues(m, dev, 2, 0);
    assert_int_equal(dev->channels, 1);
    for (unsigned cpu = 0; cpu < 4; cpu++)
        assert_int_equal(queue_taken(m, dev, cpu, cpu % 3), 1 + cpu / 2);
    check_warning("takes 12 queues and vectors, and there are 2: each CPU uses 1");
}

// ---- the CPUs' vectors ----

#define SHARED "(all controllers share the CPUs' vectors): each CPU uses "

static void set_vectors_left(unsigned cpus, const unsigned *left)
{
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        world_set_vectors_left(cpu, left[cpu]);
}

static void all_read_well(const struct model *m, unsigned cpus)
{
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        reads_well(world_disk(m, 1), cpu);
}

static void two_controllers_share_vectors(void **state)
{
    struct model *first = many(1, 8, false, 64), *second = model_new();
    world_set_vectors_left(0, 11);
    check_queues(first, start(first), 5, 0);
    check_queues(second, world_disk(second, 1), 6, 0); // what the first one's share left over
    all_read_well(first, 1);
    all_read_well(second, 1);
    assert_int_equal(world_warnings(), 2);
    assert_non_null(strstr(world_last_warning(), "nvme.queues=8 takes 8 queues and vectors, and "
                                                 "there are 6 " SHARED "6"));
}

// What one doesn't need is the others'; and the CPU with the fewest vectors decides.
static void shares_are_made_anew(void **state)
{
    struct model *small = many(2, 3, false, 2), *second = model_new(), *third = model_new();
    set_vectors_left(2, (unsigned[]){ 9, 6 });
    check_queues(small, start(small), 2, 0);
    check_queues(second, world_disk(second, 1), 4, 0);
    check_queues(third, world_disk(third, 1), 6, 0);
    assert_int_equal(world_warnings(), 2);
    assert_non_null(strstr(world_last_warning(), "and there are 4 " SHARED "2"));
}

static void urgent_ones_need_vectors(void **state)
{
    struct model *m = many(3, 1, true, 64);
    set_vectors_left(3, (unsigned[]){ 1, 9, 9 });
    check_queues(m, start(m), 3, 0);
    check_warning("no urgent queues: they take two queues and vectors for each CPU, 6, and there "
                  "are 3 (all controllers share the CPUs' vectors); urgent reads use the others");
}

// The controller's own limit is no fault of the CPUs.
static void vectors_are_not_blamed(void **state)
{
    struct model *m = many(2, 3, false, 5);
    set_vectors_left(2, (unsigned[]){ 3, 3 });
    check_queues(m, start(m), 4, 0);
    check_warning("and there are 5: each CPU uses 2");
}

static void check_owners(const struct model *m, unsigned count, const unsigned *cpus)
{
    check_queues(m, world_disk(m, 1), count, 0);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(m->irqs[i]->cpu, cpus[i]);
    all_read_well(m, 4);
}

// Not one for each CPU: queues are shared, and owned by CPUs that have vectors.
static void less_than_a_set(void **state)
{
    static const struct {
        unsigned left[4], count, owners[4];
    } cases[] = {
        { { 0, 1, 1, 0 }, 2, { 1, 2 } },
        { { 0, 0, 5, 5 }, 1, { 2 } }, // of two, one would have no owner
        { { 0, 0, 0, 1 }, 1, { 3 } },
        { { 1, 0, 1, 1 }, 3, { 0, 2, 3 } },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct model *m = many(4, 1, false, 64);
        set_vectors_left(4, cases[i].left);
        start(m);
        check_owners(m, cases[i].count, cases[i].owners);
        world_end();
    }
}

// Nor where several are wanted.
static void less_than_a_set_of_several(void **state)
{
    struct model *m = many(4, 3, true, 64);
    set_vectors_left(4, (unsigned[]){ 0, 9, 0, 9 });
    start(m);
    check_owners(m, 2, (unsigned[]){ 1, 3 });
}

static void more_controllers_than_vectors(void **state)
{
    struct model *m[] = { many(4, 1, false, 64), model_new(), model_new() };
    set_vectors_left(4, (unsigned[]){ 2, 2, 2, 2 });
    start(m[0]);
    check_owners(m[0], 2, (unsigned[]){ 0, 2 });
    check_owners(m[1], 3, (unsigned[]){ 0, 2, 3 });
    check_owners(m[2], 2, (unsigned[]){ 1, 3 });
}

// One that takes more than its share leaves none for the next.
static void a_vector_for_each_controller(void **state)
{
    struct model *m[] = { many(4, 1, false, 64), model_new() };
    set_vectors_left(4, (unsigned[]){ 0, 1, 1, 0 });
    start(m[0]);
    check_owners(m[0], 1, (unsigned[]){ 1 });
    check_owners(m[1], 1, (unsigned[]){ 2 });
}

static void no_vector_at_all(void **state)
{
    many(2, 1, false, 64);
    set_vectors_left(2, (unsigned[]){ 0, 0 });
    nvme_init();
    assert_int_equal(world_errors("irq-no-vector"), 1);
    assert_int_equal(world_errors(NULL), 1);
}

// ---- moves ----

#define READS 64

// Reads on all channels of both CPUs, while each queue moves to the other CPU and some back again.
static void all_move_under_load(void **state)
{
    struct model *m = many(2, 3, true, 64);
    struct block_dev *dev = start(m);
    static struct world_read reads[READS];
    m->order = MODEL_RANDOM;
    for (unsigned i = 0; i < READS; i++)
        read_once(&reads[i], dev, i % 2, i * 8);
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < READS; i++)
            read_again(&reads[i], i % 2, i / 2 % 4 == 3 ? BLOCK_URGENT : i / 2 % 4);
        for (unsigned turn = 0; turn < 40; turn++) {
            unsigned vector = (round + turn) % 8;
            world_move(m, vector, 1 - m->irqs[vector]->cpu);
            world_turn_any();
        }
        for (unsigned i = 0; i < READS; i++)
            assert_true(world_run(&reads[i].done, 1000));
    }
    for (unsigned i = 0; i < READS; i++)
        ends_well(&reads[i]);
    assert_int_equal(world_errors(NULL), 0);
}

static void a_moved_queue_serves_its_channel(void **state)
{
    struct model *m = many(2, 3, false, 64);
    struct block_dev *dev = start(m);
    move_now(m, 3, 0); // channel 1 of CPU 1
    assert_int_equal(queue_taken(m, dev, 1, 1), 4);
    move_now(m, 0, 1); // channel 0 of CPU 0
    assert_int_equal(queue_taken(m, dev, 0, 1), 3);
    assert_int_equal(queue_taken(m, dev, 0, 0), 1);
}

static void all_are_deleted(void **state)
{
    struct model *m = many(2, 3, true, 64);
    start(m);
    world_end();
    assert_int_equal(m->deleted_sqs, 8);
    assert_int_equal(m->deleted_cqs, 8);
    for (unsigned i = 0; i < 8; i++)
        assert_true(m->masked[i]);
}

// Reads under way on every channel end when the controller does.
static void gone_on_all_channels(void **state)
{
    struct model *m = many(1, 3, false, 64);
    struct block_dev *dev = start(m);
    struct world_read reads[3];
    for (unsigned i = 0; i < 3; i++)
        read_once(&reads[i], dev, 0, 8);
    m->hold = true;
    for (unsigned i = 0; i < 3; i++)
        read_again(&reads[i], 0, i);
    world_round();
    m->removed = true;
    world_pass(2 * TICK_NS);
    for (unsigned i = 0; i < 3; i++)
        ends(&reads[i], BLOCK_GONE);
    assert_int_equal(world_errors("nvme-gone"), 1);
}

// ---- one that can't be made ----

static void all_cpus_read(struct model *m, struct block_dev *dev, unsigned cpus)
{
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        reads_well(dev, cpu);
    nvme_recover_reset(world_ctrl(m));
    world_pass(NS_PER_S);
    assert_int_equal(world_errors(NULL), 0);
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        reads_well(dev, cpu);
}

static void the_others_serve(unsigned wanted, unsigned fails, unsigned used)
{
    struct model *m = many(4, wanted, false, 64);
    m->fail_opcode = NVME_ADMIN_CREATE_SQ;
    m->fail_qid = fails;
    struct block_dev *dev = start(m);
    assert_int_equal(dev->queues, used);
    assert_int_equal(world_warnings(), 1);
    assert_non_null(strstr(world_last_warning(), "Create I/O Submission Queue failed"));
    m->fail_opcode = -1;
    all_cpus_read(m, dev, 4);
}

static void a_part_of_a_set_serves(void **state)
{
    the_others_serve(1, 3, 2);
}

static void whole_sets_serve(void **state)
{
    the_others_serve(3, 11, 8);
}

static void plain_ones_serve(void **state)
{
    struct model *m = many(2, 1, true, 64);
    m->fail_opcode = NVME_ADMIN_CREATE_CQ;
    m->fail_qid = 4;
    struct block_dev *dev = start(m);
    struct world_read r;
    assert_int_equal(dev->queues, 2);
    read_once(&r, dev, 1, 8);
    read_again(&r, 1, BLOCK_URGENT);
    finish(&r);
    m->fail_opcode = -1;
    all_cpus_read(m, dev, 2);
}

#define queues_test(f) cmocka_unit_test_teardown(f, end_of_many)

int main(void)
{
    const struct CMUnitTest tests[] = {
        queues_test(three_for_each_cpu),
        queues_test(channels_count_round),
        queues_test(as_many_as_there_are),
        queues_test(urgent_ones_too),
        queues_test(fewer_completion_queues),
        queues_test(fewer_submission_queues),
        queues_test(all_queues_there_can_be),
        queues_test(whole_sets_only),
        queues_test(too_few_vectors),
        queues_test(too_few_doorbells),
        queues_test(urgent_ones_go_first),
        queues_test(shared),
        queues_test(two_controllers_share_vectors),
        queues_test(shares_are_made_anew),
        queues_test(urgent_ones_need_vectors),
        queues_test(vectors_are_not_blamed),
        queues_test(less_than_a_set),
        queues_test(less_than_a_set_of_several),
        queues_test(more_controllers_than_vectors),
        queues_test(a_vector_for_each_controller),
        queues_test(no_vector_at_all),
        queues_test(all_move_under_load),
        queues_test(a_moved_queue_serves_its_channel),
        queues_test(all_are_deleted),
        queues_test(gone_on_all_channels),
        queues_test(a_part_of_a_set_serves),
        queues_test(whole_sets_serve),
        queues_test(plain_ones_serve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
