# SPDX-License-Identifier: BSD-2-Clause
"""NMIs and machine checks, by QEMU's monitor: what is shown of each CPU, and what comes of the run."""
import re
import subprocess

import pytest

from conftest import launch, stamped
from monitor import Monitor

WORKS = r"job: 1\.0 of"  # the job's first line of progress
VALID, UNCORRECTED, ENABLED, MISCV, ADDRV = 1 << 63, 1 << 61, 1 << 60, 1 << 59, 1 << 58


@pytest.fixture
def boot_and_say(boot, tmp_path):
    """As boot(), with commands for the monitor once a pattern is on the console."""
    def run(append, pattern, *commands, **options):
        monitor = Monitor(tmp_path)
        monitor.when(tmp_path / "boot0" / "com1", pattern, *commands)
        extra = options.pop("extra", []) + monitor.arguments
        done = boot(append, disks=stamped(1), extra=extra, **options)
        done.monitor = monitor.answers
        return done
    return run


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
    run = boot_and_say("irq=adaptive runtime=3s verify=crc32c nmi=continue", WORKS, "nmi",
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
    run = boot_and_say("irq=posted runtime=1s exit=poweroff", r"job: ok", *["nmi"] * 40,
                       debug_exit=False)
    assert run.status == 0
    assert run.events[-1] == {"type": "end", "status": "ok"}


def test_a_machine_check_shows_the_banks_of_all_cpus(boot_and_say):
    """The bank of the CPU that it came from, and what the broadcast left on the others."""
    status = VALID | UNCORRECTED | ENABLED | MISCV | ADDRV | 0xc0
    run = boot_and_say("irq=adaptive runtime=30s", WORKS,
                       f"mce -b 1 9 {status:#x} 5 0x12345678 0x8c", cpus=3,
                       extra=["-cpu", "max,vendor=GenuineIntel,family=6,model=85"])  # which broadcasts
    run.failed("panic", "machine check")
    assert re.search(rf"CPU 1, bank 9: STATUS {status:016x} ADDR 0000000012345678 "
                     "MISC 000000000000008c", run.console)
    for cpu in (0, 2):
        assert re.search(rf"CPU {cpu}, bank 1: STATUS a0000000000000", run.console), cpu


def test_a_corrected_error_is_told(boot_and_say):
    status = VALID | ENABLED | ADDRV | 0x9f
    run = boot_and_say("irq=adaptive runtime=5s verify=crc32c", WORKS,
                       f"mce 1 7 {status:#x} 0 0xabcd000 0").verified()
    told = run.one("machine_check")
    assert (told["cpu"], told["bank"], told["status"], told["addr"]) == (1, 7, status, 0xabcd000)
    assert [w["what"] for w in run.of("warning")] == ["machine-check-corrected"]


def test_an_error_from_before_is_told_and_cleared(boot_and_say):
    """Logged while the firmware still runs."""
    status = VALID | ENABLED | ADDRV | 0x9f
    run = boot_and_say("irq=adaptive runtime=3s verify=crc32c", r"\S",
                       f"mce 0 6 {status:#x} 0 0x5000 0").verified()
    told = run.one("machine_check")
    assert (told["what"], told["cpu"], told["bank"], told["status"]) == ("machine-check-left", 0, 6, status)
    assert [w["what"] for w in run.of("warning")] == ["machine-check-left"]


def kernel_function(address):
    """The function of the kernel that an address lies in."""
    said = subprocess.run(["nm", "-P", launch.BUILD / "kernel.elf"], capture_output=True, text=True,
                          check=True).stdout
    symbols = {int(at, 16): name for name, at in
               re.findall(r"^([^\s.]+) [tT] ([0-9a-f]+)", said, re.MULTILINE)}
    below = [at for at in symbols if at <= address]
    return symbols[max(below)] if below else None


@pytest.mark.parametrize("used", [1, 2])
def test_cpus_that_are_not_used_are_halted_in_our_code(boot_and_say, used):
    run = boot_and_say(f"irq=adaptive runtime=2s verify=crc32c cpus={used}", WORKS,
                       "info registers -a", cpus=4).verified()
    assert run.of("warning") == []
    states = re.split(r"CPU#(\d)", run.monitor[0])[1:]
    states = dict(zip(states[::2], states[1::2]))
    for cpu in range(used, 4):
        rip = int(re.search(r"RIP=([0-9a-f]+)", states[str(cpu)])[1], 16)
        assert kernel_function(rip) == "cpu_park"
        assert "HLT=1" in states[str(cpu)]
        assert not int(re.search(r"RFL=([0-9a-f]+)", states[str(cpu)])[1], 16) & 1 << 9


def test_plain_msi_without_a_hypervisor(boot):
    """And the FADT's OEM id alone tells of the debug-exit device."""
    run = boot("irq=msi runtime=1s verify=crc32c", disks=stamped(1), iommu="",
               extra=["-cpu", "max,-hypervisor"]).verified()
    assert [w["what"] for w in run.of("warning")] == ["msi-x2apic"]
    run = boot("irq=msi runtime=1s verify=crc32c", disks=stamped(1), iommu="").verified()
    assert run.of("warning") == []
