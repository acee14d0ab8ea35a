//! What a tool is: [`ToolSpec`], read from `presets/tools/*.toml` or `[tool.pyqa.tools.NAME]`.
//! A tool that prints a known format is a new file there and no code here.

use serde::Deserialize;

use crate::config::source::ConfigDecl;
use crate::finding::{Category, Severity, ToolId};

/// Declaration of one tool.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ToolSpec {
    pub name: ToolId,
    /// One line for `pyqa tools` and reports.
    pub summary: String,
    /// What the tool's findings are mostly about.
    #[serde(default)]
    pub category: Category,
    #[serde(default)]
    pub homepage: Option<String>,
    pub granularity: Granularity,
    /// Where the tool has to run.
    #[serde(default)]
    pub environment: EnvironmentNeed,
    /// The PyPI distribution that brings the tool: its version stands for the tool's.
    #[serde(default)]
    pub package: Option<String>,
    /// Requirements of the environment that pyqa makes when the tool is not installed; the first
    /// is the tool itself, all pinned: `["flake8==7.5.0"]`.
    #[serde(default)]
    pub provision: Vec<String>,
    /// Versions of the tool whose output the tests have seen.
    #[serde(default)]
    pub tested: Vec<String>,
    /// Whether the tool is on in a project that says nothing about tools.
    #[serde(default)]
    pub default: bool,
    /// Tools of the default set whose place this one takes when it is configured and they are not.
    #[serde(default)]
    pub replaces: Vec<ToolId>,
    pub command: CommandDecl,
    /// That the tool may run in a warm Python process. `None`: it never does.
    #[serde(default)]
    pub worker: Option<WorkerDecl>,
    #[serde(default)]
    pub fix: Option<FixDecl>,
    #[serde(default)]
    pub files: FilesDecl,
    #[serde(default)]
    pub key: KeyDecl,
    #[serde(default)]
    pub config: ConfigDecl,
    pub output: OutputDecl,
    /// How a comment in the code tells the tool to pass over a finding.
    #[serde(default)]
    pub ignore: Option<IgnoreDecl>,
    /// What the columns in the output count.
    #[serde(default)]
    pub columns: ColumnsDecl,
    #[serde(default)]
    pub exit: ExitDecl,
}

/// What one cacheable piece of the tool's work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Granularity {
    /// The answer for a file depends on that file (and settings) alone.
    File,
    /// The project is answered for as a whole.
    Project,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnvironmentNeed {
    /// The project's environment when the tool is installed there, else one that pyqa makes.
    #[default]
    Any,
    /// Imports the project's dependencies: only the project's environment will do, if there is one.
    Project,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CommandDecl {
    /// The Python entry point, run by the environment's interpreter: `flake8.main.cli:main`. Where
    /// it has moved between versions, all its places, separated by spaces; the first there is.
    /// `None`: `program` is an executable of its own.
    #[serde(default)]
    pub entry: Option<String>,
    /// Console script in the environment's folder of scripts, or name looked up on `PATH`.
    pub program: String,
    /// Arguments that make the output readable for pyqa and turn the tool's own multiprocessing
    /// and cache off. The file names follow them. `{cache_dir}` stands for a folder of pyqa's own
    /// where the tool may keep its state, `{null}` for the system's null device.
    #[serde(default)]
    pub args: Vec<String>,
    /// Arguments used instead of file names by a tool for the whole project, unless its settings
    /// name targets under one of `targets-from`.
    #[serde(default)]
    pub default_targets: Vec<String>,
    /// Keys of the tool's settings that name its targets (`files` for mypy).
    #[serde(default)]
    pub targets_from: Vec<String>,
    /// Argument that names a settings file, with `{}` in the place of the path; used for settings
    /// that pyqa generates: `--append-config={}`.
    #[serde(default)]
    pub config_arg: Option<String>,
    /// Argument that is always given the winning settings file (`--config={}` for black, which
    /// otherwise would look for one per batch; `-c` for bandit's pyproject section).
    #[serde(default)]
    pub config_file_args: Vec<ConfigFileArg>,
    /// Arguments given when no settings file was found: `{empty}` stands for an empty file, so
    /// that a tool which looks by itself finds nothing else.
    #[serde(default)]
    pub no_config_args: Vec<String>,
    /// For a tool that belongs into the project's environment and is not installed there: with
    /// these arguments it looks into that environment from another one, `{python}` standing for
    /// the project's interpreter. Empty: it cannot.
    #[serde(default)]
    pub outside_args: Vec<String>,
    /// Arguments for a run on content at another place than the work tree, whose parents are not
    /// those of the project: the settings file that was found takes the place of `{config}`.
    #[serde(default)]
    pub elsewhere_args: Vec<String>,
    /// The same where no settings file was found: `{empty}` stands for an empty file, `{root}` for
    /// the root.
    #[serde(default)]
    pub elsewhere_no_config_args: Vec<String>,
    /// Environment variables set for the tool.
    #[serde(default)]
    pub env: std::collections::BTreeMap<String, String>,
}

/// `--ini={}` when the settings were found in a file of this name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConfigFileArg {
    /// File name: `pyproject.toml`. `*`: any.
    pub file: String,
    pub arg: String,
}

