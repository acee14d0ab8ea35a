"""Calls black as it is and as pyqa calls it, on the same texts, and fails where they differ in any
way: exit code, what is written, what is said.

    python tests/tools/both_ways.py FILE... [--odd]

Run with the interpreter of an environment with a tested black. Files that pyqa's way leaves to black
are counted; `--odd` adds texts and calls that are made to be left to it, or to be answered.
"""

import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/tools"))

import black
import black_proven

CALL = ["--quiet", "--no-cache", "--force-exclude=", "--stdin-filename={}", "-", "--config={}"]
LONG = "a" * 50
# Each with whether pyqa answers; None: that is all the same.
TEXTS = [
    (b"", True),
    (b"\n\n", True),
    (b"   \n", None),
    (b"x = 1", True),
    (b"x = {  'a':1 }", True),
    (b"x = {  'a':1 }\r\ny = 2\r\n", True),
    (b"x = {  'a':1 }\ry = 2\r", None),
    (b"x = {  'a':1 }\r\ny = 2\n", True),
    (b"\xef\xbb\xbfx = 'a'\n", True),
    (b"# -*- coding: latin-1 -*-\nx = '\xe4'\n", True),
    (b"\n\n\n# coding: latin-1\nx = 'a'\n", True),
    (b"# coding: no-such\nx = 1\n", False),
    (b"x = '\xe4'\n", False),
    (b"x = '\xc3\xa4'\n\x0c\ny  = 1\n", None),
    (b"x = (\n", False),
    (b"x = 1\0\n", False),
    (b"def f(a,):\n  return a[1:2,\\\n ]\n", True),
    (b"# fmt: off\nx   =  1\n# fmt: on\ny   =  1\n", True),
    (("assert %s, '%s'\nfor (x,) in %s: pass\n" % (LONG, LONG, LONG)).encode(), True),
    (b"\xef\xbb\xbf", None),
    (b"\xef\xbb\xbfx  = 1\r\n", True),
    (b"\xef\xbb\xbf# coding: latin-1\nx  = 1\n", False),
    (b"\r\n", None),
    (b"\r\n\r\n# c\r\n", None),
    (b"x  = 1\r\r\n", None),
    (b"x  = 1\n\ry = 2\n", None),
    (b"x  = 1 # c\r# d\n", None),
    (b"x = '''a\r\n  b  '''\r\n", None),
    (b"def f():\n\tif x:\n\t\treturn  1\n", True),
    (b"def f():\n\tif x:\n        return 1\n", None),
    (b"x = 1 \\\n", None),
    (b"# fmt: off\nx   =  [1,\n 2]\n", True),
    (b"x   =  1  # fmt: skip\ny  =  1\n", True),
    (b"# fmt: on\n# fmt: off\nclass A:\n  # fmt: on\n  x  = 1\n", None),
    (b"#!/usr/bin/python\n#coding:utf-8\n'''doc   '''\nx=[1,]\n", True),
    (b"print 'x'\n", False),
    (b"async  = 1\n", None),
    (b"match x:\n  case [1,]: pass\n", True),
    (b"try: pass\nexcept* ValueError: pass\n", sys.version_info >= (3, 11)),
    (b"type X=int\n", sys.version_info >= (3, 12)),
    (b"x = '\\d'\n", True),
    (b"del (a,), (b)\nfor (x) in (1, 2, 3): pass\n", True),
    (b"x = 1" + b"+ 1" * 3000 + b"\n", None),
    (b"[" * 90 + b"]" * 90 + b"\n", None),
    (b"[" * 400 + b"]" * 400 + b"\n", None),
    (b"\xff\xfex\0", False),
    # Valid Python for black, and not for every Python: its check says so.
    (b"x = f'{y['a']}'\n", sys.version_info >= (3, 12)),
]
OTHER_CALLS = [
    (["--check"], False),
    (["--diff"], False),
    (["--fast"], False),
    (["--verbose"], False),
    (["--line-ranges=1-1"], False),
    (["--skip-source-first-line"], False),
    (["--ipynb"], False),
    (["--pyi"], True),
    (["--preview"], True),
    (["--unstable"], True),
    (["--preview", "--enable-unstable-feature=string_processing"], False),
    (["--line-length=20", "--skip-string-normalization", "--skip-magic-trailing-comma"], True),
    (["--target-version=py33"], True),
    (["--target-version=py315"], None),
    (["--required-version=1"], False),
    (["--required-version=" + black.__version__], False),
    (["--force-exclude=."], False),
    (["--stdin-filename=a.ipynb"], False),
    (["--stdin-filename=a.pyi"], True),
    (["--stdin-filename=no/such/folder/a.py"], True),
    (["--no-such-option"], False),
    (["--code=x  = 1"], False),
    (["--help"], False),
    (["--version"], False),
]


