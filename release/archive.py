"""Packs the program of a wheel with its manual and completion scripts.

    python release/archive.py WHEEL NAME FOLDER

writes FOLDER/NAME.tar.gz. The program has to run on this machine, for it writes the manual and the
scripts itself. The same wheel gives the same bytes: entries are sorted, and their time is
SOURCE_DATE_EPOCH or 1980.
"""

import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
TEXTS = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"]
SCRIPTS = {"bash": "pyqa.bash", "zsh": "_pyqa", "fish": "pyqa.fish", "powershell": "_pyqa.ps1"}
TIME = int(os.environ.get("SOURCE_DATE_EPOCH", "315532800"))


def program_of(wheel):
    """The program's name and bytes."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if Path(name).parent.name == "scripts"]
        assert len(names) == 1, names
        return Path(names[0]).name, archive.read(names[0])


def contents(wheel):
    """Path in the archive -> bytes."""
    name, program = program_of(wheel)
    files = {name: program} | {text: (TOP / text).read_bytes() for text in TEXTS}
    with tempfile.TemporaryDirectory() as folder:
        executable = Path(folder) / name
        executable.write_bytes(program)
        executable.chmod(0o755)
        subprocess.run([executable, "man", Path(folder) / "man"], check=True)
        for page in (Path(folder) / "man").iterdir():
            files[f"man/{page.name}"] = page.read_bytes()
        for shell, script in SCRIPTS.items():
            run = subprocess.run([executable, "completions", shell], check=True, capture_output=True)
            files[f"completions/{script}"] = run.stdout
    return name, files


def main():
    wheel, name, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    program, files = contents(wheel)
    folder.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mtime = len(content), TIME
            entry.mode = 0o755 if path == program else 0o644
            archive.addfile(entry, io.BytesIO(content))
    target = folder / f"{name}.tar.gz"
    target.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    print(target)


main()
