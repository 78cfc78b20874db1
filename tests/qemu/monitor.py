# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's monitor, while a boot runs: what is said to it once the image has said something."""
import re
import socket
import threading
import time

import qemu_launch as launch  # on the path by conftest.py

PROMPT = b"(qemu) "


class Monitor:
    """Waits until a pattern is in a port's file, then gives the commands; keeps the answers."""

    def __init__(self, folder):
        self.path = folder / "monitor"
        self.arguments = ["-monitor", f"unix:{self.path},server=on,wait=off"]
        self.answers = []

    def _read(self, link):
        said = b""
        while not said.endswith(PROMPT):
            part = link.recv(65536)
            if not part:
                break
            said += part
        return said.decode(errors="replace")

    def _give(self, commands):
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(20)
            link.connect(str(self.path))
            self._read(link)
            for command in commands:
                link.sendall(command.encode() + b"\n")
                self.answers.append(self._read(link))

    def _wait_and_give(self, port, pattern, commands):
        end = time.monotonic() + 80
        while not re.search(pattern, launch.read_text(port)) and time.monotonic() < end:
            time.sleep(0.05)
        try:
            self._give(commands)
        except OSError as e:  # QEMU is gone: the test says what it lacks
            self.answers.append(str(e))

    def when(self, port, pattern, *commands):
        threading.Thread(target=self._wait_and_give, args=(port, pattern, commands),
                         daemon=True).start()
        return self
