# SPDX-License-Identifier: BSD-2-Clause
"""A machine's serial port: a command of the inventory says what came there, a file keeps it."""
import os
import signal
import subprocess
import threading

from report.checked import Odd, line_object

from .inventory import RackError

MOST = 256 << 20  # bytes kept of a console: more is no run's
LONGEST = 1 << 16  # of a line
KILLED_AFTER = 5  # s


class Watch:
    """What the lines so far tell: fed with bytes, in pieces of any size."""

    def __init__(self):
        self.rest = b""
        self.began = False  # our image runs
        self.status = None  # of the run, once it has ended
        self.error = ""
        self.planned, self.rows, self.jobs = None, 0, 0

    def feed(self, piece):
        *lines, self.rest = (self.rest + piece).split(b"\n")
        self.rest = self.rest[-LONGEST:]
        for line in lines:
            self.take(line.decode(errors="replace"))

    def take(self, line):
        try:
            o = line_object(line)
        except (Odd, KeyError):
            return  # cut lines; the report tells of them
        if o:
            self.began = True
            self.note(o["type"], o)

    def note(self, kind, o):
        if kind == "bench_plan" and type(o.get("rows")) is int:
            self.planned = o["rows"]
        elif kind == "bench":
            self.rows += 1
        elif kind == "job":
            self.jobs += 1
        elif kind == "error":
            self.error = str(o.get("message", ""))[:300]
        elif kind == "end":
            self.status = "ok" if o.get("status") == "ok" else "failed"

    def progress(self):
        if self.planned:
            return f"{self.rows} of {self.planned} rows"
        return f"{self.rows + self.jobs} results"


class Console:
    """To be used as a context: the command ends with it."""

    def __init__(self, machine, path):
        self.machine, self.path = machine, path
        self.watch, self.size = Watch(), 0

    def __enter__(self):
        # ipmitool -E reads the first of these; no command line has a password.
        secrets = {"IPMITOOL_PASSWORD": self.machine.password, "BMC_PASSWORD": self.machine.password,
                   "BMC_USER": self.machine.user}
        self.errors = open(self.path.with_suffix(".console"), "w+b")
        try:
            self.process = subprocess.Popen(self.machine.console, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=self.errors,
                                            env={**os.environ, **secrets}, start_new_session=True)
        except OSError as e:
            self.errors.close()
            raise RackError(f"{self.machine.console[0]}: {e.strerror}: console should be a command that "
                            "says what the serial port says") from None
        self.file, self.lock = open(self.path, "wb"), threading.Lock()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        return self

    def read(self):
        while piece := self.process.stdout.read1():
            with self.lock:
                self.take(piece)

    def take(self, piece):
        self.size += len(piece)
        if self.size <= MOST:
            self.file.write(piece)
            self.file.flush()
        self.watch.feed(piece)

    def forget(self):
        """What came so far is of an earlier run: BMCs and console servers repeat what they last had."""
        with self.lock:
            self.watch, self.size = Watch(), 0
            self.file.truncate(0)
            self.file.seek(0)

    def ended(self):
        """Why no more will come; None if it may."""
        if self.reader.is_alive():
            return None
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), "it said nothing of why")
        return f"its console command ended with status {self.process.wait()}: {last[:160]}"

    def __exit__(self, *_):
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(KILLED_AFTER)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.wait()
        self.reader.join(KILLED_AFTER)
        for file in (self.process.stdin, self.errors, self.file):
            file.close()

    def signal(self, number):
        """To the command's whole session: it may be a shell's pipe."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass
