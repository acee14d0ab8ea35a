"""Moves functions about: swaps neighbours, in files chosen by a seed.

    move_functions.py FOLDER COUNT [SEED]

Only functions between which nothing but empty lines stands, without decorators, of different
names, and of which neither's head names the other: to Python and to the tools, the program is the
same. Prints how many functions were moved; fails where there are not enough.
"""

import ast
import pathlib
import random
import sys

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def bodies(tree):
    yield tree.body
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.body


def names_in_head(function):
    return {n.id for n in ast.walk(function.args) if isinstance(n, ast.Name)}


def may_swap(first, second, lines):
    if not (isinstance(first, FUNCTIONS) and isinstance(second, FUNCTIONS)):
        return False
    if first.decorator_list or second.decorator_list or first.name == second.name:
        return False
    if first.name in names_in_head(second) or second.name in names_in_head(first):
        return False
    between = lines[first.end_lineno : second.lineno - 1]
    return bool(between) and not any(line.strip() for line in between)


def pairs(path):
    """Pairs of functions that may be swapped and do not overlap."""
    try:
        text = path.read_bytes().decode("utf-8")
        tree = ast.parse(text)
    except (SyntaxError, UnicodeDecodeError, ValueError):
        return []
    lines = text.splitlines(keepends=True)
    if "\x0c" in text or "\r" in text:
        return []
    found = []
    for body in bodies(tree):
        at = 0
        while at + 1 < len(body):
            if may_swap(body[at], body[at + 1], lines):
                found.append((body[at], body[at + 1]))
                at += 1
            at += 1
    return found


def swap(path, first, second):
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    a = lines[first.lineno - 1 : first.end_lineno]
    gap = lines[first.end_lineno : second.lineno - 1]
    b = lines[second.lineno - 1 : second.end_lineno]
    if not b[-1].endswith("\n"):
        return False
    lines[first.lineno - 1 : second.end_lineno] = b + gap + a
    path.write_text("".join(lines), encoding="utf-8", newline="")
    return True


def main():
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    choice = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    files = sorted(folder.rglob("*.py"))
    choice.shuffle(files)
    moved = touched = 0
    while moved < count and files:
        path = files.pop()
        possible = pairs(path)
        choice.shuffle(possible)
        # A swap leaves the numbers of lines outside of the two as they are; pairs in different
        # bodies may lie within one another, so one a file is taken.
        for first, second in possible[:1]:
            if swap(path, first, second):
                moved += 2
                touched += 1
    if moved < count:
        sys.exit(f"only {moved} functions could be moved")
    print(f"moved {moved} functions in {touched} files")


main()
