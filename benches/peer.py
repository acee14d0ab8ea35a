"""The tools in a running interpreter, for latency.py: reads `[tools, path, text]` a line, and says how
many seconds each of the tools takes for the text as the content of the file, seen from the project's
root. Several tools run at the same time, each in a child; one runs in the interpreter itself.
"""

import contextlib
import gc
import json
import os
import sys
import tempfile
import time
import tomllib

import bandit.cli.main
import black
import black.files
import flake8.main.cli


def mode():
    with open("pyproject.toml", "rb") as file:
        versions = black.files.infer_target_version(tomllib.load(file))
    return black.Mode(target_versions=set(versions or ()))


def run_black(_, text):
    with contextlib.suppress(black.NothingChanged):
        black.format_file_contents(text, fast=False, mode=MODE)


def run_flake8(file, _):
    flake8.main.cli.main(["-j1", file])


def run_bandit(file, _):
    # It closes what it writes to.
    sys.argv = ["bandit", "-q", "-f", "json", "-o", os.devnull, file]
    with contextlib.suppress(SystemExit):
        bandit.cli.main.main()


def seconds(names, file, text):
    begun = time.perf_counter()
    if len(names) == 1:
        RUNNERS[names[0]](file, text)
        return {names[0]: time.perf_counter() - begun}
    running = {child(name, file, text): name for name in names}
    took = {}
    while running:
        name = running.pop(os.wait()[0])
        took[name] = time.perf_counter() - begun
    return took


def child(name, file, text):
    """Calls a tool in a child; gives the child's number."""
    pid = os.fork()
    if pid == 0:
        try:
            RUNNERS[name](file, text)
        finally:
            os._exit(0)
    return pid


RUNNERS = {"black": run_black, "flake8": run_flake8, "bandit": run_bandit}
MODE = mode()

answers = os.fdopen(os.dup(1), "w")
null = os.open(os.devnull, os.O_WRONLY)
os.dup2(null, 1)
os.dup2(null, 2)
gc.freeze()
for line in sys.stdin:
    names, path, text = json.loads(line)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        file = os.path.join(folder, os.path.basename(path))
        with open(file, "w", encoding="utf-8") as scratch:
            scratch.write(text)
        print(json.dumps(seconds(names, file, text)), file=answers, flush=True)
