"""Prints the codes that the installed tools themselves know, as JSON.

Each with whether it is on by default, where the tool says so, and the page that the tool names.
"""

import importlib
import inspect
import json
import re
from importlib.util import find_spec

ON = {"off": False}


def in_source(module, pattern):
    """Codes in the text of a module that keeps no list of them."""
    return {code: ON for code in re.findall(pattern, inspect.getsource(importlib.import_module(module)))}


def flake8():
    from flake8.defaults import IGNORE
    from flake8.plugins.pyflakes import FLAKE8_PYFLAKES_CODES

    codes = in_source("pycodestyle", r"[\"']([EW]\d{3})\b")
    codes = {code: {"off": code.startswith(tuple(IGNORE))} for code in codes}
    codes |= {code: ON for code in FLAKE8_PYFLAKES_CODES.values()}
    return codes | in_source("flake8.checker", r"\"([EW]\d{3})\"") | {"C901": {"off": True}}


def plugins():
    from bugbear import error_codes
    from pydocstyle.violations import ErrorRegistry

    codes = {code: {"off": code.startswith("B9")} for code in error_codes}
    codes |= {error.code: ON for group in ErrorRegistry.groups for error in group.errors}
    codes |= in_source("pep8ext_naming", r"N8\d\d")
    codes |= in_source("flake8_comprehensions", r"C4\d\d")
    return codes | in_source("flake8_debugger", r"T\d{3}")


def mypy():
    from mypy.errorcodes import error_codes

    return {name: {"off": not code.default_enabled} for name, code in error_codes.items()}


def bandit():
    from bandit.core import docs_utils, extension_loader

    manager = extension_loader.MANAGER
    ids = [plugin.plugin._test_id for plugin in manager.plugins]
    ids += [item["id"] for items in manager.blacklist.values() for item in items]
    version = re.compile(r"/en/[^/]+/")
    return {name: ON | {"url": version.sub("/en/latest/", docs_utils.get_url(name))} for name in ids}


def main():
    known = {"flake8": flake8()} if find_spec("flake8") else {}
    if find_spec("bugbear"):
        known["flake8"] = plugins()
    for name, codes in {"mypy": mypy, "bandit": bandit}.items():
        if find_spec(name):
            known[name] = codes()
    print(json.dumps(known))


main()
