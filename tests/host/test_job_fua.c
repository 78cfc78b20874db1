// SPDX-License-Identifier: BSD-2-Clause
// writefua=1: each write asks to be durable, and nothing else does.
#include "tests/host/apps.h"
#include "tests/host/fake_machine.h"

static unsigned seen[BLOCK_OPS], asked[BLOCK_OPS];

static void note(const struct block_req *req)
{
    seen[req->op]++;
    asked[req->op] += req->fua;
}

static int begin(void **state)
{
    memset(seen, 0, sizeof(seen));
    memset(asked, 0, sizeof(asked));
    fake_start(1, 1, 512, 512);
    fake_writable(&fake.disks[0]);
    fake.on_read = note;
    return 0;
}

static void plain_writes(void **state)
{
    fake_run(&app_job, "rw=randwrite runtime=1ms writefua=1");
    assert_true(seen[BLOCK_WRITE] > 10);
    assert_int_equal(asked[BLOCK_WRITE], seen[BLOCK_WRITE]);
}

static void writes_between_reads_and_flushes(void **state)
{
    fake_run(&app_job, "rw=randrw runtime=5ms writefua=1 fsync=5 verify=1");
    assert_true(seen[BLOCK_WRITE] > 10 && seen[BLOCK_READ] > 10 && seen[BLOCK_FLUSH] > 1);
    assert_int_equal(asked[BLOCK_WRITE], seen[BLOCK_WRITE]);
    assert_int_equal(asked[BLOCK_READ] + asked[BLOCK_FLUSH], 0);
    expect_line(fake.console, "job: ok: ");
}

static void none_unless_asked(void **state)
{
    fake_run(&app_job, "rw=randrw runtime=5ms fsync=5");
    assert_true(seen[BLOCK_WRITE] > 10);
    assert_int_equal(asked[BLOCK_WRITE] + asked[BLOCK_READ] + asked[BLOCK_FLUSH], 0);
    fake_stop(NULL);
    begin(state);
    fake_run(&app_job, "rw=write runtime=1ms");
    assert_true(seen[BLOCK_WRITE] > 10);
    assert_int_equal(asked[BLOCK_WRITE], 0);
}

#define fua_test(f) cmocka_unit_test_setup_teardown(f, begin, fake_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fua_test(plain_writes),
        fua_test(writes_between_reads_and_flushes),
        fua_test(none_unless_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
