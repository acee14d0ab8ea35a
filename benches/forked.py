"""The four linters called in children of an interpreter that has them imported, for edited.py: reads
the names of tools that run at the same time, in lanes `mypy black,flake8,bandit`, a line a call, and
says how many seconds it takes until all are done.

    python benches/forked.py FILE MYPY-CACHE
"""

import gc
import os
import sys
import time

import _sqlite3  # noqa: F401
import bandit.cli.main
import bandit.formatters.json
import black
import flake8.main.cli
import mypy.__main__
import mypy.nativeparse

FILE, CACHE = sys.argv[1:]
TOOLS = {
    "mypy": (mypy.__main__.console_entry, [f"--cache-dir={CACHE}", "--no-error-summary"]),
    "black": (black.patched_main, ["--check", "--diff", "-W1", "--no-cache", FILE]),
    "flake8": (flake8.main.cli.main, ["-j1", FILE]),
    "bandit": (bandit.cli.main.main, ["-q", "-f", "json", FILE]),
}


def call(name):
    """Calls a tool in a child; gives the child's number."""
    pid = os.fork()
    if pid == 0:
        entry, arguments = TOOLS[name]
        sys.argv = [name, *arguments]
        try:
            entry()
        except SystemExit:
            pass
        finally:
            os._exit(0)
    return pid


def seconds(lanes):
    begun = time.perf_counter()
    running = {call(lane[0]): lane[1:] for lane in lanes}
    while running:
        lane = running.pop(os.wait()[0])
        if lane:
            running[call(lane[0])] = lane[1:]
    return time.perf_counter() - begun


answers = os.fdopen(os.dup(1), "w")
null = os.open(os.devnull, os.O_WRONLY)
os.dup2(null, 1)
os.dup2(null, 2)
gc.freeze()
for line in sys.stdin:
    print(seconds([lane.split(",") for lane in line.split()]), file=answers, flush=True)
