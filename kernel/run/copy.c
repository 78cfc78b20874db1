// SPDX-License-Identifier: BSD-2-Clause
// The registry of copying devices, the check that stands before every request, and the CPU's own way.

#include "kernel/run/copy.h"

#include "kernel/base/report.h"
#include "kernel/mem/dma.h"
#include "lib/bits.h"
#include "lib/crc32c.h"
#include "lib/string.h"

static struct {
    struct copy_dev *first, **end;
    uint32_t least[COPY_OPS];
} copy = {
    .end = &copy.first,
    .least = { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX },
};
static_assert(COPY_OPS == 5, "as many are there above");

#define TO 1u
#define FROM 2u

// Memory that an operation needs.
static const uint8_t needs[COPY_OPS] = {
    [COPY_MOVE] = TO | FROM,    [COPY_FILL] = TO, [COPY_CRC32C] = FROM,
    [COPY_COMPARE] = TO | FROM, [COPY_NOOP] = 0,
};

void copy_add(struct copy_dev *dev)
{
    dev->next = NULL;
    *copy.end = dev;
    copy.end = &dev->next;
}

// Who walks the list and stands at this one goes on to the next.
void copy_remove(struct copy_dev *dev)
{
    struct copy_dev **link = &copy.first;
    while (*link && *link != dev)
        link = &(*link)->next;
    if (*link)
        __atomic_store_n(link, dev->next, __ATOMIC_RELEASE);
    if (copy.end == &dev->next)
        copy.end = link;
    __atomic_store_n(&dev->gone, true, __ATOMIC_RELAXED);
}

struct copy_dev *copy_first(void)
{
    return __atomic_load_n(&copy.first, __ATOMIC_ACQUIRE);
}

uint32_t copy_least(enum copy_op op)
{
    return copy.least[op];
}

void copy_set_least(enum copy_op op, uint32_t bytes)
{
    copy.least[op] = bytes;
}

// ---- by the CPU ----

static void fill(uint8_t *to, uint64_t pattern, uint32_t bytes)
{
    for (; bytes >= sizeof(pattern); bytes -= sizeof(pattern), to += sizeof(pattern))
        memcpy(to, &pattern, sizeof(pattern));
    memcpy(to, &pattern, bytes);
}

static void compare(struct copy_req *req)
{
    const uint8_t *one = req->from, *other = req->to;
    uint32_t at = 0;
    while (at < req->bytes && one[at] == other[at])
        at++;
    req->differs = at < req->bytes;
    req->differs_at = req->differs ? at : 0;
}

static void do_it(struct copy_req *req)
{
    req->status = COPY_OK;
    if (req->op == COPY_MOVE)
        memcpy(req->to, req->from, req->bytes);
    else if (req->op == COPY_FILL)
        fill(req->to, req->pattern, req->bytes);
    else if (req->op == COPY_CRC32C)
        req->crc = crc32c(req->seed, req->from, req->bytes);
    else if (req->op == COPY_COMPARE)
        compare(req);
}

static void ended(struct cpu_msg *msg)
{
    struct copy_req *req = container_of(msg, struct copy_req, msg);
    req->done(req);
}

static void end_later(struct copy_req *req)
{
    req->msg.fn = ended;
    cpu_post(req->cpu, &req->msg);
}

static void submit_to_cpu(struct copy_port *port, struct copy_req *req)
{
    do_it(req);
    end_later(req);
}

static void refuse(struct copy_port *port, struct copy_req *req)
{
    req->status = COPY_ERROR;
    end_later(req);
}

static struct copy_port by_cpu = { .submit = submit_to_cpu };
static struct copy_port refusing = { .submit = refuse };

// ---- failures ----

static void set_failure(struct copy_req *req, enum copy_status status, uint32_t detail)
{
    req->status = status;
    req->detail = detail;
    if (!req->dev)
        do_it(req);
}

void copy_fail(struct copy_req *req, enum copy_status status, uint32_t detail)
{
    set_failure(req, status, detail);
    req->done(req);
}

void copy_fail_later(struct copy_req *req, enum copy_status status, uint32_t detail)
{
    set_failure(req, status, detail);
    end_later(req);
}

// ---- the check before every request ----

static bool overlaps(const struct copy_req *req)
{
    uintptr_t to = (uintptr_t)req->to, from = (uintptr_t)req->from;
    return to < from + req->bytes && from < to + req->bytes;
}

static bool can_reach(const struct copy_req *req)
{
    return (!(needs[req->op] & TO) || mem_is_dma(req->to, req->bytes)) &&
           (!(needs[req->op] & FROM) || mem_is_dma(req->from, req->bytes));
}

// Why the request can't be, whoever does it; 0: it can.
static uint32_t fault_of(const struct copy_req *req)
{
    if ((unsigned)req->op >= COPY_OPS)
        return COPY_DETAIL_UNSUPPORTED;
    if ((needs[req->op] & TO && !req->to) || (needs[req->op] & FROM && !req->from))
        return COPY_DETAIL_MEMORY;
    if ((!req->bytes && needs[req->op]) || (req->op == COPY_MOVE && overlaps(req)))
        return COPY_DETAIL_RANGE;
    return 0;
}

static uint32_t fault_with(const struct copy_dev *dev, const struct copy_req *req)
{
    if (!(dev->ops & BIT32(req->op)))
        return COPY_DETAIL_UNSUPPORTED;
    if (req->bytes > dev->most)
        return COPY_DETAIL_RANGE;
    return can_reach(req) ? 0 : COPY_DETAIL_MEMORY;
}

// The nearest one.
struct copy_dev *copy_choose(const struct copy_req *req)
{
    struct copy_dev *best = NULL;
    if (req->bytes < copy.least[req->op])
        return NULL;
    for (struct copy_dev *dev = copy_first(); dev; dev = dev->next) {
        if (fault_with(dev, req))
            continue;
        if (!best || (dev->node == cpu_node(cpu_index()) && best->node != dev->node))
            best = dev;
    }
    return best;
}

// Told once, since it is the app's error.
static uint32_t refuse_memory(const struct copy_req *req)
{
    static bool told;
    const void *at = needs[req->op] & TO && !mem_is_dma(req->to, req->bytes) ? req->to : req->from;
    if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
        error("copy-memory",
              "%s is asked to copy or to sum memory at %p, %llu bytes, that is not from "
              "mem_alloc_dma(), the only memory that devices may reach: refused, as others will be",
              req->dev->name, at, (unsigned long long)req->bytes);
    return COPY_DETAIL_MEMORY;
}

static uint32_t fault_as_asked(const struct copy_req *req)
{
    uint32_t fault = fault_with(req->dev, req);
    return fault == COPY_DETAIL_MEMORY ? refuse_memory(req) : fault;
}

bool copy_prepare(struct copy_req *req)
{
    req->cpu = cpu_index();
    req->status = COPY_OK;
    req->detail = fault_of(req);
    if (!req->detail && req->dev)
        req->detail = fault_as_asked(req);
    if (req->detail) {
        req->port = &refusing;
        return false;
    }
    struct copy_dev *dev = req->dev ? req->dev : copy_choose(req);
    if (dev)
        dev->prepare(dev, req);
    else
        req->port = &by_cpu;
    return true;
}
