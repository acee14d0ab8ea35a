"""Compares what pyqa finds in a project with what the five tools print when run by hand.

    python tests/tools/by_hand.py --pyqa target/release/pyqa --env ENVIRONMENT PROJECT

ENVIRONMENT is a virtual environment in which the five tools and the project's dependencies are
installed. The tools are run there on the project's root, one after another, by their console
scripts and with their own defaults; their output is read here on its own, not with pyqa's code.
Exit code 0 when both sides found the same set, 1 when they did not.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

TOOLS = ("flake8", "mypy", "bandit", "black", "pytest")


def run(args, command, **more):
    scripts = os.path.join(args.env, "Scripts" if os.name == "nt" else "bin")
    program = os.path.join(scripts, command[0])
    env = dict(os.environ, NO_COLOR="1", VIRTUAL_ENV=args.env)
    return subprocess.run(
        [program, *command[1:]],
        cwd=args.project,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
        **more,
    )


def text(raw):
    return raw.decode("utf-8", "replace")


def clean(path):
    return os.path.normpath(path).replace(os.sep, "/")


def flake8(args):
    """E501 is told with its column; both sides have it, so it is compared too."""
    for line in text(run(args, ["flake8", "."]).stdout).splitlines():
        found = re.match(r"(.*?):(\d+):(\d+): (\S+) (.*)$", line)
        if found:
            path, row, column, code, message = found.groups()
            yield clean(path), int(row), max(int(column), 1), code, message


def mypy(args):
    command = ["mypy", "--no-pretty", "--no-color-output", "--show-error-codes"]
    command += ["--hide-error-context", "--show-column-numbers", "--cache-dir", os.devnull]
    settled = any(
        key in args.mypy_settings for key in ("files", "packages", "modules")
    )
    if not settled:
        command.append(".")
    for line in text(run(args, command).stdout).splitlines():
        found = re.match(
            r"(.+?)(?::(\d+))?(?::(\d+))?: error: (.*?)(?:  \[([a-z0-9-]+)\])?$", line
        )
        if found:
            path, row, column, message, code = found.groups()
            yield clean(path), number(row), number(column), code, message


def number(text):
    return None if text is None else int(text)


def bandit(args):
    command = ["bandit", "-q", "-f", "json", "-r", "."]
    if args.bandit_settings:
        command += ["-c", "pyproject.toml"]
    report = json.loads(text(run(args, command).stdout))
    for found in report["results"]:
        yield (
            clean(found["filename"]),
            found["line_number"],
            found["col_offset"] + 1,
            found["test_id"],
            found["issue_text"],
        )
    for error in report["errors"]:
        yield clean(error["filename"]), None, None, "syntax-error", error["reason"]


def black(args):
    """Which files black would change, and which it cannot parse."""
    output = text(run(args, ["black", "--check", "."]).stderr)
    for line in output.splitlines():
        if line.startswith("would reformat "):
            path = os.path.relpath(line[len("would reformat ") :], args.project)
            yield clean(path), None, None, "format", ""
        found = re.match(r"error: cannot parse: (.+):(\d+):(\d+)$", line) or re.match(
            r"error: cannot format (.+?): Cannot parse[^:]*: (\d+):(\d+):", line
        )
        if found:
            path = os.path.relpath(found.group(1), args.project)
            yield clean(path), int(found.group(2)), int(found.group(3)), "syntax-error", ""


def pytest(args):
    """Node ids that failed, by pytest's own short summary."""
    output = text(run(args, ["pytest", "-q", "-rfE", "--color=no"]).stdout)
    for line in output.splitlines():
        found = re.match(r"(FAILED|ERROR) (\S.*?)(?: - .*)?$", line)
        if found:
            code = {"FAILED": "failed", "ERROR": "error"}[found.group(1)]
            yield found.group(2), None, None, code, ""


def by_pyqa(args, tools):
    with tempfile.TemporaryDirectory() as cache:
        env = dict(os.environ, VIRTUAL_ENV=args.env)
        env.setdefault("PYQA_CACHE_DIR", cache)
        command = [args.pyqa, "check", "--only", ",".join(tools), "--output-format", "json"]
        done = subprocess.run(
            command + ["-q", "--no-cache"],
            cwd=args.project,
            env=env,
            stdout=subprocess.PIPE,
            check=False,
        )
    if done.returncode not in (0, 1, 2):
        sys.exit(f"pyqa exited with {done.returncode}")
    report = json.loads(done.stdout)
    found = {tool: set() for tool in tools}
    for finding in report["findings"]:
        if finding["severity"] == "note":
            continue
        tool = finding["tool"]
        path, row, column = finding["path"], finding["line"], finding["column"]
        code, message = finding["code"], finding["message"]
        if tool == "black":
            message = ""
            if code == "format":
                row = column = None
        elif tool == "pytest":
            path, row, column, message = finding["test"], None, None, ""
        found[tool].add((path, row, column, code, message))
    for tool in report["tools"]:
        for failure in tool["failures"]:
            print(f"{tool['tool']}: {failure['message']}")
            print(failure["output"][-800:])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project")
    parser.add_argument("--pyqa", required=True)
    parser.add_argument("--env", required=True)
    parser.add_argument("--only", default=",".join(TOOLS))
    args = parser.parse_args()
    args.project = os.path.abspath(args.project)
    args.pyqa = os.path.abspath(args.pyqa)
    args.env = os.path.abspath(args.env)
    args.mypy_settings, args.bandit_settings = {}, {}
    pyproject = os.path.join(args.project, "pyproject.toml")
    if os.path.exists(pyproject):
        import tomllib

        with open(pyproject, "rb") as file:
            tool = tomllib.load(file).get("tool", {})
        args.mypy_settings = tool.get("mypy", {})
        args.bandit_settings = tool.get("bandit", {})
    tools = args.only.split(",")
    pyqa = by_pyqa(args, tools)
    same = True
    for tool in tools:
        hand = set(globals()[tool](args))
        lost, added = hand - pyqa[tool], pyqa[tool] - hand
        print(f"{tool}: {len(hand)} by hand, {len(pyqa[tool])} by pyqa")
        for title, rows in (("lost", lost), ("added", added)):
            for row in sorted(rows, key=str)[:10]:
                print(f"  {title}: {row}")
            same &= not rows
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
