# Runs a tool's entry point as its console script would: same sys.argv[0], same sys.path[0].
# Started by path, so that the project's own modules cannot take the place of the tool's.
import json
import os
import sys


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


# Not sys.path[0]: PYTHONSAFEPATH leaves it out.
SUPPORT = os.path.dirname(os.path.abspath(__file__))


def own_module(name):
    """A module of pyqa's."""
    sys.path.insert(0, SUPPORT)
    try:
        return __import__(name)
    finally:
        sys.path.remove(SUPPORT)


def write_also_when_leaving_at_once(reads, file):
    """mypy ends by `os._exit`, which runs nothing that was to be run at the end."""
    leave, own = os._exit, os.getpid()

    def write_and_leave(code):
        if os.getpid() == own:
            reads.write(file)
        leave(code)

    os._exit = write_and_leave


def main():
    job = json.loads(sys.argv[1])
    leave = None
    if "worker" in job:
        pyqa_worker = own_module("pyqa_worker")
        pyqa_child = own_module("pyqa_child")
        # Comes back in every child that it forks, with that child's job and arguments, so that all
        # that follows is the same for a child and for a process of its own.
        job = pyqa_worker.serve(job["worker"], own_module)
        leave = pyqa_child.leave
    reads = None
    if job.get("reads"):
        # A worker has begun with it. pytest's plugin hands it on to the workers of xdist.
        reads = getattr(sys, "pyqa_reads", None) or own_module("pyqa_reads").Reads()
        reads.below(job["root"])
        sys.pyqa_reads = reads
        write_also_when_leaving_at_once(reads, job["reads"])
    helper = own_module(job["helper"]) if job.get("helper") else None
    sys.path[0] = job["scripts"]
    sys.argv[:2] = [os.path.join(job["scripts"], job["name"])]
    if job.get("report"):
        # At the end, where it hides nothing: pytest's plugin, which workers of xdist import too.
        sys.path.append(SUPPORT)
        # Not in the module, which pytest wants to import itself to rewrite its assertions.
        sys.pyqa_pytest_report = job["report"]
        sys.pyqa_pytest_shard = job.get("shard")
    try:
        entry = entry_point(job["entry"])
        sys.exit(helper.call(entry) if helper else entry())
    except SystemExit as end:
        if leave:
            leave(end.code)
        raise
    finally:
        if reads:
            reads.write(job["reads"])
        if leave:
            pyqa_child.thaw()


if __name__ == "__main__":
    main()
