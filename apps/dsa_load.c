// SPDX-License-Identifier: BSD-2-Clause

#include "apps/dsa_load.h"

#include "apps/arena.h"
#include "kernel/base/cpus.h"
#include "kernel/irq/irq.h"
#include "kernel/mem/mem.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/crc32c.h"
#include "lib/muldiv.h"
#include "lib/random.h"
#include "lib/string.h"

#define SPOILT 0xdeadbeefdeadbeefull // what no fill or move leaves there

// ---- one operation: owner CPU, from its loop ----

// Inline: each operation has some.
static inline uint64_t first_word(const uint8_t *at)
{
    uint64_t word;
    __builtin_memcpy(&word, at, sizeof(word));
    return word;
}

static inline void set_word(uint8_t *at, uint64_t word)
{
    __builtin_memcpy(at, &word, sizeof(word));
}

// Both ends of what was written, which are spoilt then, so that the next one has to write them again.
static inline bool check_ends(const struct dsa_item *item, uint64_t first, uint64_t last)
{
    uint8_t *end = item->to + item->req.bytes - sizeof(last);
    bool ok = first_word(item->to) == first && first_word(end) == last;
    set_word(item->to, SPOILT);
    set_word(end, SPOILT);
    return ok;
}

static inline bool check(const struct dsa_item *item)
{
    const struct copy_req *req = &item->req;
    if (req->op == COPY_FILL)
        return check_ends(item, req->pattern, req->pattern);
    if (req->op == COPY_CRC32C)
        return req->crc == item->crc;
    if (req->op == COPY_COMPARE)
        return req->differs == item->differs && req->differs_at == item->differs_at;
    if (req->op == COPY_NOOP)
        return true;
    return check_ends(item, first_word(item->from),
                      first_word(item->from + req->bytes - sizeof(uint64_t)));
}

static void submit(struct dsa_worker *w, struct dsa_item *item)
{
    w->left--;
    w->in_flight++;
    item->out = true;
    copy_resubmit(&item->req);
}

static void ended(struct cpu_msg *msg) // boot CPU
{
    struct dsa_load *load = container_of(msg, struct dsa_worker, msg)->load;
    load->stop = --load->running == 0;
}

static RARE void end_worker(struct dsa_worker *w, uint64_t now)
{
    w->ended_tsc = now;
    w->msg.fn = ended;
    cpu_post(0, &w->msg);
}

// A device that is gone has nothing more to offer.
static RARE void failed(struct dsa_worker *w, const struct copy_req *req)
{
    w->errors++;
    if (req->status == COPY_GONE)
        w->end_tsc = 0;
}

static void done(struct copy_req *req)
{
    struct dsa_item *item = container_of(req, struct dsa_item, req);
    struct dsa_worker *w = req->arg;
    uint64_t now = rdtsc();
    w->twice += !item->out;
    item->out = false;
    w->completed++;
    w->in_flight--;
    if (unlikely(req->status != COPY_OK))
        failed(w, req);
    else if (unlikely(!check(item)))
        w->verify_errors++;
    if (likely(w->left && now < w->end_tsc))
        submit(w, item);
    else if (!w->in_flight)
        end_worker(w, now);
}

// ---- start and end ----

static void begin(struct cpu_msg *msg)
{
    struct dsa_worker *w = container_of(msg, struct dsa_worker, msg);
    const struct dsa_config *config = &w->load->config;
    w->began_tsc = rdtsc();
    w->end_tsc = config->count ? UINT64_MAX
                               : w->began_tsc + mul_div(config->runtime_us, time_tsc_hz(), 1000000);
    for (unsigned i = 0; i < w->iodepth && w->left; i++) {
        copy_prepare(&w->items[i].req);
        submit(w, &w->items[i]);
    }
    if (!w->in_flight)
        end_worker(w, w->began_tsc);
}

static bool has_worker(const struct dsa_load *load, unsigned cpu)
{
    for (unsigned i = 0; i < load->count; i++)
        if (load->workers[i]->cpu == cpu)
            return true;
    return false;
}

// Subtracts what the CPUs have counted so far, or adds it.
static void count_cpus(const struct dsa_load *load, struct dsa_sum *sum, int sign, uint64_t *idle)
{
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        const struct cpu_stats *stats = cpu_stats(cpu);
        if (!has_worker(load, cpu))
            continue;
        sum->cpus += sign > 0;
        sum->msis += (uint64_t)sign * stats->msis;
        sum->notifications += (uint64_t)sign * stats->notifications;
        *idle += (uint64_t)sign * stats->idle_tsc;
    }
}

static void add_worker(struct dsa_sum *sum, struct dsa_worker *w, uint64_t quota)
{
    w->submitted = quota - w->left;
    sum->wqs++;
    sum->submitted += w->submitted;
    sum->completed += w->completed;
    sum->errors += w->errors;
    sum->verify_errors += w->verify_errors;
    sum->twice += w->twice;
    sum->tsc = MAX(sum->tsc, w->ended_tsc - w->began_tsc);
}

static uint64_t quota(const struct dsa_load *load, unsigned worker)
{
    uint64_t count = load->config.count;
    if (!count)
        return UINT64_MAX;
    return count / load->count + (worker < count % load->count);
}

static void run(struct dsa_load *load)
{
    load->stop = false;
    load->running = load->count;
    for (unsigned i = 0; i < load->count; i++) {
        struct dsa_worker *w = load->workers[i];
        w->completed = w->errors = w->verify_errors = w->twice = 0;
        w->left = quota(load, i);
        w->msg.fn = begin;
        cpu_post(w->cpu, &w->msg);
    }
    cpu_run_until(&load->stop);
}

