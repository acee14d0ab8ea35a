"""Notes which files and folders below a folder this process reads, for the key of its result.

A file that was written before it was read is the run's own. CPython tells of open, listdir and
scandir, not of stat, of reads by extension modules, or of what other programs read.
"""

import os
import sys


class Reads:
    def __init__(self, root):
        self.root = root
        self.prefix = root + os.sep
        self.read = set()
        self.written = set()
        sys.addaudithook(self.guarded)

    def guarded(self, event, args):
        try:
            if event == "open":
                self.opened(*args)
            elif event in ("os.listdir", "os.scandir"):
                self.listed(args[0])
        except Exception:
            # An exception here would end the program that is looked at.
            pass

    def opened(self, path, mode, flags):
        path = self.below(path)
        if path is None:
            return
        if isinstance(mode, str):
            writes = any(letter in mode for letter in "wax+")
        else:
            writes = bool(flags & (os.O_WRONLY | os.O_RDWR))
        if writes:
            self.written.add(path)
        elif path not in self.written:
            self.read.add(path)

    def listed(self, path):
        path = self.below("." if path is None else path)
        if path is not None:
            self.read.add(path)

    def below(self, path):
        """The absolute path, if it is one below the root."""
        if isinstance(path, (str, bytes, os.PathLike)):
            path = os.path.abspath(os.fsdecode(path))
            if path.startswith(self.prefix):
                return path
        return None

    def add(self, paths):
        """Takes over what another process has noted."""
        self.read.update(os.fsdecode(path) for path in paths)

    def paths(self):
        return sorted(os.fsencode(path) for path in self.read)

    def write(self, file):
        with open(file, "wb") as out:
            for path in self.paths():
                out.write(path + b"\0")
