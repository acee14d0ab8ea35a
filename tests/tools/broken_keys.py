#!/usr/bin/env python3
"""Leaves one part after the other out of pyqa's keys and checks, and tells whether the fuzz in
tests/it/fuzz notices. A part that nothing notices is a part that nobody would miss.

    python3 tests/tools/broken_keys.py [PART ...]

Builds pyqa with the feature `drop-key-parts` in a target folder of its own. The table that it
prints is in docs/caching.md. Exit code 1: something was not noticed.
"""

import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]

# Name → parts that are left out, and the mutations in turn. Where two parts stand for one thing,
# each makes up for the other, so that both have to go.
CASES = {
    "content of a file": ("content", "edit:pkg/style.py"),
    "path": ("path", "rename,case-rename"),
    "permission to execute": ("executable", "chmod"),
    "link": ("link", "link-to-the-same"),
    "settings": ("settings", "bandit-settings,flake8-settings"),
    "place of the settings file": ("settings file", "settings-nearer"),
    "arguments": ("arguments", "argument"),
    "files that arguments name": ("extra/flake8.cfg", "flake8-argument-file,edit:extra/flake8.cfg"),
    "version of the tool": ("bandit", "tool-upgraded"),
    "versions of plugins": ("plugin,installed files of the tool", "plugin"),
    "versions of requirements": ("requirement", "tool-s-dependency-upgraded"),
    "installed files of the tool": (
        "installed files of the tool",
        "tool-with-other-code-of-the-same-version",
    ),
    "the tool's own source": ("the tool's own source", "editable-plugin"),
    "modules in the place of the tool's": ("the tool's own source", "module-in-the-way"),
    "interpreter": ("python", "interpreter"),
    "start of the interpreter": ("start of the interpreter", "start-of-the-interpreter"),
    "path files": ("path files", "path-file"),
    "what was copied by hand": ("copied", "data-copied-by-hand"),
    "permissions": ("permissions", "permissions"),
    "environment": ("environment", "dependency"),
    "environment variables": ("variable", "declared-variable"),
    "inputs beside the project": ("inputs", "ignored-name"),
    "states of these inputs": ("states", "rest,ignored-name"),
    "folders of the work tree": ("folders", "rest,new-file"),
    "program on PATH": ("words", "own-tool-edited"),
    "declared inputs": ("extra/words.txt", "own-tool-s-input"),
    "reading of the output": ("reading", "own-tool-s-output-read-otherwise"),
    "ctime": ("ctime", "edit-keeping-time:pkg/style.py"),
    "edits that mypy cannot see": ("hidden", "edit-keeping-time:pkg/base.py"),
    "modules that mypy does not look for again": ("newcomers", "submodule"),
    "edits that CPython cannot see": ("bytecode", "edit-keeping-time:pkg/leaf.py"),
    "changes during the run": ("moved", "edit-during-a-run:pkg/style.py"),
}


def build(*arguments):
    target = TOP / "target" / "broken-keys"
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    command = ["cargo", "build", "--locked", "--bin", "pyqa", "--features", "drop-key-parts"]
    subprocess.run(command, cwd=TOP, env=environment, check=True)
    return target / "debug" / "pyqa"


def fuzz(binary, parts, mutations):
    environment = {
        **os.environ,
        "PYQA_FUZZ_BINARY": str(binary),
        "PYQA_FUZZ_MUTATIONS": mutations,
        "PYQA_FUZZ_SEEDS": "1",
        "PYQA_FUZZ_STEPS": "12",
        "PYQA_FUZZ_DROP": parts,
    }
    command = ["cargo", "test", "--locked", "--test", "it", "fuzz::"]
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True)
    lines = (done.stdout + done.stderr).splitlines()
    said = [line for line in lines if line.startswith(("the cache disagrees", "seed "))]
    noticed = any("disagrees" in line for line in said)
    if done.returncode and not noticed:
        said = lines[-20:]
    return noticed, said


def main():
    binary = os.environ.get("PYQA_BROKEN_BINARY") or build()
    wanted = sys.argv[1:] or list(CASES)
    missed = 0
    print("| left out | noticed by | after |\n|---|---|---|", flush=True)
    for name in wanted:
        parts, mutations = CASES[name]
        noticed, said = fuzz(binary, parts, mutations)
        missed += not noticed
        words = said[0].split(" with ")[0] if said else "no word"
        after = words.removeprefix("the cache disagrees after ").rstrip(",") if noticed else f"NOT NOTICED: {said}"
        print(f"| {name} | {mutations} | {after} |", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
