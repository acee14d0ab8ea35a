"""How the cost of "nothing changed" grows with the project.

    python benches/growth.py --pyqa target/release/pyqa --work FOLDER [--sizes 5000,10000] [--runs 15]

Makes a git repository of each size in FOLDER, which keeps them: modules in packages of 100, checked by
a tool that the project declares and that finds nothing, so that filling the cache takes seconds. Then
hyperfine runs `git status` and `pyqa check` side by side. The table goes to standard output in
Markdown; linear growth shows in its last columns, which stay the same. Needs git and hyperfine.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

SETTINGS = """\
[project]
name = "generated"
version = "1"

[tool.pyqa]
only = ["quiet"]

[tool.pyqa.tools.quiet]
granularity = "file"
command = { program = "quiet" }
output = { format = "regex", pattern = '^(?P<path>[^:]+):(?P<line>\\d+): (?P<message>.*)$' }
"""
IN_A_PACKAGE = 100
STATUS = "git status --porcelain"


def must(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode:
        sys.exit(f"{command}: {done.stdout[-1000:]}{done.stderr[-1000:]}")


def generate(folder, size):
    """A project of `size` files."""
    if (folder / ".git").is_dir():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(SETTINGS)
    for number in range(size - 1):
        package = folder / f"area_{number // (IN_A_PACKAGE * 20)}" / f"package_{number // IN_A_PACKAGE}"
        if number % IN_A_PACKAGE == 0:
            package.mkdir(parents=True)
        (package / f"module_{number}.py").write_text(f'"""Module {number}."""\n\nNUMBER = {number}\n')
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.invalid"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "generated"]):
        must(["git", *identity, *arguments], cwd=folder)


def write_tool(folder):
    folder.mkdir(parents=True, exist_ok=True)
    tool = folder / "quiet"
    tool.write_text("#!/bin/sh\nexit 0\n")
    tool.chmod(0o755)


def measure(args, size):
    """Medians in seconds of `git status` and `pyqa check`, and the latter's peak of memory in MB."""
    project = args.work / f"project-{size}"
    generate(project, size)
    path = os.pathsep.join([str(args.work / "bin"), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, "PYQA_CACHE_DIR": str(args.work / f"cache-{size}"), "NO_COLOR": "1"}
    env.pop("VIRTUAL_ENV", None)
    # A file that was touched just now proves nothing by its times: look once more after a while.
    for pause in (1, 1, 0):
        must([args.pyqa, "check", "-q"], cwd=project, env=env)
        must(STATUS.split(), cwd=project)
        time.sleep(pause)
    out = args.work / "hyperfine.json"
    timing = ["hyperfine", "-N", "-w", "2", "-r", str(args.runs), "--export-json", str(out)]
    must([*timing, STATUS, f"{args.pyqa} check -q"], cwd=project, env=env)
    status, check = (result["median"] for result in json.loads(out.read_text())["results"])
    return status, check, peak([args.pyqa, "check", "-q"], project, env)


def peak(command, folder, env):
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL) as child:
        # Of this one child, where `getrusage` tells the greatest of all.
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0
    return usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pyqa", required=True, type=lambda path: os.path.abspath(path))
    parser.add_argument("--work", required=True, type=lambda path: pathlib.Path(path).absolute())
    parser.add_argument("--sizes", default="5000,10000,20000,50000")
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    write_tool(args.work / "bin")
    print("| files | git status | pyqa check | ratio | pyqa, a file | peak of memory |\n|---|---|---|---|---|---|")
    for size in map(int, args.sizes.split(",")):
        status, check, memory = measure(args, size)
        row = f"{status * 1000:.0f} ms | {check * 1000:.0f} ms | {check / status:.2f}"
        print(f"| {size:,} | {row} | {check / size * 1e6:.1f} µs | {memory:.0f} MB |", flush=True)


if __name__ == "__main__":
    main()
