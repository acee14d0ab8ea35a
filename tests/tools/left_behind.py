"""Gets a tool ready as a child of a worker does before its job, and fails where that leaves anything
behind in the process but caches of what depends on nothing.

    python tests/tools/left_behind.py flake8|bandit

Run with the interpreter of an environment with a tested version of the tool. What is compared is all
that can be reached from the modules: values, attributes, how much each cache holds.
"""

import importlib
import os
import re
import shutil
import sys
import tempfile
import tomllib
import types
from importlib import metadata

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
PLAIN = (int, float, complex, str, bytes, bool, type(None))
# By path: what may differ, for it depends on nothing but what it is asked.
MAY_DIFFER = [
    # Compiled patterns.
    r"re\[",
    r"\w+\['_compile(_pattern|_template)?'\] cache",
    # Whether a logger of this name listens to this level; thrown away when a level is set.
    r".*\.\['_cache'\]",
    # Folders on the path, with what is in them, until their time of change is another.
    r"importlib\.metadata\['FastPath'\]\.\['__new__'\] cache",
    # Of a line of text: whether it holds a comment for flake8.
    r"flake8\.violation\['_find_noqa'\] cache",
    # The system and the interpreter.
    r"platform\['_(uname|sys_version)_cache'\]",
    # The formatters that there are, by name.
    r".*\['MANAGER'\].*\['_extensions_by_name_cache'\]",
    # A tool's import may have been the first to need them.
    r"functools\[",
]


class State:
    """What can be reached, as path and value."""

    def __init__(self):
        self.values = {"sys.path": repr(sys.path), "os.environb": repr(sorted(os.environb.items()))}
        self.values["modules"] = repr(sorted(sys.modules))
        # Kept, so that no number is given twice.
        self.seen = {}
        for name, module in sorted(sys.modules.items()):
            if name != "__main__" and isinstance(module, types.ModuleType):
                self.reach(vars(module), name)

    def reach(self, value, path):
        waiting = [(value, path)]
        while waiting:
            value, path = waiting.pop()
            if isinstance(value, PLAIN):
                self.values[path] = repr(value)
            elif id(value) not in self.seen:
                self.seen[id(value)] = value
                waiting.extend(self.parts(value, path))

    def parts(self, value, path):
        if isinstance(value, (dict, types.MappingProxyType)):
            self.values[path + " keys"] = " ".join(map(self.key, list(value)))
            pairs = [pair for pair in list(value.items()) if pair[0] != "__builtins__"]
            return [(item, "{}[{!r:.80}]".format(path, key)) for key, item in pairs]
        if isinstance(value, (list, tuple)):
            self.values[path + " length"] = len(value)
            return [(item, "{}[{}]".format(path, at)) for at, item in enumerate(value)]
        if isinstance(value, (set, frozenset)):
            self.values[path] = " ".join(sorted(map(self.key, value)))
            return []
        self.values[path + " type"] = "{0.__module__}.{0.__qualname__}".format(type(value))
        if isinstance(value, types.ModuleType):
            return []
        if hasattr(value, "cache_info") and not isinstance(value, type):
            self.values[path + " cache"] = value.cache_info().currsize
        found = [(getattr(value, "__wrapped__", None), path + " wrapped")]
        if isinstance(value, types.FunctionType):
            cells = [cell for cell in value.__closure__ or () if cell != types.CellType()]
            found += [(cell.cell_contents, path + " closure") for cell in cells]
            found += [(value.__defaults__, path + " defaults")]
            found += [(value.__kwdefaults__, path + " defaults")]
        if hasattr(value, "__dict__"):
            found.append((dict(vars(value)), path + "."))
        for name in getattr(type(value), "__slots__", ()):
            found.append((getattr(value, name, None), path + "." + name))
        return found

    @staticmethod
    def key(key):
        return repr(key) if isinstance(key, (*PLAIN, tuple)) else type(key).__name__


def load(tool):
    """Imports what a worker imports for the tool."""
    with open(os.path.join(TOP, "presets/tools", tool + ".toml"), "rb") as file:
        declared = tomllib.load(file)
    for name in declared["worker"]["modules"]:
        importlib.import_module(name)
    known = declared["key"]["per-file-plugins"]
    for distribution in metadata.distributions():
        for entry in distribution.entry_points:
            if entry.group in declared["key"]["plugin-groups"] and distribution.name in known:
                importlib.import_module(entry.value.partition(":")[0])
    # Beside its sample, and under its own name, as it is installed.
    folder = tempfile.mkdtemp()
    name = declared["worker"]["helper"]
    source = os.path.join(TOP, "src/tools", name.partition("_")[2] + ".py")
    shutil.copy(source, os.path.join(folder, name + ".py"))
    shutil.copy(os.path.join(TOP, "src/tools/sample.txt"), folder)
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(folder)


def main():
    helper = load(sys.argv[1])
    before = State().values
    helper.warm()
    after = State().values
    if after["re['_cache'] keys"] == before["re['_cache'] keys"]:
        sys.exit("the tool was not called")
    wrong = 0
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old != new and not any(re.match(pattern, path) for pattern in MAY_DIFFER):
            print("{}:\n  {!r:.300}\n  {!r:.300}".format(path, old, new))
            wrong += 1
    print("{} values, {} left behind".format(len(before), wrong))
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
