"""Notes which files this process reads and which folders it lists, for the key of its result.

Noted are files and folders anywhere but in the environment and the standard library. What the process has made itself is no input of it. CPython tells of open, listdir and
scandir, not of stat, of reads by extension modules, or of what other programs read.
"""

import os
import sys
import sysconfig

NEVER = ["/proc", "/sys", os.path.dirname(os.path.abspath(__file__))]
DEVICES = "/dev/"
# Files like any others, in memory.
SHARED_MEMORY = "/dev/shm/"


def passed_over():
    """Beginnings of paths that stand for what is installed: the key has it already."""
    folders = NEVER + [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    if sys.prefix != sys.base_prefix:
        folders.append(sys.prefix)
    sites = ("site-packages", "dist-packages")
    folders += [entry for entry in sys.path if os.path.basename(entry) in sites]
    zips = [entry for entry in sys.path if entry.endswith(".zip")]
    return tuple([folder + os.sep for folder in folders] + zips)


class Reads:
    def __init__(self, root=None):
        self.root = root
        self.passed_over = passed_over()
        self.read = set()
        # Files that were made or emptied, and folders that were made.
        self.own = set()
        self.inside = False
        sys.addaudithook(self.guarded)

    def guarded(self, event, args):
        if self.inside:
            return
        self.inside = True
        try:
            if event == "open":
                self.opened(*args)
            elif event in ("os.listdir", "os.scandir"):
                self.listed(args[0])
            elif event in ("os.mkdir", "os.symlink"):
                self.made(args[0] if event == "os.mkdir" else args[1])
            elif event == "os.rename":
                self.renamed(args[0], args[1])
            elif event == "sqlite3.connect":
                self.connected(args[0])
        except Exception:
            # An exception here would end the program that is looked at.
            pass
        finally:
            self.inside = False

    def opened(self, path, mode, flags):
        path = self.noted(path)
        # A temporary file without a name is opened by its folder's.
        if path is None or os.path.isdir(path):
            return
        if isinstance(mode, str):
            empties = "w" in mode or "x" in mode
            writes = empties or "a" in mode
        else:
            empties = bool(flags & (os.O_TRUNC | os.O_EXCL))
            writes = empties or bool(flags & (os.O_WRONLY | os.O_CREAT))
        if empties or (writes and not os.path.exists(path)):
            if path not in self.read:
                self.own.add(path)
        elif not self.is_own(path):
            self.read.add(source_of(path) or path)

    def listed(self, path):
        path = self.noted("." if path is None else path)
        if path is not None and not self.is_own(path):
            self.read.add(path)

    def made(self, path):
        path = self.absolute(path)
        if path is not None and not os.path.lexists(path):
            self.own.add(path)

    def renamed(self, old, new):
        old, new = self.absolute(old), self.absolute(new)
        if old is not None and new is not None and self.is_own(old) and new not in self.read:
            self.own.add(new)

    def connected(self, path):
        path = self.noted(path)
        if path is not None and not self.is_own(path):
            (self.read if os.path.exists(path) else self.own).add(path)

    def is_own(self, path):
        while path not in self.own:
            above = os.path.dirname(path)
            if above == path:
                return False
            path = above
        return True

    def noted(self, path):
        path = self.absolute(path)
        if path is None or path.startswith(self.passed_over):
            return None
        is_device = path.startswith(DEVICES) and not path.startswith(SHARED_MEMORY)
        return None if is_device else path

    @staticmethod
    def absolute(path):
        if isinstance(path, (str, bytes, os.PathLike)):
            return os.path.abspath(os.fsdecode(path))
        return None

    def add(self, paths):
        """Takes over what another process has noted."""
        self.read.update(os.fsdecode(path) for path in paths)

    def paths(self):
        return sorted(os.fsencode(path) for path in self.read)

    def write(self, file):
        paths = self.paths()
        self.inside = True
        with open(file, "wb") as out:
            for path in paths:
                out.write(path + b"\0")


def source_of(path):
    """The source that bytecode stands for: an import that finds good bytecode reads no source."""
    if not path.endswith(".pyc"):
        return None
    folder, name = os.path.split(path)
    prefix = sys.pycache_prefix
    if prefix and path.startswith(prefix + os.sep):
        folder = os.sep + os.path.relpath(folder, prefix)
    elif os.path.basename(folder) == "__pycache__":
        folder = os.path.dirname(folder)
    else:
        return None
    return os.path.join(folder, name.split(".")[0] + ".py")
