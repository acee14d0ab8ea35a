//! `pyqa lsp`, spoken to as an editor does.

use std::fs;
use std::path::{Path, PathBuf};

use lsp_server::{Message, RequestId};
use serde_json::{Value, json};

use crate::support::Project;
use crate::support::client::{Client, lines, uri};

const CLEAN: &str = "X = 1\n";
/// flake8: an import that is not used. bandit: assert. black: two quotes.
const DIRTY: &str = "import os\n\nassert 1\nx = ''\n";
const DIRTY_LINES: [&str; 3] = ["bandit 3 B101", "black 4 format", "flake8 1 F401"];

fn project() -> (Project, PathBuf) {
    let project = Project::new();
    project
        .write("pyproject.toml", "[tool.black]\n")
        .write("tox.ini", "[flake8]\nmax-line-length = 100\n")
        .write("src/app.py", CLEAN);
    let path = fs::canonicalize(project.path("src/app.py")).unwrap();
    (project, path)
}

fn no_types() -> Value {
    json!({ "skip": ["pytest", "mypy"], "debounce": 1 })
}

fn pulling() -> Value {
    json!({ "skip": ["pytest", "mypy"], "debounce": 1, "diagnostics": "pull" })
}

fn items(params: &Value) -> &[Value] {
    params["diagnostics"].as_array().unwrap()
}

#[test]
fn what_is_typed_is_checked_and_what_was_proven_is_replayed_by_check() {
    let (project, path) = project();
    let mut client = Client::start(&project, &no_types());
    client.open(&path, CLEAN);
    client.change(&path, 2, DIRTY);
    let shown = client.diagnostics(&path, |shown| items(shown).len() == 3);
    assert_eq!(shown["version"], 2);
    assert_eq!(lines(items(&shown)), DIRTY_LINES);
    assert_eq!(client.shut_down(), 0);

    // The same content on disk: nothing is left to do.
    project.write("src/app.py", DIRTY);
    let run = project.check(&["--skip", "mypy,pytest"]);
    let found: Vec<String> = run.findings().into_iter().collect();
    assert_eq!(
        found,
        ["bandit src/app.py:3 B101", "black src/app.py:4 format", "flake8 src/app.py:1 F401"]
    );
    for tool in ["bandit", "black", "flake8"] {
        assert_eq!(run.ran(tool), 0, "{tool} ran again");
    }
}

#[test]
fn what_check_has_proven_is_replayed_for_the_editor() {
    let (mut project, path) = project();
    project.write("src/app.py", DIRTY);
    assert_eq!(project.check(&["--skip", "mypy,pytest"]).code, 1);
    project.write("src/app.py", CLEAN);
    let starts = project.path("../starts");
    project.set("PYQA_TEST_STARTS", &starts);
    let mut client = Client::start(&project, &pulling());
    client.open(&path, DIRTY);
    assert_eq!(lines(&client.pull(&path)), DIRTY_LINES);
    assert_eq!(client.shut_down(), 0);
    let started = fs::read_to_string(&starts).unwrap_or_default();
    assert_eq!(started, "", "a Python was started");
}

#[test]
fn settings_hold_for_a_text_as_for_its_file_wherever_they_stand() {
    let project = Project::new();
    // Above the root, with a pattern by path and one that fits the folder of the cache.
    project
        .write("setup.cfg", "[flake8]\nexclude = *cache*\nper-file-ignores = src/a.py:F401\n")
        .write("pkg/pyproject.toml", "[tool.black]\nskip-string-normalization = true\n")
        .write("pkg/src/a.py", CLEAN)
        .write("pkg/src/b.py", CLEAN);
    let root = fs::canonicalize(project.path("pkg")).unwrap();
    let text = "import os\n\nx = ''\ny = undefined\n";
    let mut client = Client::with(&project, &pulling(), &json!({}), &[&root]).0;
    for name in ["src/a.py", "src/b.py"] {
        client.open(&root.join(name), text);
    }
    assert_eq!(lines(&client.pull(&root.join("src/a.py"))), ["flake8 4 F821"]);
    assert_eq!(lines(&client.pull(&root.join("src/b.py"))), ["flake8 1 F401", "flake8 4 F821"]);
    client.shut_down();
    // The tools themselves say the same of the files.
    project.write("pkg/src/a.py", text).write("pkg/src/b.py", text);
    let run = project.check(&["--root", "pkg", "--no-cache", "--skip", "mypy,pytest"]);
    let found: Vec<String> = run.findings().into_iter().collect();
    let expected = ["flake8 src/a.py:4 F821", "flake8 src/b.py:1 F401", "flake8 src/b.py:4 F821"];
    assert_eq!(found, expected);
}

