# SPDX-License-Identifier: BSD-2-Clause
"""For pytest: each failure is named when it happens, with its reason, and not only after the last test."""
import pytest


class Told:
    def __init__(self, reporter):
        self.reporter = reporter

    def pytest_runtest_logreport(self, report):
        if not report.failed:
            return
        crash = getattr(report.longrepr, "reprcrash", None)
        reason = f": {crash.message.splitlines()[0]}" if crash and crash.message else ""
        self.reporter.write(f"\nFAILED {report.nodeid}{reason}\n", flush=True, red=True)


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter and not hasattr(config, "workerinput"):  # of xdist, whose workers report to one
        config.pluginmanager.register(Told(reporter))
