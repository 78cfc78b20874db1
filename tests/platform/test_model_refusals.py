# SPDX-License-Identifier: BSD-2-Clause
"""What the model can't serve it refuses: one line, a failed exit, no machine."""

import subprocess

import pytest

from qtest_machine import BUILD, PLUGIN, command_line


def refused(args):
    run = subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert run.returncode > 0, run
    lines = run.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("onebell-posted: "), run.stderr
    return lines[0]


def test_no_remapping_unit():
    assert "-device intel-iommu,intremap=on,eim=on" in refused(command_line(iommu=None))


def test_another_remapping_unit():
    assert "no remapping unit" in refused(command_line(iommu="amd-iommu"))


def test_no_interrupt_remapping():
    assert "intremap=on" in refused(command_line(iommu="intel-iommu,intremap=off"))


@pytest.mark.parametrize("argument", ["frobnicate=on", "json=", "jsonfile=x", "count=", "plant=sn", "plant="])
def test_an_unknown_argument(argument):
    assert argument in refused(command_line(plugin_args=f",{argument}"))


def test_a_json_file_that_can_not_be_written():
    assert "json=/nonexistent/x" in refused(command_line(plugin_args=",json=/nonexistent/x"))


def fake_qemu(version, *mode):
    return [str(BUILD / "qemu" / "fake-qemu"), str(PLUGIN), version, *mode]


@pytest.mark.parametrize("version", ["7.2.1", "9.2.4", "12.0.0"])
def test_a_version_with_another_layout(version):
    line = refused(fake_qemu(version))
    assert f"QEMU {version} is not supported" in line and "10.0" in line


@pytest.mark.parametrize("version, interface", [("10.0.2", 4), ("10.2.0", 4), ("11.0.0", 6),
                                                ("11.1.3", 7), ("11.2.0", 7)])
def test_the_plugin_interface_fits_the_version(version, interface):
    run = subprocess.run(fake_qemu(version, "interface"), capture_output=True, text=True,
                         timeout=20)
    assert run.stdout == f"{interface}\n"


def test_a_qemu_that_hides_its_symbols():
    assert "does not export qemu_add_machine_init_done_notifier" in refused(fake_qemu("10.0.0"))


@pytest.mark.parametrize("change", ["value", "size", "address", "attributes", "result"])
def test_a_qemu_that_passes_accesses_in_another_form(change):
    line = refused([str(BUILD / "qemu" / "fake-qemu-complete"), str(PLUGIN), "11.2.0", change])
    assert "QEMU 11.2.0 hands on memory accesses in another form" in line


def test_the_stand_in_passes_the_probe():
    """Else the test above could fail for any reason."""
    line = refused([str(BUILD / "qemu" / "fake-qemu-complete"), str(PLUGIN), "11.2.0", "none"])
    assert "no remapping unit" in line
