"""Serves the jobs of one environment from one process in which the tools are imported already.

Each job runs in a child of its own, forked from here: what a tool does to its process dies with
it. Bytes that need not be text are written as Latin-1 in requests. A job comes on a connection of
its own, together with the three standard streams; closing the connection ends the job.
"""

import array
import gc
import importlib
import os
import selectors
import signal
import socket
import struct
import sys
import time

from pyqa_child import INHERITED, become, has_ended, inherited, kill_group, latin, set_group
from pyqa_connection import Connection
from pyqa_spare import Spares
from pyqa_startup import changed_variables, words

# How often a kept worker looks whether it is still wanted, in seconds.
TICK = 60.0
# How long a kept worker has nothing to do before it gets children ready for the next jobs.
PAUSE = 0.1


def serve(start, own_module):
    """Answers requests to the end of this process. Returns only in a child, with its job.
    `own_module` imports a module of pyqa's own."""
    return Server(start, own_module).loop()


class Unfit(Exception):
    """Importing did something that the children would inherit from the wrong place."""


class Variables(type(os.environ)):
    """The environment, which notes what is read from it."""

    def __getitem__(self, name):
        READ.add(name)
        return super().__getitem__(name)

    def __iter__(self):
        READ.add(None)
        return super().__iter__()


READ = set()


