// SPDX-License-Identifier: BSD-2-Clause
// The whole, but for hardware: the NVMe driver finds the disks that VMDs hide and reads them, with the
// interrupts that it waits for coming by each way that there is. PCI, IRQ core, VMD and NVMe drivers are
// real; registers are models.

#include "drivers/nvme/nvme.h"
#include "kernel/base/percpu.h"
#include "kernel/cpu/work.h"
#include "kernel/irq/irq_entry.h"
#include "kernel/run/block.h"
#include "kernel/run/loop.h"
#include "kernel/x86/vectors.h"
#include "tests/host/behind_drives.h"
#include "tests/host/irq_world.h"
#include "tests/host/vmd_model.h"

#define CPUS 3
#define DRIVES 3
#define BLOCK 512

static struct {
    struct model *nvme;
    const struct vmd_drive *pci;
} drives[4 * DRIVES];
static unsigned drives_count;
static char last_error[300];

uint64_t mem_phys(const volatile void *virt)
{
    return (uint64_t)virt;
}

void error_problem(const struct problem *p)
{
    snprintf(last_error, sizeof(last_error), "%s: %s", p->what, p->message);
}

// ---- hardware ----

static uint16_t command_of(unsigned drive)
{
    return (uint16_t)model_get(drives[drive].pci->fn, 0x04, 2);
}

// DMA needs all on the way up to be bus masters.
static uint16_t command_upstream(unsigned drive)
{
    const struct vmd_drive *d = drives[drive].pci;
    bool all = vmd_is_master(d->port) && vmd_is_master(d->vmd->fn);
    return all ? command_of(drive) : command_of(drive) & (uint16_t)~4;
}

static bool device(uint64_t phys, uint64_t *value, unsigned bytes, bool write)
{
    for (unsigned i = 0; i < drives_count; i++) {
        uint64_t offset = phys - drives[i].pci->base;
        if (offset >= DRIVE_TABLE)
            continue;
        if (write)
            drive_write(drives[i].nvme, command_upstream(i), offset, *value, bytes);
        else
            *value = drive_read(drives[i].nvme, command_upstream(i), offset, bytes);
        return true;
    }
    return false;
}

static void arrive(uint32_t handle)
{
    unsigned was = world.current;
    const struct world_route *route = &world.routes[handle % 32];
    if (route->posted) {
        post(route->to.cpu, route->to.vector);
    } else {
        world.current = route->to.cpu;
        irq_take_device(route->to.vector);
    }
    world.current = was;
}

static void drives_work(void)
{
    unsigned entry;
    struct vmd_msi msi;
    for (unsigned i = 0; i < drives_count; i++) {
        if (command_upstream(i) & 4)
            drive_work(drives[i].nvme, command_upstream(i));
        while (drive_signals(drives[i].nvme, &entry))
            if (vmd_signal(drives[i].pci, entry, &msi)) {
                assert_int_equal(msi.requester, drives[i].pci->vmd->fn->bdf);
                arrive(msi.address - 0xfee00000);
            }
    }
}

// A round of each CPU's loop, without timers: the watch finds no completion that an MSI doesn't tell.
static void run_all(void)
{
    for (world.current = 0; world.current < world.count; world.current++) {
        irq_poll();
        cpu_run_messages(this_cpu());
        irq_poll();
        loop_flush();
    }
    world.current = 0;
    drives_work();
}

// ---- a machine ----

static void power_on(enum irq_mode mode)
{
    drives_count = 0;
    last_error[0] = 0;
    vmd_machine();
    start_on(CPUS, (struct irq_config){ .mode = mode });
    world.time_passes = true;
    world.on_send = world_take;
    model.device = device;
}

static struct vmd_drive *add_drive(struct vmd_fn *v)
{
    struct vmd_drive *d = vmd_add_drive(v);
    drives[drives_count].nvme = drive_new(drives_count, DRIVE_VECTORS);
    drives[drives_count++].pci = d;
    return d;
}

// The driver keeps the disks of earlier machines: the last one of those.
static struct block_dev *earlier;

static void boot(void)
{
    for (struct block_dev *b = block_first(); b; b = b->next)
        earlier = b;
    vmd_boot();
    nvme_init();
}

