// SPDX-License-Identifier: BSD-2-Clause
// The model's registers, portals and engines, and its machine.

#include <setjmp.h>
#include <stdarg.h>

#include "tests/host/dsa_model_parts.h"

#include "drivers/dsa/portal.h"
#include "kernel/base/percpu.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/run/loop.h"
#include "kernel/x86/time.h"
#include "lib/bits.h"
#include "lib/crc32c.h"
#include "lib/json.h"
#include "tests/host/pci_fixture.h"

#include <cmocka.h>

#define MSIX_TABLE 0x4000
#define REGISTERS(n) (0x200000000000ull + (uint64_t)(n) * 0x1000000)
#define PORTALS(n) (REGISTERS(n) + 0x800000)

static struct dsa_model models[4];
static unsigned models_count;
static bool movdir64b;
static const struct model_piece *before_driver; // the memory that was given out by then
struct dsa_told told;

// ---- what the driver tells ----

void info(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(told.info, sizeof(told.info), fmt, args);
    va_end(args);
    told.infos++;
}

void report_json(struct json *j)
{
    const char *text = json_end(j);
    assert_non_null(text);
    snprintf(told.json, sizeof(told.json), "%s", text);
}

void time_delay_ns(uint64_t ns)
{
}

uint64_t mem_phys(const volatile void *virt)
{
    return (uint64_t)(uintptr_t)virt;
}

void cpu_begin_batch(void)
{
}

static void note_warnings(void)
{
    told.warnings = model.warnings;
    memcpy(told.warning, model.warning, sizeof(model.warning));
    memcpy(told.warning_what, model.warning_what, sizeof(model.warning_what));
}

static struct cpuid processor(uint32_t leaf, uint32_t sub)
{
    struct cpuid r = { .a = 7 };
    r.c = leaf == 7 && movdir64b ? BIT32(28) : 0;
    return r;
}

// ---- registers ----

void dsa_model_set(struct dsa_model *m, unsigned at, uint64_t value, unsigned bytes)
{
    put(m, at, value, bytes);
}

uint64_t dsa_model_get(const struct dsa_model *m, unsigned at, unsigned bytes)
{
    return get(m, at, bytes);
}

static struct model_fn *function(const struct dsa_model *m)
{
    return model_find(0, m->bdf);
}

void dsa_model_config(struct dsa_model *m, unsigned at, uint32_t value, unsigned bytes)
{
    model_set(function(m), at, value, bytes);
}

bool dsa_model_is_master(const struct dsa_model *m)
{
    return function(m)->space[0x04] & 4;
}

// ---- interrupts ----

// Of an entry that isn't masked, by a function that may.
static void signal(struct dsa_model *m, unsigned entry)
{
    const struct model_fn *f = function(m);
    uint32_t words[4];
    memcpy(words, m->space + MSIX_TABLE + 16 * entry, sizeof(words));
    if ((model_get(f, 0x82, 2) & 0xc000) != 0x8000 || !dsa_model_is_master(m) || words[3] & 1 ||
        m->silent)
        return;
    m->interrupts++;
    assert_int_equal(words[0] >> 20, 0xfee);
    const struct world_route *route = &world.routes[(words[0] - 0xfee00000) % 32];
    unsigned was = world.current;
    world.current = route->to.cpu;
    if (route->posted)
        post(route->to.cpu, route->to.vector);
    else
        irq_take_device(route->to.vector);
    world.current = was;
}

void dsa_model_cause(struct dsa_model *m, uint32_t causes)
{
    put(m, 0x98, get(m, 0x98, 4) | causes, 4);
    signal(m, 0);
}

static void software_error(struct dsa_model *m, unsigned code, unsigned wq, uint64_t address)
{
    if (m->space[0xc0] & 1) {
        m->space[0xc0] |= 2;
    } else {
        put(m, 0xc0, 1 | 8 | code << 8 | wq << 16, 8);
        put(m, 0xd0, address, 8);
    }
    if (m->space[0x88] & 1)
        dsa_model_cause(m, 1);
    else
        put(m, 0x98, get(m, 0x98, 4) | 1, 4);
}

