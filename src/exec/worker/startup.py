"""What an interpreter runs at its start beside its own: `sitecustomize`, `usercustomize` and the lines
of code in `.pth` files. In a child of a worker it was run with the worker's variables.
"""

import os
import re
import site
import sys
import sysconfig

# Python sets it where the locale is C (PEP 538).
OWN = {b"LC_CTYPE"}
WORD = re.compile(rb"""['"]([A-Za-z_][A-Za-z0-9_]*)\\?['"]""")


def changed_variables():
    """Names of variables that are not as this process was started with."""
    with open("/proc/self/environ", "rb") as file:
        given = dict(entry.partition(b"=")[::2] for entry in file.read().split(b"\0") if entry)
    now = dict(os.environb)
    names = (given.keys() | now.keys()) - OWN
    return sorted(os.fsdecode(name) for name in names if given.get(name) != now.get(name))


def words():
    """All that stands in quotes in what was run and in what that has imported: names of the variables
    that it may have read."""
    found = set()
    for file in sources():
        try:
            with open(file, "rb") as source:
                found.update(map(os.fsdecode, WORD.findall(source.read())))
        except OSError:
            pass
    return found


def sources():
    folders = {*site.getsitepackages(), site.getusersitepackages()}
    standard = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    pyqa = os.path.dirname(os.path.abspath(__file__))
    for folder in folders:
        if os.path.isdir(folder):
            names = os.listdir(folder)
            yield from (os.path.join(folder, name) for name in names if name.endswith(".pth"))
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or is_below(file, {pyqa}):
            continue
        is_installed = is_below(file, folders) or not is_below(file, standard)
        if is_installed or name in ("sitecustomize", "usercustomize"):
            yield file


def is_below(file, folders):
    return any(file.startswith(folder + os.sep) for folder in folders)
