# SPDX-License-Identifier: BSD-2-Clause
"""app=platform: what it finds in QEMU's own tables, and in wrong ones."""
from conftest import stamped
from test_firmware import UNIT, boot_with, dmar, scope, unit  # noqa: F401 (a fixture)


def found(run):
    """{id: verdict} of what isn't as it should be."""
    return {check["id"]: check["verdict"] for check in run.of("platform_check")
            if check["verdict"] in ("WARN", "FAIL")}


def test_clean_machine(boot):
    run = boot("app=platform", disks=stamped(1)).ended_well()
    assert found(run) == {"dmar-hpet-missing": "WARN"}  # QEMU names its IOAPIC alone
    assert run.one("platform_unit")["unit"] == f"0x{UNIT:x}"
    assert run.one("platform_unit")["verdict"] == "posts"
    assert run.one("platform_summary")["posting"] == 1
    assert run.one("platform_summary")["dma"] == "fence"
    # Where the disk is, by the tree.
    run.line(r"`?-?0000:00:02\.0 .* reaches the DMA arena")


def test_wrong_table(boot_with):  # noqa: F811
    """A unit without an address, a device that isn't there, no IOAPIC, and a structure without length."""
    structures = [unit(0), unit(UNIT, scope(0, 0x1e, 0), everything=True), bytes(4)]
    run = boot_with("DMAR", [dmar(*structures)], words="app=platform irq=posted")
    run.failed("platform-fail", "3 checks")
    assert found(run) == {"dmar-unit-zero": "FAIL", "dmar-structure": "FAIL", "dmar-ioapic-missing": "FAIL",
                          "dmar-unit-empty": "WARN", "dmar-scope-absent": "WARN", "dmar-hpet-missing": "WARN",
                          "unit-absent": "WARN"}
    assert [u["verdict"] for u in run.of("platform_unit")] == ["neither", "posts"]


def test_no_table(boot):
    """irq=msi gets the machine up all the same, to say so."""
    run = boot("app=platform irq=msi", disks=stamped(1), iommu="")
    run.failed("platform-fail", "1 check")
    assert found(run) == {"dmar-no-unit": "FAIL"}
    assert run.one("platform_summary")["units"] == 0
