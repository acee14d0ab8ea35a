"""Children that are got ready before there is a job for them: [`Spares`].

Such a child does once what a tool does on every call, and waits. What it does must leave nothing by
which its answer could differ from that of a child forked for the job: it imports nothing that the
worker has not imported, prints nothing, and the module that does it forgets what it found out about
the place. A child that cannot do so ends, and none is got ready any more.
"""

import array
import gc
import os
import socket
import sys

from pyqa_child import become, has_ended, kill_group, set_group
from pyqa_connection import Connection, framed

READY = b"r"


class Spare:
    def __init__(self, pid, sock, loaded):
        self.pid = pid
        self.sock = sock
        # How much was imported when it was forked.
        self.loaded = loaded

    def is_ready(self):
        try:
            return self.sock.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == READY
        except OSError:
            return False

    def give(self, streams, request):
        """Lets it run the job; False where it cannot."""
        text = framed(request)
        controls = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))]
        try:
            self.sock.settimeout(1.0)
            rest = text[self.sock.sendmsg([text], controls) :]
            if rest:
                self.sock.sendall(rest)
            return True
        except OSError:
            return False

    def end(self):
        kill_group(self.pid)
        os.waitpid(self.pid, 0)
        self.sock.close()


class Spares:
    """At most one child for each of pyqa's own modules through which a tool is called."""

    def __init__(self):
        # The modules that a child can get ready with.
        self.helpers = []
        self.waiting = {}

    def add_helper(self, helper):
        if helper not in self.helpers:
            self.helpers.append(helper)

    def lack_one(self):
        return any(helper not in self.waiting for helper in self.helpers)

    def lay_by(self, loaded, forget):
        """Gets a child ready, which lets go of what is the worker's by `forget`. Returns only in the
        child, with its job, or with nothing."""
        helper = next(helper for helper in self.helpers if helper not in self.waiting)
        ours, theirs = socket.socketpair()
        try:
            pid = os.fork()
        except OSError:
            self.helpers.remove(helper)
            return None
        if pid == 0:
            ours.close()
            forget()
            return wait_for_job(theirs, helper)
        theirs.close()
        set_group(pid)
        self.waiting[helper] = Spare(pid, ours, loaded)
        return None

    def give(self, helper, loaded, streams, request):
        """The number of the child that runs the job, where one was ready for it."""
        spare = self.waiting.get(helper)
        if spare is None or not spare.is_ready():
            return None
        del self.waiting[helper]
        if spare.loaded == loaded and spare.give(streams, request):
            spare.sock.close()
            return spare.pid
        # Before another one may write to the same streams.
        spare.end()
        return None

    def collect(self):
        """Takes note of those that are dead."""
        for helper, spare in list(self.waiting.items()):
            if has_ended(spare.pid):
                # Once is enough: the tool cannot be called in that way.
                spare.end()
                del self.waiting[helper]
                self.helpers.remove(helper)

    def close(self):
        """In a child: lets go of its siblings."""
        for spare in self.waiting.values():
            spare.sock.close()


def wait_for_job(sock, helper):
    """In a child that no job needs yet: warms up, and takes on the job that comes. No state of the
    job's is known before."""
    get_ready(sys.modules[helper])
    try:
        sock.sendall(READY)
    except OSError:
        # The worker is gone.
        os._exit(0)
    waiting = Connection(sock)
    sock.setblocking(True)
    request = None
    while request is None:
        if not waiting.receive():
            # The worker is gone, or has no use for it.
            os._exit(0)
        request = waiting.request()
    streams, waiting.streams = waiting.streams, []
    waiting.close()
    return become(streams, request)


def get_ready(helper):
    """Ends where that does more than it may: the child of another worker would not have done it."""
    imported, printed = set(sys.modules), os.fstat(1).st_size
    try:
        helper.warm()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        os._exit(1)
    one_thread = len(os.listdir("/proc/self/task")) == 1
    if set(sys.modules) != imported or os.fstat(1).st_size != printed or not one_thread:
        os._exit(1)
    gc.collect()
    gc.freeze()