static struct block_dev *disk(unsigned index)
{
    struct block_dev *b = earlier ? earlier->next : block_first();
    while (b && index--)
        b = b->next;
    return b;
}

static void shut_down(void)
{
    world.current = 0;
    nvme_shutdown();
    for (unsigned i = 0; i < drives_count; i++)
        assert_false(vmd_is_master(drives[i].pci->fn));
    vmd_shutdown();
    for (unsigned i = 0; i < vmd_fns_count; i++)
        assert_false(vmd_is_master(vmd_fns[i].fn));
    while (irq_first())
        irq_free(irq_first());
}

// ---- reads ----

struct read {
    struct block_req req;
    unsigned submitted, ended; // on which CPU
    bool done;
    uint8_t buffer[8 * BLOCK] __attribute__((aligned(4096)));
};

static void read_done(struct block_req *req)
{
    struct read *r = container_of(req, struct read, req);
    r->done = true;
    r->ended = world.current;
}

static void submit(struct read *r, struct block_dev *dev, unsigned cpu, uint64_t lba)
{
    r->done = false;
    r->submitted = cpu;
    r->req = (struct block_req){ .dev = dev,
                                 .op = BLOCK_READ,
                                 .lba = lba,
                                 .blocks = 8,
                                 .buffer = r->buffer,
                                 .done = read_done };
    memset(r->buffer, 0, sizeof(r->buffer));
    world.current = cpu;
    block_submit(&r->req);
    world.current = 0;
}

static void ends_well(const struct read *r)
{
    for (unsigned round = 0; round < 10 && !r->done; round++)
        run_all();
    if (!r->done)
        fail_msg("%s, CPU %u: no interrupt came", r->req.dev->name, r->submitted);
    assert_int_equal(r->req.status, BLOCK_OK);
    assert_int_equal(r->ended, r->submitted);
    assert_true(drive_holds(r->req.lba * BLOCK, r->buffer, sizeof(r->buffer)));
}

static struct read reads[4 * DRIVES][CPUS];

static void read_on_each(void (*step)(unsigned drive, unsigned cpu))
{
    for (unsigned drive = 0; drive < drives_count; drive++)
        for (unsigned cpu = 0; cpu < CPUS; cpu++)
            step(drive, cpu);
}

static void begin_read(unsigned drive, unsigned cpu)
{
    submit(&reads[drive][cpu], disk(drive), cpu, 100 * drive + 10 * cpu);
}

static void end_read(unsigned drive, unsigned cpu)
{
    ends_well(&reads[drive][cpu]);
}

static void read_one(unsigned drive, unsigned cpu)
{
    begin_read(drive, cpu);
    end_read(drive, cpu);
}

// All at once, then one after the other.
static void read_all(void)
{
    read_on_each(begin_read);
    read_on_each(end_read);
    read_on_each(read_one);
}

// ---- tests ----

static const enum irq_mode modes[] = { IRQ_REMAPPED, IRQ_POSTED, IRQ_ADAPTIVE, IRQ_POLL };

static void assert_no_complaint(void)
{
    if (last_error[0])
        fail_msg("%s", last_error);
    if (model.warnings)
        fail_msg("%s", model.warning);
    assert_int_equal(world.errors, 0);
}

// By the VMD's id, its MSI-X table's size and whether MSIs pass it by.
static void reads_by_each_way(void **state)
{
    static const struct {
        unsigned device, vectors;
    } ways[] = { { 0x28c0, 8 }, { 0x201d, 16 }, { 0x201d, CPUS }, { 0x201d, 2 },
                 { 0x201d, 1 }, { 0x9a0b, 4 },  { 0x9a0b, 2 } };
    for (size_t way = 0; way < ARRAY_SIZE(ways); way++)
        for (size_t mode = 0; mode < ARRAY_SIZE(modes); mode++) {
            power_on(modes[mode]);
            struct vmd_fn *v = vmd_new(ways[way].device, ways[way].vectors, 0);
            for (unsigned i = 0; i < DRIVES; i++)
                add_drive(v);
            boot();
            assert_no_complaint();
            read_all();
            assert_no_complaint();
            shut_down();
        }
}

