"""What could make black itself answer sooner, side by side: each way in children forked from an
interpreter that has black imported, in turn, on the same texts.

    ENVIRONMENT/bin/python benches/black_ways.py [--runs 15] FILE...
"""

import argparse
import gc
import json
import os
import statistics
import time

import black

MODE = black.Mode()


def whole(text):
    black.format_file_contents(text, fast=False, mode=MODE)


def without_collector(text):
    gc.disable()
    whole(text)


def larger_generation(text):
    gc.set_threshold(100_000, 50, 1000)
    whole(text)


def two_passes(text):
    """As pyqa does: the second pass shows that the third would change nothing."""
    result = black._format_str_once(text, mode=MODE)
    assert black._format_str_once(result, mode=MODE) == result
    black.assert_equivalent(text, result)


def second_process(text):
    """The second pass in a child, while this process compares what the texts mean."""
    result = black._format_str_once(text, mode=MODE)
    pid = os.fork()
    if pid == 0:
        os._exit(black._format_str_once(result, mode=MODE) != result)
    black.assert_equivalent(text, result)
    assert os.waitpid(pid, 0)[1] == 0


WAYS = {
    "black as it is, in a child that has called it before": (True, whole),
    "the same, never called before (no caches filled)": (False, whole),
    "garbage collector off": (True, without_collector),
    "larger young generation": (True, larger_generation),
    "without the third pass": (True, two_passes),
    "the same, second pass in a process of its own": (True, second_process),
}


def seconds(warm, way, text):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        if warm:
            whole("x = {  'a':1 }\n" + text[: len(text) // 4].rsplit("\n\n\n", 1)[0] + "\n")
        begun = time.perf_counter()
        way(text)
        os.write(writer, json.dumps(time.perf_counter() - begun).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as answer:
        took = json.load(answer)
    os.waitpid(pid, 0)
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    gc.collect()
    gc.freeze()
    for path in args.files:
        with open(path, encoding="utf-8") as file:
            text = file.read() + "edit = { 'a':1 }\n"
        rounds = [
            {name: seconds(*way, text) for name, way in WAYS.items()} for _ in range(args.runs)
        ]
        print(f"\n### {os.path.basename(path)}\n\n| | median | ratio |\n|---|---|---|")
        first = next(iter(WAYS))
        for name in WAYS:
            took = statistics.median(one[name] for one in rounds)
            ratio = statistics.median(one[name] / one[first] for one in rounds)
            print(f"| {name} | {took * 1000:.0f} ms | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
