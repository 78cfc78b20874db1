// SPDX-License-Identifier: BSD-2-Clause
// The chip without remapping hardware: which CPUs a plain MSI can reach (SDM vol. 3, 11.11: eight
// bits of id, and 255 means all CPUs), and what its message says.

#include "irq_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

// The irq is at CPU 0 still; it goes to CPU 1.
static struct irq irq = { .name = "nvme0q1", .cpu = 0, .vector = 0x33 };

static bool route_to(uint32_t id, uint8_t vector, struct problem *p)
{
    start(IRQ_MSI);
    cpus[0].apic_id = 7;
    cpus[1].apic_id = id;
    irq.chip = &irq_chip_msi;
    return irq_chip_msi.route(&irq, (struct irq_place){ 1, vector }, p);
}

static void reaches_ids_to_254(void **state)
{
    static const uint32_t more[] = { 256 + 7, 511, 0x10007, 0x80000000, UINT32_MAX };
    struct problem p;
    for (uint32_t id = 0; id < 600; id++) {
        bool ok = route_to(id, 0x41, &p);
        assert_int_equal(ok, id <= 254);
        if (!ok)
            assert_string_equal(p.what, "msi-apic-id");
    }
    for (size_t i = 0; i < ARRAY_SIZE(more); i++)
        assert_false(route_to(more[i], 0x41, &p));
    assert_non_null(strstr(p.message, "APIC id 4294967295 of CPU 1"));
}

// A CPU that can't be reached is refused wherever the irq is now.
static void refuses_by_the_new_cpu(void **state)
{
    struct problem p;
    start(IRQ_MSI);
    cpus[0].apic_id = 300;
    cpus[1].apic_id = 7;
    assert_true(irq_chip_msi.route(&irq, (struct irq_place){ 1, 0x41 }, &p));
    assert_false(irq_chip_msi.route(&irq, (struct irq_place){ 0, 0x41 }, &p));
}

static void message_names_cpu_and_vector(void **state)
{
    struct problem p;
    struct msi_msg msg;
    for (uint32_t id = 0; id <= 254; id++)
        for (unsigned vector = 0x20; vector < 0x100; vector += 31) {
            assert_true(route_to(id, (uint8_t)vector, &p));
            irq_chip_msi.compose(&irq, (struct irq_place){ 1, (uint8_t)vector }, &msg);
            assert_int_equal(msg.address, 0xfee00000 + (id << 12)); // physical, no redirection
            assert_int_equal(msg.data, vector);                     // fixed, edge
        }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reaches_ids_to_254),
        cmocka_unit_test(refuses_by_the_new_cpu),
        cmocka_unit_test(message_names_cpu_and_vector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
