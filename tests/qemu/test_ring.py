# SPDX-License-Identifier: BSD-2-Clause
"""app=selftest test=ring: all that a program may do in ring 3 ends its stay there, and nothing else."""

from conftest import launch


def test_ring_3_is_left_in_order(boot):
    run = boot("app=selftest test=ring", cpus=3).ended_well()
    test = run.one("test", name="ring")
    assert (test["status"], test["failed"]) == ("ok", 0)
    assert test["passed"] == test["cases"] > 45
    assert min(test["timers"], test["messages"], test["nmis"]) >= 50
    run.check_stacks()
