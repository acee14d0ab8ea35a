"""What a child of a worker is: it takes on everything that its job comes with, and ends as a process
of its own would.
"""

import atexit
import codecs
import gc
import importlib
import os
import signal
import sys

# Descriptors that nothing in this process has opened.
INHERITED = set()


def become(streams, request):
    """In a child: takes on everything that its job comes with."""
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    environ = dict(map(latin, pair) for pair in request["environ"])
    os.umask(request["umask"])
    os.chdir(latin(request["cwd"]))
    for name in [name for name in os.environb if name not in environ]:
        del os.environb[name]
    for name, value in environ.items():
        os.environb[name] = value
    set_encoding(os.environ.get("PYTHONIOENCODING"))
    if os.environ.get("PYTHONPYCACHEPREFIX"):
        sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"]
    importlib.invalidate_caches()
    # The place of the driver and of its job, which the driver takes off.
    sys.argv = ["", ""] + [os.fsdecode(latin(argument)) for argument in request["args"]]
    return request["job"]


def set_encoding(variable):
    """As an interpreter that is started with this PYTHONIOENCODING."""
    if not variable:
        return
    encoding, _, errors = variable.partition(":")
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        how = "backslashreplace" if stream is sys.stderr else errors or None
        if encoding:
            name = codecs.lookup(encoding).name
            stream.reconfigure(encoding=name, errors=how or "strict")
        elif how:
            stream.reconfigure(errors=how)


def leave(code):
    """Ends a child where the interpreter has nothing left to do but to take itself apart, which
    would touch, and so copy, most of the memory that the child shares. Else it returns.
    """
    if code is None:
        code = 0
    if not isinstance(code, int) or sys.stdout is None or sys.stderr is None:
        return
    # Threads would be waited for.
    if len(os.listdir("/proc/self/task")) != 1:
        return
    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            # bandit closes what it has written to; the descriptor stays open.
            if not stream.closed:
                stream.flush()
    except BaseException:
        return
    # The listing has one of its own. A file that is still open may have something to write.
    if len(set(os.listdir("/proc/self/fd")) - INHERITED) == 4:
        os._exit(code & 0xFF)


def thaw():
    """Lets the interpreter take itself apart as one that never froze anything: it then writes what
    open files still hold.
    """
    gc.unfreeze()


def inherited():
    """Open descriptors that the process that started this one left open for it. Python's own are not
    inheritable."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2 and os.get_inheritable(int(name)):
                found.add(name)
        except OSError:
            # That of the listing itself.
            pass
    return found


def has_ended(pid):
    """Whether the child is dead. While it is not collected, nobody else can have its number."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def set_group(pid):
    """Done on both sides of a fork, so that it is done whoever comes first."""
    try:
        os.setpgid(pid, pid)
    except OSError:
        # The child is gone, or has done it and gone on.
        pass


def kill_group(leader):
    try:
        os.killpg(leader, signal.SIGKILL)
    except OSError:
        pass


def latin(text):
    return text.encode("latin-1")
