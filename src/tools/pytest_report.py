"""Writes what a pytest session found, a JSON object a line. Loaded by pyqa. Changes nothing, but
that the tests of other shards are deselected where pyqa names a shard.

Lines, by their `kind`:
  test           id, outcome, seconds (set-up, call and tear-down), reruns, failures
  collect-error  node, and what a failure has
  item           id; only with --collect-only
  end            exit, collected, warnings, interrupted (why the session broke off, or null),
                 selection (the option that lets earlier sessions choose the tests, or null)
A failure has phase, path (absolute or null), line, message, text and sections, which is what the
test printed, as pairs of a name and a text.

For pytest 6.2 and later. In a worker of pytest-xdist only the paths that are read are noted, and
handed to the main process.
"""

import hashlib
import json
import os
import re
import sys

import pytest

# Longest text of one failure, and of one of its sections, in characters. The end is kept.
LONGEST_TEXT = 20000
LONGEST_SECTION = 4000

PLACE = re.compile(r'^(?:E\s+)?(?:File "(?P<file>[^"]+)", line (?P<number>\d+)|(?P<path>\S.*?):(?P<line>\d+): )')


def pytest_configure(config):
    # Set by pyqa's driver, in the main process only.
    file = getattr(sys, "pyqa_pytest_report", None)
    shard = getattr(sys, "pyqa_pytest_shard", None)
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        shard = worker.get("pyqa_shard")
        if "pyqa_reads" in worker:
            config.pluginmanager.register(WorkerReads(config, worker["pyqa_reads"]), "pyqa-reads")
    elif file is not None:
        config.pluginmanager.register(Recorder(config, file), "pyqa-recorder")
    if shard is not None:
        config.pluginmanager.register(Shard(shard), "pyqa-shard")


def selection(option):
    """The option that makes the tests that run depend on how earlier sessions ended, or None."""
    options = {"lf": "--last-failed", "stepwise": "--stepwise", "stepwise_skip": "--stepwise-skip"}
    return next((name for key, name in options.items() if getattr(option, key, False)), None)


class Shard:
    """Where a test belongs follows from its own name and pyqa's rule alone."""

    def __init__(self, file):
        self.file = file
        with open(file, encoding="utf-8") as rule:
            self.rule = json.load(rule)

    # After all others, some of which look at all tests together.
    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, config, items):
        yield
        elsewhere = [item for item in items if not self.has(item.nodeid)]
        if elsewhere:
            items[:] = [item for item in items if self.has(item.nodeid)]
            config.hook.pytest_deselected(items=elsewhere)

    def has(self, nodeid):
        shard = self.rule["tests"].get(nodeid)
        if shard is None:
            digest = hashlib.sha256(nodeid.encode("utf-8", "surrogatepass")).digest()
            shard = int.from_bytes(digest[:8], "big") % self.rule["count"] + 1
        return shard == self.rule["index"]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        node.workerinput["pyqa_shard"] = self.file


class WorkerReads:
    def __init__(self, config, root):
        import pyqa_reads

        self.config = config
        self.reads = pyqa_reads.Reads(root)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self):
        self.config.workeroutput["pyqa_reads"] = self.reads.paths()


