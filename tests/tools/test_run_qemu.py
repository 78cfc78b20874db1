# SPDX-License-Identifier: BSD-2-Clause
"""tools/run-qemu: the command line it makes (--dry-run), its errors, and how it ends a QEMU."""
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import qemu_launch as launch


@pytest.fixture
def fake_qemu(tmp_path):
    """Stands in for QEMU: has a version, and otherwise runs the given shell line."""

    def make(version="10.0.2", line="exit 33"):
        tool = tmp_path / "qemu"
        tool.write_text("#!/bin/sh\n"
                        f'[ "$1" = --version ] && {{ echo "QEMU emulator version {version}"; exit; }}\n'
                        f"{line}\n")
        tool.chmod(0o755)
        return {**os.environ, "QEMU": str(tool)}

    return make


def run(env, *args):
    return subprocess.run([ROOT / "tools/run-qemu", *args], env=env, capture_output=True, text=True,
                          timeout=30)


@pytest.fixture
def dry_run(fake_qemu):
    def command(*args):
        done = run(fake_qemu(), "--dry-run", *args)
        assert (done.returncode, done.stderr) == (0, "")
        return shlex.split(done.stdout)

    return command


@pytest.fixture
def runnable(tmp_path):
    """Arguments with which nothing is missing."""
    image = tmp_path / "onebell.efi"
    image.touch()
    return ["--image", str(image), "--no-model", "--disks", "0", "--json", str(tmp_path / "com2"),
            "--model-json", str(tmp_path / "model")]


def values(command, option):
    return [value for name, value in zip(command, command[1:]) if name == option]


def devices(command, name):
    """The options of each -device of this name."""
    split = [value.split(",") for value in values(command, "-device")]
    return [dict(option.split("=") for option in words[1:]) for words in split if words[0] == name]


def test_defaults(dry_run):
    command = dry_run("--append", "irq=posted verify=crc32c")
    assert values(command, "-accel") == ["tcg,thread=multi"]
    assert values(command, "-machine") == ["q35,kernel-irqchip=split"]
    assert values(command, "-cpu") == ["max"]
    assert values(command, "-smp") == ["2"]
    assert values(command, "-append") == ["irq=posted verify=crc32c"]
    assert values(command, "-kernel") == [str(launch.BUILD / "onebell.efi")]
    assert values(command, "-plugin")[0].startswith(str(launch.BUILD / "qemu/onebell-posted.so,json="))
    assert "isa-debug-exit,iobase=0xf4,iosize=4" in command
    assert [d["serial"] for d in devices(command, "nvme")] == ["OB0001", "OB0002", "OB0003", "OB0004"]


def test_the_iommu_comes_before_the_disks(dry_run):
    command = dry_run("--disks", "1")
    assert command.index("intel-iommu,intremap=on,eim=on") < min(
        i for i, word in enumerate(command) if word.startswith("nvme,"))


def test_every_disk_is_read_only(dry_run, tmp_path):
    for command in (dry_run("--disks", "3"), dry_run("--null-disks"),
                    dry_run("--drive-file", str(tmp_path / "a"), str(tmp_path / "b"))):
        backends = values(command, "-blockdev")
        assert backends and all(",read-only=on" in backend for backend in backends)


def test_copies_are_writable(dry_run, tmp_path):
    for command in (dry_run("--writable", "--disks", "2"),
                    dry_run("--writable", "--drive-file", str(tmp_path / "a"), str(tmp_path / "b"))):
        backends = values(command, "-blockdev")
        for number, backend in enumerate(backends, 1):
            assert ",read-only=off,discard=unmap," in backend
            assert backend.endswith(f"file.filename={launch.BUILD}/run/OB000{number}-n1.img")
    backends = values(dry_run("--writable", "--null-disks", "--disks", "1"), "-blockdev")
    assert backends[0].endswith(",read-only=off,discard=unmap")


def test_errors_by_rule(tmp_path):
    disk = launch.Disk(path=tmp_path / "image", errors=tmp_path / "rules")
    assert launch.backend(disk, 0, 1, "disk0n1") == (
        f"raw,node-name=disk0n1,read-only=on,file.driver=blkdebug,file.config={tmp_path}/rules,"
        f"file.image.driver=file,file.image.filename={tmp_path}/image")


def test_copies_are_made_anew(tmp_path):
    original = tmp_path / "original"
    original.write_bytes(b"as it was")
    disk = launch.Disk(path=original, writable=tmp_path / "copies")
    machine = launch.Machine(disks=[launch.Disk(path=original), disk])
    for _ in range(2):
        launch.copy_disks(machine)
        copy = launch.copy_of(disk, 1, 1)
        assert copy.read_bytes() == b"as it was"
        copy.write_bytes(b"written to")
    assert original.read_bytes() == b"as it was"
    assert [file.name for file in (tmp_path / "copies").iterdir()] == ["OB0002-n1.img"]