/// A tool that may run in a child of a process that has it imported already: importing it reads
/// nothing of the project, starts nothing and leaves the process as it was.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkerDecl {
    /// Modules that every call of the tool imports, where there are such modules.
    pub modules: Vec<String>,
    /// Importing them imports all plugins too; else the tool imports these when it is called.
    #[serde(default)]
    pub imports_plugins: bool,
    /// A module of pyqa's own through which the tool is called where its version is a tested one. Its
    /// `call` takes the entry point, its `warm` does once what every call does.
    #[serde(default)]
    pub helper: Option<String>,
}

/// How the tool mends what it finds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FixDecl {
    /// Arguments in place of `command.args`.
    pub args: Vec<String>,
    /// When it does so, of several tools.
    #[serde(default)]
    pub stage: FixStage,
    /// Exit codes that mean: done, whether or not something is left.
    #[serde(default = "zero_or_one")]
    pub exit: Vec<i32>,
    /// Arguments that format standard input to standard output, `{path}` standing for the name.
    #[serde(default)]
    pub stdin_args: Vec<String>,
    /// Arguments before `stdin-args` that keep to some lines: `{start}` and `{end}` stand for the
    /// first and the last, `{after}` for the one that follows. Empty: the tool cannot.
    #[serde(default)]
    pub range_args: Vec<String>,
    /// The tool has made sure that it would not change its own result once more, so that the
    /// result is known to be clean; unless one of `unproven-with` is set or given as an argument.
    #[serde(default)]
    pub proves_result: bool,
    #[serde(default)]
    pub unproven_with: Vec<String>,
}

/// Whose turn it is: a file never has two writers, and layout has the last word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixStage {
    /// Mends findings; the tool writes the files itself.
    #[default]
    Lint,
    /// Formats imports. From here on a tool is given a text and gives one back, by `stdin-args`.
    Imports,
    /// Formats everything.
    Layout,
}

impl FixStage {
    pub fn is_format(self) -> bool {
        self > Self::Lint
    }
}

fn zero_or_one() -> Vec<i32> {
    vec![0, 1]
}

/// Which of the project's files a per-file tool is given, so that the set is the one that the
/// tool would find by itself when run on the root.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FilesDecl {
    /// Extensions without the dot.
    pub extensions: Vec<String>,
    /// How the tool's own excludes are written and matched.
    pub excludes: ExcludeStyle,
    /// Put before each file's path: `./` for a tool whose patterns see how a path is written.
    pub prefix: String,
}

impl Default for FilesDecl {
    fn default() -> Self {
        Self {
            extensions: vec!["py".to_owned()],
            excludes: ExcludeStyle::None,
            prefix: String::new(),
        }
    }
}

/// The dialects of exclude settings; each is one function in `tools::select`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExcludeStyle {
    #[default]
    None,
    Black,
    Flake8,
    Bandit,
}

