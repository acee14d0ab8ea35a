"""Installs a wheel into a fresh environment and runs its pyqa on a small project.

    python release/try_wheel.py WHEEL [VERSION]

Fails unless `pyqa --version` names the version (that of Cargo.toml unless given) and a check of
tests/fixtures/projects/demo, with tools that pyqa installs itself, finds what is wrong there.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


def declared_version():
    return tomllib.loads((TOP / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]


def install(wheel, folder):
    venv.create(folder, with_pip=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [scripts / "python", "-m", "pip", "install", "--quiet", "--no-index", wheel]
    subprocess.run(pip, check=True)
    return scripts / "pyqa"


def main():
    wheel = Path(sys.argv[1])
    version = sys.argv[2] if len(sys.argv) > 2 else declared_version()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        pyqa = install(wheel, folder / "environment")
        said = subprocess.run([pyqa, "--version"], check=True, capture_output=True, text=True)
        assert said.stdout == f"pyqa {version}\n", said.stdout
        project = folder / "project"
        shutil.copytree(TOP / "tests/fixtures/projects/demo", project)
        surroundings = os.environ | {"PYQA_CACHE_DIR": str(folder / "cache"), "PYQA_WORKERS": "run"}
        surroundings.pop("VIRTUAL_ENV", None)
        check = [pyqa, "check", "--only", "flake8,black", "--output-format", "json"]
        run = subprocess.run(check, cwd=project, env=surroundings, capture_output=True, text=True)
        assert run.returncode == 1, (run.returncode, run.stderr)
        report = json.loads(run.stdout)
        tools = {finding["tool"] for finding in report["findings"]}
        assert tools == {"flake8", "black"}, tools
        print(f"{wheel.name}: {said.stdout.strip()}, {len(report['findings'])} findings")


main()
