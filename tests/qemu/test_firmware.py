# SPDX-License-Identifier: BSD-2-Clause
"""Whole boots with tables as real firmware has them: GRUB, between firmware and the image, puts other
ACPI tables in place of QEMU's."""
import shutil
import struct
import subprocess

import pytest

from conftest import stamped, launch

SHORT = "irq=posted size=4m runtime=0 verify=crc32c"
UNIT = 0xfed90000  # of QEMU's q35
ECAMS = (0xb0000000, 0xe0000000)  # where OVMF puts it, by version: the host bridge's register 60h says
MODULES = "acpi chain fat memrw normal search search_fs_file setpci"


# ---- tables ----

def table(signature, body, revision=1):
    """Header (ACPI 6.5, 5.2.6) and body, with length and checksum right."""
    head = struct.pack("<4sIBB6s8sI4sI", signature.encode(), 36 + len(body), revision, 0,
                       b"ONEBEL", b"TESTDATA", 1, b"TEST", 1)
    whole = bytearray(head + body)
    whole[9] = -sum(whole) & 0xff
    return bytes(whole)


def mcfg(*entries, tail=b""):
    """entries: (base, segment, first bus, last bus)."""
    packed = (struct.pack("<QHBBI", *entry, 0) for entry in entries)
    return table("MCFG", bytes(8) + b"".join(packed) + tail)


def scope(device, *path, kind=1):
    return struct.pack("<BBHBB", kind, 6 + len(path), 0, 0, device) + bytes(path)


def unit(base, scopes=b"", everything=False):
    return struct.pack("<HHBBHQ", 0, 16 + len(scopes), everything, 0, 0, base) + scopes


def dmar(*structures, flags=1):
    return table("DMAR", struct.pack("<BB10x", 38, flags) + b"".join(structures))


def srat(*entries):
    return table("SRAT", struct.pack("<IQ", 1, 0) + b"".join(entries), revision=3)


def srat_cpu(apic_id, node):
    return struct.pack("<BBBBI8x", 0, 16, node, apic_id, 1)


def madt(*entries):
    return table("APIC", struct.pack("<II", 0xfee00000, 1) + b"".join(entries), revision=3)


def madt_cpu(apic_id):
    return struct.pack("<BBBBI", 0, 8, apic_id, apic_id, 1)


def madt_ioapic(number, address):
    return struct.pack("<BBBBII", 1, 12, number, 0, address, 0)


# ---- the boot ----

def make_volume(folder, exclude, tables, words, commands):
    """A FAT volume with GRUB, the tables for each ECAM, and the image behind them and more commands."""
    files = []
    for i, make in enumerate(tables):
        for ecam in ECAMS:
            file = folder / f"{i}-{ecam | 1:x}.bin"
            file.write_bytes(make(ecam) if callable(make) else make)
            files.append(file)
    config = folder / "grub.cfg"
    names = " ".join(f"/{i}-$ecam.bin" for i in reversed(range(len(tables))))  # GRUB puts it last first
    config.write_text("search --file --set=root /onebell.efi\n"
                      "setpci -v ecam -s 00:00.0 60.l\n"
                      f"acpi --exclude={exclude} {names}\n"
                      f"{commands}\n"
                      f"chainloader /onebell.efi {words}\nboot\n")
    grub, volume = folder / "grub.efi", folder / "volume"
    for command in (["grub-mkstandalone", "-O", "x86_64-efi", "-o", grub, f"--modules={MODULES}",
                     f"--install-modules={MODULES}", "--locales=", "--fonts=", "--themes=",
                     f"boot/grub/grub.cfg={config}"],
                    ["mformat", "-C", "-T", "65536", "-i", volume, "::"],
                    ["mmd", "-i", volume, "::EFI", "::EFI/BOOT"],
                    ["mcopy", "-i", volume, grub, "::EFI/BOOT/BOOTX64.EFI"],
                    ["mcopy", "-i", volume, launch.BUILD / "onebell.efi", *files, "::"]):
        subprocess.run(command, check=True)
    return volume


@pytest.fixture
def boot_with(boot, tmp_path):
    """boot_with("MCFG", [table, ...]): those, in this order, in place of the machine's own; a function
    makes its table for an ECAM."""
    if not shutil.which("grub-mkstandalone"):
        pytest.skip("grub-mkstandalone is not installed")

    def run(exclude, tables, words=SHORT, commands="", **options):
        volume = make_volume(tmp_path, exclude, tables, words, commands)
        return boot(volume=volume, **{"disks": stamped(2), **options})

    return run


def warned(run, *whats):
    """A run whose data is right, with these warnings and no others."""
    run.verified()
    assert [warning["what"] for warning in run.of("warning")] == list(whats)
    assert len(run.of("nvme")) == 2
    return run


# ---- MCFG ----