#[test]
fn places_are_right_on_lines_with_wide_characters_in_both_encodings() {
    let (project, path) = project();
    let text =
        "s = \"日本😀\"; x = undefined  # noqa: E702\nassert s, \"é\"; t = \"é\"; assert x\n";
    for (encoding, columns) in [("utf-8", [22, 26]), ("utf-16", [16, 24])] {
        let capabilities = json!({ "general": { "positionEncodings": [encoding] } });
        let root = project.root();
        let options = json!({ "only": ["flake8", "bandit"], "diagnostics": "pull" });
        let (mut client, result) = Client::with(&project, &options, &capabilities, &[&root]);
        assert_eq!(result["capabilities"]["positionEncoding"], encoding);
        client.open(&path, text);
        let found = client.pull(&path);
        let column = |code: &str, line: u64| {
            let of = |d: &&Value| d["code"] == code && d["range"]["start"]["line"] == line;
            let at = found.iter().filter(of).map(|d| &d["range"]["start"]["character"]);
            at.filter_map(Value::as_u64).max().unwrap()
        };
        assert_eq!([column("F821", 0), column("B101", 1)], columns, "{encoding}");
        client.shut_down();
    }
}

#[test]
fn what_was_found_in_an_older_text_is_never_shown() {
    let (project, path) = project();
    let mut client = Client::start(&project, &no_types());
    client.open(&path, CLEAN);
    for version in 2..12 {
        client.change(&path, version, &format!("import m{version}\n"));
        // Wait now and then, so that some are checked to the end and others are given up.
        if version % 3 == 0 {
            client.diagnostics(&path, |shown| shown["version"] == version);
        }
    }
    let last = client.diagnostics(&path, |shown| {
        shown["version"] == 11 && items(shown).iter().any(|d| d["code"] == "F401")
    });
    assert!(items(&last)[0]["message"].as_str().unwrap().contains("m11"), "{last}");
    for message in client.kept() {
        let Message::Notification(shown) = message else { continue };
        let version = shown.params["version"].as_i64().unwrap_or_default();
        for diagnostic in items(&shown.params) {
            let message = diagnostic["message"].as_str().unwrap();
            assert!(message.contains(&format!("m{version}'")), "{version}: {message}");
        }
    }
    client.shut_down();
}

#[test]
fn types_are_checked_on_save_and_move_along_with_their_lines() {
    let (project, path) = project();
    let text = "def f() -> int:\n    return \"\"\n";
    let options = json!({ "only": ["mypy", "flake8"], "debounce": 1 });
    let mut client = Client::start(&project, &options);
    client.open(&path, CLEAN);
    client.change(&path, 2, text);
    project.write("src/app.py", text);
    client.save(&path);
    let has_type = |shown: &Value| items(shown).iter().any(|d| d["source"] == "mypy");
    let shown = client.diagnostics(&path, has_type);
    assert_eq!(lines(items(&shown)), ["mypy 2 return-value"]);
    let insertion = json!([{
        "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } },
        "text": "import os\n\n\n",
    }]);
    client.edit(&path, 3, &insertion);
    let shown = client.diagnostics(&path, |shown| shown["version"] == 3);
    assert_eq!(lines(items(&shown)), ["flake8 1 F401", "mypy 5 return-value"]);
    client.close(&path);
    client.diagnostics(&path, |shown| lines(items(shown)) == ["mypy 2 return-value"]);
    client.shut_down();
}

