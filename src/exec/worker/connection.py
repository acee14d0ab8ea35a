"""One client's way to a worker, or a worker's to a child that waits: requests that come with open
streams, and answers. Both are JSON, each preceded by its length in four bytes, big end first.
"""

import array
import json
import os
import socket
import struct

LARGEST_REQUEST = 64 << 20


def framed(message):
    text = json.dumps(message).encode("utf-8")
    return struct.pack(">I", len(text)) + text


class Connection:
    def __init__(self, sock):
        sock.setblocking(False)
        self.sock = sock
        self.bytes = b""
        self.streams = []
        # The child that runs for it.
        self.pid = None

    def receive(self):
        """Takes what has come; False at the end."""
        room = socket.CMSG_SPACE(3 * array.array("i").itemsize)
        try:
            data, controls, _, _ = self.sock.recvmsg(1 << 18, room)
        except BlockingIOError:
            return True
        except OSError:
            return False
        for level, kind, content in controls:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                streams = array.array("i")
                streams.frombytes(content[: len(content) - len(content) % streams.itemsize])
                self.streams.extend(streams)
        self.bytes += data
        return bool(data) and len(self.bytes) <= LARGEST_REQUEST

    def request(self):
        """The next request that is there in full, or None."""
        if len(self.bytes) < 4:
            return None
        end = 4 + struct.unpack(">I", self.bytes[:4])[0]
        if len(self.bytes) < end:
            return None
        text, self.bytes = self.bytes[4:end], self.bytes[end:]
        return json.loads(text.decode("utf-8"))

    def answer(self, **answer):
        try:
            self.sock.sendall(framed(answer))
        except OSError:
            # Nobody wants to know any more.
            pass

    def close(self):
        for stream in self.streams:
            os.close(stream)
        self.streams = []
        self.sock.close()
