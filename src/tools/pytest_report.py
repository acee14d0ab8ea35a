"""Writes what a pytest session found, a JSON object a line. Loaded by pyqa; changes nothing."""

import json
import os
import sys

import pytest

# Longest text of one failure that is written, in characters.
LONGEST = 20000


def pytest_configure(config):
    # Set by pyqa's driver in the main process; a worker of xdist reports to that one instead.
    file = getattr(sys, "pyqa_pytest_report", None)
    if file is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(config, file), "pyqa-recorder")


class Recorder:
    def __init__(self, config, file):
        self.invocation = os.getcwd()
        self.rootdir = str(config.rootpath if hasattr(config, "rootpath") else config.rootdir)
        self.out = open(file, "w", encoding="utf-8", errors="backslashreplace")
        self.tests = {}

    def line(self, **values):
        self.out.write(json.dumps(values) + "\n")

    def pytest_collectreport(self, report):
        if report.failed:
            self.line(kind="collect-error", node=report.nodeid, **self.trouble(report))

    def pytest_runtest_logreport(self, report):
        test = self.tests.setdefault(report.nodeid, {"seconds": 0.0, "outcome": "passed"})
        test["seconds"] += report.duration
        outcome = self.outcome(report)
        if outcome != "passed" and test["outcome"] not in ("failed", "error"):
            test["outcome"] = outcome
            if outcome in ("failed", "error"):
                test.update(self.trouble(report))
        if report.when == "teardown":
            self.line(kind="test", id=report.nodeid, **self.tests.pop(report.nodeid))

    @staticmethod
    def outcome(report):
        if report.failed:
            return "failed" if report.when == "call" else "error"
        if report.skipped:
            return "xfailed" if hasattr(report, "wasxfail") else "skipped"
        if report.when == "call" and hasattr(report, "wasxfail"):
            return "xpassed"
        return "passed"

    def trouble(self, report):
        """Where a failure is and what it says."""
        path, line = None, None
        location = getattr(report, "location", None)
        if location:
            path = os.path.join(self.rootdir, location[0])
            line = None if location[1] is None else location[1] + 1
        elif report.nodeid:
            path = os.path.join(self.rootdir, report.nodeid.split("::")[0])
        crash = getattr(report.longrepr, "reprcrash", None)
        text = getattr(report, "longreprtext", None) or str(report.longrepr)
        message = text.strip().splitlines()[-1] if text.strip() else "failed"
        if crash is not None:
            message = str(crash.message)
            crash_path = os.path.join(self.invocation, str(crash.path))
            # The line that failed, when it is the project's own.
            if crash_path.startswith(self.rootdir + os.sep) and "site-packages" not in crash_path:
                path, line = crash_path, crash.lineno
        if path is not None:
            path = os.path.normpath(path)
        if isinstance(line, int) and line < 1:
            line = 1
        return {"path": path, "line": line, "message": message, "text": text[-LONGEST:]}

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        for nodeid, test in self.tests.items():
            # A test whose end was never told: the session broke off within it.
            self.line(kind="test", id=nodeid, **test)
        self.line(kind="end", collected=getattr(session, "testscollected", 0))
        self.out.close()
