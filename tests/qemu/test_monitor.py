# SPDX-License-Identifier: BSD-2-Clause
"""app=monitor and exit=monitor, as somebody types at COM1."""
import re

import pexpect
import pytest
from conftest import DEADLINE, launch, stamped

PROMPT = "onebell> "
UP = "\x1b[A"


class Session:
    """A boot with a console to type at."""

    def __init__(self, folder, append, **options):
        self.folder = folder
        machine = launch.Machine(append=append, com1="stdio", keys=True, com2=folder / "com2",
                                 model_json=folder / "model", **options)
        machine.strict = launch.use_model(machine)
        launch.prepare(machine)
        command = launch.command(machine)
        self.log = open(folder / "com1", "w", encoding="utf-8")
        self.qemu = pexpect.spawn(command[0], command[1:], encoding="utf-8", codec_errors="replace",
                                  timeout=DEADLINE, dimensions=(50, 200))
        self.qemu.logfile_read = self.log
        self.await_prompt()

    def await_prompt(self):
        """What was printed until the prompt came."""
        self.qemu.expect_exact(PROMPT)
        return self.qemu.before.replace("\r", "")

    def say(self, line):
        """What a command prints, without the line itself."""
        self.qemu.send(line + "\r")
        self.qemu.expect_exact("\r\n")  # of the line
        return self.await_prompt()

    def until(self, line, pattern):
        """For what prints lines, and prompts, of others as well."""
        self.qemu.send(line)
        self.qemu.expect(pattern)

    def refuses(self, line, *words):
        said = self.say(line)
        assert said.count("\n") == 1, said
        for word in words:
            assert word in said

    def end(self, line="poweroff"):
        """QEMU's status, and the JSON lines of COM2."""
        self.qemu.send(line + "\r")
        self.qemu.expect(pexpect.EOF)
        self.qemu.close()
        return self.qemu.exitstatus, launch.read_json(self.folder / "com2")

    def close(self):
        self.qemu.close(force=True)
        self.log.close()


@pytest.fixture
def session(tmp_path, request):
    opened = []

    def open_session(append, **options):
        opened.append(Session(tmp_path, append, **options))
        return opened[-1]

    yield open_session
    for each in opened:
        each.close()


def fields(text):
    """{"PI": 1, ...} of the lines that decode a word."""
    found = re.findall(r"^ +\d+(?::\d+)? +(\S+) +(0x[0-9a-f]+|\d)\b", text, re.MULTILINE)
    return {name: int(value, 0) for name, value in found}


def raw(text, name):
    return int(re.search(rf"^{name} *([0-9a-f]{{16}})$", text, re.MULTILINE)[1], 16)


def check_help(s):
    """Each command has a line, and a page of its own."""
    names = re.findall(r"^  (\S+) ", s.say("help"), re.MULTILINE)
    wanted = {"bench", "context", "cpu", "cpus", "dmar", "faults", "help", "irq", "irte", "job", "log",
              "mem", "nvme", "pci", "pid", "platform", "poweroff", "reboot", "stop", "top", "trace",
              "units"}
    assert wanted <= set(names) and "monitor" not in names
    for name in names:
        assert s.say(f"help {name}").startswith(name)


def check_tables(s):
    """Raw words beside their fields, and in memory."""
    unit = s.say("units 0")
    assert fields(unit[:unit.index("ECAP")])["PI"] == 1 == raw(unit, "CAP") >> 59 & 1
    assert fields(unit)["TES"] == fields(unit)["IRES"] == 1
    assert "type 0 DRHD" in s.say("dmar")
    entry = s.say("irte 1")
    low, high = raw(entry, "low"), raw(entry, "high")
    assert (fields(entry)["P"], fields(entry)["IM"]) == (1, 1)
    assert fields(entry)["VV"] == low >> 16 & 0xff
    at = re.search(r"at (0x[0-9a-f]+), of nvme0q2", entry)[1]
    stored = bytes.fromhex(re.search(r"^\w{12} ((?: +\w\w){16})", s.say(f"mem {at} 16"), re.MULTILINE)[1])
    assert stored == low.to_bytes(8, "little") + high.to_bytes(8, "little")
    assert f"0x{(low >> 38 << 6) | (high >> 32 << 32):x}" in s.say("pid 1")
    assert "domain 1, granted" in s.say("context")
    assert fields(s.say("context 00:02.0"))["DID"] == 1
    assert "Enable   1" in s.say("pci 00:02.0")
    assert "0 faults were told of" in s.say("faults")


def check_moves(s):
    assert "goes to CPU 2" in s.say("irq move nvme0q2 2")
    assert re.search(r"nvme0q2 +0000:00:02.0 +1 +2 ", s.say("irq"))
    s.say("irq mode remapped")
    assert fields(s.say("irte 1"))["DST"] == 2
    s.refuses("irq mode none", '"none"', "adaptive")
    assert s.say("irq mode adaptive") == "irq=adaptive\n"
    s.say("irq move nvme0q2 1")


