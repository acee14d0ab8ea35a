"""Lets a child that waits for a job of bandit's do once what every call does: [`warm`]. The job itself
is bandit's own, unchanged."""

import linecache
import logging
import os
import sys

SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sample.txt")


def warm():
    """Calls bandit for a text of pyqa's own, with no settings of any place, and without a trace."""
    import bandit.cli.main
    from bandit.core import blacklisting, extension_loader

    tests = [plugin.plugin for plugin in extension_loader.MANAGER.plugins]
    if any(not test.__module__.startswith("bandit.") for test in tests):
        return
    # bandit writes settings to its tests, and the names in its documentation to what it looks for.
    written = [vars(test) for test in [*tests, blacklisting.blacklist]]
    for checks in extension_loader.MANAGER.blacklist.values():
        written.extend(checks)
    before = [dict(values) for values in written]
    arguments, sys.argv = sys.argv, ["bandit", "-q", "-f", "json", "-o", os.devnull, SAMPLE]
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        bandit.cli.main.main()
    except SystemExit:
        pass
    finally:
        sys.argv = arguments
        root.handlers = handlers
        root.setLevel(level)
        logging.captureWarnings(False)
        for values, old in zip(written, before):
            values.clear()
            values.update(old)
        linecache.clearcache()


def call(entry):
    return entry()
