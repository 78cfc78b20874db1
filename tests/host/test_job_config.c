// SPDX-License-Identifier: BSD-2-Clause
// What the job makes of its words: their limits, the disks that they name, and how work is shared out.
#include "apps/job.h"
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

static struct cmdline line;
static struct job_config config;

static bool parse(const char *words)
{
    const struct option *const tables[] = { job_options };
    struct problem p;
    bool ok = cmdline_parse(words, tables, 1, false, &line, &p);
    if (!ok)
        assert_string_equal(p.what, "cmdline-range");
    return ok;
}

static void configure(const char *words)
{
    struct problem p;
    assert_true(parse(words));
    assert_true(job_configure(&line, 4, &config, &p));
}

// ---- words ----

static void test_limits(void **state)
{
    static const struct {
        const char *least, *below, *most, *above; // NULL: no limit, or none but that of the kind
    } words[] = {
        { "bs=512", "bs=511", "bs=64m", "bs=67108865" },
        { "iodepth=1", "iodepth=0", "iodepth=4096", "iodepth=4097" },
        { "runtime=0", NULL, "runtime=8760h", "runtime=31536000000001us" },
        { "size=0", NULL, "size=0xffffffffffffffff", NULL },
        { "numjobs=0", NULL, "numjobs=4096", "numjobs=4097" },
        { "urgent=0", NULL, "urgent=100", "urgent=101" },
        { "rwmixread=0", NULL, "rwmixread=100", "rwmixread=101" },
        { "ramp_time=0", NULL, "ramp_time=8760h", "ramp_time=31536000000001us" },
        { "rate_iops=0", NULL, "rate_iops=100000000", "rate_iops=100000001" },
        { "fsync=0", NULL, "fsync=1073741824", "fsync=1073741825" },
        { "seed=0", NULL, "seed=0xffffffffffffffff", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        assert_true(parse(words[i].least) && parse(words[i].most));
        assert_false(words[i].below && parse(words[i].below));
        assert_false(words[i].above && parse(words[i].above));
    }
}

static void test_what_is_taken_where_nothing_is_said(void **state)
{
    configure("");
    assert_string_equal(job_rw_name(&config), "randread");
    assert_true(config.random);
    assert_int_equal(config.write_percent, 0);
    assert_false(job_writes(&config) || job_changes(&config));
    assert_false(config.verify);
    assert_int_equal(config.ramp_us + config.rate_iops + config.fsync + config.seed, 0);
    assert_int_equal(config.bs, 4096);
    assert_int_equal(config.iodepth, 32);
    assert_int_equal(config.runtime_us, 5000000);
    assert_int_equal(config.size, 0);
    assert_int_equal(config.numjobs, 4); // all CPUs
    assert_int_equal(config.urgent, 0);
}

static void test_each_word_is_heard(void **state)
{
    configure("rw=read verify=crc32c bs=8k iodepth=7 runtime=3ms size=1g numjobs=3 urgent=9");
    assert_false(config.random);
    assert_true(config.verify);
    assert_int_equal(config.bs, 8192);
    assert_int_equal(config.iodepth, 7);
    assert_int_equal(config.runtime_us, 3000);
    assert_int_equal(config.size, GIB);
    assert_int_equal(config.numjobs, 3);
    assert_int_equal(config.urgent, 9);
    configure("rw=write ramp_time=2s rate_iops=7 fsync=8 seed=9");
    assert_int_equal(config.ramp_us, 2000000);
    assert_int_equal(config.rate_iops, 7);
    assert_int_equal(config.fsync, 8);
    assert_int_equal(config.seed, 9);
    configure("verify=1 numjobs=4");
    assert_true(config.verify);
    configure("verify=0");
    assert_false(config.verify);
}

static void test_kinds(void **state)
{
    static const struct {
        const char *words, *rw;
        bool random, writes, changes;
        unsigned write_percent;
    } kinds[] = {
        { "rw=randread", "randread", true, false, false, 0 },
        { "rw=read", "read", false, false, false, 0 },
        { "rw=randwrite", "randwrite", true, true, true, 100 },
        { "rw=write", "write", false, true, true, 100 },
        { "rw=randrw", "randrw", true, true, true, 50 },
        { "rw=randrw rwmixread=70", "randrw", true, true, true, 30 },
        { "rw=rw rwmixread=0", "rw", false, true, true, 100 },
        { "rw=readwrite rwmixread=100", "rw", false, false, false, 0 },
        { "rw=randtrim", "randtrim", true, false, true, 100 },
        { "rw=trim", "trim", false, false, true, 100 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        configure(kinds[i].words);
        assert_string_equal(job_rw_name(&config), kinds[i].rw);
        assert_int_equal(config.random, kinds[i].random);
        assert_int_equal(job_writes(&config), kinds[i].writes);
        assert_int_equal(job_changes(&config), kinds[i].changes);
        assert_int_equal(config.write_percent, kinds[i].write_percent);
    }
}

static void expect_words_refused(const char *words, const char *what, const char *message)
{
    struct problem p;
    assert_true(parse(words));
    assert_false(job_configure(&line, 4, &config, &p));
    assert_string_equal(p.what, what);
    assert_string_equal(p.message, message);
}

static void test_words_that_don_t_go_together(void **state)
{
    expect_words_refused("rw=write rwmixread=70", "job-rwmixread",
                         "rwmixread=70: rw=write is no mix; use rw=rw or randrw, or leave it out");
    expect_words_refused("rw=read rwmixread=50", "job-rwmixread",
                         "rwmixread=50: rw=read is no mix; use rw=rw or randrw, or leave it out");
    expect_words_refused("fsync=3", "job-fsync",
                         "fsync=3: nothing is written by rw=randread; leave it out, or use "
                         "rw=write, randwrite, rw or randrw");
    expect_words_refused("rw=trim fsync=1", "job-fsync",
                         "fsync=1: nothing is written by rw=trim; leave it out, or use rw=write, "
                         "randwrite, rw or randrw");
    expect_words_refused("rw=randtrim writefua=1", "job-writefua",
                         "writefua=1: nothing is written by rw=randtrim; leave it out, or use "
                         "rw=write, randwrite, rw or randrw");
    expect_words_refused("rw=randtrim verify=1", "job-verify",
                         "verify=crc32c: what rw=randtrim leaves has no content to check; leave it "
                         "out");
    expect_words_refused("rw=write urgent=5", "job-urgent",
                         "urgent=5: nothing is read by rw=write; leave it out");
    expect_words_refused("ramp_time=1s runtime=0", "job-ramp-time",
                         "ramp_time= with runtime=0, which may be over before it; say runtime=, "
                         "too, or leave it out");
    configure("rw=rw fsync=1 writefua=1 verify=1 urgent=5 ramp_time=1s"); // and these do
}

// At any moment the mix is as near to its share as whole I/Os can be.
static void test_mixes_are_exact(void **state)
{
    char words[64];
    for (unsigned percent = 0; percent <= 100; percent++) {
        uint64_t reads = 0, others = 0;
        snprintf(words, sizeof(words), "rw=randrw rwmixread=%u", percent);
        configure(words);
        for (unsigned n = 1; n <= 1000; n++) {
            *(job_next_is_read(&config, reads, others) ? &reads : &others) += 1;
            assert_in_range(reads * 100, n * percent - MIN(n * percent, 99u), n * percent + 99);
        }
        assert_int_equal(reads, percent * 10);
    }
}

// One that could not go then is made up for.
static void test_a_mix_catches_up(void **state)
{
    configure("rw=randrw");
    assert_true(job_next_is_read(&config, 5, 9));
    assert_false(job_next_is_read(&config, 9, 5));
    configure("rw=randread");
    assert_true(job_next_is_read(&config, 1ull << 40, 0));
    configure("rw=write");
    assert_false(job_next_is_read(&config, 0, 1ull << 40));
}

static void test_more_jobs_than_cpus(void **state)
{
    fake_start(2, 1, 512, 64);
    fake_run(&app_job, "numjobs=3");
    assert_string_equal(fake.error_what, "job-numjobs");
    assert_string_equal(fake.error_message,
                        "numjobs=3: only 2 CPUs are in use; give at most that many");
    fake.errors = 0;
    fake_run(&app_job, "numjobs=2 runtime=0");
    assert_int_equal(fake.errors, 0);
}

// ---- how work is shared out ----

static unsigned cpu_of(size_t disk, unsigned index)
{
    return job_cpu_of(&config, disk, index, 4);
}

// Workers of a disk on CPUs in a row, those of the next disk on the CPUs that follow.
static void test_workers_go_round_the_cpus(void **state)
{
    configure("numjobs=3");
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(cpu_of(i / 3, i % 3), i % 4);
    configure("numjobs=1");
    for (unsigned disk = 0; disk < 9; disk++)
        assert_int_equal(cpu_of(disk, 0), disk % 4);
}

static uint64_t region(const char *words, uint32_t block_size, uint64_t blocks)
{
    const struct block_dev dev = { .block_size = block_size, .blocks = blocks };
    configure(words);
    return job_region(&config, &dev);
}

static void test_regions_are_whole_reads(void **state)
{
    assert_int_equal(region("", 512, 80), 10);
    assert_int_equal(region("", 512, 87), 10);
    assert_int_equal(region("", 512, 7), 0);
    assert_int_equal(region("bs=4k", 4096, 80), 80);
    assert_int_equal(region("bs=64k size=1m", 4096, 1 << 20), 16);
    assert_int_equal(region("size=8191", 512, 80), 1);
    assert_int_equal(region("size=8192", 512, 80), 2);
    assert_int_equal(region("size=1g", 512, 80), 10); // no more than there is
}

static void expect_problem(const char *words, uint32_t block_size, uint64_t blocks,
                           const char *what, const char *message)
{
    const struct block_dev dev = { .name = "nvme5n1", .block_size = block_size, .blocks = blocks };
    struct problem p;
    configure(words);
    assert_false(job_check_disk(&config, &dev, &p));
    assert_string_equal(p.what, what);
    assert_string_equal(p.message, message);
}

static void test_disks_that_are_too_small(void **state)
{
    const struct block_dev just = { .block_size = 512, .blocks = 8 };
    struct problem p;
    configure("size=4k");
    assert_true(job_check_disk(&config, &just, &p));
    expect_problem("", 512, 7, "job-size",
                   "nvme5n1: one I/O of bs=4096 doesn't fit into size=0 of a disk of 3584 bytes");
    expect_problem("bs=1m size=64k", 4096, 1000, "job-size",
                   "nvme5n1: one I/O of bs=1048576 doesn't fit into size=65536 of a disk of "
                   "4096000 bytes");
    expect_problem("bs=5000", 512, 1000, "job-bs",
                   "bs=5000: nvme5n1 has blocks of 512 bytes; give a multiple of that, e.g. "
                   "bs=5120");
}

// ---- disks ----

static struct disks disks;

static const char *select_problem(const char *words, const char *what)
{
    static struct problem p;
    disks.count = 77;
    assert_true(parse(words));
    assert_false(disks_select(&line, &disks, &p));
    assert_int_equal(disks.count, 0);
    assert_string_equal(p.what, what);
    return p.message;
}

static void test_disks_are_taken_in_the_order_named(void **state)
{
    struct problem p;
    fake_start(1, 4, 512, 64);
    assert_true(parse("filename=nvme2n1:nvme0n1"));
    assert_true(disks_select(&line, &disks, &p));
    assert_int_equal(disks.count, 2);
    assert_ptr_equal(disks.list[0], &fake.disks[2].dev);
    assert_ptr_equal(disks.list[1], &fake.disks[0].dev);
    assert_true(parse(""));
    assert_true(disks_select(&line, &disks, &p));
    assert_int_equal(disks.count, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_ptr_equal(disks.list[i], &fake.disks[i].dev);
}

static void test_names_that_are_none(void **state)
{
    fake_start(1, 2, 512, 64);
    assert_string_equal(select_problem("filename=nvme1n1:nvme2n1:x", "job-no-such-disk"),
                        "filename=: no disk is named \"nvme2n1\"; there are: nvme0n1 nvme1n1");
    assert_string_equal(select_problem("filename=:nvme1n1", "job-no-such-disk"),
                        "filename=: no disk is named \"\"; there are: nvme0n1 nvme1n1");
    assert_string_equal(
        select_problem("filename=abcdefghijklmnopqrstuvwxyz", "job-no-such-disk"),
        "filename=: no disk is named \"abcdefghijklmnopqrstuvwx\"; there are: nvme0n1 nvme1n1");
    assert_string_equal(select_problem("filename=nvme1n1:nvme0n1:nvme1n1", "job-disk-twice"),
                        "filename= names nvme1n1 twice; name it once");
    fake.first_disk = NULL;
    select_problem("", "job-no-disk");
}

// As many as a big machine has, in a list.
static void make_disks(size_t count)
{
    static struct block_dev many[DISKS_MAX + 1];
    fake_start(1, 0, 512, 64);
    for (size_t i = 0; i < count; i++) {
        many[i] = (struct block_dev){ .next = i + 1 < count ? &many[i + 1] : NULL };
        format_text(many[i].name, sizeof(many[i].name), "nvme%zun1", i + 100);
    }
    fake.first_disk = &many[0];
}

static void test_as_many_disks_as_fit(void **state)
{
    struct problem p;
    make_disks(DISKS_MAX);
    assert_true(parse(""));
    assert_true(disks_select(&line, &disks, &p));
    assert_int_equal(disks.count, DISKS_MAX);
    make_disks(DISKS_MAX + 1);
    assert_string_equal(select_problem("", "job-too-many-disks"),
                        "more than 256 disks; choose some with filename=");
}

// Of many disks as many are named as there is room for, and it shows that there are more.
static void test_names_that_are_none_among_many(void **state)
{
    make_disks(15); // of 10 characters each, with the blank
    const char *said = select_problem("filename=x", "job-no-such-disk");
    expect_line(said, "there are: nvme100n1 nvme101n1");
    assert_string_equal(said + strlen(said) - 10, " nvme114n1");
    make_disks(40);
    said = select_problem("filename=x", "job-no-such-disk");
    assert_string_equal(said + strlen(said) - 3, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_what_is_taken_where_nothing_is_said),
        cmocka_unit_test(test_each_word_is_heard),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_words_that_don_t_go_together),
        cmocka_unit_test(test_mixes_are_exact),
        cmocka_unit_test(test_a_mix_catches_up),
        cmocka_unit_test_teardown(test_more_jobs_than_cpus, fake_stop),
        cmocka_unit_test(test_workers_go_round_the_cpus),
        cmocka_unit_test(test_regions_are_whole_reads),
        cmocka_unit_test(test_disks_that_are_too_small),
        cmocka_unit_test(test_disks_are_taken_in_the_order_named),
        cmocka_unit_test(test_names_that_are_none),
        cmocka_unit_test(test_as_many_disks_as_fit),
        cmocka_unit_test(test_names_that_are_none_among_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
