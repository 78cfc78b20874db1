# SPDX-License-Identifier: BSD-2-Clause
"""CPUs that are not used, that can't be, and that say what they are."""
import re
import struct
import subprocess

import pytest

from conftest import launch, stamped

SHORT = "irq=adaptive size=4m runtime=0 verify=crc32c"
WORKS = r"job: 1\.0 of"  # the job's first line of progress


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
    run = boot_and_say(f"irq=adaptive rate_iops=2000 runtime=2s verify=crc32c cpus={used}", WORKS,
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
    run = boot("irq=msi size=4m runtime=0 verify=crc32c", disks=stamped(1), iommu="",
               extra=["-cpu", "max,-hypervisor"]).verified()
    assert [w["what"] for w in run.of("warning")] == ["msi-x2apic"]
    run = boot("irq=msi size=4m runtime=0 verify=crc32c", disks=stamped(1), iommu="").verified()
    assert run.of("warning") == []


@pytest.mark.parametrize("lacks", ["sse2", "clflush"])
def test_what_no_cpu_lacks(boot, lacks):
    """But for those of a hypervisor that hides it: the loader says so, where the kernel would meet an invalid opcode."""
    run = boot(SHORT, 40, disks=stamped(1), extra=["-cpu", f"max,-{lacks}"])
    assert run.status == launch.EXIT_FAILED
    assert run.one("error")["what"] == "cpu-no-fences"
    assert run.line("Onebell cannot start: the CPU has no CLFLUSH or no SSE2")


# ---- a MADT that names CPUs that are not there ----

def madt(*apic_ids):
    cpus = b"".join(struct.pack("<BBBBI", 0, 8, uid, apic_id, 1)
                    for uid, apic_id in enumerate(apic_ids))
    body = struct.pack("<II", 0xfee00000, 1) + cpus
    whole = bytearray(struct.pack("<4sIBB6s8sI4sI", b"APIC", 36 + len(body), 3, 0, b"ONEBEL",
                                  b"TESTDATA", 1, b"TEST", 1) + body)
    whole[9] = -sum(whole) & 0xff
    return bytes(whole)


def volume_with(folder, table, words):
    """GRUB puts the table in the place of QEMU's, and starts the image."""
    config, grub = folder / "grub.cfg", folder / "grub.efi"
    file, volume = folder / "t.bin", folder / "volume"
    file.write_bytes(table)
    config.write_text("search --file --set=root /onebell.efi\nacpi --exclude=APIC /t.bin\n"
                      f"chainloader /onebell.efi {words}\nboot\n")
    modules = "acpi chain fat normal search search_fs_file"
    for tool in (["grub-mkstandalone", "-O", "x86_64-efi", "-o", grub, f"--modules={modules}",
                  f"--install-modules={modules}", "--locales=", "--fonts=", "--themes=",
                  f"boot/grub/grub.cfg={config}"],
                 ["mformat", "-C", "-T", "65536", "-i", volume, "::"],
                 ["mmd", "-i", volume, "::EFI", "::EFI/BOOT"],
                 ["mcopy", "-i", volume, grub, "::EFI/BOOT/BOOTX64.EFI"],
                 ["mcopy", "-i", volume, launch.BUILD / "onebell.efi", file, "::"]):
        subprocess.run(tool, check=True)
    return volume


@pytest.mark.parametrize("words, used, absent", [("", 3, [5, 9]), ("cpus=2", 2, [5])])
def test_cpus_that_do_not_start_leave_no_gap(boot, tmp_path, words, used, absent):
    volume = volume_with(tmp_path, madt(0, 5, 1, 9, 2), f"{SHORT} {words}")
    run = boot(volume=volume, cpus=3, disks=stamped(1)).verified()
    assert [(cpu["cpu"], cpu["apic_id"]) for cpu in run.of("cpu")] == list(enumerate(range(used)))
    told = run.of("warning")
    assert told[0]["what"] == "cpu-not-started"
    assert f"(APIC id {', '.join(map(str, absent))})" in told[0]["message"]
    # Of those that aren't used one isn't there either.
    assert [w["what"] for w in told[1:]] == ([] if used == 3 else ["cpu-not-parked"])
