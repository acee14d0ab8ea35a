"""What a person at an editor waits for, beside what the tools themselves take for the same text.

    python benches/latency.py --pyqa target/release/pyqa --work FOLDER [--parts format,known,lsp,save]
                              [--runs 100] [--files globals.py,urls.py,local.py]
                              [--tools bandit,flake8,black] [--at-once]

FOLDER is the one of compare.py: projects and their environments. The tools' own times come from an
interpreter that has them imported (`peer.py`), on the same text, in turn with pyqa. No text comes
twice, so that no cache answers, but in `known`.

- format: `pyqa format --stdin-filename FILE -` with a warm worker, and black.format_file_contents;
  for a file of 200 lines also `black -q -` as a process of its own
- known: the same for a text that is formatted, and known to be
- lsp: a change in `pyqa lsp`, until each tool's diagnostics are there, less the time for which the
  server waits for the next key; `--tools` names those that check at the same time. The tools in process
  have the machine for themselves one by one, or, with `--at-once`, share it as they do in the server
- save: a saved edit in `pyqa lsp`, until mypy's diagnostics are there, and mypy as a process of its own
  on a cache folder that knows all but the edit; the file gets its content back
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from compare import Project
from editor import Editor

FILES = {
    "globals.py": ("click", "src/click/globals.py"),
    "urls.py": ("werkzeug", "src/werkzeug/urls.py"),
    "local.py": ("werkzeug", "src/werkzeug/local.py"),
}
# The file on which a process of black's own is timed too.
MIDDLE = "urls.py"
DEBOUNCE = 150
TOOLS = ["bandit", "flake8", "black"]
# Seconds between two calls: a person does not save more often, and a worker gets its next child ready.
PAUSE = 0.5
# A finding for each tool, and new to every cache.
EDIT = "\n\nimport edit_{0}\nassert  __name__, '{0}'\nedit_count: int = '{0}'\n"


class Peer:
    """An interpreter of the project's environment that has the tools imported."""

    def __init__(self, project):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer.py")
        self.process = subprocess.Popen(
            [project.script("python"), script],
            cwd=project.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, tools, path, text):
        """What each of the tools takes for the text as the content of the file; several run at once."""
        self.process.stdin.write(json.dumps([tools, path, text]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Bench:
    def __init__(self, args):
        self.args = args
        self.stamp = time.time_ns()
        self.projects = {}
        self.side = os.path.join(args.work, "latency")
        shutil.rmtree(self.side, ignore_errors=True)
        os.makedirs(os.path.join(self.side, "runtime"), mode=0o700)

    def project(self, name):
        if name not in self.projects:
            self.projects[name] = Project(name, self.args.work)
            self.projects[name].prepare()
        return self.projects[name]

    def environ(self, project):
        env = project.environ(os.path.join(self.side, "cache"))
        env.update(PYQA_WORKERS="1", XDG_RUNTIME_DIR=os.path.join(self.side, "runtime"))
        return env

    def close(self):
        env = dict(os.environ, XDG_RUNTIME_DIR=os.path.join(self.side, "runtime"))
        subprocess.run([self.args.pyqa, "worker", "stop"], env=env, stdout=subprocess.DEVNULL)

    def number(self, at):
        """New to every cache, also to those of earlier calls."""
        return self.stamp + at

    def timed(self, command, project, text):
        begun = time.perf_counter()
        done = subprocess.run(
            command,
            input=text.encode(),
            stdout=subprocess.PIPE,
            cwd=project.folder,
            env=self.environ(project),
        )
        took = time.perf_counter() - begun
        if done.returncode:
            sys.exit(f"{command} ended with {done.returncode}")
        return took, done.stdout.decode()

    def format(self, name, project, path, text, peer):
        command = [self.args.pyqa, "format", "--stdin-filename", path, "-"]
        cold = [project.script("black"), "-q", "--stdin-filename", path, "-"]
        seconds = {"pyqa format": [], "black in process": [], "black -q -": []}
        # The worker starts, and black has been called once.
        for at in range(3):
            self.timed(command, project, text + f"warm_{self.number(-at)} = [ ]\n")
            peer.seconds(["black"], path, text)
        for at in range(self.args.runs):
            time.sleep(PAUSE)
            edited = text + "edit_{0} = {{ 'a':{0} }}\n".format(self.number(at))
            took, formatted = self.timed(command, project, edited)
            seconds["pyqa format"].append(took)
            seconds["black in process"].append(peer.seconds(["black"], path, edited)["black"])
            if name == MIDDLE and at < 20:
                took, expected = self.timed(cold, project, edited)
                seconds["black -q -"].append(took)
                if formatted != expected:
                    sys.exit("pyqa format and black disagree")
        self.show(f"{name}: format, a new edit each time", seconds)

    def known(self, name, project, path, text, peer):
        command = [self.args.pyqa, "format", "--stdin-filename", path, "-"]
        for _ in range(3):
            self.timed(command, project, text)
        seconds = [self.timed(command, project, text)[0] for _ in range(self.args.runs)]
        nothing = [
            self.timed([self.args.pyqa, "--version"], project, "")[0] for _ in range(self.args.runs)
        ]
        self.show(
            f"{name}: format, known to be formatted",
            {"pyqa format": seconds, "pyqa --version": nothing},
        )

    def lsp(self, name, project, path, text, peer):
        full = os.path.join(project.folder, path)
        tools = self.args.tools.split(",")
        others = [tool for tool in TOOLS if tool not in tools]
        options = {"debounce": DEBOUNCE, "skip": ["pytest", "mypy", *others]}
        editor = Editor(self.args.pyqa, project.folder, self.environ(project), options)
        editor.open(full, text)
        for at in range(3):
            editor.change(full, at + 2, text + EDIT.format(self.number(-at)))
            editor.wait(full, at + 2, tools)
            for tool in tools:
                peer.seconds([tool], path, text)
        calls = [tools] if self.args.at_once else [[tool] for tool in tools]
        seconds = {f"{who} {tool}": [] for tool in tools for who in ("pyqa lsp", "in process")}
        for at in range(self.args.runs):
            time.sleep(PAUSE)
            edited = text + EDIT.format(self.number(at))
            editor.change(full, at + 5, edited)
            for tool, took in editor.wait(full, at + 5, tools).items():
                seconds[f"pyqa lsp {tool}"].append(took - DEBOUNCE / 1000)
            for call in calls:
                for tool, took in peer.seconds(call, path, edited).items():
                    seconds[f"in process {tool}"].append(took)
        editor.close()
        self.show(f"{name}: diagnostics after a change", seconds)

    def save(self, name, project, path, text, peer):
        full = os.path.join(project.folder, path)
        options = {"debounce": DEBOUNCE, "skip": [tool for tool in project.tools() if tool != "mypy"]}
        own = [project.script("mypy"), "--cache-dir", os.path.join(self.side, "mypy")]
        own += project.mypy_targets().split()
        editor = Editor(self.args.pyqa, project.folder, self.environ(project), options)
        editor.open(full, text)
        seconds = {"pyqa lsp mypy": [], "mypy": []}
        with open(full, encoding="utf-8") as file:
            before = file.read()
        try:
            for at in range(-2, self.args.runs):
                # Of another size than the last: mypy's own cache takes two texts of one size and second
                # for the same, and pyqa then does without it.
                edited = text + "\n" * (at % 5 + 3) + "print(edit_{})\n".format(self.number(at))
                editor.change(full, at + 5, edited)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(edited)
                editor.save(full)
                took = editor.wait(full, at + 5, ["mypy"], f'"edit_{self.number(at)}"')["mypy"]
                begun = time.perf_counter()
                subprocess.run(own, cwd=project.folder, stdout=subprocess.DEVNULL)
                if at >= 0:
                    seconds["pyqa lsp mypy"].append(took)
                    seconds["mypy"].append(time.perf_counter() - begun)
        finally:
            with open(full, "w", encoding="utf-8") as file:
                file.write(before)
            editor.close()
        self.show(f"{name}: mypy's diagnostics after a file was saved", seconds)

    def show(self, title, seconds):
        print(f"\n### {title}\n\n| | p50 | p99 | runs |\n|---|---|---|---|")
        for what, values in seconds.items():
            if values:
                p50, p99 = (
                    statistics.median(values),
                    statistics.quantiles(values, n=100, method="inclusive")[98],
                )
                print(
                    f"| {what} | {p50 * 1000:.1f} ms | {p99 * 1000:.1f} ms | {len(values)} |",
                    flush=True,
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pyqa", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--parts", default="format,known,lsp")
    parser.add_argument("--files", default=",".join(FILES))
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--at-once", action="store_true")
    parser.add_argument("--runs", type=int, default=100)
    args = parser.parse_args()
    args.pyqa = os.path.abspath(args.pyqa)
    args.work = os.path.abspath(args.work)
    bench = Bench(args)
    try:
        for name in args.files.split(","):
            project, path = bench.project(FILES[name][0]), FILES[name][1]
            with open(os.path.join(project.folder, path), encoding="utf-8") as file:
                text = file.read()
            peer = Peer(project)
            text = bench.timed(
                [project.script("black"), "-q", "--stdin-filename", path, "-"], project, text
            )[1]
            for part in args.parts.split(","):
                getattr(bench, part)(name, project, path, text, peer)
            peer.close()
    finally:
        bench.close()


if __name__ == "__main__":
    main()
