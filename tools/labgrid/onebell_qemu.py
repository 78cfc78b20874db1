# SPDX-License-Identifier: BSD-2-Clause
"""A labgrid driver: power and console of a QEMU machine with the platform model, by tools/run-qemu.
labgrid's own QEMUDriver starts the machine's CPUs by QMP on its stdin, where run-qemu has COM1."""
import logging
import os
import select
import shlex
import subprocess
from pathlib import Path

import attr
from labgrid.driver import Driver
from labgrid.driver.consoleexpectmixin import ConsoleExpectMixin
from labgrid.driver.exception import ExecutionError
from labgrid.factory import target_factory
from labgrid.protocol import ConsoleProtocol, PowerProtocol
from pexpect import EOF, TIMEOUT

RUN_QEMU = Path(__file__).resolve().parents[1] / "run-qemu"
KILLED_AFTER = 10  # s; run-qemu ends its QEMU at SIGTERM


@target_factory.reg_driver
@attr.s(eq=False)
class OnebellQEMUDriver(ConsoleExpectMixin, Driver, PowerProtocol, ConsoleProtocol):
    """`words`: Onebell's command line; `options`: run-qemu's."""

    words = attr.ib(default="", validator=attr.validators.instance_of(str))
    options = attr.ib(default="", validator=attr.validators.instance_of(str))

    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self.txdelay = None  # both for ConsoleExpectMixin
        self.logger = logging.getLogger(f"{self}")
        self.process = None

    def on_deactivate(self):
        self.off()

    @Driver.check_active
    def on(self):
        if self.process:
            return
        command = [RUN_QEMU, *shlex.split(self.options), "--append", self.words]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)

    def off(self):
        process, self.process = self.process, None
        if not process:
            return
        process.terminate()
        try:
            process.communicate(timeout=KILLED_AFTER)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    @Driver.check_active
    def cycle(self):
        self.off()
        self.on()

    def _running(self):
        if not self.process:
            raise ExecutionError("the machine is off: switch it on first")
        return self.process

    def _read(self, size=1, timeout=10, max_size=None):
        pipe = self._running().stdout
        if not select.select([pipe], [], [], timeout)[0]:
            raise TIMEOUT(f"nothing on the console within {timeout:.0f} s")
        said = os.read(pipe.fileno(), max_size or 4096)
        if not said:
            raise EOF("the machine has ended")
        return said

    def _write(self, data):
        pipe = self._running().stdin
        pipe.write(data)
        pipe.flush()
        return len(data)