/// What belongs to the key beside files, settings, versions and arguments.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct KeyDecl {
    /// Environment variables; a name that ends in `*` stands for all that begin so.
    pub env: Vec<String>,
    /// Glob patterns of project files whose content belongs to the key of every unit.
    pub files: Vec<String>,
    /// Keys of the tool's settings that name files whose content belongs to the key
    /// (bandit's `baseline`).
    pub files_from: Vec<String>,
    /// Names of files whose content, or absence, in each folder above the root belongs to the key.
    pub files_above: Vec<String>,
    /// Files that count only where a setting or an argument makes the tool read them.
    pub files_with: Vec<FilesWith>,
    /// Keys of the tool's settings, and its options of the same name, that name an interpreter: what is
    /// installed for that one counts as the tool's own environment does.
    pub interpreters_from: Vec<String>,
    /// For a tool for the whole project: extensions of the files that count. Empty: every file.
    pub extensions: Vec<String>,
    /// Entry point groups in which plugins announce themselves: `flake8.extension`.
    pub plugin_groups: Vec<String>,
    /// Beginnings of names of modules that plug into the tool without announcing themselves.
    pub plugin_modules: Vec<String>,
    /// Plugin distributions known to look at one file only. Where another one is installed, the
    /// tool's unit is the project.
    pub per_file_plugins: Vec<String>,
    /// What the tool requires for its command line only. pyqa always calls it in the same way, so
    /// that an edit of the source of one of these, where it is installed editable, does not count.
    pub command_line_only: Vec<String>,
    /// Keys of the settings that load code of the project into the tool: when one is set, every
    /// Python file of the project counts (`plugins` of mypy, `[flake8:local-plugins]`).
    pub code_from: Vec<String>,
    /// Such code that reads and imports nothing of the project but what the tool is told of, so that
    /// the tool may keep what it knows between runs.
    pub known_code: Vec<String>,
    /// The environment's fingerprint belongs to the key.
    pub environment: bool,
    /// Result kept this long in hours unless settings say otherwise; 0 = forever.
    pub max_age_hours: u64,
    /// Only a full success is stored (pytest).
    pub successes_only: bool,
    /// Files below the root that the tool reads and that are none of the project's (ignored ones)
    /// are noted while it runs, and have to be as they were.
    pub record_reads: bool,
}

/// Files that the tool reads where a setting says so.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FilesWith {
    /// Key of the settings, with any value but a false one; `exclude_gitignore` stands for the option
    /// `--exclude-gitignore` too.
    pub setting: String,
    /// Patterns as in `.gitignore` of files below the root, whether or not git ignores them. Their
    /// content, or absence, in each folder above the root counts as well.
    pub files: Vec<String>,
}

/// How the output is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OutputDecl {
    pub format: OutputFormat,
    #[serde(default)]
    pub stream: Stream,
    /// For `regex`: named groups `path`, `line`, `column`, `end_line`, `end_column`, `code`,
    /// `severity`, `message`. `^` and `$` match at lines.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Groups of `pattern` that hold Python string literals, as `%(path)a` prints them.
    #[serde(default)]
    pub literals: Vec<String>,
    /// For `json` and `json-lines`: where each member is, as a dotted path (`location.row`).
    /// `items` names the list of findings (`results`), empty for a list at the top.
    #[serde(default)]
    pub fields: std::collections::BTreeMap<String, String>,
    /// Added to lines (1 for tools that count from 0).
    #[serde(default)]
    pub line_offset: u32,
    /// Added to columns (1 for tools that count from 0).
    #[serde(default)]
    pub column_offset: u32,
    /// Added to end columns, so that they name the column after the last character.
    #[serde(default)]
    pub end_column_offset: u32,
    /// Words of the tool, or beginnings of its codes, → severity.
    #[serde(default)]
    pub severities: std::collections::BTreeMap<String, Severity>,
    /// Severity where the output names none.
    #[serde(default = "warning")]
    pub severity: Severity,
    /// For `json`: files that the tool could not check.
    #[serde(default)]
    pub errors: Option<ErrorList>,
    /// Regex that tells a crash of the tool itself, on either stream.
    #[serde(default)]
    pub crash_pattern: Option<String>,
    /// Regex that tells that the tool had nothing to check, on either stream; whatever the exit
    /// code, that is clean.
    #[serde(default)]
    pub nothing_pattern: Option<String>,
    /// For `diff`: regex on standard error for a file that is itself to blame for not being
    /// checked, such as one that is not valid Python: with the groups `path`, `message` and, where
    /// known, `line` and `column`. A second form may have the same groups with `2` at their end.
    #[serde(default)]
    pub file_error_pattern: Option<String>,
    /// For `diff`: regex on standard error for a file that would change, with the group `path`.
    #[serde(default)]
    pub changed_pattern: Option<String>,
    /// For `diff`: what is wrong with a file that would change.
    #[serde(default)]
    pub message: Option<String>,
    /// Code given to findings of a tool that has none: `format`.
    #[serde(default)]
    pub code: Option<String>,
    /// Page that explains a code, `{code}` standing for it.
    #[serde(default)]
    pub code_url: Option<String>,
}