def run(arguments, text, entry):
    """Exit code, what was written and what was said, of a call in a child."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout:
        with tempfile.TemporaryFile() as stderr:
            stdin.write(text)
            stdin.seek(0)
            pid = os.fork()
            if pid == 0:
                for target, stream in enumerate((stdin, stdout, stderr)):
                    os.dup2(stream.fileno(), target)
                sys.argv = ["black", *arguments]
                sys.exit(entry())
            status = os.waitpid(pid, 0)[1]
            # A diff has the time in its head.
            written = re.sub(rb"\t\d{4}-\d\d-\d\d [^\n]*", b"", content(stdout))
            return status, written, content(stderr)


def content(file):
    file.seek(0)
    return file.read()


ANSWERS = tempfile.TemporaryFile()


def noting(proven):
    def call(arguments, text):
        result = proven(arguments, text)
        os.write(ANSWERS.fileno(), b"p" if result is not None else b"")
        return result

    return call


def differs(what, arguments, text, expected=True):
    """Calls both ways; whether pyqa answered, and what is wrong with that."""
    before = os.fstat(ANSWERS.fileno()).st_size
    own = run(arguments, text, lambda: black_proven.call(black.patched_main))
    answered = os.fstat(ANSWERS.fileno()).st_size > before
    blacks = run(arguments, text, black.patched_main)
    wrong = own != blacks or expected not in (answered, None)
    if wrong:
        print(what, arguments, "answered by pyqa" if answered else "left to black")
        print("  pyqa:  {!r:.300}\n  black: {!r:.300}".format(own, blacks))
    return answered, wrong


def without_second_pass(source, *, mode):
    """A pass that changes its own result."""
    return black_once(source, mode=mode) + "# once more\n"


def refuse(*_):
    raise black.ASTSafetyError("not equivalent")


def odd(config):
    def call(name="a.py"):
        return [argument.format(name if "filename" in argument else config) for argument in CALL]

    wrong = 0
    for text, expected in TEXTS:
        wrong += differs(text, call(), text, expected)[1]
    for more, expected in OTHER_CALLS:
        wrong += differs(more, call() + more, b"x = {  'a':1, }\n", expected)[1]
    for lines, expected in [
        ("line-length = 20\nskip-string-normalization = true\ntarget-version = ['py312']", None),
        ("line-length = 20\npreview = true", True),
        ("required-version = '1'", False),
        ("no-such = 1", None),
        ("line-length = 'x'", False),
        ("force-exclude = '.'", True),
        ("=", False),
    ]:
        with open(config, "w") as file:
            file.write("[tool.black]\n" + lines + "\n")
        wrong += differs(lines, call(), b"x = {  'a':1, 'b':2, 'c': 3 }\n", expected)[1]
    open(config, "w").close()
    text = b"x  = 1\n"
    # Each of the conditions by itself: black's own run is all that is left.
    for module, name, other in [
        (black, "_format_str_once", without_second_pass),
        (black, "assert_equivalent", refuse),
        (black_proven, "READ", set()),
        (black_proven, "PLAIN", {**black_proven.PLAIN, "new": 1}),
        (black_proven, "MODE", {**black_proven.MODE, "new": "new"}),
    ]:
        before = getattr(module, name)
        setattr(module, name, other)
        wrong += differs(name, call(), text, False)[1]
        setattr(module, name, before)
    wrong += differs("as it was", call(), text)[1]
    os.environ["GITHUB_OUTPUT"] = os.devnull
    wrong += differs("GITHUB_OUTPUT", call(), text, False)[1]
    del os.environ["GITHUB_OUTPUT"]
    return wrong


def main():
    black_proven.proven = noting(black_proven.proven)
    black_proven.warm()
    for value in vars(black.files).values():
        # What it found out where it was called may be false where a job runs.
        assert not hasattr(value, "cache_info") or value.cache_info().currsize == 0, value
    config = os.path.join(tempfile.mkdtemp(), "pyproject.toml")
    open(config, "w").close()
    wrong = left = count = 0
    for path in sys.argv[1:]:
        if path == "--odd":
            wrong += odd(config)
            continue
        with open(path, "rb") as file:
            text = file.read()
        arguments = [a.format(path if "filename" in a else config) for a in CALL]
        answered, differing = differs(path, arguments, text, None)
        count, left, wrong = count + 1, left + (not answered), wrong + differing
    print("{} texts, {} left to black, {} wrong".format(count, left, wrong))
    sys.exit(wrong > 0)


if __name__ == "__main__":
    black_once = black._format_str_once
    main()
