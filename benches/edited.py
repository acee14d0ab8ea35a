"""What `pyqa check` takes after one file was edited, beside what the four linters take for the same
file in children of an interpreter that has them imported (`forked.py`), mypy in one lane and the others
in a second, and beside prek with the same tools as local hooks.

    python benches/edited.py --pyqa target/release/pyqa --work FOLDER [--base OTHER-PYQA]
                             [--project click] [--runs 10] [--without prek,alone]

FOLDER is the one of compare.py. All run in turn, each on a text of its own; ratios are medians of those
within a round. `alone` is each tool in process without another beside it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

from compare import Bench, Project

LANES = "mypy black,flake8,bandit"
# Seconds between two calls: a person does not save more often, and a worker gets its next child ready.
PAUSE = 0.3


class Edited:
    def __init__(self, args):
        self.args = args
        self.project = Project(args.project, args.work)
        self.project.prepare()
        self.side = os.path.join(args.work, f"edited-{args.project}")
        peer = os.path.join(os.path.dirname(os.path.abspath(__file__)), "forked.py")
        self.peer = subprocess.Popen(
            [self.project.script("python"), peer, self.project.facts["edit"], self.place("mypy")],
            cwd=self.project.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.contenders = {"pyqa": lambda: self.run("pyqa", self.check(args.pyqa))}
        if args.base:
            self.contenders["base"] = lambda: self.run("base", self.check(args.base))
        self.contenders["in process"] = lambda: self.in_process(LANES)
        left_out = args.without.split(",")
        if "alone" not in left_out:
            for tool in LANES.replace(",", " ").split():
                self.contenders[f"{tool} alone"] = lambda tool=tool: self.in_process(tool)
        if "prek" not in left_out:
            file = self.project.facts["edit"]
            prek = Bench(args).hook_runner(self.project, "prek", f"--files {file}")
            self.contenders["prek"] = lambda: self.run("prek", prek)

    def place(self, name):
        folder = os.path.join(self.side, name)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        return folder

    def check(self, pyqa):
        return f"{os.path.abspath(pyqa)} check -q --only flake8,mypy,bandit,black"

    def run(self, name, command):
        env = self.project.environ(self.place(f"cache-{name}"))
        env.update(PYQA_WORKERS="1", XDG_RUNTIME_DIR=self.place(f"run-{name}"), SKIP="pytest")
        begun = time.perf_counter()
        done = subprocess.run(
            command, shell=True, cwd=self.project.folder, env=env, capture_output=True, check=False
        )
        took = time.perf_counter() - begun
        if done.returncode not in (0, 1):
            sys.exit(f"{command}: {done.stderr.decode(errors='replace')}")
        return took

    def in_process(self, lanes):
        self.peer.stdin.write(lanes + "\n")
        self.peer.stdin.flush()
        return float(self.peer.stdout.readline())

    def rounds(self):
        seconds = {name: [] for name in self.contenders}
        # The first two start what is to be warm.
        for at in range(-2, self.args.runs):
            names = list(self.contenders)
            names = names[at % len(names) :] + names[: at % len(names)]
            for name in names:
                self.project.edit(at + 2)
                time.sleep(PAUSE)
                took = self.contenders[name]()
                if at >= 0:
                    seconds[name].append(took)
        return seconds

    def show(self, seconds):
        print(f"| {self.args.project} | median | least | ratio to pyqa |\n|---|---|---|---|")
        for name, values in seconds.items():
            ratio = statistics.median(
                value / other for value, other in zip(values, seconds["pyqa"], strict=True)
            )
            median, least = statistics.median(values) * 1000, min(values) * 1000
            print(f"| {name} | {median:.0f} ms | {least:.0f} ms | {ratio:.2f} |")
        over = [a - b for a, b in zip(seconds["pyqa"], seconds["in process"], strict=True)]
        print(f"\npyqa beyond the tools in process: {statistics.median(over) * 1000:.0f} ms")

    def close(self):
        self.peer.stdin.close()
        self.peer.wait()
        self.project.restore()
        for name, pyqa in (("pyqa", self.args.pyqa), ("base", self.args.base)):
            if pyqa:
                self.run(name, f"{os.path.abspath(pyqa)} worker stop")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pyqa", required=True)
    parser.add_argument("--base", help="another pyqa that is timed too")
    parser.add_argument("--work", required=True)
    parser.add_argument("--project", default="click")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--without", default="")
    args = parser.parse_args()
    args.work = os.path.abspath(args.work)
    edited = Edited(args)
    try:
        edited.show(edited.rounds())
    finally:
        edited.close()


if __name__ == "__main__":
    main()
