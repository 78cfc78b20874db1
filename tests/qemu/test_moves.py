# SPDX-License-Identifier: BSD-2-Clause
"""Nothing is lost while irqs move between CPUs, while they change between posted and remapped, while
irq= changes, and while CPUs leave and come back, under full load.

ONEBELL_FULL=1 runs the full counts: some 25 minutes on two cores.
"""
import pytest

from conftest import FULL, full, stamped

MOVES = CHANGES = 20_000 if FULL else 500
MODES = 1_000 if FULL else 50
SINGLE = 2_000 if FULL else 500
SINGLE_MODES = 2_000 if FULL else 125  # each of which takes as long as four of the others
ROUNDS = 1_000 if FULL else 15
SECONDS = 900 if FULL else 90


def check(run, name, steps, count):
    run.ended_well()
    test = run.one("test")
    assert (test["name"], test["ok"], test["status"]) == (name, True, "ok")
    assert (test[steps], test["failed"]) == (count, 0)
    # More than what is in flight at once: how many, a busy host decides.
    in_flight = 32 * run.one("platform")["cpus"] * len(run.of("nvme"))
    assert test["ios"] == test["submitted"] > in_flight
    assert (test["errors"], test["verify_errors"], test["verify"]) == (0, 0, "crc32c")
    assert f"{count:,} {steps} under {test['ios']:,} reads" in run.line(f"^selftest {name}: ok: ")
    assert not any(run.model["faults"].values())
    return test


@pytest.mark.timeout(4 * SECONDS)
@pytest.mark.parametrize("mode", ["posted", "adaptive", "remapped"])
def test_irqs_move(boot, mode):
    run = boot(f"app=selftest test=moves moves={MOVES} irq={mode} verify=crc32c",
               cpus=4, disks=stamped(4), deadline=SECONDS)
    assert check(run, "moves", "moves", MOVES)["irq"] == mode


@pytest.mark.timeout(4 * SECONDS)
@pytest.mark.parametrize("mode", ["posted", *full("adaptive")])
def test_delivery_changes(boot, mode):
    run = boot(f"app=selftest test=delivery changes={CHANGES} irq={mode} verify=crc32c",
               cpus=4, disks=stamped(4), deadline=SECONDS)
    assert check(run, "delivery", "changes", CHANGES)["irq"] == mode
    assert min(run.model["posted"], run.model["passed"]) > CHANGES // 10  # it went both ways


@pytest.mark.timeout(4 * SECONDS)
@pytest.mark.parametrize("mode, words", [("remapped", ""), ("adaptive", "idle=mwait posted.window=100"),
                                         ("adaptive", "nvme.urgent=1")])
def test_the_mode_changes(boot, mode, words):
    run = boot(f"app=selftest test=modes modes={MODES} irq={mode} {words} verify=crc32c",
               cpus=4, disks=stamped(4), deadline=SECONDS)
    check(run, "modes", "modes", MODES)
    assert min(run.model["posted"], run.model["passed"]) > MODES  # by all of them


@pytest.mark.timeout(4 * SECONDS)
def test_the_mode_changes_while_irqs_move_and_cpus_leave(boot):
    run = boot(f"app=selftest test=all rounds={ROUNDS} irq=posted verify=crc32c",
               cpus=4, disks=stamped(4), deadline=SECONDS)
    test = check(run, "all", "rounds", ROUNDS)
    assert test["moves"] > ROUNDS
    assert test["modes"] > ROUNDS // 4


def test_a_mode_that_the_platform_lacks_is_named(boot):
    boot("app=selftest test=modes irq=remapped", disks=stamped(1), model=False).failed(
        "irq-mode", "can't change to posted: CAP.PI", "fed90000")


@pytest.mark.parametrize("test, steps, mode", [
    ("moves", "moves", "posted"), ("delivery", "changes", "adaptive"), ("modes", "modes", "posted"),
    *full(("moves", "moves", "adaptive"), ("delivery", "changes", "posted"), ("modes", "modes", "adaptive"))])
def test_no_later_interrupt_helps(boot, test, steps, mode):
    """One read at a time: where its interrupt is missed, no other one serves it."""
    count = SINGLE_MODES if test == "modes" else SINGLE
    run = boot(f"app=selftest test={test} {steps}={count} iodepth=1 nvme.timeout=4s irq={mode} "
               "verify=crc32c", cpus=4, disks=stamped(4)).ended_well()
    result = run.one("test")
    assert (result[steps], result["failed"]) == (count, 0)
    assert result["ios"] == result["submitted"] > 0


@pytest.mark.timeout(4 * SECONDS)
@pytest.mark.parametrize("mode", ["posted", "adaptive"])
def test_cpus_leave_and_return(boot, mode):
    run = boot(f"app=selftest test=offline rounds={ROUNDS} irq={mode} verify=crc32c",
               cpus=4, disks=stamped(4), deadline=SECONDS)
    assert check(run, "offline", "rounds", ROUNDS)["irq"] == mode


@pytest.mark.timeout(4 * SECONDS)
@pytest.mark.parametrize("mode", ["posted", *full("adaptive")])
def test_irqs_move_and_change_while_cpus_leave(boot, mode):
    run = boot(f"app=selftest test=both rounds={ROUNDS} irq={mode} verify=crc32c",
               cpus=4, disks=stamped(4), deadline=SECONDS)
    test = check(run, "both", "rounds", ROUNDS)
    assert test["moves"] > ROUNDS
    assert test["changes"] > ROUNDS


def test_shared_queues_move(boot):
    """Fewer queues than CPUs: most reads are forwarded, to where the queue is by then."""
    run = boot("app=selftest test=moves moves=500 irq=posted verify=crc32c", cpus=4,
               disks=stamped(2, controller={"max_ioqpairs": 2}))
    check(run, "moves", "moves", 500)


@pytest.mark.parametrize("test, queues, mode", [
    ("offline", 2, "posted"), ("offline", 1, "adaptive"), ("both", 1, "posted"),
    *full(("offline", 2, "adaptive"), ("offline", 1, "posted"), ("both", 1, "adaptive"))])
def test_cpus_that_share_queues_leave(boot, test, queues, mode):
    """The reads that a CPU has forwarded come back before it leaves, from wherever the queue is."""
    run = boot(f"app=selftest test={test} rounds=20 irq={mode} verify=crc32c", cpus=4,
               disks=stamped(2, controller={"max_ioqpairs": queues}))
    assert [nvme["queues"] for nvme in run.of("nvme")] == [queues, queues]
    check(run, test, "rounds", 20)


def test_urgent_queues_move(boot):
    run = boot("app=selftest test=moves moves=500 irq=adaptive nvme.urgent=1 verify=crc32c", cpus=2,
               disks=stamped(2))
    check(run, "moves", "moves", 500)


@pytest.mark.parametrize("mode", ["adaptive", *full("posted")])
def test_one_cpu_leaves_of_two(boot, mode):
    run = boot(f"app=selftest test=offline rounds=20 irq={mode} verify=crc32c", cpus=2,
               disks=stamped(2))
    check(run, "offline", "rounds", 20)


@pytest.mark.parametrize("mode", ["remapped", "msi"])
def test_one_delivery_is_too_few(boot, mode):
    boot(f"app=selftest test=delivery irq={mode}", disks=stamped(1)).failed(
        "selftest-delivery", f"irq={mode} ", "use irq=posted, adaptive or poll")


def test_one_cpu_is_too_few(boot):
    boot("app=selftest", cpus=1, disks=stamped(1)).failed("selftest-cpus", "cpus=")