void dsa_model_halt(struct dsa_model *m, unsigned reset)
{
    put(m, 0x90, 3 | reset << 2, 4);
    if (m->space[0x88] & 2)
        dsa_model_cause(m, 0x10);
}

// ---- engines ----

struct record {
    uint8_t status, result;
    uint16_t reserved;
    uint32_t bytes;
    uint64_t fault;
    uint32_t value[4];
};

static uint8_t execute(struct dsa_model *m, const uint64_t *w, struct record *r)
{
    uint32_t bytes = (uint32_t)w[4];
    uint8_t *from = (uint8_t *)(uintptr_t)w[2], *to = (uint8_t *)(uintptr_t)w[3];
    switch (w[0] >> 56) {
    case 0:
        return 1;
    case 3:
        memmove(to, from, bytes);
        return 1;
    case 4:
        for (uint32_t i = 0; i < bytes; i++)
            to[i] = (uint8_t)(w[2] >> 8 * (i % 8));
        return 1;
    case 5:
        while (r->bytes < bytes && from[r->bytes] == to[r->bytes])
            r->bytes++;
        r->result = r->bytes < bytes;
        r->bytes = r->result ? r->bytes : 0;
        if (m->differs_at) {
            r->result = 1;
            r->bytes = m->differs_at;
        }
        return 1;
    case 16:
        r->value[0] = crc32c((uint32_t)w[5], from, bytes) ^ m->garbage;
        return 1;
    default:
        return 0x10;
    }
}

static bool is_handle(const struct dsa_model *m, unsigned handle, unsigned *entry)
{
    *entry = handle;
    if (!(get(m, 0xb0, 4) & BIT32(13)))
        return handle < MODEL_VECTORS;
    for (*entry = 0; *entry < MODEL_VECTORS; ++*entry)
        if (m->handles[*entry] == handle && handle)
            return true;
    return false;
}

// A record of its own, and no interrupt.
static bool execute_member(struct dsa_model *m, const uint64_t *w, bool bad)
{
    struct record *at = (struct record *)(uintptr_t)w[1], r = { 0 };
    assert_int_equal(w[1] % 32, 0);
    assert_int_equal(w[0] >> 32 & 0x1c, 0x0c);
    assert_int_equal(w[4] >> 32 & 0xffff, 0);
    assert_int_equal(at->status, 0);
    r.status = bad ? 0x20 : m->status ? m->status : execute(m, w, &r);
    *at = r;
    m->members++;
    return r.status == 1;
}

static uint8_t execute_batch(struct dsa_model *m, unsigned wq, const uint64_t *w, struct record *r)
{
    const uint64_t *list = (const uint64_t *)(uintptr_t)w[2];
    unsigned count = (uint32_t)w[4], most = m->batch_end ? m->batch_end : count;
    bool good = true;
    assert_int_equal(w[2] % 64, 0);
    assert_in_range(count, 2, 1u << (get(m, WQS + 32 * wq + 0x0c, 4) >> 5 & 0xf));
    for (r->bytes = 0; r->bytes < MIN(count, most); r->bytes++)
        good &= execute_member(m, list + 8 * r->bytes, r->bytes + 1 == m->bad_member);
    m->batches++;
    if (r->bytes < count)
        r->fault = w[2] + 64ull * r->bytes;
    return r->bytes < count ? 0x06 : good ? 1 : 0x05;
}

static uint8_t execute_any(struct dsa_model *m, unsigned wq, const uint64_t *w, struct record *r)
{
    if (w[0] >> 56 == 1)
        return execute_batch(m, wq, w, r);
    return m->status ? m->status : execute(m, w, r);
}

