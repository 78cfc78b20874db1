# SPDX-License-Identifier: BSD-2-Clause
"""NMIs and machine checks, by QEMU's monitor: what is shown of each CPU, what comes of the run."""
import re


WORKS = r"job: 1\.0 of"  # the job's first line of progress
PACED = "rate_iops=2000"  # most of it is waiting
VALID, UNCORRECTED, ENABLED, MISCV, ADDRV = 1 << 63, 1 << 61, 1 << 60, 1 << 59, 1 << 58


def backtraces(console):
    return re.findall(r"^backtrace:\n  at   +[0-9a-f]{16} \w+\+0x", console, re.MULTILINE)


def check_all_cpus(console, cpus):
    for cpu in range(cpus):
        assert len(re.findall(rf"^CPU {cpu}:$", console, re.MULTILINE)) == 1, cpu
    assert len(backtraces(console)) == cpus
    assert len(re.findall(r"^  rip [0-9a-f]{16}", console, re.MULTILINE)) == cpus


def test_an_nmi_shows_all_cpus_and_ends_the_run(boot_and_say):
    run = boot_and_say("irq=adaptive runtime=30s", WORKS, "nmi", cpus=3).failed("nmi", "CPU 0")
    check_all_cpus(run.console, 3)


def test_an_nmi_shows_all_cpus_and_the_run_goes_on(boot_and_say):
    run = boot_and_say(f"irq=adaptive {PACED} runtime=3s verify=crc32c nmi=continue", WORKS, "nmi",
                       cpus=3).verified()
    assert [w["what"] for w in run.of("warning")] == ["nmi"]
    check_all_cpus(run.console, 3)


def test_nmis_that_come_again_and_again(boot_and_say):
    run = boot_and_say("irq=posted runtime=4s verify=crc32c nmi=continue", WORKS,
                       *["nmi"] * 5, cpus=2).verified()
    shown = len(run.of("warning", what="nmi"))
    assert 1 <= shown <= 5
    assert len(backtraces(run.console)) == 2 * shown


def test_an_nmi_does_not_stop_the_cpu_that_ends_the_run(boot_and_say):
    """It waits a second for a debug-exit device before it switches the machine off."""
    run = boot_and_say("irq=posted runtime=1s exit=poweroff", '"type":"end"', *["nmi"] * 40,
                       port="com2", debug_exit=False)
    assert run.status == 0
    assert run.events[-1] == {"type": "end", "status": "ok"}


def test_a_machine_check_shows_the_banks_of_all_cpus(boot_and_say):
    """The bank of the CPU that it came from, and what the broadcast left on the others."""
    status = VALID | UNCORRECTED | ENABLED | MISCV | ADDRV | 0xc0
    run = boot_and_say("irq=adaptive runtime=30s", WORKS,
                       f"mce -b 1 9 {status:#x} 5 0x12345678 0x8c", cpus=3,
                       extra=["-cpu", "max,vendor=GenuineIntel,family=6,model=85"])  # broadcasts
    run.failed("panic", "machine check")
    assert re.search(rf"CPU 1, bank 9: STATUS {status:016x} ADDR 0000000012345678 "
                     "MISC 000000000000008c", run.console)
    for cpu in (0, 2):
        assert re.search(rf"CPU {cpu}, bank 1: STATUS a0000000000000", run.console), cpu


def test_a_corrected_error_is_told(boot_and_say):
    status = VALID | ENABLED | ADDRV | 0x9f
    run = boot_and_say(f"irq=adaptive {PACED} runtime=5s verify=crc32c", WORKS,
                       f"mce 1 7 {status:#x} 0 0xabcd000 0").verified()
    told = run.one("machine_check")
    assert (told["cpu"], told["bank"], told["status"], told["addr"]) == (1, 7, status, 0xabcd000)
    assert [w["what"] for w in run.of("warning")] == ["machine-check-corrected"]


def test_an_error_from_before_is_told_and_cleared(boot_and_say):
    """Logged while the firmware still runs."""
    status = VALID | ENABLED | ADDRV | 0x9f
    run = boot_and_say("irq=adaptive size=4m runtime=0 verify=crc32c", r"\S",
                       f"mce 0 6 {status:#x} 0 0x5000 0").verified()
    told = run.one("machine_check")
    assert (told["cpu"], told["bank"], told["status"]) == (0, 6, status)
    assert [w["what"] for w in run.of("warning")] == [told["what"]] == ["machine-check-left"]