class Recorder:
    def __init__(self, config, file):
        self.invocation = os.getcwd()
        self.rootdir = str(config.rootpath)
        self.out = open(file, "w", encoding="ascii")
        self.reads = getattr(sys, "pyqa_reads", None)
        self.tests = {}
        self.again = set()
        self.warnings = 0
        self.interrupted = None

    def line(self, **values):
        # ASCII only: a file name that is no text stays an escape.
        self.out.write(json.dumps(values) + "\n")

    def pytest_collection_finish(self, session):
        if session.config.option.collectonly:
            for item in session.items:
                self.line(kind="item", id=item.nodeid)

    def pytest_collectreport(self, report):
        if report.failed:
            self.line(kind="collect-error", node=report.nodeid, **self.failure(report))

    def pytest_runtest_logreport(self, report):
        new = {"seconds": 0.0, "outcome": "passed", "reruns": 0, "failures": []}
        test = self.tests.setdefault(report.nodeid, new)
        if not hasattr(report, "context"):
            # The time of a subtest is part of its test's.
            test["seconds"] += report.duration
        if report.when == "setup":
            self.again.discard(report.nodeid)
        if report.outcome == "rerun":
            # pytest-rerunfailures tells of each attempt by itself.
            self.again.add(report.nodeid)
            test["reruns"] += 1
        outcome = self.outcome(report)
        if outcome in ("failed", "error"):
            test["failures"].append(self.failure(report))
        if outcome != "passed" and test["outcome"] not in ("failed", "error"):
            test["outcome"] = outcome
        if report.when == "teardown" and report.nodeid not in self.again:
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

    def failure(self, report):
        text = getattr(report, "longreprtext", None) or str(report.longrepr or "")
        path, line = self.place(report, text)
        return {
            "phase": getattr(report, "when", "collect"),
            "path": path,
            "line": line,
            "message": self.message(report, text),
            "text": text[-LONGEST_TEXT:],
            "sections": [
                [name, content[-LONGEST_SECTION:]]
                for name, content in getattr(report, "sections", [])
                if content.strip()
            ],
        }

    def message(self, report, text):
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            return str(crash.message)
        for location, _ in getattr(report.longrepr, "reprlocation_lines", ()):
            return str(location.message)
        said = [line[4:] for line in text.splitlines() if re.match(r"E   \S", line)]
        lines = [line for line in text.splitlines() if line.strip()]
        return said[-1] if said else lines[-1].strip() if lines else "failed"

    def place(self, report, text):
        """The last line of the project's own that took part, else where the test begins."""
        places = []
        traceback = getattr(report.longrepr, "reprtraceback", None)
        for entry in getattr(traceback, "reprentries", ()):
            location = getattr(entry, "reprfileloc", None)
            if location is not None:
                places.append((location.path, location.lineno))
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            places.append((crash.path, crash.lineno))
        for location, _ in getattr(report.longrepr, "reprlocation_lines", ()):
            places.append((location.path, location.lineno))
        if not places:
            for found in map(PLACE.match, text.splitlines()):
                if found:
                    path = found["file"] or found["path"]
                    places.append((path, int(found["number"] or found["line"])))
        for path, line in reversed(places):
            path = os.path.normpath(os.path.join(self.invocation, str(path)))
            if self.is_own(path):
                return path, max(int(line or 1), 1)
        location = getattr(report, "location", None)
        if location:
            line = None if location[1] is None else max(location[1] + 1, 1)
            return os.path.normpath(os.path.join(self.rootdir, location[0])), line
        if report.nodeid:
            path = os.path.join(self.rootdir, report.nodeid.split("::")[0])
            return os.path.normpath(path), None
        return None, None

    def is_own(self, path):
        roots = (self.rootdir + os.sep, self.invocation + os.sep)
        return path.startswith(roots) and "site-packages" not in path and os.path.isfile(path)

    def pytest_warning_recorded(self):
        self.warnings += 1

    def pytest_keyboard_interrupt(self, excinfo):
        self.interrupted = str(excinfo.value) or excinfo.typename

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        if self.reads is not None:
            node.workerinput["pyqa_reads"] = self.reads.root

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        if self.reads is not None:
            self.reads.add(getattr(node, "workeroutput", {}).get("pyqa_reads", ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        for nodeid, test in self.tests.items():
            # The session broke off within this test, or xdist lost the worker that ran it.
            if test["failures"]:
                self.line(kind="test", id=nodeid, **test)
        self.line(
            kind="end",
            exit=int(exitstatus),
            collected=getattr(session, "testscollected", 0),
            warnings=self.warnings,
            interrupted=self.interrupted,
            selection=selection(session.config.option),
        )
        self.out.close()
