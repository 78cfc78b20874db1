# SPDX-License-Identifier: BSD-2-Clause
"""Programs of domains: files on the volume that the image came from, good and bad, as docs/user-guide.md and
docs/writing-an-app.md have them."""
import re
import struct
import subprocess

import pytest

import qemu_launch as launch
from conftest import ROOT
from test_domains import FULL, KERNELS, disks, ends, jobs  # noqa: F401, disks is a fixture
from test_media import cdrom, need_tools, stick
from test_network_boot import IPXE, folder, network, server  # noqa: F401, two are fixtures
from test_outside_app import EXAMPLE, PAGE, app_in, build  # noqa: F401, build is a fixture

CPUS = 4


@pytest.fixture(scope="module")
def hello(build, tmp_path_factory):  # noqa: F811
    """The program that `make DOMAIN=` makes of the app that docs/writing-an-app.md shows."""
    app = app_in(tmp_path_factory.mktemp("apps") / "my-app", ("hello.c", EXAMPLE.read_text()))
    done = subprocess.run(["make", "-s", "-C", ROOT, f"B={build}", f"DOMAIN={app}", f"{build}/domain.elf"],
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return (build / "domain.elf").read_bytes()


# ---- damage ----

# Places in the ELF header (System V gABI 4.1, chapter 4) and in a program header (chapter 5).
TYPE, MACHINE, ENTRY = 16, 18, 24
HEADERS, HEADER = 64, 56
LOAD_FLAGS, LOAD_OFFSET, LOAD_ADDRESS = 4, 8, 16
CODE, CONST = 0, 1


def put(program, at, form, value):
    form = f"<{form}"
    return program[:at] + struct.pack(form, value) + program[at + struct.calcsize(form):]


def of_segment(i, field):
    return HEADERS + i * HEADER + field


def of_note(program, field):
    """Where the version stands that it was built for: the last word of the note, behind its name."""
    return program.index(b"Onebell\0") + 8 + field


def with_bad(hello):
    """Each program, and what its domain's error says of it."""
    return {
        "text": (b"#!/bin/sh\n" * 100, "its ELF magic is 0x622f2123"),
        "arm": (put(hello, MACHINE, "H", 0xb7), "its machine is 0xb7"),
        "cut": (hello[:0x4000], "a segment's file offset is 0x1000"),
        "wx": (put(hello, of_segment(CODE, LOAD_FLAGS), "I", 7),
               "a segment that is both writable and executable is 0x400000"),
        "long": (bytes((16 << 20) + 1), r"\EFI\onebell\long.elf has 16777217 bytes, and at most 16777216 fit: leave out what is for debuggers"),
        "gone": (None, r"there is no \EFI\onebell\gone.elf on the volume that the image came from"),
    }


def with_worse(hello):
    return {
        "entry": (put(hello, ENTRY, "Q", 0x414000), "its entry point, outside executable segments, is 0x414000"),
        "overlap": (put(hello, of_segment(CONST, LOAD_ADDRESS), "Q", 0x400000),
                    "a segment that has a page in common with another is 0x400000"),
        "pie": (put(hello, TYPE, "H", 3), "its ELF type is 0x3"),
        "version": (put(hello, of_note(hello, 0), "I", 99), "it was built for version 99 of domains"),
        "note": (hello.replace(b"Onebell\0", b"Twobell\0"), "it doesn't say what it was built for"),
        "empty": (b"", "its size is 0x0"),
    }


# ---- boots ----

def mkmedia(kind, words, files, medium):
    return subprocess.run([ROOT / "tools/mkmedia", kind, "--efi", launch.BUILD / "onebell.efi", "--words", words,
                           *[word for file in files for word in ("--program", file)], medium],
                          env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True)


@pytest.fixture
def boot_with(boot, tmp_path, disks):  # noqa: F811
    """boot_with(words, {name: program}): from a medium as `make image` and `make iso` make them."""
    def run(words, programs, kind="image", attach=stick):
        need_tools()
        files = [tmp_path / f"{name}.elf" for name in programs]
        for file, program in zip(files, programs.values()):
            file.write_bytes(program)
        medium = tmp_path / "medium"
        done = mkmedia(kind, words, files, medium)
        assert (done.returncode, done.stderr) == (0, "")
        return boot(medium=attach(medium), cpus=CPUS, disks=disks)
    return run


@pytest.mark.parametrize("bad", [with_bad, *([with_worse] if FULL else [])])
def test_files_good_and_bad(boot_with, hello, bad):
    """Two that run, with a disk each, among six that don't; and the kernel's own job."""
    files = bad(hello)
    lost = " ".join(f"domain={name}:cpus={9 + i}:prog={name}" for i, name in enumerate(files))
    run = boot_with(f"app=job runtime=1s {KERNELS} allow-write=OB0002:OB0003 {lost} "
                    f"domain=good:cpus=1-2:disks=nvme1n1:mem=8m:prog=hello:app=hello:rate=20 "
                    f"domain=own:cpus=3:disks=nvme2n1:mem=8m:app=sha256sum",
                    {"hello": hello, **{name: file for name, (file, _) in files.items() if file is not None}})
    assert run.status == launch.EXIT_FAILED
    errors = {error["message"].split(":")[0]: error for error in run.of("error")}
    assert len(run.of("error")) == len(files) and errors.keys() == {f"domain {name}" for name in files}
    for name, (_, said) in files.items():
        assert said in errors[f"domain {name}"]["message"]
    assert len(jobs(run)) == 1
    assert (ends(run, "good"), ends(run, "own")) == (["exit"], ["exit"])
    for cpu in range(2):
        told = run.line(rf"\[good\] CPU {cpu}: 20 reads, \d+ ns each")
        assert int(re.search(r"(\d+) ns", told)[1]) > 0
    assert run.one("digest", domain="own")["filename"] == "nvme2n1"


@pytest.mark.skipif(not FULL, reason="ONEBELL_FULL=1")
def test_two_files_on_a_disc(boot_with, hello):
    """A medium that can't be changed has what it was made with; and both domains run what they name."""
    run = boot_with("app=domains allow-write=OB0001:OB0002 "
                    "domain=a:cpus=1:disks=nvme0n1:mem=8m:prog=mine:app=hello:rate=20 "
                    "domain=b:cpus=2-3:disks=nvme1n1:mem=8m:prog=ours:app=sha256sum",
                    {"mine": hello, "ours": (launch.BUILD / "domain.elf").read_bytes()}, "iso", cdrom).ended_well()
    run.line(r"\[a\] CPU 0: 20 reads, \d+ ns each")
    assert run.one("digest", domain="b")["filename"] == "nvme1n1"


@pytest.mark.skipif(not FULL, reason="ONEBELL_FULL=1")
def test_from_the_network(boot, disks, folder, server, hello):  # noqa: F811
    """iPXE shows what it has fetched as a volume: docs/network-boot.md."""
    if not IPXE.exists():
        pytest.skip(f"{IPXE} is missing (package ipxe-qemu)")
    (folder / "hello.elf").write_bytes(hello)
    (folder / "boot.ipxe").write_text(
        "#!ipxe\n"
        f"imgfetch --name EFI\\onebell\\web.elf {server.url}/hello.elf\n"
        f"kernel {server.url}/onebell.efi app=domains allow-write=OB0002 "
        "domain=web:cpus=1:disks=nvme1n1:mem=8m:prog=web:app=hello:rate=20\nboot\n")
    run = boot(medium=network("e1000", bootfile=f"{server.url}/boot.ipxe"), disks=disks).ended_well()
    run.line(r"\[web\] CPU 0: 20 reads, \d+ ns each")


# ---- the tools ----

@pytest.mark.parametrize("name", ["a b.elf", "hello", "x" * 32 + ".elf", "h\u00e9.elf"])
def test_what_no_word_could_name(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    done = mkmedia("image", "", [tmp_path / name], tmp_path / "medium")
    assert done.returncode != 0
    assert "up to 31 letters, digits, - and _" in done.stderr


def test_what_is_not_there(tmp_path):
    done = mkmedia("image", "", [tmp_path / "hello.elf"], tmp_path / "medium")
    assert (done.returncode, done.stderr) == (
        1, f"mkmedia: {tmp_path}/hello.elf is missing: make DOMAIN=../my-app build/domain.elf makes one\n")


def test_the_page_in_order(boot, build, tmp_path, disks):  # noqa: F811
    """The commands of docs/writing-an-app.md, as they stand there, but for where things lie."""
    text = PAGE.read_text().split("## In a domain")[1]
    commands = re.search(r"```\n(.*?)```", text, re.DOTALL)[1]
    app = app_in(tmp_path / "my-app", ("hello.c", EXAMPLE.read_text()))
    run, link, copy, image = re.sub(r"\\\n +", "", commands).splitlines()
    assert run.startswith("make DOMAIN=../my-app run JOB='") and link == "make DOMAIN=../my-app build/domain.elf"
    target, = re.findall(r"^cp build/domain.elf \.\./my-app/(\w+\.elf)$", copy)
    assert image.startswith(f"make image PROGRAMS=../my-app/{target} ")

    words, = re.findall("JOB='(.*)'", run)
    done = subprocess.run(["make", "-s", "-C", ROOT, f"B={build}", f"DOMAIN={app}", f"{build}/onebell.efi"],
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    boot(words, image=build / "onebell.efi", disks=disks).ended_well().line(r"\[web\] CPU 0: 200 reads")

    if not FULL:
        return
    need_tools()
    words, = re.findall("WORDS='(.*)'", image)
    (app / target).write_bytes((build / "domain.elf").read_bytes())
    medium = tmp_path / "onebell.img"
    assert mkmedia("image", words, [app / target], medium).returncode == 0
    boot(medium=stick(medium), disks=disks).ended_well().line(r"\[web\] CPU 0: 200 reads")
