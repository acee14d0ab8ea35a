//! Many random edits, opens, closes and cancels: the server survives, does not grow, and in the
//! end shows what `pyqa check` finds. `PYQA_STRESS_STEPS` and `PYQA_STRESS_SEED` make it longer or
//! repeat it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::Project;
use crate::support::client::{Client, lines, uri};

const FILES: [&str; 4] = ["src/a.py", "src/b.py", "src/deep/c.py", "d.py"];

/// What is typed: good code, half-typed code, wide characters, all kinds of line ends.
const PIECES: [&str; 22] = [
    "import os\n",
    "x = ''\n",
    "assert x\n",
    "\n",
    "\n\n\n",
    "def f(",
    "):\n",
    "    return 1\n",
    "'''",
    "\"",
    "# noqa: F401\n",
    "# 日本😀\n",
    "s = '日本😀'; t = undefined\n",
    "\t",
    "\r\n",
    "class A:\n    pass\n",
    "eval(input())\n",
    "\\",
    "print( 1 )\n",
    "é",
    "\u{c}",
    "lambda: (",
];

/// xorshift64*: the same seed makes the same run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(value).unwrap() % limit
    }
}

struct Editor {
    client: Client,
    random: Random,
    /// By path: version and text of what is open.
    open: BTreeMap<PathBuf, (i32, String)>,
    paths: Vec<PathBuf>,
}

impl Editor {
    fn path(&mut self) -> PathBuf {
        let at = self.random.below(self.paths.len());
        self.paths[at].clone()
    }

    fn step(&mut self) {
        let path = self.path();
        if !self.open.contains_key(&path) {
            return self.open(&path);
        }
        match self.random.below(20) {
            0 => {
                self.open.remove(&path);
                self.client.close(&path);
            }
            1 => {
                fs::write(&path, &self.open[&path].1).unwrap();
                self.client.save(&path);
            }
            2 => {
                let id = self.client.post("textDocument/diagnostic", &of(&path));
                let number: i32 = id.to_string().parse().unwrap();
                self.client.tell("$/cancelRequest", &json!({ "id": number }));
                self.client.answer(&id);
            }
            3 => {
                let range = json!({
                    "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 },
                });
                let mut params = of(&path);
                params["range"] = range;
                params["context"] = json!({ "diagnostics": [] });
                self.client.ask("textDocument/codeAction", &params);
            }
            4 => {
                let id = self.random.below(10_000);
                self.client.tell("$/cancelRequest", &json!({ "id": id }));
            }
            5 => {
                let entry = self.open.get_mut(&path).unwrap();
                entry.0 += 1;
                "import os\n".clone_into(&mut entry.1);
                let (version, text) = entry.clone();
                self.client.change(&path, version, &text);
            }
            _ => self.edit(&path),
        }
    }

    fn open(&mut self, path: &Path) {
        let text = fs::read_to_string(path).unwrap();
        self.client.open(path, &text);
        self.open.insert(path.to_owned(), (1, text));
    }