static void complete(struct dsa_model *m, unsigned wq, const uint64_t *w)
{
    struct record *at = (struct record *)(uintptr_t)w[1], r = { 0 };
    unsigned entry;
    bool good_handle = is_handle(m, w[4] >> 32 & 0xffff, &entry);
    assert_int_equal(w[1] % 32, 0);
    assert_int_equal(w[0] >> 32 & 0x1c, 0x1c);
    m->completed++;
    if (m->no_records) {
        software_error(m, 0x1a, wq, w[1]);
        return;
    }
    r.status = !good_handle ? 0x19 : execute_any(m, wq, w, &r);
    assert_int_equal(at->status, 0); // software has cleared it
    *at = r;
    if (good_handle)
        signal(m, entry);
    else
        software_error(m, 0x19, wq, 0);
}

static struct dsa_word take(struct dsa_model *m, unsigned wq)
{
    unsigned last = --m->count[wq];
    if (m->backwards)
        return m->queue[wq][(m->head[wq] + last) % MODEL_ENTRIES];
    return m->queue[wq][m->head[wq]++ % MODEL_ENTRIES];
}

void dsa_model_work_off(struct dsa_model *m, unsigned wq)
{
    while (m->count[wq]) {
        struct dsa_word w = take(m, wq);
        complete(m, wq, w.words);
    }
}

unsigned dsa_model_work(struct dsa_model *m, unsigned most)
{
    unsigned done = 0;
    for (unsigned wq = 0; wq < MODEL_WQS; wq++)
        while (m->count[wq] && done < most && state(m) == 1) {
            struct dsa_word w = take(m, wq);
            done++;
            complete(m, wq, w.words);
        }
    return done;
}

// ---- portals ----

static void submit(struct dsa_model *m, uint64_t at, const uint64_t *line)
{
    unsigned wq = (unsigned)(at / 0x4000);
    assert_int_equal(at / 0x1000 % 4, 0); // the unlimited one
    m->submitted++;
    if (state(m) != 1 || wq_state(m, wq) != 1 || m->count[wq] >= wq_size(m, wq)) {
        m->dropped++;
        software_error(m, 0x53, wq, 0);
        return;
    }
    memcpy(&m->queue[wq][(m->head[wq] + m->count[wq]++) % MODEL_ENTRIES], line, 64);
}

static void store(struct dsa_model *m, uint64_t at, uint64_t value, unsigned bytes)
{
    assert_false(movdir64b);
    assert_int_equal(bytes, 8);
    assert_int_equal(at / 8 % 8, m->stores);
    m->line[m->stores++] = value;
    if (m->stores < 8)
        return;
    m->stores = 0;
    submit(m, at & ~63ull, m->line);
}

// ---- accesses ----

static void write_register(struct dsa_model *m, uint64_t at, uint64_t value, unsigned bytes)
{
    bool table = (at >= GROUPS && at < GROUPS + 0x100) || (at >= WQS && at < WQS + 0x100);
    if (table && !m->lenient)
        assert_int_equal(state(m), 0);
    if (at == 0xa0)
        dsa_model_command(m, (uint32_t)value);
    else if (at == 0x98)
        put(m, 0x98, get(m, 0x98, 4) & ~value, 4);
    else if (at == 0xc0)
        m->space[0xc0] &= (uint8_t)~(value & 3);
    else if (m->lenient || table || at == 0x88 || at == 0x80 || at >= MSIX_TABLE ||
             (at >= PERMISSIONS && at < PERMISSIONS + 0x100))
        put(m, (unsigned)at, value, bytes);
    else
        fail_msg("a write to register %#llx", (unsigned long long)at);
}

static bool device(uint64_t phys, uint64_t *value, unsigned bytes, bool write)
{
    for (unsigned i = 0; i < models_count; i++) {
        struct dsa_model *m = &models[i];
        if (phys >= m->registers && phys - m->registers < sizeof(m->space)) {
            if (write)
                write_register(m, phys - m->registers, *value, bytes);
            else
                *value = get(m, (unsigned)(phys - m->registers), bytes);
            return true;
        }
        if (phys >= m->portals && phys - m->portals < MODEL_WQS * 0x4000) {
            assert_true(write);
            store(m, phys - m->portals, *value, bytes);
            return true;
        }
    }
    return false;
}