def test_disks(dry_run):
    command = dry_run("--disks", "2", "--lba", "512:4096", "--namespaces", "2", "--disk-size", "16m",
                      "--nvme-opts", "max_ioqpairs=2,mqes=3")
    assert [(d["max_ioqpairs"], d["mqes"]) for d in devices(command, "nvme")] == [("2", "3")] * 2
    assert [(n["bus"], n["nsid"], n["logical_block_size"]) for n in devices(command, "nvme-ns")] == [
        ("nvme0", "1", "512"), ("nvme0", "2", "512"), ("nvme1", "1", "4096"), ("nvme1", "2", "4096")]
    assert values(command, "-blockdev")[3].endswith("/disks/OB0002-n2-4096-16m.img")


def test_null_disks(dry_run):
    backends = values(dry_run("--null-disks", "--disks", "8", "--disk-size", "1g"), "-blockdev")
    assert len(backends) == 8
    assert backends[0] == f"null-co,node-name=disk0n1,size={1 << 30},read-only=on"


def test_drive_files(dry_run):
    command = dry_run("--drive-file", "/tmp/a,b", "--lba", "4096")
    assert values(command, "-blockdev")[0].endswith("file.filename=/tmp/a,,b")
    assert [n["logical_block_size"] for n in devices(command, "nvme-ns")] == ["4096"]
    assert len(devices(dry_run("--drive-file", "/tmp/a", "--disks", "2"), "nvme")) == 3


def test_accelerators(dry_run):
    devices = values(dry_run("--dsa", "2", "--dsa-opts", "wqs=2,handles=on"), "-device")
    found = [d for d in devices if d.startswith("onebell-dsa,")]
    assert [d.split(",")[1] for d in found] == ["id=dsa0", "id=dsa1"]
    assert all(d.endswith(",wqs=2,handles=on") for d in found)
    assert not any(d.startswith("onebell-dsa") for d in values(dry_run(), "-device"))


@pytest.mark.parametrize("topology, buses", [
    ("flat", ["pcie.0", "pcie.0"]), ("ports", ["port0", "port1"]), ("bridge", ["bridge", "bridge"])])
def test_topologies(dry_run, topology, buses):
    command = dry_run("--disks", "2", "--topology", topology)
    assert [d["bus"] for d in devices(command, "nvme")] == buses
    assert [d["id"] for d in devices(command, "pcie-root-port") + devices(command, "pcie-pci-bridge")] \
        == sorted(set(buses) - {"pcie.0"})


def test_platforms(dry_run):
    assert "-plugin" not in dry_run("--no-model")
    assert "-plugin" not in dry_run("--no-iommu")
    assert not devices(dry_run("--no-iommu"), "intel-iommu")
    assert devices(dry_run("--iommu-opts", "intremap=off"), "intel-iommu") == [{"intremap": "off"}]
    assert values(dry_run("--no-x2apic"), "-cpu") == ["max,-x2apic"]
    kvm = dry_run("--kvm")
    assert (values(kvm, "-accel"), values(kvm, "-cpu")) == (["kvm"], ["host"])
    assert "-plugin" not in kvm  # plugins are TCG's


def test_high_apic_ids(dry_run):
    command = dry_run("--cpus", "3", "--high-apic-ids")
    assert values(command, "-smp") == ["1,sockets=2,cores=160,threads=1,maxcpus=320"]
    assert [(d["socket-id"], d["core-id"]) for d in devices(command, "max-x86_64-cpu")] == [
        ("1", "0"), ("1", "1")]


def test_debugger(dry_run):
    command = dry_run("--gdb")
    assert "-S" in command and values(command, "-gdb") == ["tcp:127.0.0.1:1234"]


def test_more_arguments_for_qemu(dry_run):
    assert dry_run("--cpus", "1", "--", "-d", "int")[-2:] == ["-d", "int"]


@pytest.mark.parametrize("arguments, named", [
    (["--lba", "1024"], "1024"), (["--mem", "much"], "much"), (["--cpus", "-1"], "-1"),
    (["--nvme-opts", "mqes"], "mqes"), (["--topology", "ring"], "ring")])
def test_bad_options(fake_qemu, arguments, named):
    done = run(fake_qemu(), "--dry-run", *arguments)
    assert done.returncode == 2
    assert named in done.stderr.splitlines()[-1]