/// The text after an edit of one range, in UTF-16 positions on ASCII lines.
fn applied(text: &str, edit: &Value) -> String {
    let offset = |at: &Value| {
        let line = usize::try_from(at["line"].as_u64().unwrap()).unwrap();
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        start + usize::try_from(at["character"].as_u64().unwrap()).unwrap()
    };
    let (start, end) = (offset(&edit["range"]["start"]), offset(&edit["range"]["end"]));
    [&text[..start], edit["newText"].as_str().unwrap(), &text[end..]].concat()
}

fn actions(client: &mut Client, path: &Path, only: Option<&str>) -> Vec<Value> {
    let range = json!({
        "start": { "line": 0, "character": 0 }, "end": { "line": 999, "character": 0 },
    });
    let mut context = json!({ "diagnostics": [] });
    if let Some(only) = only {
        context["only"] = json!([only]);
    }
    let document = json!({ "uri": uri(path) });
    let params = json!({ "textDocument": document, "range": range, "context": context });
    client.ask("textDocument/codeAction", &params).as_array().unwrap().clone()
}

#[test]
fn every_quick_fix_ends_its_finding_and_no_other() {
    let (project, path) = project();
    let text = "import os  # why\nassert '#'  # noqa: E501\nS = \"\"\"\n\tlong   \n\"\"\"\n";
    let mut client = Client::start(&project, &pulling());
    let mut version = 1;
    client.open(&path, text);
    let before = client.pull(&path);
    let expected =
        ["bandit 2 B101", "black 2 format", "flake8 1 F401", "flake8 4 W191", "flake8 4 W291"];
    assert_eq!(lines(&before), expected);
    let found = actions(&mut client, &path, None);
    assert_eq!(found.len(), before.len());
    for action in found {
        let edits = action["edit"]["changes"][uri(&path)].as_array().unwrap();
        // From the last to the first, so that places stay where they are.
        let mut changed = text.to_owned();
        for edit in edits.iter().rev() {
            changed = applied(&changed, edit);
        }
        version += 1;
        client.change(&path, version, &changed);
        let after = client.pull(&path);
        let is_left = |of: &Value| {
            let same = |d: &&Value| d["code"] == of["code"] && d["source"] == of["source"];
            after.iter().any(|d| same(&d))
        };
        let ended = &action["diagnostics"][0];
        assert!(!is_left(ended), "{action:#}\n{changed}");
        for other in before.iter().filter(|d| d["source"] != ended["source"]) {
            let by_format = ended["source"] == "black" || other["source"] == "black";
            assert!(is_left(other) || by_format, "{other} is gone by {}", action["title"]);
        }
    }
    assert_eq!(actions(&mut client, &path, Some("refactor")), Vec::<Value>::new());
    client.shut_down();
}

fn format(client: &mut Client, path: &Path, text: &str) -> String {
    let options = json!({ "tabSize": 4, "insertSpaces": true });
    let params = json!({ "textDocument": { "uri": uri(path) }, "options": options });
    let edits = client.ask("textDocument/formatting", &params);
    edits.as_array().unwrap().iter().rev().fold(text.to_owned(), |text, edit| applied(&text, edit))
}