static void several_vmds(void **state)
{
    static const uint16_t ids[] = { 0x201d, 0x28c0, 0x9a0b };
    power_on(IRQ_ADAPTIVE);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        struct vmd_fn *v = vmd_new(ids[i], 3, 0);
        for (unsigned n = 0; n < 2; n++)
            add_drive(v);
    }
    boot();
    assert_no_complaint();
    read_all();
    shut_down();
}

// ---- moves ----

static bool moved_well;

static void moved(struct irq_move *move)
{
    moved_well = move->ok;
}

static struct irq *some_irq(unsigned index)
{
    unsigned count = 0;
    for (const struct irq *irq = irq_first(); irq; irq = irq->next)
        count++;
    struct irq *irq = irq_first();
    for (index %= count; index; index--)
        irq = irq->next;
    return irq;
}

// Any irq, a drive's or the VMD's own, goes anywhere while reads are in flight; each read ends. A queue
// that has moved is its new CPU's: the read comes back to who submitted it.
static void moves_under_load(void **state)
{
    for (size_t mode = 0; mode < ARRAY_SIZE(modes); mode++)
        for (unsigned vectors = 1; vectors <= 4; vectors++) {
            power_on(modes[mode]);
            struct vmd_fn *v = vmd_new(0x201d, vectors, 0);
            for (unsigned i = 0; i < DRIVES; i++)
                add_drive(v);
            boot();
            assert_no_complaint();
            srand(vectors);
            for (unsigned n = 0; n < 300; n++) {
                static struct irq_move move;
                struct read *r = &reads[n % DRIVES][n % CPUS];
                struct irq *irq = some_irq((unsigned)rand());
                submit(r, disk(n % DRIVES), n % CPUS, n);
                if (rand() % 2)
                    drives_work(); // its MSI is under way
                move =
                    (struct irq_move){ .irq = irq, .to = (unsigned)rand() % CPUS, .done = moved };
                moved_well = false;
                irq_set_affinity(&move);
                ends_well(r);
                for (unsigned round = 0; round < 10 && !moved_well; round++)
                    run_all();
                if (!moved_well)
                    fail_msg("%s", move.problem.message);
            }
            read_all();
            assert_no_complaint();
            shut_down();
        }
}

// ---- what firmware left undone ----

static void unassigned_drive(void **state)
{
    power_on(IRQ_ADAPTIVE);
    struct vmd_fn *v = vmd_new(0x201d, 8, 0);
    model_bar64(add_drive(v)->fn, 0, 0, DRIVE_BYTES);
    add_drive(v);
    boot();
    assert_non_null(strstr(last_error, "pci-bar: 10000:01:00.0: BAR 0"));
    drives[0] = drives[1];
    drives_count = 1;
    read_all();
    shut_down();
}

static void outside_of_the_window(void **state)
{
    power_on(IRQ_ADAPTIVE);
    struct vmd_fn *v = vmd_new(0x201d, 8, 0);
    model_bar64(add_drive(v)->fn, 0, 0x90000000, DRIVE_BYTES);
    add_drive(v);
    boot();
    assert_non_null(strstr(last_error, "pci-bar-hidden: 10000:01:00.0: BAR 0"));
    drives[0] = drives[1];
    drives_count = 1;
    read_all();
    shut_down();
}

// No queue of theirs can be urgent where MSIs are taken: they go without.
static void no_urgent_queues(void **state)
{
    power_on(IRQ_ADAPTIVE);
    struct vmd_fn *v = vmd_new(0x201d, 8, 0);
    add_drive(v);
    nvme_set_urgent(true);
    boot();
    nvme_set_urgent(false);
    assert_string_equal(last_error, "");
    assert_int_equal(model.warnings, 1);
    assert_string_equal(model.warning_what, "nvme-fewer-queues");
    assert_non_null(strstr(model.warning, "of 6 I/O queues it has 3"));
    assert_non_null(strstr(model.warning, "it can't be urgent"));
    read_all();
    shut_down();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_by_each_way),     cmocka_unit_test(several_vmds),
        cmocka_unit_test(moves_under_load),      cmocka_unit_test(unassigned_drive),
        cmocka_unit_test(outside_of_the_window), cmocka_unit_test(no_urgent_queues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
