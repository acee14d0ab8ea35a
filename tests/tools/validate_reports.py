"""Checks the reports in a folder with the schemas and readers of others.

Prints one line for each report. Each is named report.FORMAT; all are of the same run.
"""

import json
import pathlib
import re
import sys
from urllib.parse import unquote_to_bytes

import jsonschema
import junitparser
from lxml import etree

TESTS = pathlib.Path(__file__).resolve().parent.parent
SCHEMAS = TESTS / "schemas"


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def check_schema(value, schema):
    cls = jsonschema.validators.validator_for(schema)
    cls.check_schema(schema)
    errors = list(cls(schema, format_checker=cls.FORMAT_CHECKER).iter_errors(value))
    for error in errors[:10]:
        place = "/".join(map(str, error.absolute_path))
        print(f"  {place}: {error.message[:300]}", file=sys.stderr)
    assert not errors, f"{len(errors)} errors"


def check_json(path, run):
    check_schema(run, load(TESTS.parent / "docs/report-schema.json"))
    return f"{len(run['findings'])} findings"


def check_jsonl(path, run):
    lines = [json.loads(line) for line in path.read_bytes().decode("utf-8").split("\n")[:-1]]
    assert len(lines) == len(run["findings"]) + 1, len(lines)
    return f"{len(lines)} lines"


def check_sarif(path, run):
    log = load(path)
    check_schema(log, load(SCHEMAS / "sarif-2.1.0.json"))
    results = [result for part in log["runs"] for result in part["results"]]
    assert len(results) == len(run["findings"]), len(results)
    return f"{len(results)} results in {len(log['runs'])} runs"


def check_gitlab(path, run):
    issues = load(path)
    check_schema(issues, load(SCHEMAS / "gitlab-code-quality.json"))
    code_climate = path.with_name("code-climate.json")
    if code_climate.exists():
        schema = load(code_climate)
        for issue in issues:
            check_schema(issue, schema)
    prints = {issue["fingerprint"] for issue in issues}
    assert len(prints) == len(issues) == len(run["findings"])
    return f"{len(issues)} issues"


def check_junit(path, run):
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "junit-10.xsd"))
    document = etree.parse(path, etree.XMLParser(huge_tree=True))
    assert schema.validate(document), str(schema.error_log)
    read = junitparser.JUnitXml.fromroot(document.getroot())
    bad = (junitparser.Failure, junitparser.Error)
    cases = [case for suite in read for case in suite]
    failed = [case for case in cases if any(isinstance(part, bad) for part in case.result)]
    counted = sum(suite.failures + suite.errors for suite in read)
    expected = [finding for finding in run["findings"] if finding["severity"] != "note"]
    assert len(failed) == counted, (len(failed), counted)
    assert len(failed) == len(expected), (len(failed), len(expected))
    assert sum(suite.tests for suite in read) == len(cases)
    return f"{len(cases)} cases, {len(failed)} failed"


def check_checkstyle(path, run):
    root = etree.parse(path, etree.XMLParser(huge_tree=True)).getroot()
    assert root.tag == "checkstyle"
    read = [
        (file.get("name"), int(error.get("line", 0)), error.get("severity"))
        for file in root.findall("file")
        for error in file.findall("error")
    ]
    level = {"note": "info"}
    expected = [
        (
            xml(finding["path"] or "."),
            finding["line"] or 0,
            level.get(finding["severity"], finding["severity"]),
        )
        for finding in run["findings"]
    ]
    assert sorted(read) == sorted(expected), set(expected) ^ set(read)
    return f"{len(read)} errors"


def xml(text):
    """What of a text XML 1.0 can hold; attributes are read with their line breaks."""
    return re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def check_rdjson(path, run):
    result = load(path)
    # A finding with a diff is told once for each change.
    assert len(result["diagnostics"]) >= len(run["findings"])
    for diagnostic in result["diagnostics"]:
        lines = diagnostic["location"].get("range", {})
        assert lines == {} or lines["start"]["line"] >= 1
    return f"{len(result['diagnostics'])} diagnostics"


# How the runner reads a line that it is given: src/Runner.Common/ActionCommand.cs of
# github.com/actions/runner. Both forms of a command are recognised anywhere the rules allow them.
DATA = [("%0D", "\r"), ("%0A", "\n"), ("%25", "%")]
PROPERTY = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")]
COMMANDS = {"error", "warning", "notice"}


def unescape(text, pairs):
    for escaped, plain in pairs:
        text = text.replace(escaped, plain)
    return text


def parse_command(line):
    """The command in a line, or None where the runner would see none."""
    message = line.strip()
    if not message.startswith("::"):
        return None
    end = message.find("::", 2)
    if end < 0:
        return None
    info = message[2:end]
    name, _, rest = info.partition(" ")
    properties = {}
    for pair in rest.strip().split(","):
        if pair.strip():
            key, equals, value = pair.partition("=")
            if equals:
                properties[key.strip()] = unescape(value, PROPERTY)
    return name, properties, unescape(message[end + 2 :], DATA)


def check_github(path, run):
    # The runner ends a line at each of these.
    lines = re.split("\r\n|\n|\r", path.read_bytes().decode("utf-8"))
    lines = [line for line in lines if line]
    commands = [parse_command(line) for line in lines]
    assert all(commands), [line[:80] for line, read in zip(lines, commands) if not read]
    assert {name for name, _, _ in commands} <= COMMANDS
    assert len(commands) == len(run["findings"])
    names = {"error": "error", "warning": "warning", "note": "notice"}
    read = sorted((name, p.get("file", ""), int(p.get("line", 0))) for name, p, _ in commands)
    expected = sorted(
        (names[f["severity"]], f["path"] or "", (f["line"] or 0)) for f in run["findings"]
    )
    assert read == expected, set(read) ^ set(expected)
    messages = {message.split("\n")[0][:40] for _, _, message in commands}
    for finding in run["findings"]:
        start = ANSI.sub("", finding["message"]).strip()[:20]
        assert any(start in message for message in messages) or "\n" in start, start
    return f"{len(commands)} commands"


ANSI = re.compile("[\x1b\x9b]\\[?[0-9;?]*[ -/]*[@-~]")


def main():
    folder = pathlib.Path(sys.argv[1])
    run = load(folder / "report.json")
    for finding in run["findings"]:
        if "path_bytes" in finding:
            assert unquote_to_bytes(finding["path_bytes"]).decode(errors="replace")
    checks = {
        "json": check_json,
        "jsonl": check_jsonl,
        "sarif": check_sarif,
        "gitlab": check_gitlab,
        "junit": check_junit,
        "checkstyle": check_checkstyle,
        "rdjson": check_rdjson,
        "github": check_github,
    }
    for name, check in checks.items():
        try:
            print(f"{name}: {check(folder / f'report.{name}', run)}")
        except AssertionError as error:
            sys.exit(f"{name}: {error}")


main()
