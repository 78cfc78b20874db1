# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium, driven by its DevTools protocol over a pipe: descriptors 3 and 4, JSON
messages with a zero byte behind each."""
import base64
import fcntl
import json
import os
import selectors
import shutil
import subprocess
import time

PROGRAM = shutil.which("chromium")
DEADLINE = 60  # seconds for any one answer


class Chromium:
    def __init__(self, folder):
        to_child, self.to = os.pipe()
        self.by, from_child = os.pipe()
        command = [PROGRAM, "--headless", "--remote-debugging-pipe", "--disable-gpu",
                   "--hide-scrollbars", "--no-first-run", f"--user-data-dir={folder}",
                   "about:blank"]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_child, from_child)]
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                command, stderr=log, stdout=log, pass_fds=(3, 4),
                preexec_fn=lambda: [os.dup2(end, i) for i, end in enumerate(ends, 3)])
        for end in (to_child, from_child, *ends):
            os.close(end)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.by, selectors.EVENT_READ)
        self.rest, self.number, self.session, self.events = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def message(self):
        end = time.monotonic() + DEADLINE
        while b"\0" not in self.rest:
            assert self.selector.select(end - time.monotonic()), "Chromium doesn't answer"
            read = os.read(self.by, 1 << 20)
            assert read, "Chromium has ended"
            self.rest += read
        text, _, self.rest = self.rest.partition(b"\0")
        return json.loads(text)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def open(self, path):
        self.events.clear()
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self.message())

    def run(self, script):
        """What an expression comes to."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def complaints(self):
        """All that the console has to say: messages, exceptions, blocked and failed requests."""
        kinds = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded",
                 "Network.loadingFailed")
        return [e["params"] for e in self.events if e.get("method") in kinds]

    def requests(self):
        return [e["params"]["request"]["url"] for e in self.events
                if e.get("method") == "Network.requestWillBeSent"]

    def look(self, width, dark):
        """A window of this width, and what the reader prefers."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path):
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def print(self, path):
        pdf = self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        path.write_bytes(base64.b64decode(pdf["data"]))

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        os.close(self.to)
        os.close(self.by)
