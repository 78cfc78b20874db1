# SPDX-License-Identifier: BSD-2-Clause
"""app=platform: what it finds in QEMU's own tables, and in wrong ones."""
import struct

from conftest import stamped
from test_firmware import UNIT, boot_with, dmar, scope, unit  # noqa: F401 (a fixture)


FECTL = 0x38  # fault event control: bit 31 masks it
OVMF = {"left-master": "WARN"}  # its drivers leave their devices' bus mastering on


def found(run):
    """{id: verdict} of what isn't as it should be. Some versions of OVMF test themselves: that isn't ours."""
    return {check["id"]: check["verdict"] for check in run.of("platform_check")
            if check["verdict"] in ("WARN", "FAIL") and not check["id"].startswith("hsti-")}


def test_clean_machine(boot):
    run = boot("app=platform", disks=stamped(1)).ended_well()
    assert found(run) == {"dmar-hpet-missing": "WARN", **OVMF}  # QEMU names its IOAPIC alone
    assert run.one("platform_unit")["unit"] == f"0x{UNIT:x}"
    assert run.one("platform_unit")["verdict"] == "posts"
    assert run.one("platform_summary")["posting"] == 1
    assert run.one("platform_summary")["dma"] == "fence"
    run.line("HSTI(:| of) ")
    # Where the disk is, by the tree.
    run.line(r"`?-?0000:00:02\.0 .* reaches the DMA arena")


def test_wrong_table(boot_with):  # noqa: F811
    """A unit without an address, a device that isn't there, no IOAPIC, memory that is everybody's as a disk's
    own, and a structure without length; and a unit whose fault event firmware left on."""
    rmrr = struct.pack("<HHHHQQ", 1, 32, 0, 0, 0x1000000, 0x10fffff) + scope(0, 2, 0)
    structures = [unit(0), unit(UNIT, scope(0, 0x1e, 0), everything=True), rmrr, bytes(4)]
    run = boot_with("DMAR", [dmar(*structures)], words="app=platform irq=posted",
                    commands=f"write_dword 0x{UNIT + FECTL:x} 0")
    run.failed("platform-fail", "4 checks")
    run.line("0000:00:02.0 has reserved memory: 0x1000000 to 0x10fffff")
    assert found(run) == {"dmar-unit-zero": "FAIL", "dmar-structure": "FAIL", "dmar-ioapic-missing": "FAIL",
                          "dmar-rmrr-memory": "FAIL", "dmar-unit-empty": "WARN", "dmar-scope-absent": "WARN",
                          "dmar-hpet-missing": "WARN", "unit-absent": "WARN", "left-fault-event": "WARN", **OVMF}
    assert [u["verdict"] for u in run.of("platform_unit")] == ["neither", "posts"]


def test_unit_that_cannot_post(boot):
    """QEMU's own, without the platform model."""
    run = boot("app=platform", disks=stamped(1), model=False).ended_well()
    one = run.one("platform_unit")
    assert (one["verdict"], one["what"]) == ("remaps", "vtd-no-posting")
    assert "CAP.PI" in one["reason"]
    assert run.one("platform_summary")["posting"] == 0


def test_unit_without_x2apic_ids(boot):
    run = boot("app=platform irq=msi", disks=stamped(1), model=False, iommu="intremap=on,eim=off").ended_well()
    one = run.one("platform_unit")
    assert (one["verdict"], one["what"]) == ("neither", "vtd-no-eim")
    assert found(run)["unit-eim"] == "WARN"


def test_no_table(boot):
    """irq=msi gets the machine up all the same, to say so."""
    run = boot("app=platform irq=msi", disks=stamped(1), iommu="")
    run.failed("platform-fail", "1 check")
    assert found(run) == {"dmar-no-unit": "FAIL", **OVMF}
    assert run.one("platform_summary")["units"] == 0