    /// Replaces a stretch of the text by a piece, told in UTF-8 positions.
    fn edit(&mut self, path: &Path) {
        let (version, text) = self.open[path].clone();
        let mut place = |text: &str| {
            let mut at = self.random.below(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            // Between the two halves of a line end there is no position.
            let in_line_end = at > 0 && text[..at].ends_with('\r') && text[at..].starts_with('\n');
            if in_line_end { at - 1 } else { at }
        };
        let start = place(&text);
        let end = if text.len() > 600 { place(&text) } else { start };
        let (start, end) = (start.min(end), start.max(end));
        let piece = PIECES[self.random.below(PIECES.len())];
        let new = [&text[..start], piece, &text[end..]].concat();
        let range = json!({ "start": position(&text, start), "end": position(&text, end) });
        self.client.edit(path, version + 1, &json!([{ "range": range, "text": piece }]));
        self.open.insert(path.to_owned(), (version + 1, new));
    }
}

fn of(path: &Path) -> Value {
    json!({ "textDocument": { "uri": uri(path) } })
}

/// Lines end with `\n`, `\r\n` or `\r`.
fn position(text: &str, at: usize) -> Value {
    let before = &text[..at];
    let bytes = text.as_bytes();
    let ends = (0..at)
        .filter(|&i| bytes[i] == b'\n' || (bytes[i] == b'\r' && bytes.get(i + 1) != Some(&b'\n')));
    let (mut line, mut start) = (0, 0);
    for end in ends {
        line += 1;
        start = end + 1;
    }
    json!({ "line": line, "character": before.len() - start })
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Kilobytes of memory that the process holds.
#[cfg(target_os = "linux")]
fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(not(target_os = "linux"))]
fn memory(_: u32) -> u64 {
    0
}

#[test]
fn random_edits_end_in_what_check_finds() {
    let steps = number("PYQA_STRESS_STEPS", 300);
    let seed = number("PYQA_STRESS_SEED", 20_261_124);
    println!("PYQA_STRESS_STEPS={steps} PYQA_STRESS_SEED={seed}");
    let mut project = Project::new();
    // As in an editor: kept until the test is over.
    project.set("PYQA_WORKERS", "1");
    project.write("tox.ini", "[flake8]\nmax-line-length = 60\n");
    for name in FILES {
        project.write(name, "X = 1\n");
    }
    let root = fs::canonicalize(project.root()).unwrap();
    let options = json!({ "skip": ["pytest", "mypy"], "diagnostics": "pull", "debounce": 1 });
    let capabilities = json!({ "general": { "positionEncodings": ["utf-8"] } });
    let client = Client::with(&project, &options, &capabilities, &[&root]).0;
    let pid = client.pid();
    let paths = FILES.iter().map(|name| root.join(name)).collect();
    let mut editor = Editor { client, random: Random(seed | 1), open: BTreeMap::new(), paths };
    let mut early = 0;
    for step in 0..steps {
        editor.step();
        // Let some texts be checked to the end.
        if step % 40 == 39
            && let Some(path) = editor.open.keys().next().cloned()
        {
            editor.client.pull(&path);
        }
        if step == steps / 5 {
            early = memory(pid);
        }
    }
    let mut shown = BTreeMap::new();
    for (at, name) in FILES.iter().enumerate() {
        let path = editor.paths[at].clone();
        if !editor.open.contains_key(&path) {
            editor.open(&path);
        }
        shown.insert(*name, lines(&editor.client.pull(&path)));
    }
    let growth = memory(pid).saturating_sub(early);
    println!("memory: {early} kB, then {growth} kB more");
    assert!(growth < 50 * 1024, "{growth} kB more");
    for (at, name) in FILES.iter().enumerate() {
        project.write(name, &editor.open[&editor.paths[at]].1);
    }
    assert_eq!(editor.client.shut_down(), 0);

    let run = project.check(&["--no-cache", "--skip", "mypy,pytest"]);
    assert_eq!(project.pyqa(&["worker", "stop"]).code, 0);
    for name in FILES {
        assert_eq!(shown[name], found_in(&run.json(), name, &project), "{name}, seed {seed}");
    }
}

/// `tool line code` of the findings in a file. An editor shows what has no line in the first one,
/// and what stands after the last line in the last.
fn found_in(report: &Value, name: &str, project: &Project) -> Vec<String> {
    let text = fs::read_to_string(project.path(name)).unwrap();
    let last = position(&text, text.len())["line"].as_u64().unwrap() + 1;
    let findings = report["findings"].as_array().unwrap().iter();
    let mut lines: Vec<String> = findings
        .filter(|finding| finding["path"] == name)
        .map(|finding| {
            let word = |of: &str| finding[of].as_str().unwrap_or("-").to_owned();
            let line = finding["line"].as_u64().unwrap_or(1).clamp(1, last);
            format!("{} {line} {}", word("tool"), word("code"))
        })
        .collect();
    lines.sort();
    lines
}