class Server:
    def __init__(self, start, own_module):
        os.setsid()
        self.key = start["key"]
        self.pyqa = start["pyqa"]
        # Where it listens; None: it serves the process that started it, and ends with it.
        self.path = start.get("path")
        self.idle = start["idle"]
        self.memory = start["memory"]
        self.began = time.time()
        self.jobs = 0
        self.loaded = []
        changed = changed_variables()
        self.unfit = "its start changed " + ", ".join(changed) if changed else None
        # Of the files of imported modules, and of the folders in which modules are looked for.
        self.stamps = {}
        self.ending = False
        self.connections = []
        self.own_module = own_module
        self.spares = Spares()
        for name in inherited():
            if self.path:
                # Whoever waits for the end of such a pipe would wait as long as this process lives.
                os.close(int(name))
            else:
                INHERITED.add(name)
        # The streams were pipes at the start, as those of a child are, so that sys.stdout and the
        # others took them for that.
        self.source = socket.socket(fileno=os.dup(0))
        self.said = scratch_file()
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (self.said, 1), (self.said, 2)):
            os.dup2(source, target)
        os.close(null)
        self.place = stamp(self.path) if self.path else None
        self.environ = dict(os.environb)
        READ.update(words())
        os.environ.__class__ = Variables
        if start["reads"]:
            # What is imported here a child would else have read.
            sys.pyqa_reads = own_module("pyqa_reads").Reads()
        sys.path[0] = start["scripts"]
        self.wake, wake = os.pipe()
        for end in (self.wake, wake):
            os.set_blocking(end, False)
        self.wake_end = wake
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.source, selectors.EVENT_READ, self.newcomer)
        self.selector.register(self.wake, selectors.EVENT_READ, self.reap)
        self.last = time.monotonic()

    def loop(self):
        while True:
            wait = min(TICK, self.idle) if self.path else None
            if self.lacks_spares():
                wait = min(wait, PAUSE)
            happened = self.selector.select(wait)
            for key, _ in happened:
                job = key.data()
                if job is not None:
                    return job
            busy = any(connection.pid for connection in self.connections)
            if busy:
                self.last = time.monotonic()
            elif self.ending or (self.path and not self.is_wanted()):
                self.end()
            elif not happened:
                while self.lacks_spares():
                    job = self.spares.lay_by(len(self.loaded), self.forget)
                    if job is not None:
                        return job

    def is_wanted(self):
        idle = time.monotonic() - self.last
        return idle < self.idle and self.is_in_place() and self.rss() < self.memory

    def is_in_place(self):
        """Whether clients can still find it."""
        return self.place is not None and stamp(self.path) == self.place

    def end(self):
        self.stop()
        os._exit(0)

    def rss(self):
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    # Connections

    def newcomer(self):
        self.last = time.monotonic()
        if self.path:
            sock = self.source.accept()[0]
            peer = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            if struct.unpack("3i", peer)[1] != os.geteuid():
                sock.close()
                return
            self.add(Connection(sock))
            return
        one = socket.CMSG_SPACE(array.array("i").itemsize)
        data, controls, _, _ = self.source.recvmsg(1, one)
        for _, _, content in controls:
            self.add(Connection(socket.socket(fileno=struct.unpack("i", content)[0])))
        if not data:
            # The process that this one serves is gone, and with it those who wait for children.
            for connection in self.connections:
                self.give_up(connection)
            self.end()

    def add(self, connection):
        self.connections.append(connection)
        self.selector.register(
            connection.sock, selectors.EVENT_READ, lambda: self.serve(connection)
        )

    def drop(self, connection):
        self.selector.unregister(connection.sock)
        self.connections.remove(connection)
        connection.close()

    def serve(self, connection):
        """Answers what came. Returns only in a child, or with nothing."""
        if connection.sock.fileno() == -1:
            # Given up while this event was waiting.
            return None
        self.last = time.monotonic()
        if not connection.receive():
            self.give_up(connection)
            return None
        while True:
            try:
                request = connection.request()
            except ValueError:
                self.give_up(connection)
                return None
            if request is None:
                return None
            command = request["do"]
            if command == "run":
                job = self.run(connection, request)
                if job is not None:
                    return job
            elif command == "ping":
                connection.answer(pong=True)
            elif command == "preload":
                self.preload(request)
            elif command == "hello":
                connection.answer(refused=self.refusal(request["key"]))
            elif command == "status":
                connection.answer(**self.status())
            elif command == "stop":
                self.stop()
                connection.answer(stopped=True)

    def give_up(self, connection):
        """Nobody waits for the child any more."""
        if connection.pid:
            kill_group(connection.pid)
            # Collected when it is dead.
            self.selector.unregister(connection.sock)
            connection.sock.close()
        else:
            self.drop(connection)

    def stop(self):
        """Takes no more work, and ends with the last child."""
        self.ending = True
        if self.path and self.is_in_place():
            os.unlink(self.path)

    def status(self):
        return {
            "pid": os.getpid(),
            "pyqa": self.pyqa,
            "python": sys.executable,
            "seconds": time.time() - self.began,
            "idle": self.idle - (time.monotonic() - self.last),
            "jobs": self.jobs,
            "loaded": self.loaded,
            "unfit": self.unfit,
            "memory": self.rss(),
        }

    # What is imported

    def refusal(self, key):
        """Why a client with this key cannot be served, if so."""
        if key != self.key:
            return "it was started for something else"
        if self.ending:
            return "it is about to end"
        if self.unfit:
            return self.unfit
        for path, known in self.stamps.items():
            if stamp(path) != known:
                return path + " has changed"
        return None

    def preload(self, wanted):
        """Imports what is not imported yet."""
        if self.unfit:
            return
        began = time.time_ns()
        folder = os.getcwd()
        size = os.fstat(self.said).st_size
        missing = [name for name in wanted["modules"] if name not in self.loaded]
        plugins = [name for name in wanted["plugins"] if name not in self.loaded]
        if not missing and not plugins:
            return
        sys.argv = [os.path.join(sys.path[0], wanted["name"])]
        try:
            for name in missing:
                import_if_there(name, wanted["modules"])
            for name in plugins:
                import_plugin(name, wanted["groups"])
            self.loaded.extend(missing + plugins)
            helper = wanted.get("helper")
            if helper:
                self.own_module(helper)
                self.spares.add_helper(helper)
            sys.stdout.flush()
            sys.stderr.flush()
            if os.fstat(self.said).st_size != size:
                raise Unfit("importing printed something")
            if dict(os.environb) != self.environ:
                raise Unfit("importing changed the environment")
            if os.getcwd() != folder:
                raise Unfit("importing changed the working folder")
            if len(os.listdir("/proc/self/task")) != 1:
                raise Unfit("importing started a thread")
            if self.path:
                self.note_files(began, tuple(wanted["unwatched"]))
        except Unfit as unfit:
            self.unfit = str(unfit)
        except BaseException as error:
            # The child would say so in the right place, but half of it is imported here.
            self.unfit = "importing failed: {!r}".format(error)
        # What is there now stays: no collection in a child has to look at it, or copy its pages.
        gc.collect()
        gc.freeze()

    def note_files(self, began, unwatched):
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] in unwatched:
                continue
            path = getattr(module, "__file__", None)
            if isinstance(path, str) and path not in self.stamps:
                self.stamps[path] = stamp(path)
                if self.stamps[path] and self.stamps[path][3] >= began:
                    raise Unfit(path + " changed while it was imported")
        for folder in sys.path:
            self.stamps[folder] = stamp(folder)

    # Children

    def run(self, connection, request):
        if connection.pid or len(connection.streams) != 3:
            connection.answer(refused="a job comes with three streams, on a connection of its own")
            return None
        self.preload(request["preload"])
        environ = dict(map(latin, pair) for pair in request["environ"])
        reason = self.unfit or self.other_variable(environ)
        if reason:
            connection.answer(refused=reason)
            return None
        helper = request["preload"].get("helper")
        pid = self.spares.give(helper, len(self.loaded), connection.streams, request)
        if pid is None:
            try:
                pid = os.fork()
            except OSError as error:
                connection.answer(refused="forking failed: {}".format(error))
                return None
            if pid == 0:
                streams, connection.streams = connection.streams, []
                self.forget()
                return become(streams, request)
            set_group(pid)
        self.jobs += 1
        connection.pid = pid
        for stream in connection.streams:
            os.close(stream)
        connection.streams = []
        connection.answer(started=pid)
        return None

    def other_variable(self, environ):
        """Whether importing, or what runs at a start, would have read another environment, had the
        child done it."""
        if None in READ and environ != self.environ:
            return "importing read the whole environment"
        for name in READ - {None}:
            name = os.fsencode(name)
            if environ.get(name) != self.environ.get(name):
                return "{} is another one".format(os.fsdecode(name))
        return None

    def forget(self):
        """In a child: lets go of all that is the worker's."""
        set_group(0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        for other in self.connections:
            other.close()
        self.spares.close()
        self.source.close()
        os.environ.__class__ = Variables.__bases__[0]
        for descriptor in (self.wake, self.wake_end, self.said):
            os.close(descriptor)

    def lacks_spares(self):
        """Whether a child could be got ready for a job that comes next."""
        if not self.path or self.ending or self.unfit or any(c.pid for c in self.connections):
            return False
        return self.spares.lack_one()

    def reap(self):
        """Tells of children that are dead."""
        try:
            while os.read(self.wake, 512):
                pass
        except BlockingIOError:
            pass
        self.spares.collect()
        for connection in [c for c in self.connections if c.pid]:
            if not has_ended(connection.pid):
                continue
            kill_group(connection.pid)
            status = os.waitpid(connection.pid, 0)[1]
            if connection.sock.fileno() == -1:
                self.connections.remove(connection)
            else:
                connection.answer(status=status)
                self.drop(connection)


def stamp(path):
    """Changes when the file does; None: there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_ctime_ns


def scratch_file():
    """A file without a name, for what importing may print."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("pyqa")
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def import_if_there(name, optional):
    """Imports a module. Versions and interpreters that lack one of `optional` do without it."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in optional:
            raise


def import_plugin(distribution, groups):
    """Imports the modules of a distribution's entry points."""
    from importlib import metadata

    for entry in metadata.distribution(distribution).entry_points:
        if entry.group in groups:
            importlib.import_module(entry.value.partition(":")[0].strip())
