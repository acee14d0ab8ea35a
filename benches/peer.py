"""The tools in a running interpreter, for latency.py: reads `[tool, path, text]` a line, and says how
many seconds the tool takes for the text as the content of the file, seen from the project's root.
"""

import contextlib
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


def seconds(tool, file, text):
    begun = time.perf_counter()
    tool(file, text)
    return time.perf_counter() - begun


RUNNERS = {"black": run_black, "flake8": run_flake8, "bandit": run_bandit}
MODE = mode()

answers = os.fdopen(os.dup(1), "w")
null = os.open(os.devnull, os.O_WRONLY)
os.dup2(null, 1)
os.dup2(null, 2)
for line in sys.stdin:
    name, path, text = json.loads(line)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        file = os.path.join(folder, os.path.basename(path))
        with open(file, "w", encoding="utf-8") as scratch:
            scratch.write(text)
        print(json.dumps(seconds(RUNNERS[name], file, text)), file=answers, flush=True)