#[test]
fn texts_are_formatted_whole_and_in_part_and_half_typed_ones_left_alone() {
    let (project, path) = project();
    let mut client = Client::start(&project, &no_types());
    let text = "a = ''\n\n\n\nb = ''\nc = ''\n";
    client.open(&path, text);
    assert_eq!(format(&mut client, &path, text), "a = \"\"\n\n\nb = \"\"\nc = \"\"\n");
    let range = json!({
        "start": { "line": 4, "character": 0 }, "end": { "line": 5, "character": 0 },
    });
    let options = json!({ "tabSize": 4, "insertSpaces": true });
    let params =
        json!({ "textDocument": { "uri": uri(&path) }, "range": range, "options": options });
    let edits = client.ask("textDocument/rangeFormatting", &params);
    let part = edits.as_array().unwrap().iter().rev();
    let part = part.fold(text.to_owned(), |text, edit| applied(&text, edit));
    assert!(part.starts_with("a = ''") && part.ends_with("b = \"\"\nc = ''\n"), "{part}");

    client.change(&path, 2, "def f(\n");
    assert_eq!(format(&mut client, &path, "def f(\n"), "def f(\n");

    // An answer that came too late would spoil the text.
    client.change(&path, 3, "x = ''\n");
    let params = json!({ "textDocument": { "uri": uri(&path) }, "options": options });
    let id = client.post("textDocument/formatting", &params);
    client.change(&path, 4, "y = ''\n");
    assert_eq!(client.answer(&id).response_result.unwrap_err().code, -32801);
    assert_eq!(format(&mut client, &path, "y = ''\n"), "y = \"\"\n");

    let found = actions(&mut client, &path, Some("source.fixAll"));
    assert_eq!(found[0]["edit"]["changes"][uri(&path)][0]["newText"], "y = \"\"\n");
    assert_eq!(actions(&mut client, &path, Some("source.organizeImports")), Vec::<Value>::new());
    client.shut_down();
}

#[test]
fn formatting_before_saving_is_offered_to_those_who_want_it() {
    let (project, path) = project();
    let root = project.root();
    let sync = |result: &Value| result["capabilities"]["textDocumentSync"].clone();
    let (client, result) = Client::with(&project, &no_types(), &json!({}), &[&root]);
    assert_eq!(sync(&result)["willSaveWaitUntil"], Value::Null);
    client.shut_down();
    let options = json!({ "only": ["black"], "formatOnSave": true });
    let (mut client, result) = Client::with(&project, &options, &json!({}), &[&root]);
    assert_eq!(sync(&result)["willSaveWaitUntil"], true);
    client.open(&path, "x = ''\n");
    let params = json!({ "textDocument": { "uri": uri(&path) }, "reason": 1 });
    let edits = client.ask("textDocument/willSaveWaitUntil", &params);
    assert_eq!(edits[0]["newText"], "x = \"\"\n");
    client.shut_down();
}

#[test]
fn a_type_error_is_silenced_before_other_comments() {
    let (project, path) = project();
    let text = "def f() -> int:\n    return \"\"  # why  # noqa: E501\n";
    project.write("src/app.py", text);
    let options = json!({ "only": ["mypy"], "debounce": 1 });
    let mut client = Client::start(&project, &options);
    client.open(&path, text);
    client.diagnostics(&path, |shown| lines(items(shown)) == ["mypy 2 return-value"]);
    let found = actions(&mut client, &path, Some("quickfix"));
    let edit = &found[0]["edit"]["changes"][uri(&path)][0];
    let changed = applied(text, edit);
    assert!(changed.contains("\"\"  # type: ignore[return-value]  # why  # noqa"), "{changed}");
    client.change(&path, 2, &changed);
    project.write("src/app.py", &changed);
    client.save(&path);
    client.diagnostics(&path, |shown| items(shown).is_empty());
    client.shut_down();
    assert_eq!(project.check(&["--only", "mypy", "--no-cache"]).code, 0);
}