def test_mcfg_of_62_bytes(boot_with):
    """One entry, and two bytes of zeros behind it."""
    def content(ecam):
        return mcfg((ecam, 0, 0, 0xff), tail=bytes(2))

    assert len(content(0)) == 62
    warned(boot_with("MCFG", [content]), "mcfg-bad-length")


def test_two_mcfgs(boot_with):
    """The disks' buses are in the second table only, next to entries that can't be."""
    tables = [lambda ecam: mcfg((ecam, 0, 0, 0)),
              lambda ecam: mcfg((0, 1, 0, 0xff), (ecam, 0, 1, 0xff), (ecam, 2, 0, 0xff),
                                (ecam + 1, 3, 0, 1))]
    run = warned(boot_with("MCFG", tables, topology="ports"), "mcfg-bad-entry")
    assert "and 2 more" in run.of("warning")[0]["message"]


# ---- DMAR ----

LAST = unit(UNIT, everything=True)  # the machine's own


@pytest.mark.parametrize("structures, whats", [
    # One that is switched off, and a structure of length 0 behind the last.
    ([unit(0xfed80000, scope(0, 0x1e, 0)), LAST, bytes(4)], ["dmar-structure", "vtd-unit-absent"]),
    # A device without a path, registers that can't be there, and a last unit that is cut off.
    ([unit(0xfed80000, scope(0) + scope(0, 0x1e, 0)), unit(0), unit(0xfed80800), unit(1 << 45),
      unit(0x200000), LAST, unit(UNIT + 0x1000)[:6]],
     ["dmar-scope-path", "dmar-unit-zero", "dmar-unit-address", "dmar-structure",
      "vtd-unit-absent"]),
    ([*(unit(0xfd000000 + 0x1000 * i, scope(64 + i % 64, 2, 0)) for i in range(640)), LAST],
     ["vtd-unit-absent"]),
], ids=["switched-off", "malformed", "640-units"])
def test_dmar(boot_with, structures, whats):
    run = warned(boot_with("DMAR", [dmar(*structures)]), *whats)
    assert [u["unit"] for u in run.of("vtd_unit")] == [f"0x{UNIT:x}"]


def test_disk_behind_an_absent_unit(boot_with):
    """It is refused by name; the other one is read."""
    run = boot_with("DMAR", [dmar(unit(0xfed80000, scope(0, 2, 0)), unit(UNIT, everything=True))])
    error = run.one("error")
    assert error["what"] == "vtd-unit-absent" and "0000:00:02.0" in error["message"]
    assert run.status == launch.EXIT_FAILED
    assert [(job["errors"], job["verify_errors"]) for job in run.disk_jobs] == [(0, 0)]
    assert run.job["total_ios"] > 0


# ---- CPUs and memory ----

def test_two_srats(boot_with):
    """The first one ends in an entry without a length, so the second one is used."""
    tables = [srat(srat_cpu(0, 1), srat_cpu(1, 1), bytes(16)), srat(srat_cpu(0, 3), srat_cpu(1, 4))]
    run = warned(boot_with("SRAT", tables), "srat-bad-entry")
    assert [cpu["node"] for cpu in run.of("cpu")] == [3, 4]


def test_madt_of_many_ioapics(boot_with):
    """66 of them, of which one is there, one has no address, and one that of interrupts, where a store would be
    an exception's vector; a CPU's entry is cut short, and the boot CPU has none."""
    ioapics = [madt_ioapic(i, 0xfec00000 + 0x1000 * i) for i in range(64)]
    content = madt(*ioapics, madt_ioapic(64, 0), madt_ioapic(65, 0xfee00000), struct.pack("<BB4x", 0, 6),
                   madt_cpu(1))
    run = warned(boot_with("APIC", [content]), "madt-bad-ioapic", "madt-bad-entry", "madt-boot-cpu", "ioapic-absent")
    assert "and 63 more" in run.of("warning")[-1]["message"]
    assert run.one("platform")["cpus"] == 2


# ---- addresses of registers ----

def test_registers_that_are_not_alone(boot_with):
    """One disk's lie in RAM, two have the same: they are refused by name, and nothing is written there."""
    run = boot_with("NONE", [], commands=(
        "setpci -s 00:02.0 10.l=1000000\nsetpci -s 00:02.0 14.l=0\n"
        "setpci -s 00:03.0 10.l=c8000000\nsetpci -s 00:04.0 10.l=c8000000\n"), disks=stamped(4))
    assert [(error["what"], error["message"][:12]) for error in run.of("error")] == [
        ("pci-bar", "0000:00:02.0"), ("pci-bar-shared", "0000:00:03.0"), ("pci-bar-shared", "0000:00:04.0")]
    assert run.status == launch.EXIT_FAILED
    assert [(disk["pci"], job["errors"], job["verify_errors"], job["total_ios"])
            for disk, job in zip(run.of("nvme"), run.disk_jobs)] == [("0000:00:05.0", 0, 0, 1024)]
