// SPDX-License-Identifier: BSD-2-Clause
// Who carries out a request that may go anywhere, and what is measured for that.

#include <setjmp.h>
#include <stdarg.h>

#include <string.h>

#include "kernel/base/report.h" // before cmocka's fail()

#include <cmocka.h>

#include "apps/copy_pays.h"
#include "kernel/cpu/msg.h"
#include "kernel/mem/dma.h"
#include "lib/bits.h"
#include "lib/crc32c.h"

static struct cpu_msg *posted;
static bool is_dma;
static unsigned prepared[2], ended;

unsigned cpu_index(void)
{
    return 1;
}

unsigned cpu_node(unsigned cpu)
{
    return cpu;
}

void cpu_post(unsigned cpu, struct cpu_msg *msg)
{
    assert_int_equal(cpu, 1);
    msg->next = posted;
    posted = msg;
}

bool mem_is_dma(const volatile void *virt, uint64_t bytes)
{
    return is_dma;
}

static const char *told = "";

void error(const char *what, const char *fmt, ...)
{
    told = what;
}

static void run(void)
{
    while (posted) {
        struct cpu_msg *msg = posted;
        posted = msg->next;
        msg->fn(msg);
    }
}

static void never(struct copy_port *port, struct copy_req *req)
{
}

static struct copy_port port = { .submit = never };
static void prepare(struct copy_dev *dev, struct copy_req *req);

static struct copy_dev devs[2] = {
    { .name = "far", .node = 7, .ops = BIT32(COPY_MOVE), .most = 4096, .prepare = prepare },
    { .name = "near", .node = 1, .ops = BIT32(COPY_OPS) - 1, .most = 8192, .prepare = prepare },
};

static void prepare(struct copy_dev *dev, struct copy_req *req)
{
    prepared[dev - devs]++;
    req->port = &port;
}

static void done(struct copy_req *req)
{
    ended++;
}

static uint8_t a[8192], b[8192];

static struct copy_req request(enum copy_op op, uint32_t bytes)
{
    return (struct copy_req){ .op = op, .from = a, .to = b, .bytes = bytes, .done = done };
}

static int begin(void **state)
{
    for (unsigned op = 0; op < COPY_OPS; op++)
        copy_set_least((enum copy_op)op, 1024);
    for (unsigned i = 0; i < 2; i++)
        copy_add(&devs[i]);
    memset(prepared, 0, sizeof(prepared));
    memset(b, 0, sizeof(b));
    for (unsigned i = 0; i < sizeof(a); i++)
        a[i] = (uint8_t)(i * 7 + i / 256);
    ended = 0;
    is_dma = true;
    posted = NULL;
    return 0;
}

static int end(void **state)
{
    copy_remove(&devs[0]);
    copy_remove(&devs[1]);
    return 0;
}

// Below the size that was measured the CPU is better: done at once, told later.
static void small_ones_by_cpu(void **state)
{
    struct copy_req req = request(COPY_MOVE, 1023);
    copy_submit(&req);
    assert_memory_equal(a, b, 1023);
    assert_int_equal(b[1023], 0);
    assert_int_equal(ended, 0);
    run();
    assert_int_equal(ended, 1);
    assert_int_equal(prepared[0] + prepared[1], 0);
}

static void compares(void **state)
{
    struct copy_req req = request(COPY_COMPARE, 100);
    memcpy(b, a, sizeof(b));
    copy_submit(&req);
    run();
    assert_false(req.differs);
    assert_int_equal(req.differs_at, 0);
    b[99] ^= 1;
    copy_submit(&req);
    run();
    assert_true(req.differs);
    assert_int_equal(req.differs_at, 99);
    b[7] ^= 0x80;
    copy_submit(&req);
    run();
    assert_int_equal(req.differs_at, 7);
    req.op = COPY_NOOP;
    req.bytes = 0;
    req.from = req.to = NULL;
    req.status = COPY_ERROR;
    copy_submit(&req);
    run();
    assert_int_equal(req.status, COPY_OK);
    assert_int_equal(ended, 4);
}

