"""Lets a child that waits for a job of flake8's do once what every call does: [`warm`]. The job itself
is flake8's own, unchanged."""

# What importlib.metadata imports when it is first asked for a version, so that a worker has it.
import email.feedparser  # noqa: F401
import email.parser  # noqa: F401
import linecache
import os

# What is known to leave nothing behind by which the next call could tell, by package and version.
KNOWN = {
    ("flake8", "7.5.0"),
    ("mccabe", "0.7.0"),
    ("pycodestyle", "2.15.0"),
    ("pyflakes", "4.1.0"),
}
SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sample.txt")


def is_known():
    """Whether flake8 calls no plugins but those that are known."""
    from flake8.plugins import finder

    plugins = finder._find_importlib_plugins()
    return {(plugin.package, plugin.version) for plugin in plugins} <= KNOWN


def warm():
    """Calls flake8 for a text of pyqa's own, with no settings of any place, and without a trace."""
    import flake8.main.cli
    import pyflakes.checker

    if not is_known():
        return
    flake8.main.cli.main(["--isolated", "-j1", "--output-file=" + os.devnull, SAMPLE])
    # Has read a variable, which may be another for the job.
    pyflakes.checker._custom_builtins.cache_clear()
    linecache.clearcache()


def call(entry):
    return entry()