fn warning() -> Severity {
    Severity::Warning
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputFormat {
    Regex,
    Json,
    JsonLines,
    /// Unified diffs on standard output, `error: cannot format …` on standard error (black, isort).
    Diff,
    /// mypy's text with columns and end positions; notes go with the error before them.
    Mypy,
    /// JSON lines written by pyqa's own pytest plugin.
    Pytest,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    #[default]
    Stdout,
    Stderr,
}

/// A comment that makes the tool pass over a finding of its line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IgnoreDecl {
    /// The comment, with `{code}` in it: `# noqa: {code}`.
    pub comment: String,
    /// Regex that finds such a comment, with its codes in the group `codes`.
    pub pattern: String,
    /// The tool looks at the beginning of the line's comments only.
    #[serde(default)]
    pub first: bool,
    /// Where the comment goes for a line that ends within a string.
    #[serde(default)]
    pub bound: CommentPlace,
    /// Regex on codes that no comment silences.
    #[serde(default)]
    pub never: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommentPlace {
    /// After the string.
    After,
    #[default]
    Nowhere,
}

/// What columns count, for the whole tool and by the beginnings of its codes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ColumnsDecl {
    pub unit: ColumnUnit,
    pub by_code: std::collections::BTreeMap<String, ColumnUnit>,
}

impl ColumnsDecl {
    /// The unit of a finding's columns; the longest beginning of its code counts.
    pub fn unit(&self, code: Option<&str>) -> ColumnUnit {
        let code = code.unwrap_or_default();
        let fitting = self.by_code.iter().filter(|(begin, _)| code.starts_with(begin.as_str()));
        fitting.max_by_key(|(begin, _)| begin.len()).map_or(self.unit, |(_, unit)| *unit)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnUnit {
    #[default]
    Characters,
    /// Of the line in UTF-8, as `col_offset` in Python's `ast`.
    Bytes,
    Utf16,
    /// Characters where the line is ASCII, and nothing to rely on where it is not.
    AsciiOnly,
}

/// A list of files that a tool could not check, in its JSON (bandit's `errors`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ErrorList {
    /// Dotted path of the list.
    pub items: String,
    /// Where an item names the file.
    pub path: String,
    /// Where it says why.
    pub reason: String,
    /// Regex on the reason: the file is to blame, which is a finding. Any other is a failure of
    /// the tool.
    pub file_is_to_blame: String,
}

/// What the exit codes mean. A code in none of the lists is a crash.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ExitDecl {
    /// No finding may have been printed.
    pub clean: Vec<i32>,
    /// At least one finding must have been printed.
    pub findings: Vec<i32>,
    /// Either.
    pub either: Vec<i32>,
    /// Of these, the codes that say that the tool stopped before it had looked at everything. With
    /// state from an earlier run it then tells less than without.
    pub blocked: Vec<i32>,
}

impl Default for ExitDecl {
    fn default() -> Self {
        Self { clean: vec![0], findings: vec![1], either: Vec::new(), blocked: Vec::new() }
    }
}