static void fills_and_sums(void **state)
{
    struct copy_req req = request(COPY_FILL, 21);
    req.pattern = 0x8877665544332211;
    copy_submit(&req);
    assert_memory_equal(b,
                        "\x11\x22\x33\x44\x55\x66\x77\x88\x11\x22\x33\x44\x55\x66\x77\x88\x11\x22"
                        "\x33\x44\x55\0",
                        22);
    req = request(COPY_CRC32C, 1000);
    req.seed = 5;
    copy_submit(&req);
    assert_int_equal(req.crc, crc32c(5, a, 1000));
    assert_int_equal(req.seed, 5); // as it was, to be submitted again
}

static void nearest(void **state)
{
    struct copy_req req = request(COPY_MOVE, 1024);
    assert_ptr_equal(copy_choose(&req), &devs[1]);
    copy_prepare(&req);
    assert_int_equal(prepared[1], 1);
    copy_remove(&devs[1]);
    assert_true(copy_is_gone(&devs[1]));
    assert_ptr_equal(copy_choose(&req), &devs[0]);
    req.op = COPY_FILL;
    assert_null(copy_choose(&req)); // it can't
    req = request(COPY_MOVE, 4097);
    assert_null(copy_choose(&req)); // nor that much
}

// Memory that no device reaches is the CPU's, unless a device was asked for.
static void other_memory(void **state)
{
    struct copy_req req = request(COPY_MOVE, 4096);
    is_dma = false;
    assert_null(copy_choose(&req));
    req.dev = &devs[1];
    assert_false(copy_prepare(&req));
    assert_int_equal(req.detail, COPY_DETAIL_MEMORY);
    assert_string_equal(told, "copy-memory");
    copy_resubmit(&req);
    run();
    assert_int_equal(ended, 1);
    assert_int_equal(req.status, COPY_ERROR);
}

static void failures(void **state)
{
    struct copy_req req = request(COPY_MOVE, 2048);
    copy_prepare(&req);
    copy_fail(&req, COPY_GONE, 0);
    assert_int_equal(req.status, COPY_OK);
    assert_memory_equal(a, b, 2048);
    req.dev = &devs[1];
    copy_fail(&req, COPY_ERROR, 0x1a);
    assert_int_equal(req.status, COPY_ERROR);
    assert_int_equal(req.detail, 0x1a);
    copy_fail_later(&req, COPY_GONE, 0);
    assert_int_equal(ended, 2);
    run();
    assert_int_equal(ended, 3);
    assert_int_equal(req.status, COPY_GONE);
}

// ---- what was measured ----

static void pays(void **state)
{
    struct copy_pays p;
    for (unsigned i = 0; i < COPY_PAYS_SIZES; i++) {
        p.cpu_ns[i] = 100 << i;
        p.dev_ns[i] = 900 + i;
    }
    assert_int_equal(copy_pays_from(&p), 8192); // 1600 against 904
    p.dev_ns[5] = 4000;                         // one size in between that doesn't
    assert_int_equal(copy_pays_from(&p), 32768);
    p.dev_ns[7] = UINT64_MAX; // the largest one failed
    assert_int_equal(copy_pays_from(&p), UINT32_MAX);
    for (unsigned i = 0; i < COPY_PAYS_SIZES; i++)
        p.dev_ns[i] = 1;
    assert_int_equal(copy_pays_from(&p), 512);
}

static void sizes(void **state)
{
    assert_int_equal(copy_pays_index(1), 0);
    assert_int_equal(copy_pays_index(512), 0);
    assert_int_equal(copy_pays_index(513), 1);
    assert_int_equal(copy_pays_index(4096), 3);
    assert_int_equal(copy_pays_index(65536), 7);
    assert_int_equal(copy_pays_index(UINT32_MAX), 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(small_ones_by_cpu), TEST(fills_and_sums), TEST(compares), TEST(nearest),
        TEST(other_memory),      TEST(failures),       TEST(pays),     TEST(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
