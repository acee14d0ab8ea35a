//! Reads pyqa's own settings into [`Settings`]: `[tool.pyqa]` of pyproject.toml, else `[pyqa]` of
//! tox.ini, else `[tool:pyqa]` of setup.cfg. All mistakes are reported, not only the first.

use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;

use super::documents::Documents;
use super::ini::Ini;
use super::model::{DeclaredTool, HookFix, Parallel, Settings, ToolSettings};
use super::toml::{Entry, Node, Table};
use crate::error::{Source, UserError};
use crate::event::Notice;
use crate::finding::ToolId;

const KEYS: [&str; 11] = [
    "only",
    "skip",
    "preset",
    "exclude",
    "python",
    "jobs",
    "timeout",
    "fail-fast",
    "workers",
    "hooks",
    "tools",
];
const TOOL_KEYS: [&str; 10] = [
    "enabled",
    "args",
    "exclude",
    "timeout",
    "cache",
    "max-age",
    "env",
    "inputs",
    "requirements",
    "parallel",
];
const HOOK_KEYS: [&str; 3] = ["pre-commit", "pre-push", "fix"];

/// Settings, and what the user should know about where they were found.
#[derive(Debug, Default)]
pub struct Read {
    pub settings: Settings,
    pub notices: Vec<Notice>,
}

/// Reads the settings of the project at `root`. `known` are the tools that pyqa brings.
///
/// # Errors
/// Every unknown key and wrong value, with file, line and key.
pub fn read(root: &Path, known: &[ToolId], documents: &Documents) -> Result<Read, Vec<UserError>> {
    let one = |error: UserError| vec![error];
    let pyproject = root.join("pyproject.toml");
    let table = documents.toml(&pyproject).map_err(one)?;
    let mut places = Vec::new();
    if let Some((table, line)) = table.as_ref().and_then(|table| table.table("tool.pyqa")) {
        places.push((pyproject, table.clone(), line, "[tool.pyqa]"));
    }
    for (name, section, label) in
        [("tox.ini", "pyqa", "[pyqa]"), ("setup.cfg", "tool:pyqa", "[tool:pyqa]")]
    {
        let file = root.join(name);
        if let Some(ini) = documents.ini(&file).map_err(one)?
            && let Some(found) = ini.section(section)
        {
            places.push((file, table_of(&ini, section), found.line, label));
        }
    }
    let mut places = places.into_iter();
    let Some((file, table, line, label)) = places.next() else { return Ok(Read::default()) };
    let mut reader = Reader { file: &file, label, known: known.to_vec(), errors: Vec::new() };
    let mut settings = reader.settings(&table);
    settings.source = Some(Source { file: file.clone(), line: Some(line) });
    if !reader.errors.is_empty() {
        return Err(reader.errors);
    }
    let notices = places
        .map(|(other, _, _, other_label)| {
            Notice::warning(format!(
                "{other_label} in {} is not read, because {} has {label}",
                other.display(),
                file.display()
            ))
            .hint("keep one of them")
        })
        .collect();
    Ok(Read { settings, notices })
}

/// Adds what a preset says of pyqa's own settings where the project says nothing.
///
/// # Errors
/// A mistake in the preset.
pub fn complete(
    settings: &mut Settings,
    preset: &Table,
    known: &[ToolId],
) -> Result<(), Vec<UserError>> {
    let Some((table, _)) = preset.table("pyqa") else { return Ok(()) };
    let file = Path::new("(preset)");
    let mut reader = Reader { file, label: "[pyqa]", known: known.to_vec(), errors: Vec::new() };
    let preset = reader.settings(table);
    settings.only = settings.only.take().or(preset.only);
    for (tool, of_preset) in preset.per_tool {
        settings.per_tool.entry(tool).or_insert(of_preset);
    }
    if reader.errors.is_empty() { Ok(()) } else { Err(reader.errors) }
}

/// An ini section in the form of a table: values are read as TOML would have them where that is
/// clear, and `[pyqa:flake8]` is the table `flake8` in `[pyqa]`.
fn table_of(ini: &Ini, section: &str) -> Table {
    let mut table = Table::default();
    for option in ini.options(section) {
        let node = Node::Plain(ini_value(&option.value));
        table.entries.push(Entry { key: option.name.to_lowercase(), line: option.line, node });
    }
    let prefix = format!("{section}:");
    for name in ini.names().filter_map(|name| name.strip_prefix(&prefix)) {
        let inner = table_of(ini, &format!("{prefix}{name}"));
        let line = ini.section(&format!("{prefix}{name}")).map_or(1, |section| section.line);
        table.entries.push(Entry { key: name.to_owned(), line, node: Node::Table(inner) });
    }
    table
}

