// SPDX-License-Identifier: BSD-2-Clause
// NUMA: an irq, and what it counts, lie on the node of the CPU that it is allocated for.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/host/irq_world.h"

static void irqs_lie_with_their_cpus(void **state)
{
    start(IRQ_POSTED);
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        const struct irq *irq = new_irq(cpu, 1);
        assert_int_equal(world_node_of(irq), WORLD_NODE(cpu));
        assert_int_equal(world_node_of(irq->counts), WORLD_NODE(cpu));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(irqs_lie_with_their_cpus) };
    return cmocka_run_group_tests_name("irq, nodes", tests, NULL, NULL);
}