void mmio_model_write_line(volatile void *to, const void *line)
{
    uint64_t phys = model_check(to, 64);
    assert_true(movdir64b);
    for (unsigned i = 0; i < models_count; i++)
        if (phys >= models[i].portals && phys - models[i].portals < MODEL_WQS * 0x4000)
            return submit(&models[i], phys - models[i].portals, line);
    fail_msg("a line was written to %#llx", (unsigned long long)phys);
}

// ---- the machine ----

void dsa_set_movdir64b(bool there)
{
    movdir64b = there;
}

void dsa_machine(enum irq_mode mode, unsigned count)
{
    dsa_shutdown();
    start_on(count, (struct irq_config){ .mode = mode });
    world.on_send = world_take;
    world.time_passes = true;
    model_free_memory(before_driver);
    model_reset();
    memset(models, 0, sizeof(models));
    memset(&told, 0, sizeof(told));
    models_count = 0;
    cpuid_model = processor;
    movdir64b = true;
    model_segment(0, ECAM, 0, 0);
    model.device = device;
}

void dsa_end_machine(void)
{
    world.current = 0;
    dsa_shutdown();
    while (irq_first())
        irq_free(irq_first());
    model_reset();
    models_count = 0;
    cpuid_model = NULL;
}

static void set_capabilities(struct dsa_model *m)
{
    put(m, 0x00, 0x100, 4);
    put(m, 0x10, BIT64(31) | BIT64(4) | BIT64(2) | 31 << 16 | 10 << 21, 8);
    put(m, 0x20, BIT64(49) | MODEL_WQS << 16 | MODEL_ENTRIES, 8);
    put(m, 0x30, BIT64(16) | 96 << 8 | 4, 8);
    put(m, 0x38, 4, 8);
    put(m, 0x40, BIT64(0) | BIT64(1) | BIT64(3) | BIT64(4) | BIT64(5) | BIT64(16), 8);
    put(m, 0x60, GROUPS / 256 | WQS / 256 << 16 | (uint64_t)PERMISSIONS / 256 << 32, 8);
    put(m, 0xb0, 0x17fe, 4);
}

struct dsa_model *dsa_model_new(void)
{
    unsigned n = models_count++;
    struct dsa_model *m = &models[n];
    m->number = n;
    m->bdf = PCI_BDF(0, 4 + n, 0);
    m->registers = REGISTERS(n);
    m->portals = PORTALS(n);
    struct model_fn *f = model_add(0, m->bdf, 0x088000);
    model_set(f, 0, 0x8086 | 0x0b25u << 16, 4);
    model_set(f, 0x04, 0x0002, 2);
    model_bar64(f, 0, m->registers, sizeof(m->space));
    model_bar64(f, 2, m->portals, MODEL_WQS * 0x4000);
    model_cap(f, 0x90, 0x10);
    model_set(f, 0x92, 2 | 9 << 4, 2);
    model_msix(f, 0x80, MODEL_VECTORS, 0, MSIX_TABLE);
    set_capabilities(m);
    return m;
}

void dsa_boot(const char *words)
{
    static struct cmdline c;
    const struct option *tables[] = { dsa_options };
    struct problem p;
    assert_true(cmdline_parse(words, tables, 1, false, &c, &p));
    assert_true(pci_init(&p));
    pci_stop_masters();
    before_driver = model_pieces;
    dsa_init(&c);
    note_warnings();
}

static unsigned run_cpu(unsigned cpu)
{
    unsigned was = world.current, did;
    world.current = cpu;
    did = cpu_run_messages(this_cpu());
    did += irq_poll();
    did += cpu_run_timers(this_cpu());
    loop_flush();
    world.current = was;
    return did;
}

void dsa_run_cpus(void)
{
    bool again = true;
    for (unsigned round = 0; round < 10000 && again; round++) {
        again = false;
        for (unsigned cpu = 0; cpu < world.count; cpu++)
            again |= run_cpu(cpu) > 0;
    }
    assert_false(again);
    note_warnings();
}

void dsa_second(void)
{
    world.now_ns += NS_PER_S;
    cpus[0].timer_due = true;
    dsa_run_cpus();
}