def check_cpus(s):
    assert s.say("cpu offline 1") == "CPU 1 is out of use\n"
    assert re.search("1  0x00000001 +- +offline", s.say("cpus"))
    s.refuses("cpu offline 0", "boot CPU")
    s.refuses("irq move 0 1", "cpu online 1")
    assert "job: ok:" in s.say("job runtime=100ms")
    assert s.say("cpu online 1") == "CPU 1 is back in use\n"


def check_apps(s):
    """One after the other, with the words of each."""
    for _ in range(2):
        assert "data verified" in s.say("job randread bs=4k runtime=100ms verify=crc32c")
    assert "bench: ok:" in s.say("bench cost repeats=1 runtime=20ms")
    assert "OB0002" in s.say("nvme id-ctrl nvme1")
    assert "posts interrupts" in s.say("platform")
    assert "selftest modes: ok" in s.say("selftest modes modes=5 seed=3 verify=crc32c")
    assert s.say("irq mode") == "irq=adaptive\n"


def check_background(s):
    """Commands run beside a job; irqs move under its load; it can be stopped."""
    s.until("job runtime=1h verify=crc32c &\r", "job: randread")
    s.until("irq move nvme1q2 0\r", "goes to CPU 0")
    s.until("irq mode posted\r", "irq=posted\r")
    s.until("cpu offline 1\r", "cpu: not while job runs")
    s.until("job\r", "another app runs .* stop it")
    s.until("top\r", r"notified/s[^\n]*irq=posted[\r\n]+ +\d")
    s.until("q", re.escape(PROMPT))
    s.until("stop\r", "job: ok: .* data verified")
    s.until("\x03", r"\^C[\r\n]+" + re.escape(PROMPT))
    s.until("job runtime=1h\r", "job: 1.0 of")
    s.until("\x03", "job: ok:")
    s.await_prompt()


def check_logs(s):
    assert "Onebell" in s.say("log Onebell")
    assert s.say("log 1 VT-d").count("\n") == 1
    s.refuses("trace 0", "trace on")
    s.say("trace on 64")
    s.say("job runtime=100ms")
    assert s.say("trace 0 5").count("\n") == 6


def check_errors(s):
    """Each names the word."""
    for line, word in [("foo", '"foo"'), ("irte 99999999", "99999999"), ("irte x", '"x"'),
                       ("cpus all", '"all"'), ("pci 99:99.9", '"99:99.9"'), ("mem 0xfee00000", "RAM"),
                       ("mem 0 5000", "5000"), ("irq move 99 0", '"99"'), ("irq foo", '"foo"'),
                       ("job rw=foo", "rw=foo"), ("job irq=posted", "irq="), ("job a b", '"b"'),
                       ("help foo", '"foo"'), ("pid 9", "9"), ("units 7", "7"), ("stop", "stop")]:
        s.refuses(line, word)


def check_keys(s):
    """Completion, history, and what nobody means to type."""
    s.qemu.send("he\tcp\t\t")
    s.qemu.expect("cpu  cpus")
    s.await_prompt()
    s.qemu.send("x\x7fs\r")
    assert "help cpus\ncpus \n  CPUs in use" in s.await_prompt().replace("x\b \b", "")
    s.qemu.send(UP + UP + "\x15" + "mem\r")
    assert "MiB of RAM" in s.await_prompt()
    s.qemu.send(UP + "\r")
    assert "MiB of RAM" in s.await_prompt()
    s.qemu.send("x" * 600 + "\r")
    assert "too long" in s.await_prompt()
    s.qemu.send("y" + " z" * 40 + "\r")
    assert "words" in s.await_prompt()
    s.until("\x00\x02\x1b[\x1b[99;99~\x1bO\x1b\x1b\x7f\x0b\xff\xfe\t\t\x03",
            r"\^C[\r\n]+" + re.escape(PROMPT))
    assert s.say("irq mode") == "irq=posted\n"


def test_a_session(session):
    s = session("app=monitor irq=adaptive", cpus=3, disks=stamped(2))
    for check in (check_help, check_tables, check_moves, check_cpus, check_apps, check_background,
                  check_logs, check_errors, check_keys):
        check(s)
    status, events = s.end()
    assert status == launch.EXIT_OK
    assert [e for e in events if e["type"] == "error"] == []
    assert len([e for e in events if e["type"] == "job" and e["filename"] == "all"]) == 6
    assert events[-1] == {"type": "end", "status": "ok"}


def test_after_an_app_that_failed(session):
    """The next one is judged by itself, the run as a whole."""
    s = session("exit=monitor filename=nvme7n1", disks=stamped(1))
    assert "job: ok:" in s.say("job runtime=100ms")
    status, events = s.end()
    assert status == launch.EXIT_FAILED
    assert [e["what"] for e in events if e["type"] == "error"] == ["job-no-such-disk"]


def test_after_a_run_that_could_not_begin(session):
    """What only reads still works, and tells why."""
    s = session("exit=monitor irq=posted", disks=stamped(1), model=False)
    assert fields(s.say("units 0"))["PI"] == 0
    assert "CAP.PI" in s.say("log error")
    s.refuses("job", "reboot")
    s.refuses("irq mode remapped", "reboot")
    assert "DRHD" in s.say("dmar")
    assert s.end()[0] == launch.EXIT_FAILED
