# SPDX-License-Identifier: BSD-2-Clause
"""The one place that knows how Onebell is started under QEMU.

tools/run-qemu and the whole-system tests both describe a Machine, prepare() its disks, and run
the command() that comes of it.
"""
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"

QEMU_LEAST = (9, 0)  # x2APIC and intel-iommu's eim=on without KVM
EXIT_OK, EXIT_FAILED, EXIT_TIMEOUT = 33, 35, 124
EXIT_BREACH = 77  # the run ended well, but broke rules that the strict model knows

FIRMWARE = ("/usr/share/ovmf/OVMF.fd", "/usr/share/OVMF/OVMF.fd", "/usr/share/qemu/OVMF.fd")

# What the firmware sends to its serial consoles, next to text.
TERMINAL_CODES = re.compile(r"\x1b(\[[0-9;=?]*[A-Za-z]|[()][A-Z0-9])")

# Disks appear on the root bus, each behind a PCIe root port, or all behind a PCIe-to-PCI bridge,
# which gives the IOMMU its own id in place of theirs.
TOPOLOGIES = ("flat", "ports", "bridge")


class LaunchError(Exception):
    """QEMU can't be started as asked; the text says why and what to do."""


@dataclass
class Disk:
    """One NVMe controller and its namespaces."""

    lbas: list = field(default_factory=lambda: [512])  # one namespace for each
    size: str = "64m"
    serial: str = ""  # empty: OB0001 and so on, by position
    null: bool = False  # reads return nothing, and fast
    path: Path = None  # a raw image, in place of a stamped one
    writable: Path = None  # a folder: the disk is a copy there, made for this run, that may change
    errors: Path = None  # a file with rules of QEMU's blkdebug
    rate: int = 0  # requests in a second, at most: what is more waits, in flight
    controller: dict = field(default_factory=dict)  # options of QEMU's nvme device
    namespace: dict = field(default_factory=dict)  # and of each of its nvme-ns devices


@dataclass
class Machine:
    image: Path = BUILD / "onebell.efi"
    volume: Path = None  # a FAT volume to boot from, in place of handing over the image
    medium: list = None  # QEMU arguments of what to boot from, in place of handing over the image
    variables: Path = None  # UEFI variables; `firmware` is then a code image with SMM, as OVMF's secboot
    append: str = ""
    cpus: int = 2
    mem: str = "1g"
    disks: list = field(default_factory=list)
    lean: bool = False  # without display, AHCI and PS/2 controllers, which cost firmware a quarter of its time
    dsa: int = 0  # accelerators of the model, dsa0 and so on
    dsa_options: dict = field(default_factory=dict)  # of each of them; or a list, of one after the other
    topology: str = "flat"
    kvm: bool = False
    x2apic: bool = True
    iommu: str = "intremap=on,eim=on"  # options of intel-iommu; empty: there is none
    model: bool = True  # posted interrupts, by the platform model
    model_file: Path = BUILD / "qemu" / "onebell-posted.so"
    model_json: Path = BUILD / "run" / "model.json"
    high_apic_ids: bool = False  # all CPUs but the first have APIC ids from 256 up
    strict: bool = False  # the model watches over VT-d's rules, and caches entries
    count: Path = None  # an ELF file with marks, whose instructions the model counts
    snapshots: int = None  # an I/O port: a byte written there notes all of the model's counters
    instructions: bool = False  # all of the guest's are among them
    attack: list = field(default_factory=list)  # QEMU ids of devices that attack the guest
    attack_writes: bool = True  # else they only read
    attack_revoked: bool = False  # only once a domain's memory has been taken from them
    plant: str = ""  # a fault that the model's unit has: tools/qemu/plant.h
    com1: str = "stdio"  # or a file
    keys: bool = False  # stdio: Ctrl-C is for Onebell as well; Ctrl-A X ends QEMU
    com2: Path = BUILD / "run" / "com2.jsonl"
    debug_exit: bool = True  # isa-debug-exit, which ends QEMU with the run's status
    display: str = "none"
    gdb: bool = False
    firmware: Path = None
    extra: list = field(default_factory=list)  # more QEMU arguments