fn ini_value(text: &str) -> Json {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" => Json::from(true),
        "false" | "no" | "off" => Json::from(false),
        other => match other.parse::<i64>() {
            Ok(number) => Json::from(number),
            Err(_) => Json::from(text),
        },
    }
}

struct Reader<'a> {
    file: &'a Path,
    label: &'a str,
    known: Vec<ToolId>,
    errors: Vec<UserError>,
}

impl Reader<'_> {
    fn settings(&mut self, table: &Table) -> Settings {
        let mut settings = Settings::default();
        if let Some(Entry { node: Node::Table(declared), .. }) = table.get("tools") {
            for entry in &declared.entries {
                self.declared(entry, &mut settings);
            }
        }
        for entry in &table.entries {
            match entry.key.as_str() {
                "tools" if matches!(entry.node, Node::Table(_)) => {}
                "tools" => self.list_of_tools(entry),
                "only" => settings.only = self.tools(entry),
                "skip" => settings.skip = self.tools(entry).unwrap_or_default(),
                "preset" => settings.preset = self.text(entry),
                "exclude" => settings.exclude = self.list(entry).unwrap_or_default(),
                "python" => settings.python = self.text(entry).map(Into::into),
                "jobs" => settings.jobs = self.count(entry),
                "timeout" => settings.timeout = self.duration(entry, Zero::Refused),
                "fail-fast" => settings.fail_fast = self.flag(entry).unwrap_or_default(),
                "workers" => settings.workers = self.flag(entry),
                "hooks" => self.hooks(entry, &mut settings),
                name if self.is_known(name) => {
                    let tool = ToolId::new(name);
                    if let Node::Table(table) = &entry.node {
                        let read = self.tool(name, table);
                        settings.per_tool.insert(tool, read);
                    } else {
                        self.wrong(entry, "a table of settings for the tool");
                    }
                }
                _ => {
                    let tools: Vec<String> = self.known.iter().map(ToString::to_string).collect();
                    let known = KEYS.into_iter().chain(tools.iter().map(String::as_str));
                    self.unknown(entry, self.label, &known.collect::<Vec<_>>());
                }
            }
        }
        settings
    }

    /// `tools` with a list of those that are to run, which is called `only`: TOML allows no table
    /// beside it.
    fn list_of_tools(&mut self, entry: &Entry) {
        let what = format!(
            "`tools` in {} declares tools of the project's own; which tools run is set by `only`",
            self.label
        );
        let Node::Plain(value) = &entry.node else { return };
        let value = match value.as_str() {
            Some(text) if self.is_ini() => text.to_owned(),
            _ => value.to_string(),
        };
        let error =
            UserError::new(what).at(self.place(entry)).hint(format!("write `only = {value}`"));
        self.errors.push(error);
    }

    /// `[tool.pyqa.tools.NAME]`: the tool is known from here on.
    fn declared(&mut self, entry: &Entry, settings: &mut Settings) {
        let Node::Table(table) = &entry.node else {
            self.wrong(entry, "a table that declares the tool");
            return;
        };
        let source = Source { file: self.file.to_owned(), line: Some(entry.line) };
        match ::toml::Table::try_from(table.to_json()) {
            Ok(table) => {
                let name = ToolId::new(&entry.key);
                self.known.push(name.clone());
                settings.declared.insert(name, DeclaredTool { table, source });
            }
            Err(error) => self.errors.push(UserError::new(error.to_string()).at(source)),
        }
    }

    fn tool(&mut self, name: &str, table: &Table) -> ToolSettings {
        let mut settings = ToolSettings::default();
        for entry in &table.entries {
            match entry.key.as_str() {
                "enabled" => settings.enabled = self.flag(entry),
                "args" => settings.args = self.list(entry).unwrap_or_default(),
                "exclude" => settings.exclude = self.list(entry).unwrap_or_default(),
                "timeout" => settings.timeout = self.duration(entry, Zero::Refused),
                "cache" => settings.cache = self.flag(entry).unwrap_or(true),
                "max-age" => settings.max_age = self.duration(entry, Zero::Allowed),
                "env" => settings.env = self.list(entry).unwrap_or_default(),
                "inputs" => settings.inputs = self.list(entry).unwrap_or_default(),
                "parallel" if name == "pytest" => settings.parallel = self.parallel(entry),
                "requirements" => settings.requirements = self.list(entry).unwrap_or_default(),
                _ => {
                    let label = format!("{}.{name}]", self.label.trim_end_matches(']'));
                    self.unknown(entry, &label, &TOOL_KEYS);
                }
            }
        }
        settings
    }

    fn hooks(&mut self, entry: &Entry, settings: &mut Settings) {
        let Node::Table(table) = &entry.node else {
            self.wrong(entry, "a table");
            return;
        };
        for entry in &table.entries {
            match entry.key.as_str() {
                "pre-commit" => settings.hooks.pre_commit = self.tools(entry),
                "pre-push" => settings.hooks.pre_push = self.tools(entry),
                "fix" => match self.text(entry).as_deref() {
                    Some("off") => settings.hooks.fix = HookFix::Off,
                    Some("suggest") => settings.hooks.fix = HookFix::Suggest,
                    Some("stage") => settings.hooks.fix = HookFix::Stage,
                    Some(_) => self.wrong(entry, "\"off\", \"suggest\" or \"stage\""),
                    None => {}
                },
                _ => {
                    let label = format!("{}.hooks]", self.label.trim_end_matches(']'));
                    self.unknown(entry, &label, &HOOK_KEYS);
                }
            }
        }
    }

    fn is_known(&self, name: &str) -> bool {
        self.known.iter().any(|tool| tool.as_str() == name)
    }

    fn tools(&mut self, entry: &Entry) -> Option<Vec<ToolId>> {
        let names = self.list(entry)?;
        for name in &names {
            if !self.is_known(name) {
                let error = unknown_tool(name, &self.known).at(self.place(entry));
                self.errors.push(error);
            }
        }
        Some(names.iter().map(|name| ToolId::new(name)).collect())
    }

    fn text(&mut self, entry: &Entry) -> Option<String> {
        match &entry.node {
            Node::Plain(Json::String(text)) => Some(text.clone()),
            _ => self.wrong_type(entry, "a text"),
        }
    }

    fn flag(&mut self, entry: &Entry) -> Option<bool> {
        match &entry.node {
            Node::Plain(Json::Bool(flag)) => Some(*flag),
            _ => self.wrong_type(entry, "true or false"),
        }
    }

    fn parallel(&mut self, entry: &Entry) -> Option<Parallel> {
        match &entry.node {
            Node::Plain(Json::Bool(true)) => Some(Parallel::AllSlots),
            Node::Plain(Json::Bool(false)) => None,
            _ => self.count(entry).map(Parallel::Processes),
        }
    }

    fn count(&mut self, entry: &Entry) -> Option<usize> {
        let number = match &entry.node {
            Node::Plain(value) => value.as_u64().and_then(|n| usize::try_from(n).ok()),
            Node::Table(_) => None,
        };
        number.filter(|&n| n > 0).or_else(|| self.wrong_type(entry, "a number from 1 on"))
    }

    /// A list of texts; in an ini file, words between commas or on lines of their own.
    fn list(&mut self, entry: &Entry) -> Option<Vec<String>> {
        let list = match &entry.node {
            Node::Plain(Json::Array(items)) => {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            }
            Node::Plain(Json::String(text)) if self.is_ini() => {
                let words = text.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty());
                Some(words.map(str::to_owned).collect())
            }
            _ => None,
        };
        list.or_else(|| self.wrong_type(entry, "a list of texts"))
    }

    /// Seconds as a number, or a text such as `90s`, `5m`, `24h`.
    fn duration(&mut self, entry: &Entry, zero: Zero) -> Option<Duration> {
        let seconds = match &entry.node {
            Node::Plain(Json::String(text)) => seconds_of(text),
            Node::Plain(value) => value.as_u64(),
            Node::Table(_) => None,
        };
        let allowed = seconds.filter(|&seconds| seconds > 0 || zero == Zero::Allowed);
        allowed.map(Duration::from_secs).or_else(|| {
            self.wrong_type(entry, "seconds, or a time such as \"90s\", \"5m\", \"24h\"")
        })
    }

    fn is_ini(&self) -> bool {
        self.label != "[tool.pyqa]"
    }

    fn place(&self, entry: &Entry) -> Source {
        Source { file: self.file.to_owned(), line: Some(entry.line) }
    }

    fn unknown(&mut self, entry: &Entry, label: &str, known: &[&str]) {
        let error = UserError::new(format!("{label} has no key `{}`", entry.key))
            .at(self.place(entry))
            .suggest(&entry.key, known);
        self.errors.push(error);
    }

    fn wrong(&mut self, entry: &Entry, wanted: &str) {
        let what = format!("`{}` in {} has to be {wanted}", entry.key, self.label);
        let error = UserError::new(what)
            .at(self.place(entry))
            .hint(format!("it is {}", entry.node.to_json()));
        self.errors.push(error);
    }

    fn wrong_type<T>(&mut self, entry: &Entry, wanted: &str) -> Option<T> {
        self.wrong(entry, wanted);
        None
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Zero {
    Allowed,
    Refused,
}

fn seconds_of(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = match text.char_indices().last()? {
        (at, 's') => (&text[..at], 1),
        (at, 'm') => (&text[..at], 60),
        (at, 'h') => (&text[..at], 3600),
        (at, 'd') => (&text[..at], 86_400),
        _ => (text, 1),
    };
    number.trim().parse::<u64>().ok()?.checked_mul(unit)
}

/// The error about a tool's name that nobody knows.
pub fn unknown_tool(name: &str, known: &[ToolId]) -> UserError {
    let known: Vec<&str> = known.iter().map(ToolId::as_str).collect();
    UserError::new(format!("there is no tool `{name}`")).suggest(name, &known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read_files(files: &[(&str, &str)]) -> Result<Read, Vec<UserError>> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(root.path().join(name), text).unwrap();
        }
        let known = ["flake8", "mypy", "black", "pytest"].map(ToolId::new);
        read(root.path(), &known, &Documents::default())
    }

    fn complaints(text: &str) -> Vec<String> {
        let errors = read_files(&[("pyproject.toml", text)]).unwrap_err();
        errors
            .iter()
            .map(|error| {
                let line = error.place.as_ref().unwrap().line.unwrap();
                format!("{line}: {} ({})", error.what, error.hint.as_deref().unwrap_or("-"))
            })
            .collect()
    }

    #[test]
    fn both_syntaxes_say_the_same() {
        let toml = r#"
[tool.pyqa]
only = ["flake8", "pytest"]
jobs = 3
timeout = "5m"
[tool.pyqa.pytest]
cache = false
max-age = 0
env = ["DATABASE_URL"]
"#;
        let ini = "[pyqa]\nonly = flake8,\n    pytest\njobs = 3\ntimeout = 5m\n\
                   [pyqa:pytest]\ncache = no\nmax-age = 0\nenv = DATABASE_URL\n";
        let mut from_toml = read_files(&[("pyproject.toml", toml)]).unwrap().settings;
        let mut from_ini = read_files(&[("tox.ini", ini)]).unwrap().settings;
        from_toml.source = None;
        from_ini.source = None;
        assert_eq!(format!("{from_toml:?}"), format!("{from_ini:?}"));
        assert_eq!(from_toml.timeout, Some(Duration::from_mins(5)));
        assert!(!from_toml.per_tool[&ToolId::new("pytest")].cache);
    }

    #[test]
    fn every_mistake_is_told_with_its_line_and_the_nearest_name() {
        let text = "[tool.pyqa]\njbos = 2\ntimeout = \"soon\"\nonly = [\"flak8\"]\n\
                    [tool.pyqa.flake8]\nargz = []\n[tool.pyqa.hooks]\nfix = \"maybe\"\n";
        assert_eq!(
            complaints(text),
            [
                "2: [tool.pyqa] has no key `jbos` (did you mean `jobs`?)",
                "3: `timeout` in [tool.pyqa] has to be seconds, or a time such as \"90s\", \"5m\", \"24h\" (it is \"soon\")",
                "4: there is no tool `flak8` (did you mean `flake8`?)",
                "6: [tool.pyqa.flake8] has no key `argz` (did you mean `args`?)",
                "8: `fix` in [tool.pyqa] has to be \"off\", \"suggest\" or \"stage\" (it is \"maybe\")",
            ]
        );
    }

    #[test]
    fn a_declared_tool_is_known_by_its_name() {
        let text =
            "[tool.pyqa]\nskip = [\"mine\"]\n[tool.pyqa.tools.mine]\ngranularity = \"file\"\n";
        let read = read_files(&[("pyproject.toml", text)]).unwrap();
        assert!(read.settings.declared.contains_key(&ToolId::new("mine")));
    }

    #[test]
    fn the_list_of_tools_that_run_goes_together_with_declared_ones() {
        let text = "[tool.pyqa]\nonly = [\"flake8\", \"mine\"]\n\
                    [tool.pyqa.tools.mine]\ngranularity = \"file\"\n";
        let settings = read_files(&[("pyproject.toml", text)]).unwrap().settings;
        assert_eq!(settings.only.unwrap(), ["flake8", "mine"].map(ToolId::new));
        assert_eq!(
            complaints("[tool.pyqa]\ntools = [\"black\"]\n"),
            [
                "2: `tools` in [tool.pyqa] declares tools of the project's own; which tools run is set by `only` (write `only = [\"black\"]`)"
            ]
        );
        let errors = read_files(&[("tox.ini", "[pyqa]\ntools = black\n")]).unwrap_err();
        assert_eq!(errors[0].hint.as_deref(), Some("write `only = black`"));
    }

    #[test]
    fn of_two_places_one_is_read_and_the_other_named() {
        let read = read_files(&[
            ("pyproject.toml", "[tool.pyqa]\njobs = 1\n"),
            ("setup.cfg", "[tool:pyqa]\njobs = 2\n"),
        ]);
        let read = read.unwrap();
        assert_eq!(read.settings.jobs, Some(1));
        assert!(read.notices[0].message.contains("setup.cfg"));
    }
}
