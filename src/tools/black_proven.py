"""black's answer for a text on standard input, without the pass that only repeats another.

black formats a text, formats the result, compares what both texts mean, and formats a third time,
which has to change nothing. Where the second pass changed nothing, it was given the very text that
the third would be given, and black's passes depend on nothing but the text and the mode: it has
shown what the third would show. All else is done as black does it, by black's own functions, where
its source is one that was read for this, and the call one that is known. Wherever something else
comes up, an error included, black's own run decides, on the text as it came.
"""

import dataclasses
import hashlib
import io
import os
import sys
from pathlib import Path

# SHA-256 of black/__init__.py in the versions that were read.
READ = {"8905b2e9253a2b26045fb2c5515b21d63eb2284f815f4fa8c90ef87f321ec26c"}
# What main() makes a Mode of, by the Mode's fields.
MODE = {
    "target_versions": "target_version",
    "line_length": "line_length",
    "is_pyi": "pyi",
    "is_ipynb": "ipynb",
    "skip_source_first_line": "skip_source_first_line",
    "string_normalization": "skip_string_normalization",
    "magic_trailing_comma": "skip_magic_trailing_comma",
    "preview": "preview",
    "unstable": "unstable",
    "python_cell_magics": "python_cell_magics",
    "enabled_features": "enable_unstable_feature",
}
# What the other parameters have to be. main() acts on no others in a call that reads a text from
# standard input and writes it to standard output, but on those that say which file it belongs to.
PLAIN = {
    "src": ("-",),
    "code": None,
    "check": False,
    "diff": False,
    "line_ranges": (),
    "fast": False,
    "quiet": True,
    "verbose": False,
    "required_version": None,
    "no_cache": True,
    # Of those of the mode.
    "ipynb": False,
    "skip_source_first_line": False,
    "enable_unstable_feature": [],
}
PLACE = {"include", "exclude", "extend_exclude", "force_exclude", "stdin_filename"}
WITHOUT_EFFECT = {"color", "workers", "config", "cache_dir"}

# Of most of what Python code consists of.
SAMPLE = '''\
import os, sys
from typing import (Any)
class A(object):
  """A class."""
  x : int=1; y = {'a':[1,2,3], "b" : (4,),}
  @property
  async def f(self, a : int=1, *b, c: Any=None, **d)->None:
    """Docs."""
    if a and (b or not c): return [x for x in b if x], {**d}
    elif a[1:2] is None: del a
    with open('x') as f, os.scandir(".") as g:
        for i in range(3): print(f"{i}", a, b, c, aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbb=4)
    try: await f() # comment
    except (ValueError,OSError) as e: raise RuntimeError('no' "thing") from e
    finally: x = lambda y: y+1 if y else -1
    while True: assert x, "y"; break
'''


def is_read():
    """Whether black is one that was read."""
    import black

    # The source of what may be compiled.
    with open(os.path.join(os.path.dirname(black.__file__), "__init__.py"), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest() in READ


def warm():
    """Does once what every call does, so that the next is faster, and leaves no trace of it."""
    import black
    import black.files

    black.main.make_context("black", ["--quiet", "--config=" + os.devnull, "-"])
    black.format_file_contents(SAMPLE, fast=False, mode=black.Mode())
    # What it found out about the place in which it was done.
    for value in vars(black.files).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def call(entry):
    """Calls black's entry point, or does what it would do."""
    if "-" not in sys.argv[1:]:
        return entry()
    text = sys.stdin.buffer.read()
    result = quietly(sys.argv[1:], text)
    if result is None:
        sys.stdin = io.TextIOWrapper(io.BytesIO(text), sys.stdin.encoding, sys.stdin.errors)
        return entry()
    sys.stdout.buffer.write(result)
    sys.stdout.flush()
    return 0


def quietly(arguments, text):
    """What black writes for the text; None where it says anything beside, or fails."""
    streams = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = said = io.StringIO()
    try:
        result = proven(arguments, text)
        return None if said.getvalue() else result
    except Exception:
        return None
    finally:
        sys.stdout, sys.stderr = streams


def proven(arguments, text):
    """What black writes for the text; None where that has to be seen."""
    import black

    if not is_read() or "GITHUB_OUTPUT" in os.environ:
        return None
    context = black.main.make_context("black", list(arguments))
    given = context.params
    versions = set(given["target_version"])
    if not is_plain(black, given) or black._target_versions_exceed_runtime(versions):
        return None
    mode = black.Mode(
        target_versions=versions,
        line_length=given["line_length"],
        is_pyi=given["pyi"] or Path(given["stdin_filename"] or "-").suffix == ".pyi",
        string_normalization=not given["skip_string_normalization"],
        magic_trailing_comma=not given["skip_magic_trailing_comma"],
        preview=given["preview"],
        unstable=given["unstable"],
        python_cell_magics=set(given["python_cell_magics"]),
    )
    source, encoding, newline = black.decode_bytes(text, mode)
    result = black._format_str_once(source, mode=mode)
    if result != source:
        if black._format_str_once(result, mode=mode) != result:
            return None
        black.assert_equivalent(source, result)
    if result and result[-1] not in "\r\n":
        result += newline
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding, newline=newline, write_through=True)
    stream.write(result)
    return written.getvalue()


def is_plain(black, given):
    """Whether main() does nothing with these parameters but to format the text and to write it."""
    fields = {field.name for field in dataclasses.fields(black.Mode)}
    known = PLAIN.keys() | MODE.values() | PLACE | WITHOUT_EFFECT
    if fields != MODE.keys() or given.keys() != known:
        return False
    if any(given[name] != value for name, value in PLAIN.items()):
        return False
    if sys.version_info[:3] == (3, 12, 5):
        return False
    name = given["stdin_filename"]
    if name and name.endswith(".ipynb"):
        return False
    root, _ = black.find_project_root(given["src"], name)
    report = black.Report(check=False, diff=False, quiet=True, verbose=False)
    places = {place: given[place] for place in PLACE}
    sources = black.get_sources(
        root=root, src=given["src"], quiet=True, verbose=False, report=report, **places
    )
    return sources == {Path("-") if not name else Path(black.STDIN_PLACEHOLDER + str(Path(name)))}
