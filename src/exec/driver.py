# Runs a tool's entry point as its console script would: same sys.argv[0], same sys.path[0].
# Started by path, so that the project's own modules cannot take the place of the tool's.
import json
import os
import sys


def record_reads(file, root):
    """Notes which files and folders below `root` are read, for the key of the result.

    A file that was written before it was read is the run's own. CPython tells of open, listdir
    and scandir, not of stat or of reads by other programs.
    """
    read = set()
    written = set()
    prefix = root + os.sep

    def note(event, args):
        if event == "open":
            path, mode, flags = args
            if not isinstance(path, (str, bytes)):
                return
            path = os.path.abspath(os.fsdecode(path))
            if not path.startswith(prefix):
                return
            if isinstance(mode, str):
                writes = any(letter in mode for letter in "wax+")
            else:
                writes = bool(flags & (os.O_WRONLY | os.O_RDWR))
            if writes:
                written.add(path)
            elif path not in written:
                read.add(path)
        elif event in ("os.listdir", "os.scandir"):
            path = args[0]
            if path is None:
                path = "."
            if not isinstance(path, (str, bytes, os.PathLike)):
                return
            path = os.path.abspath(os.fsdecode(path))
            if path.startswith(prefix):
                read.add(path)

    def guarded(event, args):
        try:
            note(event, args)
        except Exception:
            # An exception here would end the program that is looked at.
            pass

    def write():
        with open(file, "wb") as out:
            for path in sorted(os.fsencode(path) for path in read):
                out.write(path + b"\0")

    sys.addaudithook(guarded)
    return write


def entry_point(names):
    """The first of the functions, `module:name` separated by spaces, that there is."""
    for at, name in enumerate(names.split(), 1):
        module, _, attributes = name.partition(":")
        __import__(module)
        try:
            entry = sys.modules[module]
            for attribute in attributes.split("."):
                entry = getattr(entry, attribute)
            return entry
        except AttributeError:
            if at == len(names.split()):
                raise


def main():
    job = json.loads(sys.argv[1])
    support = sys.path[0]
    sys.path[0] = job["scripts"]
    sys.argv[:2] = [os.path.join(job["scripts"], job["name"])]
    if job.get("report"):
        # At the end, where it hides nothing: pytest's plugin, which workers of xdist import too.
        sys.path.append(support)
        # Not in the module, which pytest wants to import itself to rewrite its assertions.
        sys.pyqa_pytest_report = job["report"]
    write = record_reads(job["reads"], job["root"]) if job.get("reads") else None
    try:
        sys.exit(entry_point(job["entry"])())
    finally:
        if write:
            write()


if __name__ == "__main__":
    main()