def find_qemu():
    qemu = os.environ.get("QEMU") or shutil.which("qemu-system-x86_64")
    if not qemu:
        raise LaunchError("qemu-system-x86_64 is not installed: run tools/setup.sh")
    try:
        said = subprocess.run([qemu, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as e:
        raise LaunchError(f"{qemu} does not run: {e}") from e
    found = re.search(r"version (\d+)\.(\d+)", said)
    if not found or (int(found[1]), int(found[2])) < QEMU_LEAST:
        version = found[0] if found else "of unknown version"
        raise LaunchError(f"{qemu} is {version}, and 9.0 or later is needed: run tools/setup.sh")
    return qemu


def find_firmware():
    for file in FIRMWARE:
        if os.path.exists(file):
            return Path(file)
    raise LaunchError(f"no OVMF firmware at {', '.join(FIRMWARE)}: run tools/setup.sh")


def serial_of(disk, index):
    return disk.serial or f"OB{index + 1:04d}"


def image_of(disk, index, nsid):
    """Where the stamped image of a namespace lies; the name says all that it depends on."""
    lba = disk.lbas[nsid - 1]
    return BUILD / "disks" / f"{serial_of(disk, index)}-n{nsid}-{lba}-{disk.size}.img"


def copy_of(disk, index, nsid):
    """Where a disk that may be written to lies."""
    return disk.writable / f"{serial_of(disk, index)}-n{nsid}.img"


def copy_disks(machine):
    """What was written to the copies of an earlier run is gone."""
    for index, disk in enumerate(machine.disks):
        for nsid in range(1, len(disk.lbas) + 1):
            if disk.writable and not disk.null:
                disk.writable.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(disk.path or image_of(disk, index, nsid), copy_of(disk, index, nsid))


def make_disks(machine):
    """Stamps the images that are not there yet, or older than the tool that makes them."""
    mkdisk = BUILD / "mkdisk"
    for index, disk in enumerate(machine.disks):
        if disk.null or disk.path:
            continue
        for nsid, lba in enumerate(disk.lbas, 1):
            image = image_of(disk, index, nsid)
            if not mkdisk.exists():
                raise LaunchError(f"{mkdisk} is missing, which makes the disks: run make")
            if image.exists() and image.stat().st_mtime >= mkdisk.stat().st_mtime:
                continue
            image.parent.mkdir(parents=True, exist_ok=True)
            partial = image.with_suffix(f".{os.getpid()}")  # others may be making the same one
            subprocess.run([mkdisk, "--serial", serial_of(disk, index), "--nsid", str(nsid),
                            "--lba", str(lba), "--size", disk.size, partial], check=True)
            partial.rename(image)


def prepare(machine):
    """Checks what the machine needs, and makes its disks and folders."""
    boots = machine.volume or machine.image
    if not boots.exists():
        raise LaunchError(f"{boots} is missing: run make")
    if (machine.volume or machine.medium) and machine.append:
        raise LaunchError("a volume brings its own command line, in \\EFI\\onebell\\cmdline.txt")
    if use_model(machine) and not machine.model_file.exists():
        raise LaunchError(f"{machine.model_file} is missing: run make, or use --no-model")
    if (machine.count or machine.strict or machine.plant) and not use_model(machine):
        raise LaunchError("counting, strict rules and planted faults need the platform model, which is not in use")
    if machine.dsa and not use_model(machine):
        raise LaunchError("the accelerators are the platform model's, which is not in use")
    if machine.count and not machine.count.exists():
        raise LaunchError(f"{machine.count} is missing, whose instructions are to be counted")
    for disk in machine.disks:
        if disk.path and not disk.path.exists():
            raise LaunchError(f"{disk.path}: no such disk image")
    for file in (machine.com2, machine.model_json):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
    make_disks(machine)
    copy_disks(machine)


def use_model(machine):
    """Plugins exist under TCG only, and the model extends the IOMMU."""
    return machine.model and machine.iommu != "" and not machine.kvm


def options(name, values):
    return ",".join([name] + [f"{key}={value}" for key, value in values.items()])


def size_bytes(text):
    """64m and the like, in bytes."""
    digits, unit = re.fullmatch(r"(\d+)([kmg]?)", text).groups()
    return int(digits) << {"": 0, "k": 10, "m": 20, "g": 30}[unit]


def quoted(path):
    """A file name inside an option: QEMU reads a doubled comma as one."""
    return str(path).replace(",", ",,")


def model_options(machine):
    words = {"json": quoted(machine.model_json)}
    if machine.strict:
        words["strict"] = "on"
    if machine.count:
        words["count"] = quoted(machine.count)
    if machine.snapshots:
        words["snapshots"] = hex(machine.snapshots)
    if machine.instructions:
        words["instructions"] = "on"
    if machine.plant:
        words["plant"] = machine.plant
    if not machine.attack_writes:
        words["attack-writes"] = "off"
    if machine.attack_revoked:
        words["attack-revoked"] = "on"
    return words


def cpu_arguments(machine):
    model = "host" if machine.kvm else "max"
    cpu = model if machine.x2apic else f"{model},-x2apic"
    args = ["-cpu", cpu]
    if not machine.high_apic_ids:
        return args + ["-smp", str(machine.cpus)]
    args += ["-smp", "1,sockets=2,cores=160,threads=1,maxcpus=320"]
    for core in range(machine.cpus - 1):
        args += ["-device", options(f"{model}-x86_64-cpu", {
            "socket-id": 1, "die-id": 0, "module-id": 0, "core-id": core, "thread-id": 0})]
    return args


def backend(disk, index, nsid, node):
    access = {"read-only": "off", "discard": "unmap"} if disk.writable else {"read-only": "on"}
    if disk.null:
        return options("null-co", {"node-name": node, "size": size_bytes(disk.size), **access})
    file = copy_of(disk, index, nsid) if disk.writable else disk.path or image_of(disk, index, nsid)
    if disk.rate:
        return options("throttle", {"node-name": node, "throttle-group": f"rate{index}", **access,
                                    "file.driver": "file", "file.filename": quoted(file)})
    if not disk.errors:
        return options("raw", {"node-name": node, **access, "file.driver": "file",
                               "file.filename": quoted(file)})
    return options("raw", {"node-name": node, **access, "file.driver": "blkdebug",
                           "file.config": quoted(disk.errors), "file.image.driver": "file",
                           "file.image.filename": quoted(file)})


def disk_arguments(machine):
    args = []
    if machine.topology == "bridge":
        args += ["-device", "pcie-pci-bridge,id=bridge"]
    for index, disk in enumerate(machine.disks):
        bus = "pcie.0"
        if machine.topology == "ports":
            bus = f"port{index}"
            args += ["-device", f"pcie-root-port,id={bus},chassis={index + 1}"]
        elif machine.topology == "bridge":
            bus = "bridge"
        args += ["-device", options("nvme", {"id": f"nvme{index}", "bus": bus,
                                             "serial": serial_of(disk, index), **disk.controller})]
        if disk.rate:
            args += ["-object", options("throttle-group", {"id": f"rate{index}", "x-iops-total": disk.rate})]
        for nsid, lba in enumerate(disk.lbas, 1):
            node = f"disk{index}n{nsid}"
            args += ["-blockdev", backend(disk, index, nsid, node),
                     "-device", options("nvme-ns", {
                         "bus": f"nvme{index}", "drive": node, "nsid": nsid,
                         "logical_block_size": lba, "physical_block_size": lba,
                         **disk.namespace})]
    return args


def display_arguments(machine):
    """Where there is none, a device that needs no driver has its slot, so that all others have theirs."""
    card = ["-vga", "none", "-device", "pvpanic-pci"] if machine.lean else ["-vga", "std"]
    return card + ["-display", machine.display]


def dsa_arguments(machine):
    args = []
    given = machine.dsa_options
    each = given if isinstance(given, list) else [given] * machine.dsa
    for index in range(machine.dsa):
        args += ["-device", options("onebell-dsa", {"id": f"dsa{index}", "bus": "pcie.0", **each[index]})]
    return args


def firmware_arguments(machine):
    """With variables of its own, firmware is in flash, and they are guarded by SMM."""
    if not machine.variables:
        return ["-bios", str(machine.firmware or find_firmware())]
    return ["-global", "driver=cfi.pflash01,property=secure,value=on",
            "-drive", f"if=pflash,format=raw,readonly=on,file={quoted(machine.firmware)}",
            "-drive", f"if=pflash,format=raw,file={quoted(machine.variables)}"]


def command(machine):
    """QEMU's command line. Every disk is attached read-only, but for the copies that are writable."""
    args = [find_qemu(), "-nodefaults", "-no-reboot"]
    args += ["-accel", "kvm" if machine.kvm else "tcg,thread=multi"]
    args += ["-machine", "q35,kernel-irqchip=split" + (",sata=off,i8042=off" if machine.lean else "")]
    args += cpu_arguments(machine)
    args += ["-m", machine.mem]
    if machine.iommu:  # ahead of every PCI device
        args += ["-device", f"intel-iommu,{machine.iommu}"]
    if use_model(machine):
        args += ["-plugin", options(quoted(machine.model_file), model_options(machine)) +
                 "".join(f",attack={device}" for device in machine.attack)]
    args += display_arguments(machine)
    args += disk_arguments(machine) + dsa_arguments(machine)
    if machine.com1 == "stdio":
        args += ["-chardev", "stdio,id=com1," + ("mux=on,signal=off" if machine.keys else "signal=on")]
    else:
        args += ["-chardev", f"file,id=com1,path={quoted(machine.com1)}"]
    args += ["-serial", "chardev:com1"]
    args += ["-chardev", f"file,id=com2,path={quoted(machine.com2)}", "-serial", "chardev:com2"]
    if machine.debug_exit:
        args += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    args += firmware_arguments(machine)
    if machine.medium:
        args += machine.medium
    elif machine.volume:
        args += ["-drive", f"if=virtio,format=raw,readonly=on,file={quoted(machine.volume)}"]
    else:
        args += ["-kernel", str(machine.image)]
    if machine.append:
        args += ["-append", machine.append]
    if machine.gdb:
        args += ["-S", "-gdb", "tcp:127.0.0.1:1234"]
    return args + list(machine.extra)


def run(args, timeout=None, **popen):
    """Runs a command() and returns QEMU's exit status, or EXIT_TIMEOUT. However the wait ends,
    the QEMU that was started here, and no other, is gone."""
    with subprocess.Popen(args, **popen) as qemu:
        try:
            return qemu.wait(timeout)
        except subprocess.TimeoutExpired:
            return EXIT_TIMEOUT
        finally:
            qemu.kill()


def read_text(file):
    """What a serial port said, without the terminal codes; empty if there is no such file."""
    text = file.read_text(errors="replace") if file.exists() else ""
    return TERMINAL_CODES.sub("", text).replace("\r", "")


def read_json(file):
    """COM2's objects. Until the image takes over, the firmware writes its console there too."""
    return [json.loads(line) for line in read_text(file).splitlines() if line.startswith("{")]
