"""What black's own work on a text consists of, and what could be saved without changing its result.

    python benches/format.py FILE...

Run with an interpreter that has black 26.10. Each round edits the text anew and measures all forms
one after the other, so that a busy machine slows all of them; compare the ratios.

- black: black.format_file_contents, safety check on
- gc off: the same without garbage collection
- proven: black formats a changed text twice and checks with a third pass that the result is
  stable. Where the second pass changed nothing, it has shown that already.
- forked: proven, with the check that both texts mean the same in a second process meanwhile
"""

import gc
import os
import statistics
import sys
import time

import black

MODE = black.Mode()
ROUNDS = 15


def proven(source):
    first = black._format_str_once(source, mode=MODE)
    second = black._format_str_once(first, mode=MODE)
    black.assert_equivalent(source, second)
    if second != first:
        black.assert_stable(source, second, mode=MODE)
    return second


def forked(source):
    first = black._format_str_once(source, mode=MODE)
    child = os.fork()
    if child == 0:
        try:
            black.assert_equivalent(source, first)
            os._exit(0)
        except BaseException:
            os._exit(1)
    second = black._format_str_once(first, mode=MODE)
    status = os.waitpid(child, 0)[1]
    if second != first or status:
        black.assert_equivalent(source, second)
        black.assert_stable(source, second, mode=MODE)
    return second


def whole(source):
    return black.format_file_contents(source, fast=False, mode=MODE)


def without_gc(source):
    gc.disable()
    try:
        return whole(source)
    finally:
        gc.enable()


def fast(source):
    return black.format_file_contents(source, fast=True, mode=MODE)


FORMS = {"black": whole, "gc off": without_gc, "no check": fast, "proven": proven, "forked": forked}


def measure(path):
    with open(path, encoding="utf-8") as file:
        text = black.format_str(file.read(), mode=MODE)
    times = {name: [] for name in FORMS}
    for number in range(ROUNDS):
        source = text + "edit_{0} = {{ 'a':{0} }}\n".format(number)
        results = set()
        for name, form in FORMS.items():
            begun = time.perf_counter()
            results.add(form(source))
            times[name].append(time.perf_counter() - begun)
        assert len(results) == 1, "the forms disagree"
    print("{} ({} lines)".format(path, text.count("\n")))
    for name, seconds in times.items():
        ratio = statistics.median(a / b for a, b in zip(seconds, times["black"]))
        print("  {:<9}{:7.1f} ms {:6.2f}".format(name, 1000 * statistics.median(seconds), ratio))


if __name__ == "__main__":
    gc.collect()
    gc.freeze()
    for path in sys.argv[1:]:
        measure(path)
