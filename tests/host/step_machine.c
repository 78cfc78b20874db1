// SPDX-License-Identifier: BSD-2-Clause
// Local APICs, a remapping unit, and CPUs as actors.

#include "tests/host/step_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/irq/irq_entry.h"
#include "kernel/irq/posted.h"
#include "kernel/run/loop.h"
#include "kernel/x86/vectors.h"

static struct apic {
    uint64_t requested[4], in_service[4];
    bool halted;
    struct pi_desc watched; // as it was when MONITOR was set
    uint64_t timer_at;      // 0: never
} apics[ARRAY_SIZE(cpus)];

bool machine_stop;

// ---- the local APIC ----

static int highest(const uint64_t *set)
{
    for (int w = 3; w >= 0; w--)
        if (set[w])
            return w * 64 + 63 - __builtin_clzll(set[w]);
    return -1;
}

static void flip(uint64_t *set, unsigned vector)
{
    set[vector / 64] ^= BIT64(vector % 64);
}

static bool is_in(const uint64_t *set, unsigned vector)
{
    return set[vector / 64] & BIT64(vector % 64);
}

void machine_request(unsigned cpu, uint8_t vector)
{
    if (!is_in(apics[cpu].requested, vector))
        flip(apics[cpu].requested, vector);
}

static void send(uint32_t id, uint8_t vector)
{
    steps_drain(); // its fences
    step();
    for (unsigned i = 0; i < world.count; i++)
        if (cpus[i].apic_id == id)
            machine_request(i, vector);
}

static void eoi(void)
{
    int vector = highest(apics[world.current].in_service);
    assert_true(vector >= 0); // one EOI for each interrupt
    flip(apics[world.current].in_service, (unsigned)vector);
}

static void set_timer(uint64_t tsc)
{
    apics[world.current].timer_at = tsc;
}

void machine_use_timers(void)
{
    world.on_timer = set_timer;
}

uint64_t machine_timer(unsigned cpu)
{
    return apics[cpu].timer_at;
}

static void look_at_timer(struct apic *apic)
{
    if (!apic->timer_at || apic->timer_at > world.now_ns)
        return;
    apic->timer_at = 0;
    machine_request(world.current, VECTOR_TIMER);
}

// SDM vol. 3, 11.8.3.1: of a higher class than what is in service.
static int deliverable(void)
{
    struct apic *apic = &apics[world.current];
    look_at_timer(apic);
    int vector = highest(apic->requested);
    return vector >> 4 > highest(apic->in_service) >> 4 ? vector : -1;
}

static void handle(uint8_t vector)
{
    switch (vector) {
    case VECTOR_NOTIFY: // as isr.asm has it
        if (!cpus[world.current].only_wakes) {
            irq_take_notification();
            break;
        }
        cpus[world.current].stats.notifications++;
        eoi();
        break;
    case VECTOR_TIMER:
        irq_take_timer();
        break;
    case VECTOR_IPI:
        irq_take_ipi();
        break;
    case VECTOR_FAULT:
        irq_take_fault();
        break;
    default:
        irq_take_device(vector);
    }
}

int machine_accept(void)
{
    struct apic *apic = &apics[world.current];
    int vector = deliverable();
    if (vector < 0)
        return -1;
    steps_drain();
    flip(apic->requested, (unsigned)vector);
    flip(apic->in_service, (unsigned)vector);
    return vector;
}

static void take_interrupts(void)
{
    struct apic *apic = &apics[world.current];
    while (world.enabled && deliverable() >= 0) {
        int before = highest(apic->in_service), vector = machine_accept();
        world.enabled = false;
        handle((uint8_t)vector);
        assert_false(world.enabled);
        assert_int_equal(highest(apic->in_service), before); // it has sent its EOI
        world.enabled = true;
    }
}

static bool is_requested(uint8_t vector)
{
    step();
    return is_in(apics[world.current].requested, vector);
}

// ---- CPUs ----

// A store that came before MONITOR ends no MWAIT.
static void monitor(const volatile void *line)
{
    assert_ptr_equal(line, &this_cpu()->pi);
    memcpy(&apics[world.current].watched, &this_cpu()->pi, sizeof(struct pi_desc));
}

static bool is_woken(void)
{
    const struct pi_desc *watched = &apics[world.current].watched;
    return deliverable() >= 0 ||
           (irq_sleeps_by_mwait() && memcmp(watched, &this_cpu()->pi, sizeof(*watched)));
}

static void halt(void)
{
    struct apic *apic = &apics[world.current];
    apic->halted = true;
    steps_wait(is_woken);
    apic->halted = false;
    take_interrupts();
}

static void run_loop(void *arg)
{
    cpu_run_until(&machine_stop);
}

unsigned machine_cpu(unsigned cpu)
{
    return steps_add(cpu, run_loop, NULL);
}

// An entry is replaced by a locked instruction, so what was stored before is seen before it.
static void write_entry(void)
{
    steps_drain();
    step();
}

void machine_start(unsigned count, struct irq_config config)
{
    start_on(count, config);
    memset(apics, 0, sizeof(apics));
    machine_stop = false;
    world.on_halt = halt;
    world.interrupt = take_interrupts;
    world.on_send = send;
    world.on_eoi = eoi;
    world.on_monitor = monitor;
    world.is_requested = is_requested;
    world.on_route = write_entry;
    steps_begin(take_interrupts);
}

void machine_is_at_rest(void)
{
    for (unsigned i = 0; i < world.count; i++) {
        const struct cpu *cpu = &cpus[i];
        if (!cpu->online)
            continue;
        assert_true(apics[i].halted);
        assert_false(pi_any(&cpu->pi));
        assert_true(highest(apics[i].requested) < 0);
        assert_true(highest(apics[i].in_service) < 0);
        assert_null(cpu->inbox);
        for (unsigned w = 0; w < PI_WORDS; w++)
            assert_int_equal(cpu->ready[w], 0);
        bool watched = irq_get_mode() == IRQ_ADAPTIVE && irq_get_config()->mwait;
        assert_int_equal(cpu->pi.control & (PI_CONTROL_ON | PI_CONTROL_SN),
                         watched ? PI_CONTROL_SN : 0);
    }
}

// ---- devices ----

// VT-d 5.2.3: the bit, then ON, then the notification; others may come in between.
static void post_by_unit(unsigned cpu, uint8_t vector, bool urgent)
{
    struct pi_desc *d = &cpus[cpu].pi;
    atomic_fetch_or(&d->pir[vector / 64], BIT64(vector % 64));
    step();
    uint64_t control = atomic_load(&d->control);
    if (control & PI_CONTROL_ON || (control & PI_CONTROL_SN && !urgent))
        return;
    atomic_store(&d->control, control | PI_CONTROL_ON);
    step();
    machine_request(cpu, VECTOR_NOTIFY);
}

void machine_send(struct irq *irq)
{
    const struct world_route *route = &world.routes[irq->chip_handle];
    if (route->posted)
        post_by_unit(route->to.cpu, route->to.vector, irq->urgent);
    else
        machine_request(route->to.cpu, route->to.vector);
}

static void send_one(void *irq)
{
    machine_send(irq);
}

unsigned machine_device(struct irq *irq)
{
    return steps_add(STEPS_NO_CPU, send_one, irq);
}
