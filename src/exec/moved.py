"""Lets imports of the project resolve in the folder that stands for it.

Content that is not in the work tree is checked in a folder of its own, while the environment's
editable installs point into the work tree. Every interpreter that is started there imports this
module first, as `sitecustomize`, when its `.pth` files have been read; it turns what points into
the work tree to the other folder, leaves no trace on the path, and gives way to the
`sitecustomize` that it hides.
"""

import os
import sys


def moved(path):
    """The path in the other folder, for one in the work tree; environments stay where they are."""
    old, new = os.environ["PYQA_MOVED_FROM"], os.environ["PYQA_MOVED_TO"]
    for kept in {new, sys.prefix, sys.base_prefix, sys.exec_prefix}:
        if within(path, kept) and not within(old, kept):
            return path
    return new + path[len(old) :] if within(path, old) else path


def within(path, folder):
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def move_values(values):
    """Moves the paths in a table of an import hook, by which modules are found."""
    for key, value in list(values.items()):
        if isinstance(value, str):
            values[key] = moved(value)
        elif isinstance(value, list):
            value[:] = [moved(item) if isinstance(item, str) else item for item in value]
        elif isinstance(value, set):
            items = {moved(item) if isinstance(item, str) else item for item in value}
            value.clear()
            value.update(items)


def move_imports():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [moved(path) for path in sys.path if os.path.abspath(path or ".") != here]
    # setuptools keeps its table in the module of the hook, others in the hook or its class.
    holders = [module for name, module in sys.modules.items() if name.startswith("__editable__")]
    for finder in sys.meta_path:
        holders += [finder] if isinstance(finder, type) else [finder, type(finder)]
    for holder in holders:
        for value in list(getattr(holder, "__dict__", {}).values()):
            if isinstance(value, dict):
                move_values(value)
    sys.path_importer_cache.clear()


def give_way():
    del sys.modules["sitecustomize"]
    try:
        import sitecustomize  # noqa: F401
    except ImportError:
        # There is no other, which is the usual case.
        sys.modules["sitecustomize"] = this


this = sys.modules[__name__]
if "PYQA_MOVED_FROM" in os.environ and __name__ == "sitecustomize":
    move_imports()
    give_way()
