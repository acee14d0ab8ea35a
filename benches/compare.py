"""Times pyqa against the same five tools started otherwise, on projects of others.

    python benches/compare.py --pyqa target/release/pyqa --work FOLDER [--projects click,werkzeug]
                              [--scenarios first,unchanged,edited,commit] [--runs 5]
                              [--without prek,pre-commit]

FOLDER keeps what is downloaded and installed (sources from PyPI, an environment for each project,
prek, pre-commit and lefthook), so that a second call begins at once. Needs git, hyperfine and
xargs. The tables go to standard output in Markdown.

Contenders are run in turn, round by round, since the speed of a shared machine changes from
minute to minute; what counts are the medians of the ratios within a round. Commands of a few
milliseconds are given to hyperfine side by side.
"""

import argparse
import glob
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import time

TOOLS = ["flake8==7.5.0", "mypy==2.4.1", "bandit==1.9.4", "black==26.10.1", "pytest==9.2.0"]
RUNNERS = ["prek==0.5.11", "pre-commit", "lefthook"]
PROJECTS = {
    "click": {"source": "click==8.5.1", "edit": "src/click/utils.py", "pytest": True},
    "werkzeug": {
        "source": "Werkzeug==3.1.9",
        "edit": "src/werkzeug/urls.py",
        "pytest": True,
        "needs": ["cffi", "cryptography", "ephemeral-port-reserve", "pytest-timeout", "watchdog"],
        # Restarts a server on file events, which not every machine delivers.
        "addopts": "--deselect tests/test_serving.py",
    },
    "django": {"source": "Django==5.2.19", "edit": "django/utils/text.py", "pytest": False},
}


def run(command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)
    return done


def must(command, **more):
    done = run(command, **more)
    if done.returncode:
        sys.exit(f"{command}: {done.stdout.decode(errors='replace')[-2000:]}")
    return done.stdout.decode(errors="replace")