#[test]
fn a_client_may_ask_for_diagnostics() {
    let (project, path) = project();
    let (mut client, result) = Client::with(&project, &pulling(), &json!({}), &[&project.root()]);
    assert_eq!(result["capabilities"]["diagnosticProvider"]["workspaceDiagnostics"], true);
    client.open(&path, DIRTY);
    let params = json!({ "textDocument": { "uri": uri(&path) } });
    let first = client.ask("textDocument/diagnostic", &params);
    assert_eq!(lines(first["items"].as_array().unwrap()), DIRTY_LINES);
    let again = client.ask(
        "textDocument/diagnostic",
        &json!({ "textDocument": { "uri": uri(&path) }, "previousResultId": first["resultId"] }),
    );
    assert_eq!((&again["kind"], &again["resultId"]), (&json!("unchanged"), &first["resultId"]));

    // A text that changes before it was checked.
    client.change(&path, 2, "import re\n");
    let id = client.post("textDocument/diagnostic", &params);
    client.change(&path, 3, "import io\n");
    let refused = client.answer(&id).response_result.unwrap_err();
    assert_eq!(refused.code, -32802);
    assert_eq!(refused.data.unwrap()["retriggerRequest"], true);
    assert_eq!(lines(&client.pull(&path)), ["flake8 1 F401"]);

    project.write("src/other.py", "import os\n");
    let report = client.ask("workspace/diagnostic", &json!({ "previousResultIds": [] }));
    let files = report["items"].as_array().unwrap();
    let other = files.iter().find(|f| f["uri"].as_str().unwrap().ends_with("other.py")).unwrap();
    assert_eq!(lines(other["items"].as_array().unwrap()), ["flake8 1 F401"]);
    client.shut_down();
}

#[test]
fn a_request_that_is_cancelled_is_answered_as_such() {
    let (project, path) = project();
    let mut client = Client::start(&project, &pulling());
    client.open(&path, DIRTY);
    let params = json!({ "textDocument": { "uri": uri(&path) } });
    let id = client.post("textDocument/diagnostic", &params);
    let number: i32 = 2;
    assert_eq!(id, RequestId::from(number));
    client.tell("$/cancelRequest", &json!({ "id": number }));
    assert_eq!(client.answer(&id).response_result.unwrap_err().code, -32800);
    assert_eq!(lines(&client.pull(&path)), DIRTY_LINES);
    client.shut_down();
}

#[test]
fn changed_settings_count_at_once() {
    let (project, path) = project();
    let capabilities =
        json!({ "workspace": { "didChangeWatchedFiles": { "dynamicRegistration": true } } });
    let root = project.root();
    let mut client = Client::with(&project, &no_types(), &capabilities, &[&root]).0;
    let asked = client.wait(|message| matches!(message, Message::Request(_)));
    let Message::Request(asked) = asked else { panic!("{asked:?}") };
    assert_eq!(asked.method, "client/registerCapability");
    assert!(asked.params.to_string().contains("**/tox.ini"), "{}", asked.params);

    client.open(&path, "import os\n");
    client.diagnostics(&path, |shown| lines(items(shown)) == ["flake8 1 F401"]);
    project.write("tox.ini", "[flake8]\nextend-ignore = F401\n");
    let changed = json!({ "uri": uri(&project.path("tox.ini")), "type": 2 });
    client.tell("workspace/didChangeWatchedFiles", &json!({ "changes": [changed] }));
    client.diagnostics(&path, |shown| items(shown).is_empty());

    project.write("tox.ini", "[flake8\n");
    client.tell("workspace/didChangeWatchedFiles", &json!({ "changes": [changed] }));
    let told = client.wait(
        |message| matches!(message, Message::Notification(n) if n.method == "window/showMessage"),
    );
    let Message::Notification(told) = told else { panic!("{told:?}") };
    assert!(told.params["message"].as_str().unwrap().contains("tox.ini:1"), "{}", told.params);
    client.shut_down();
}

#[test]
fn each_folder_has_its_own_settings() {
    let project = Project::new();
    project
        .write("one/tox.ini", "[flake8]\nextend-ignore = F401\n")
        .write("one/a.py", "")
        .write("two/tox.ini", "[flake8]\n")
        .write("two/a.py", "");
    let root = fs::canonicalize(project.root()).unwrap();
    let (one, two) = (root.join("one"), root.join("two"));
    let mut client = Client::with(&project, &pulling(), &json!({}), &[&one]).0;
    let event = json!({ "added": [{ "uri": uri(&two), "name": "two" }], "removed": [] });
    client.tell("workspace/didChangeWorkspaceFolders", &json!({ "event": event }));
    client.open(&one.join("a.py"), "import os\n");
    client.open(&two.join("a.py"), "import os\n");
    assert_eq!(lines(&client.pull(&one.join("a.py"))), Vec::<String>::new());
    assert_eq!(lines(&client.pull(&two.join("a.py"))), ["flake8 1 F401"]);
    client.shut_down();
}

