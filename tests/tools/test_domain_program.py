# SPDX-License-Identifier: BSD-2-Clause
"""A domain's program as `make DOMAIN=FOLDER` links it: complete, within its addresses, never writable and
executable at once, and without any instruction that ring 3 may not execute."""
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CROSS = os.environ.get("CROSS_COMPILE", "x86_64-linux-gnu-")

# #GP in ring 3, or of no use there (SDM vol. 3, 6.9), and vector and x87 instructions, whose registers nobody saves.
PRIVILEGED = re.compile(
    r"^(cli|sti|hlt|in[bwl]?|out[bwl]?|(rep )?(ins|outs)[bwl]|rdmsr|wrmsr|rdpmc|swapgs|iretq?|sysret[ql]?|sysexit[ql]?|"
    r"invlpg|invpcid|invd|wbinvd|lgdt|lidt|lldt|ltr|clts|lmsw|sgdt|sidt|smsw|xsetbv|monitor|mwait|clac|stac|vm\w+|"
    r"(rd|wr)(fs|gs)base|int|int3|f\w+)\b")
REGISTERS = re.compile(r"%(cr\d|dr\d|db\d|[xyz]mm\d+|mm\d|st|fs)\b|%[cdes]s(?![:\w])")

IMAGE, IMAGE_END = 0x400000, 0x20000000  # DOMAIN_IMAGE, DOMAIN_IMAGE_END


def tool(name, *arguments):
    return subprocess.run([CROSS + name, *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def link(tmp_path_factory):
    """link(FOLDER): the program with that folder's app; beside it, as .full.elf, what it was stripped from."""
    build = tmp_path_factory.mktemp("program")

    def run(folder):
        subprocess.run(["make", "-C", ROOT, f"-j{os.cpu_count()}", "SETUP=true", f"B={build}",
                        f"DOMAIN={folder}", f"{build}/domain.elf"], check=True, capture_output=True)
        name = Path(folder).name
        (build / "domain.full.elf").rename(build / f"{name}.full.elf")
        return (build / "domain.elf").rename(build / f"{name}.elf")
    return run


@pytest.fixture(scope="module")
def program(link):
    """With an app from outside."""
    return link("docs/example-app")


def forbidden(disassembly):
    """Of objdump's text: "function: instruction" for each that ring 3 may not execute."""
    found, function = [], ""
    for line in disassembly.splitlines():
        if heading := re.match(r"^[0-9a-f]+ <(.+)>:$", line):
            function = heading[1]
        elif instruction := re.match(r"^\s*[0-9a-f]+:\t(.+)$", line):
            if PRIVILEGED.match(instruction[1]) or REGISTERS.search(instruction[1].split("nop")[0]):
                found.append(f"{function}: {instruction[1]}")
    return found


def disassemble(path):
    return tool("objdump", "-d", "--no-show-raw-insn", str(path))


def test_nothing_is_privileged(program):
    text = disassemble(program)
    assert "syscall" in text and len(text.splitlines()) > 10000
    assert forbidden(text) == []


@pytest.mark.parametrize("instruction", [
    "cli", "hlt", "in (%dx),%al", "outb %al,$0xf4", "rdmsr", "mov %cr3,%rax", "swapgs", "iretq", "invlpg (%rax)",
    "lidt (%rax)", "mwait %rax,%rcx", "movaps %xmm0,(%rax)", "fninit", "mov %fs:0,%rax", "int3"])
def test_what_is_privileged_is_found(tmp_path, instruction):
    (tmp_path / "a.s").write_text(f"f:\n{instruction}\nret\n")
    tool("as", "--64", "-o", str(tmp_path / "a.o"), str(tmp_path / "a.s"))
    assert len(forbidden(disassemble(tmp_path / "a.o"))) == 1


def test_nothing_is_left_undefined(program):
    assert tool("nm", "-u", str(program)) == ""


def test_segments(program):
    loads = re.findall(r"LOAD\s+\S+ (\S+) \S+ \S+ (\S+) (...) ", tool("readelf", "-lW", str(program)))
    assert [flags for *_, flags in loads] == ["R E", "R  ", "RW "]
    ends = IMAGE
    for start, size, _ in loads:
        assert int(start, 16) % 4096 == 0 and int(start, 16) >= ends
        ends = int(start, 16) + int(size, 16)
    assert int(loads[0][0], 16) == IMAGE and ends <= IMAGE_END
    assert f"Entry point address:               {IMAGE:#x}" in tool("readelf", "-h", str(program))


def symbols(program):
    full = program.with_suffix(".full.elf")
    return {symbol.split()[-1] for symbol in tool("nm", str(full)).splitlines()}


def test_apps_are_there(program):
    assert {"app_hello", "app_job", "app_sha256sum"} <= symbols(program)


def test_another_app_takes_its_place(program, link):
    """The hostile one, which follows the calls and headers that it abuses."""
    names = symbols(link("tests/domain"))
    assert "app_hostile" in names and "app_hello" not in names


def test_the_canary_is_the_cpus_own(program):
    """At GS:40, as struct cpu has it; at FS:40 every call would fault."""
    text = disassemble(program)
    assert "%gs:0x28" in text and "%fs" not in text