void dsa_load_execute(struct dsa_load *load, struct dsa_sum *sum)
{
    uint64_t idle = 0, start;
    *sum = (struct dsa_sum){ 0 };
    count_cpus(load, sum, -1, &idle);
    start = rdtsc();
    run(load);
    uint64_t tsc = rdtsc() - start;
    count_cpus(load, sum, 1, &idle);
    for (unsigned i = 0; i < load->count; i++)
        add_worker(sum, load->workers[i], quota(load, i));
    for (const struct copy_dev *dev = copy_first(); dev; dev = dev->next)
        sum->devices++;
    sum->busy_tsc = sum->cpus * tsc - MIN(idle, sum->cpus * tsc);
    // Where nothing is posted, each MSI is an interrupt of its own.
    if (!irq_mode_posts(irq_get_mode()))
        sum->notifications = sum->msis;
}

// ---- set-up ----

// Of a half of the items, at any place.
static void make_difference(struct dsa_item *item, uint32_t bytes, uint64_t *random)
{
    memcpy(item->to, item->from, bytes);
    item->differs = random_below(random, 2);
    if (!item->differs)
        return;
    item->differs_at = (uint32_t)random_below(random, bytes);
    item->to[item->differs_at] ^= 1;
}

static void make_item(struct dsa_worker *w, const struct dsa_config *config, struct dsa_item *item,
                      uint8_t *memory, uint64_t *random)
{
    item->from = memory;
    item->to = memory + config->bs;
    for (uint32_t at = 0; at < config->bs; at++)
        item->from[at] = (uint8_t)random_below(random, 256);
    item->crc = crc32c(0, item->from, config->bs);
    if (config->op == COPY_COMPARE)
        make_difference(item, config->bs, random);
    item->req = (struct copy_req){
        .op = config->op,
        .bytes = config->bs,
        .from = item->from,
        .to = item->to,
        .pattern = random_below(random, UINT64_MAX),
        .dev = w->dev,
        .done = done,
        .arg = w,
    };
}

static struct dsa_worker *make_worker(struct dsa_load *load, unsigned number, struct copy_dev *dev,
                                      unsigned cpu)
{
    const struct dsa_config *config = &load->config;
    uint64_t random = number + 1;
    struct arena *arena = arena_of_run();
    struct dsa_worker *w = arena_alloc(arena, sizeof(*w), CACHE_LINE, cpu_node(cpu));
    uint8_t *memory =
        arena_alloc_dma(arena, 2ull * config->bs * config->iodepth, PAGE_BYTES, cpu_node(cpu));
    w->load = load;
    w->dev = dev;
    w->cpu = cpu;
    w->iodepth = config->iodepth;
    w->items = arena_alloc(arena, config->iodepth * sizeof(*w->items), CACHE_LINE, cpu_node(cpu));
    for (unsigned i = 0; i < config->iodepth; i++)
        make_item(w, config, &w->items[i], memory + 2ull * config->bs * i, &random);
    return w;
}

static struct copy_dev *device(unsigned number)
{
    struct copy_dev *dev = copy_first();
    while (dev && number--)
        dev = dev->next;
    return dev;
}

// Queues of CPUs that are in use, of all devices.
static unsigned count_queues(unsigned *devices)
{
    unsigned queues = 0;
    *devices = 0;
    for (const struct copy_dev *dev = copy_first(); dev; dev = dev->next) {
        queues += dev->queues;
        ++*devices;
    }
    return MIN(queues, (unsigned)DSA_WORKERS_MAX);
}

static bool check_device(const struct dsa_config *config, const struct copy_dev *dev,
                         struct problem *p)
{
    if (!(dev->ops & 1u << config->op))
        return problem_set(p, "dsa-op", "%s doesn't have the operation that op= asks for",
                           dev->name);
    if (config->batch > dev->batch_most)
        return problem_set(p, "dsa-batch", "batch=%u is more than %s takes together (%u)",
                           config->batch, dev->name, dev->batch_most);
    return config->bs <= dev->most ||
           problem_set(p, "dsa-bs", "bs=%u is more than %s takes at once (%u)", config->bs,
                       dev->name, dev->most);
}

// A device with fewer queues than others is passed over where it has none left.
static void make_workers(struct dsa_load *load, unsigned wqs, unsigned devices)
{
    for (unsigned cpu = 0; load->count < wqs; cpu++)
        for (unsigned n = 0; n < devices && load->count < wqs; n++) {
            struct copy_dev *dev = device(n);
            if (cpu < dev->queues) {
                load->workers[load->count] = make_worker(load, load->count, dev, cpu);
                load->count++;
            }
        }
}

bool dsa_load_open(struct dsa_load *load, struct problem *p)
{
    unsigned devices, queues = count_queues(&devices);
    unsigned wqs = load->config.wqs ? load->config.wqs : queues;
    load->count = 0;
    if (!devices)
        return problem_set(
            p, "dsa-none",
            "app=dsa needs an accelerator (Intel DSA) that can be used, and there is "
            "none; the warnings above say why");
    if (wqs > queues)
        return problem_set(
            p, "dsa-wqs",
            "wqs=%u are more than the %u work queues of %u accelerators: a CPU has one "
            "of each",
            wqs, queues, devices);
    for (const struct copy_dev *dev = copy_first(); dev; dev = dev->next)
        if (!check_device(&load->config, dev, p))
            return false;
    for (struct copy_dev *dev = copy_first(); dev; dev = dev->next)
        if (dev->set_batch)
            dev->set_batch(dev, load->config.batch);
    make_workers(load, wqs, devices);
    return true;
}
