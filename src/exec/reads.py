"""Notes which files this process reads and which folders it lists, for the key of its result.

Noted are files and folders anywhere but in the environment and the standard library. What the
process has made itself is no input of it. CPython tells of open, listdir and scandir, of compiled
modules and libraries that are loaded, and of databases that are connected to; not of stat, of reads
by extension modules, or of what other programs read.
"""

import _thread
import os
import sys
import sysconfig

NEVER = ["/proc", "/sys", os.path.dirname(os.path.abspath(__file__))]
DEVICES = "/dev/"
# Files like any others, in memory.
SHARED_MEMORY = "/dev/shm/"
# Links to what is open, where the system has them.
DESCRIPTORS = "/proc/self/fd"
# What is installed in an environment; a project or its data may lie beside.
INSTALLED = ("lib", "lib64", "bin", "include", "share", "Lib", "Scripts", "Include")
# As an audit event tells of a `dir_fd` that is not given.
NO_FOLDER = -1


def passed_over():
    """Beginnings of paths that stand for what is installed: the key has it already."""
    folders = NEVER + [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    if sys.prefix != sys.base_prefix:
        folders += [os.path.join(sys.prefix, name) for name in INSTALLED]
    sites = ("site-packages", "dist-packages")
    folders += [entry for entry in sys.path if os.path.basename(entry) in sites]
    zips = [entry for entry in sys.path if entry.endswith(".zip")]
    return tuple([folder + os.sep for folder in folders] + zips)


class Inside(_thread._local):
    """Whether this thread is within the hook: what other threads read meanwhile is to be noted."""

    now = False


class Reads:
    def __init__(self, root=None):
        self.passed_over = passed_over()
        self.below(root)
        self.read = set()
        # Files that were made or emptied, and folders that were made.
        self.own = set()
        # By new name, the earlier ones of what the process has renamed and not made.
        self.earlier = {}
        self.inside = Inside()
        self.notes = {
            "open": self.opened,
            "os.listdir": self.listed,
            "os.scandir": self.listed,
            "os.mkdir": lambda path, mode, folder: self.made(path, folder),
            "os.symlink": lambda target, path, folder: self.made(path, folder),
            "os.link": lambda old, new, *folders: self.used(old),
            "os.rename": self.renamed,
            "import": lambda module, file, *search: self.used(file),
            "ctypes.dlopen": self.loaded,
            "sqlite3.connect": self.connected,
        }
        sys.addaudithook(self.guarded)

    def below(self, root):
        """Takes the root of the project, which no folder around it hides."""
        self.root = root
        if root:
            inner = root + os.sep
            self.passed_over = tuple(f for f in self.passed_over if not inner.startswith(f))

    def guarded(self, event, args):
        note = self.notes.get(event)
        if note is None:
            return
        try:
            if self.inside.now:
                return
            self.inside.now = True
            try:
                note(*args)
            finally:
                self.inside.now = False
        except Exception:
            # An exception here would end the program that is looked at.
            pass

    def opened(self, path, mode, flags):
        if mode is None:
            self.opened_below_a_folder(os.fsdecode(path))
        path = self.noted(path)
        # A temporary file without a name is opened by its folder's.
        if path is None or os.path.isdir(path):
            return
        # "x" and O_EXCL fail on what is there already, which may be read then.
        if isinstance(mode, str):
            empties = "w" in mode
            writes = empties or "x" in mode or "a" in mode
        else:
            empties = bool(flags & os.O_TRUNC)
            writes = empties or bool(flags & (os.O_WRONLY | os.O_CREAT))
        if empties or (writes and not os.path.exists(path)):
            if path not in self.read and may_write(path):
                self.owns(path)
        else:
            self.used(source_of(path) or path)

    def opened_below_a_folder(self, path):
        """No event tells of the `dir_fd` of `os.open`: each folder that is open may be meant."""
        if os.path.isabs(path) or not os.path.isdir(DESCRIPTORS):
            return
        for number in os.listdir(DESCRIPTORS):
            folder = os.path.join(DESCRIPTORS, number)
            if os.path.isfile(os.path.join(folder, path)):
                self.used(os.path.join(os.path.realpath(folder), path))

    def used(self, path):
        path = self.of_others(path)
        if path is None:
            return
        self.read.add(path)
        for new, old in list(self.earlier.items()):
            if path == new or path.startswith(new + os.sep):
                self.read.add(old + path[len(new) :])

    def of_others(self, path):
        """The path of what is to be noted; None where the process has made what is there. A link that
        it has made may lead to what it has not."""
        path = self.noted(path)
        if path is not None and self.is_own(path):
            path = self.noted(os.path.realpath(path))
        return None if path is None or self.is_own(path) else path

    def owns(self, path):
        folder, name = os.path.split(path)
        self.own.update((path, os.path.join(os.path.realpath(folder), name)))

    def listed(self, path):
        self.used("." if path is None else path)

    def loaded(self, library):
        # By a mere name it is looked for where the system's libraries are.
        if library is not None and os.path.dirname(library):
            self.used(library)

    def made(self, path, folder):
        path = self.absolute(path)
        is_new = path is not None and folder == NO_FOLDER and not os.path.lexists(path)
        if is_new and may_write(path):
            self.owns(path)

    def renamed(self, old, new, *folders):
        old, new = self.absolute(old), self.absolute(new)
        if old is None or new is None or folders != (NO_FOLDER, NO_FOLDER):
            return
        source = self.of_others(old)
        if source is not None and os.path.lexists(source):
            self.read.add(source)
            self.earlier[new] = source
        # Fails where there is nothing to rename, and where a folder would take the place of
        # something or something that of a folder; what is there may be read then.
        taken = os.path.lexists(new) and (os.path.isdir(old) or os.path.isdir(new))
        may = all(may_write(os.path.dirname(path)) for path in (old, new))
        if os.path.lexists(old) and may and not taken and self.is_own(old) and new not in self.read:
            self.owns(new)

    def connected(self, name):
        name = os.fsdecode(name)
        files, makes = [name], True
        if name.startswith("file:"):
            # Whether it is taken for a URI no event tells.
            file, makes = file_of_uri(name)
            files.append(file)
        for path in map(self.of_others, files):
            if path is None:
                continue
            if os.path.exists(path):
                # What is not yet, or not for good, in the database itself.
                self.read.update((path, path + "-wal", path + "-journal"))
            elif makes:
                self.owns(path)
            else:
                self.read.add(path)

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
        if not isinstance(path, (str, bytes, os.PathLike)):
            return None
        path = os.fsdecode(path)
        return os.path.abspath(behind_links(path) if ".." in path else path)

    def add(self, paths):
        """Takes over what another process has noted."""
        self.read.update(os.fsdecode(path) for path in paths)

    def paths(self):
        # A copy: other threads may still read.
        return sorted(map(os.fsencode, self.read.copy()))

    def write(self, file):
        paths = self.paths()
        with open(file, "wb") as out:
            for path in paths:
                out.write(path + b"\0")


def may_write(path):
    """Whether this process may write the file or into the folder; may make what is not there."""
    if not os.path.lexists(path):
        path = os.path.dirname(path)
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def behind_links(path):
    """The path without a `..` behind a link: it leads to what is above the link's target."""
    parts = path.split(os.sep)
    if ".." not in parts:
        return path
    end = len(parts) - parts[::-1].index("..")
    head = os.sep.join(parts[:end])
    try:
        if os.path.samefile(head, os.path.abspath(head)):
            return path
    except OSError:
        pass
    return os.path.join(os.path.realpath(head), *parts[end:])


def file_of_uri(uri):
    """The file of a URI of sqlite's, and whether it is made where there is none."""
    # Few programs need it.
    from urllib.parse import unquote

    file, _, query = uri[len("file:") :].partition("#")[0].partition("?")
    if file.startswith("//"):
        file = "/" + file[2:].partition("/")[2]
    makes = not {"mode=ro", "mode=rw"}.intersection(query.split("&"))
    return unquote(file, errors="surrogateescape"), makes


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