class Project:
    """One project in its own folder, with an environment beside it."""

    def __init__(self, name, work):
        self.name = name
        self.facts = PROJECTS[name]
        self.folder = os.path.join(work, name)
        self.env = os.path.join(work, f"env-{name}")
        self.work = work

    def prepare(self):
        if not os.path.isdir(self.folder):
            loaded = os.path.join(self.work, "sources")
            must(
                [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
                + ["-d", loaded, self.facts["source"]]
            )
            prefix = self.facts["source"].split("==")[0].lower()
            archive = glob.glob(os.path.join(loaded, f"{prefix}-*.tar.gz"))[0]
            os.makedirs(self.folder)
            must(["tar", "xf", archive, "-C", self.folder, "--strip-components=1", "--no-same-owner"])
            # The same tools for all, whatever the project itself has chosen.
            with open(os.path.join(self.folder, "pyproject.toml"), "a", encoding="utf-8") as file:
                file.write(f"\n[tool.pyqa]\nonly = {json.dumps(self.tools())}\n")
            self.git("init", "-q")
            self.git("add", "-A")
            self.git("commit", "-q", "-m", "as released")
        if not os.path.isdir(self.env):
            must([sys.executable, "-m", "venv", self.env])
            packages = TOOLS + self.facts.get("needs", []) + ["-e", self.folder]
            must([self.script("python"), "-m", "pip", "install", "-q", *packages])
        self.write_hooks()

    def git(self, *arguments):
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.invalid"]
        must(["git", *identity, *arguments], cwd=self.folder)

    def script(self, name):
        return os.path.join(self.env, "bin", name)

    def environ(self, cache):
        env = dict(os.environ, VIRTUAL_ENV=self.env, PYQA_CACHE_DIR=cache, NO_COLOR="1")
        env["PATH"] = os.pathsep.join([os.path.join(self.env, "bin"), env["PATH"]])
        env["PRE_COMMIT_HOME"] = os.path.join(self.work, "pre-commit-home")
        env["PREK_HOME"] = os.path.join(self.work, "prek-home")
        if "addopts" in self.facts:
            env["PYTEST_ADDOPTS"] = self.facts["addopts"]
        return env

    def tools(self):
        return [spec.split("==")[0] for spec in TOOLS if self.facts["pytest"] or "pytest" not in spec]

    def mypy_targets(self):
        with open(os.path.join(self.folder, "pyproject.toml"), encoding="utf-8") as file:
            text = file.read()
        section = text.partition("[tool.mypy]")[2].partition("\n[")[0]
        return "" if "files" in section else " ."

    # What the tools cost when they are started otherwise.

    def one_after_another(self):
        """Each tool with its own defaults."""
        commands = {
            "flake8": "flake8 .",
            "mypy": "mypy" + self.mypy_targets(),
            "bandit": "bandit -q -r .",
            "black": "black --check -q .",
            "pytest": "pytest -q",
        }
        return "; ".join(commands[tool] for tool in self.tools())

    def by_hand_in_parallel(self, cores):
        """Per-file tools cut into a shard a core, their own multiprocessing off, at most one process
        a core. The long ones come first."""
        files = must(["git", "ls-files", "-z", "*.py"], cwd=self.folder).split("\0")[:-1]
        shards = [files[at::cores] for at in range(cores)]
        shell = []
        if "pytest" in self.tools():
            shell.append("pytest -q")
        for command in ("black --check -q --no-cache -W1", "flake8 -j1", "bandit -q"):
            for number, shard in enumerate(shards):
                names = os.path.join(self.work, f"{self.name}-shard-{number}")
                with open(names, "w", encoding="utf-8") as file:
                    file.write("\0".join(shard))
                shell.append(f"xargs -0 -a {shlex.quote(names)} {command}")
        shell.insert(1 if "pytest" in self.tools() else 0, "mypy" + self.mypy_targets())
        listed = os.path.join(self.work, f"{self.name}-commands")
        with open(listed, "w", encoding="utf-8") as file:
            file.write("\n".join(shell) + "\n")
        return f"xargs -d '\\n' -a {shlex.quote(listed)} -P {cores} -I@ sh -c '@'"

    def write_hooks(self):
        """The same tools as local hooks of prek and pre-commit, and as commands of lefthook."""
        entries = {
            "flake8": "flake8 -j1",
            "mypy": "mypy" + self.mypy_targets(),
            "bandit": "bandit -q",
            "black": "black --check -q",
            "pytest": "pytest -q",
        }
        hooks, commands = [], []
        for tool in self.tools():
            whole = tool in ("mypy", "pytest")
            names = "false" if whole else "true"
            hooks.append(
                f"      - {{id: {tool}, name: {tool}, entry: {entries[tool]}, language: system, "
                f"types: [python], pass_filenames: {names}}}"
            )
            files = "" if whole else " {staged_files}"
            commands.append(f"    {tool}: {{run: '{entries[tool]}{files}', glob: '*.py'}}")
        folder = os.path.join(self.work, f"hooks-{self.name}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "pre-commit.yaml"), "w", encoding="utf-8") as file:
            file.write("repos:\n  - repo: local\n    hooks:\n" + "\n".join(hooks) + "\n")
        with open(os.path.join(folder, "lefthook.yml"), "w", encoding="utf-8") as file:
            file.write("pre-commit:\n  parallel: true\n  commands:\n" + "\n".join(commands) + "\n")
        self.hooks = folder

    def clean(self):
        """Removes what the tools have cached."""
        for name in (".mypy_cache", ".pytest_cache"):
            shutil.rmtree(os.path.join(self.folder, name), ignore_errors=True)
        shutil.rmtree(os.path.expanduser("~/.cache/black"), ignore_errors=True)

    def edit(self, number):
        path = os.path.join(self.folder, self.facts["edit"])
        with open(path, "a", encoding="utf-8") as file:
            # New to every cache, also to those of earlier calls.
            file.write(f"\n_BENCH_{number} = {time.time_ns()}\n")

    def restore(self):
        self.git("checkout", "-q", "--", self.facts["edit"])


class Bench:
    def __init__(self, args):
        self.args = args
        self.cores = len(os.sched_getaffinity(0))
        self.runners = os.path.join(args.work, "env-runners", "bin")
        if not os.path.isdir(self.runners):
            env = os.path.dirname(self.runners)
            must([sys.executable, "-m", "venv", env])
            must([os.path.join(self.runners, "python"), "-m", "pip", "install", "-q", *RUNNERS])

    def check(self, project):
        return f"{self.args.pyqa} check -q --only {','.join(project.tools())}"

    def hook_runner(self, project, name, what):
        config = shlex.quote(os.path.join(project.hooks, "pre-commit.yaml"))
        return f"{self.runners}/{name} run --config {config} {what}"

    def timed(self, project, command, cache):
        begun = time.perf_counter()
        run(command, shell=True, cwd=project.folder, env=project.environ(cache))
        return time.perf_counter() - begun

    def rounds(self, project, contenders, before, runs=None):
        """Seconds of each contender, round by round; `before` is called before each run."""
        cache = os.path.join(self.args.work, f"cache-{project.name}")
        left_out = self.args.without.split(",")
        contenders = {name: what for name, what in contenders.items() if name not in left_out}
        seconds = {name: [] for name in contenders}
        for number in range(runs or self.args.runs):
            names = list(contenders)
            # Nobody is always the one that runs after another.
            names = names[number % len(names) :] + names[: number % len(names)]
            for name in names:
                before(name, number, cache)
                seconds[name].append(self.timed(project, contenders[name], cache))
        return seconds

    def show(self, title, seconds, base):
        print(f"\n### {title}\n")
        print("| | median | ratio to " + base + " |\n|---|---|---|")
        for name, values in seconds.items():
            ratios = [value / other for value, other in zip(values, seconds[base], strict=True)]
            median = statistics.median(values)
            shown = f"{median:.2f} s" if median >= 1 else f"{median * 1000:.0f} ms"
            print(f"| {name} | {shown} | {statistics.median(ratios):.2f} |", flush=True)

    def first(self, project):
        def before(name, number, cache):
            project.clean()
            shutil.rmtree(cache, ignore_errors=True)

        contenders = {
            "pyqa check": self.check(project),
            "by hand in parallel": project.by_hand_in_parallel(self.cores),
            "one after another": project.one_after_another(),
            "prek": self.hook_runner(project, "prek", "--all-files"),
            "pre-commit": self.hook_runner(project, "pre-commit", "--all-files"),
        }
        seconds = self.rounds(project, contenders, before)
        self.show(f"{project.name}: first run", seconds, "by hand in parallel")

    def unchanged(self, project):
        cache = os.path.join(self.args.work, f"cache-{project.name}")
        self.timed(project, self.check(project), cache)
        # Files that were touched just now prove nothing by their times.
        time.sleep(1)
        self.timed(project, self.check(project), cache)
        commands = ["git status --porcelain", self.check(project)]
        if "pytest" in project.tools():
            # A suite that fails always runs again; what is measured here is looking.
            commands[1] += " --skip pytest"
        rows = self.hyperfine(project, commands, cache)
        print(f"\n### {project.name}: nothing changed\n\n| | median | ratio to git status |\n|---|---|---|")
        for name, row in zip(["git status --porcelain", "pyqa check"], rows, strict=True):
            print(f"| {name} | {row * 1000:.1f} ms | {row / rows[0]:.2f} |", flush=True)

        def before(name, number, cache):
            pass

        contenders = {
            "one after another": project.one_after_another(),
            "prek": self.hook_runner(project, "prek", "--all-files"),
            "pre-commit": self.hook_runner(project, "pre-commit", "--all-files"),
        }
        seconds = self.rounds(project, contenders, before, runs=1)
        self.show(f"{project.name}: nothing changed, the others", seconds, "prek")

    def hyperfine(self, project, commands, cache):
        out = os.path.join(self.args.work, "hyperfine.json")
        must(
            ["hyperfine", "-N", "-i", "-w", "3", "-r", "30", "--export-json", out, *commands],
            cwd=project.folder,
            env=project.environ(cache),
        )
        with open(out, encoding="utf-8") as file:
            return [result["median"] for result in json.load(file)["results"]]

    def edited(self, project):
        def before(name, number, cache):
            project.edit(f"{number}{len(name)}")

        file = project.facts["edit"]
        skip = " --skip pytest" if "pytest" in project.tools() else ""
        env = dict(os.environ, SKIP="pytest")
        os.environ.update(env)
        contenders = {
            "pyqa check": self.check(project) + skip,
            "prek": self.hook_runner(project, "prek", f"--files {file}"),
            "pre-commit": self.hook_runner(project, "pre-commit", f"--files {file}"),
        }
        cache = os.path.join(self.args.work, f"cache-{project.name}")
        self.timed(project, contenders["pyqa check"], cache)
        seconds = self.rounds(project, contenders, before)
        project.restore()
        self.show(f"{project.name}: one file edited, pytest left out", seconds, "prek")

    def commit(self, project):
        """The four linters as a pre-commit hook; one file is staged."""
        file = project.facts["edit"]
        hook = os.path.join(project.folder, ".git/hooks/pre-commit")
        config = shlex.quote(os.path.join(project.hooks, "pre-commit.yaml"))
        lefthook = os.path.join(project.hooks, "lefthook.yml")
        hooks = {
            "without a hook": None,
            "pyqa": f"exec {self.args.pyqa} hook pre-commit -- \"$@\"",
            "prek": f"SKIP=pytest exec {self.runners}/prek run --config {config}",
            "pre-commit": f"SKIP=pytest exec {self.runners}/pre-commit run --config {config}",
            "lefthook": f"LEFTHOOK_CONFIG={shlex.quote(lefthook)} LEFTHOOK_EXCLUDE=pytest "
            f"exec {self.runners}/lefthook run pre-commit",
        }

        def before(name, number, cache):
            if os.path.exists(hook):
                os.remove(hook)
            self.reset(project)
            project.edit(f"{number}{len(name)}")
            project.git("add", file)
            if hooks[name]:
                with open(hook, "w", encoding="utf-8") as script:
                    script.write(f"#!/bin/sh\n{hooks[name]}\n")
                os.chmod(hook, 0o755)

        commit = "git -c user.name=bench -c user.email=bench@example.invalid commit -q -m bench"
        cache = os.path.join(self.args.work, f"cache-{project.name}")
        for name in filter(hooks.get, hooks):
            before(name, 99, cache)
            said = run(shlex.split(commit), cwd=project.folder, env=project.environ(cache)).stdout
            # What ends early for another reason is no contender.
            if b"flake8" not in said:
                sys.exit(f"{name} did not run the linters: {said.decode(errors='replace')}")
        seconds = self.rounds(project, dict.fromkeys(hooks, commit), before)
        os.remove(hook) if os.path.exists(hook) else None
        self.reset(project)
        self.show(f"{project.name}: commit with one edited file", seconds, "prek")

    def reset(self, project):
        released = must(["git", "rev-list", "--max-parents=0", "HEAD"], cwd=project.folder).strip()
        project.git("reset", "-q", "--hard", released)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pyqa", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--projects", default="click,werkzeug,django")
    parser.add_argument("--scenarios", default="first,unchanged,edited,commit")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--without", default="", help="contenders that are not asked")
    args = parser.parse_args()
    args.pyqa = os.path.abspath(args.pyqa)
    args.work = os.path.abspath(args.work)
    os.makedirs(args.work, exist_ok=True)
    bench = Bench(args)
    print(f"{platform.system()} {platform.machine()}, {bench.cores} cores, Python {platform.python_version()}")
    for name in args.projects.split(","):
        project = Project(name, args.work)
        project.prepare()
        for scenario in args.scenarios.split(","):
            getattr(bench, scenario)(project)


if __name__ == "__main__":
    main()
