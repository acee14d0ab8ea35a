"""A client of `pyqa lsp` that notes when diagnostics come: [`Editor`]."""

import json
import os
import queue
import subprocess
import threading
import time


class Editor:
    def __init__(self, pyqa, folder, env, options):
        self.process = subprocess.Popen(
            [pyqa, "lsp"], cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.inbox = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()
        self.begun = None
        self.last = 0
        self.ask(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": None,
                "capabilities": {},
                "initializationOptions": options,
                "workspaceFolders": [{"uri": "file://" + folder, "name": "bench"}],
            },
        )
        self.tell("initialized", {})

    def listen(self):
        while True:
            length = None
            while (line := self.process.stdout.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if length is None:
                return
            message = json.loads(self.process.stdout.read(length))
            self.inbox.put((time.perf_counter(), message))

    def send(self, **message):
        text = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(text) + text)
        self.process.stdin.flush()

    def tell(self, method, params):
        self.send(method=method, params=params)

    def ask(self, method, params):
        self.last += 1
        self.send(id=self.last, method=method, params=params)
        while True:
            _, message = self.inbox.get(timeout=60)
            if message.get("id") == self.last and "method" not in message:
                return message.get("result")

    def open(self, path, text):
        document = {"uri": "file://" + path, "languageId": "python", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def change(self, path, version, text):
        """Gives the text anew; the time counts from here."""
        document = {"uri": "file://" + path, "version": version}
        self.begun = time.perf_counter()
        self.tell(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]}
        )

    def save(self, path):
        self.begun = time.perf_counter()
        self.tell("textDocument/didSave", {"textDocument": {"uri": "file://" + path}})

    def published(self, path):
        """The next diagnostics of the file, and when they came."""
        while True:
            came, message = self.inbox.get(timeout=60)
            if message.get("method") != "textDocument/publishDiagnostics":
                continue
            if message["params"]["uri"] == "file://" + path:
                return came, message["params"]

    def wait(self, path, version, tools, holding=""):
        """Seconds until the first diagnostic of each tool for this version of the text."""
        seconds = {}
        while len(seconds) < len(tools):
            came, params = self.published(path)
            if params.get("version") != version:
                continue
            for found in params["diagnostics"]:
                if found["source"] in tools and holding in found["message"]:
                    seconds.setdefault(found["source"], came - self.begun)
        return seconds

    def wait_for_answer(self, path):
        self.published(path)

    def close(self):
        self.ask("shutdown", None)
        self.tell("exit", None)
        self.process.wait()