def test_exit_status_is_qemus(fake_qemu, runnable):
    assert run(fake_qemu(line="exit 33"), *runnable).returncode == 33
    assert run(fake_qemu(line="exit 35"), *runnable).returncode == 35
    assert run(fake_qemu(line="exit 33"), *runnable, "--ok-zero").returncode == 0
    assert run(fake_qemu(line="exit 35"), *runnable, "--ok-zero").returncode == 35
    assert run(fake_qemu(line="exit 0"), *runnable).returncode == 0  # ended without a word


def test_timeout_ends_qemu(fake_qemu, runnable, tmp_path):
    env = fake_qemu(line=f"echo $$ > {tmp_path}/pid; exec sleep 60")
    begun = time.monotonic()
    done = run(env, *runnable, "--timeout", "1")
    assert done.returncode == 124
    assert done.stderr == "run-qemu: stopped after 1 s\n"
    assert time.monotonic() - begun < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize("cut", ['{"type":"jo', pytest.param('{"type":' * 100000, id="nested")])
def test_a_line_that_was_cut(fake_qemu, runnable, tmp_path, cut):
    """Whole ones are kept as they are, and the exit status is QEMU's."""
    (tmp_path / "said").write_text(f'firmware\n{{"type":"cpu","cpu":0}}\r\n{cut}')
    done = run(fake_qemu(line=f"cat {tmp_path}/said > {tmp_path}/com2; exit 35"), *runnable)
    assert (done.returncode, done.stderr) == (35, f"run-qemu: {tmp_path}/com2: 1 damaged lines are left out\n")
    assert (tmp_path / "com2").read_text() == '{"type":"cpu","cpu":0}\n'


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_ends_with_its_own_qemu(fake_qemu, runnable, tmp_path):
    env = fake_qemu(line=f"echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 60")
    with subprocess.Popen([ROOT / "tools/run-qemu", *runnable], env=env) as launcher:
        deadline = time.monotonic() + 40
        while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        launcher.terminate()
        assert launcher.wait(20) == 128 + 15
    # Its parent is gone: who inherits it may take a moment to bury it.
    pid = int((tmp_path / "pid").read_text())
    while is_there(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_there(pid)


def refused(done, *words):
    assert done.returncode == 2
    assert done.stderr.startswith("run-qemu: ") and done.stderr.count("\n") == 1
    assert all(word in done.stderr for word in words), done.stderr


def test_without_qemu(tmp_path, runnable):
    refused(run({**os.environ, "QEMU": "/nowhere/qemu"}, *runnable), "/nowhere/qemu")
    # An empty PATH still has the interpreter, by its full name.
    refused(run({"PATH": str(tmp_path)}, *runnable), "not installed", "tools/setup.sh")


def test_old_qemu(fake_qemu, runnable):
    refused(run(fake_qemu(version="7.2.15"), *runnable), "7.2", "9.0", "tools/setup.sh")


def test_missing_files(fake_qemu, runnable, tmp_path):
    refused(run(fake_qemu(), "--image", str(tmp_path / "gone.efi")), "gone.efi", "run make")
    refused(run(fake_qemu(), *runnable, "--drive-file", str(tmp_path / "gone.img")), "gone.img")


def test_missing_firmware(monkeypatch):
    monkeypatch.setattr(launch, "FIRMWARE", ("/nowhere/OVMF.fd",))
    with pytest.raises(launch.LaunchError, match="/nowhere/OVMF.fd.*tools/setup.sh"):
        launch.find_firmware()


def test_disks_are_made_once(monkeypatch, tmp_path):
    monkeypatch.setattr(launch, "BUILD", tmp_path)
    log = tmp_path / "log"
    mkdisk = tmp_path / "mkdisk"
    mkdisk.write_text(f'#!/bin/sh\necho "$@" >> {log}\nfor last; do :; done\ntouch "$last"\n')
    mkdisk.chmod(0o755)
    machine = launch.Machine(disks=[launch.Disk(lbas=[512, 4096], size="1m"), launch.Disk(null=True)])
    launch.make_disks(machine)
    launch.make_disks(machine)
    said = [line.rsplit(" ", 1)[0] for line in log.read_text().splitlines()]
    assert said == ["--serial OB0001 --nsid 1 --lba 512 --size 1m",
                    "--serial OB0001 --nsid 2 --lba 4096 --size 1m"]
    assert sorted(file.name for file in (tmp_path / "disks").iterdir()) == [
        "OB0001-n1-512-1m.img", "OB0001-n2-4096-1m.img"]

    newer = time.time() + 10  # another mkdisk, perhaps another stamp
    os.utime(mkdisk, (newer, newer))
    launch.make_disks(machine)
    assert len(log.read_text().splitlines()) == 4