#[test]
fn odd_documents_and_messages_do_no_harm() {
    let (project, path) = project();
    let mut client = Client::start(&project, &pulling());
    for odd in [
        "untitled:Untitled-1",
        "git:/a/b.py?%7B%22ref%22%3A%22%22%7D",
        "file:///nowhere/at%20all/x.py",
        "file:///%00.py",
        "file:///a/%FF%FE.py",
        "file://host/share/x.py",
        "file:",
        "",
        ":::",
    ] {
        client.open_uri(odd, "import os\n");
        let document = json!({ "uri": odd, "version": 2 });
        let range = json!({
            "start": { "line": 99, "character": 99 }, "end": { "line": 0, "character": 5 },
        });
        let changes = json!([{ "range": range, "text": "é" }]);
        let params = json!({ "textDocument": document, "contentChanges": changes });
        client.tell("textDocument/didChange", &params);
        client.ask("textDocument/diagnostic", &json!({ "textDocument": { "uri": odd } }));
        client.tell("textDocument/didClose", &json!({ "textDocument": { "uri": odd } }));
    }
    for half in
        ["def f(", "x = '''", "\u{0}", "class A:\n\tdef\n  x", "# -*- coding: nonsense -*-\n"]
    {
        client.open(&path, half);
        assert!(!client.pull(&path).is_empty(), "{half:?} is found to be clean");
    }
    let unknown = client.post("textDocument/unheardOf", &json!({}));
    assert_eq!(client.answer(&unknown).response_result.unwrap_err().code, -32601);
    let wrong = client.post("textDocument/diagnostic", &json!({ "textDocument": 5 }));
    assert_eq!(client.answer(&wrong).response_result.unwrap_err().code, -32602);
    client.tell("textDocument/didOpen", &json!([]));
    client.tell("textDocument/didClose", &json!({ "textDocument": { "uri": "file:///never" } }));
    client.open(&path, DIRTY);
    assert_eq!(lines(&client.pull(&path)), DIRTY_LINES);
    assert_eq!(client.shut_down(), 0);
}

#[test]
fn a_file_that_is_not_the_project_s_is_left_alone_and_a_new_one_is_checked() {
    let (project, path) = project();
    project.git(&["init", "-q"]).write(".gitignore", "out/\n").write("out/gen.py", "");
    let root = fs::canonicalize(project.root()).unwrap();
    let mut client = Client::start(&project, &pulling());
    client.open(&root.join("out/gen.py"), "import os\n");
    assert_eq!(lines(&client.pull(&root.join("out/gen.py"))), Vec::<String>::new());
    let new = root.join("src/deep/new.py");
    client.open(&new, "import os\n");
    assert_eq!(lines(&client.pull(&new)), ["flake8 1 F401"]);
    client.open(&path, DIRTY);
    assert_eq!(lines(&client.pull(&path)), DIRTY_LINES);
    client.shut_down();
}

#[test]
fn the_end_has_the_exit_codes_of_the_protocol() {
    let (project, path) = project();
    let start = || {
        let mut client = Client::start(&project, &no_types());
        client.open(&path, DIRTY);
        client
    };
    assert_eq!(start().shut_down(), 0);

    let mut client = start();
    client.tell("exit", &Value::Null);
    assert_eq!(client.exit_code(), 1);

    let mut client = start();
    client.hang_up();
    assert_eq!(client.exit_code(), 1);

    let mut client = start();
    client.ask("shutdown", &Value::Null);
    let id = client.post("textDocument/diagnostic", &json!({}));
    assert_eq!(client.answer(&id).response_result.unwrap_err().code, -32600);
    client.hang_up();
    assert_eq!(client.exit_code(), 0);

    let mut client = Client::silent(&project);
    client.hang_up();
    assert_eq!(client.exit_code(), 1);
    let left = fs::read_dir(project.cache().join("texts")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "texts are left");
}
