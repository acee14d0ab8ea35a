//! What can be typed: the command line as clap sees it. Nothing here decides anything.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::editor::Editor;
use crate::ci::Platform;
use crate::engine::format::LineRange;
use crate::finding::ToolId;
pub use crate::git::hooks::HookName;
use crate::report::style::ColorChoice;
use crate::report::timings::TimingsTarget;
use crate::report::{OutputFormat, ReportTarget};
use crate::shard::Shard;

/// Runs flake8, mypy, bandit, black and pytest on a Python project: in parallel, and only what
/// has changed.
#[derive(Debug, Parser)]
#[command(
    name = "pyqa",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 clean · 1 findings or failing tests · 2 wrong usage or settings, \
                  or a tool is missing or crashed · 130 interrupted"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,

    #[command(flatten)]
    pub global: Global,
}

#[derive(Debug, Args)]
pub struct Global {
    /// When to colour the output
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,

    /// Show findings only: no progress, no summary
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Show which settings, environment and executables are used; twice: what pyqa does
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,

    /// The project's root, when it is not the folder that pyqa finds by itself
    #[arg(long, global = true, value_name = "FOLDER")]
    pub root: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the project with all tools that it uses
    Check(Box<CheckArgs>),
    /// Check whenever a file changes, until it is interrupted
    Watch(Box<CheckArgs>),
    /// Format the project's files, or a text on standard input
    Format(Box<FormatArgs>),
    /// Accept the findings of today, so that only new ones count
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Join the JSON reports of all shards of a run into one report
    Merge(MergeArgs),
    /// Look at the cache or empty it
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Run by git: the work of an installed hook
    #[command(hide = true)]
    Hook(HookArgs),
    /// Look at the warm Python processes that are kept between runs, or stop them
    #[command(subcommand)]
    Worker(WorkerCommand),
    /// Make pyqa a git hook of this repository, a CI workflow, or part of an editor
    Install(InstallArgs),
    /// Take pyqa's git hooks away and put back what was there before
    Uninstall(UninstallArgs),
    /// Tell whether git will run pyqa, what pyqa will run, and what is wrong
    Doctor,
    /// List the tools: which are on in this project, why, and where they come from
    Tools,
    /// Tell what a code means, or list the codes that are known
    Rule(RuleArgs),
    /// Serve an editor: the Language Server Protocol on standard input and output
    Lsp,
    /// Print a completion script for a shell
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
    /// Write the manual's pages, one for each command
    #[command(hide = true)]
    Man {
        /// The folder to write to; it is made where it is missing
        folder: PathBuf,
    },
}

impl Command {
    /// Whether runs of tools are what the command is about, and their results are kept.
    pub fn adds_to_cache(&self) -> bool {
        match self {
            Self::Check(args) | Self::Watch(args) => !args.caching.no_cache,
            Self::Format(args) => !args.means.no_cache,
            Self::Baseline(_) | Self::Hook(_) | Self::Lsp => true,
            Self::Merge(_)
            | Self::Cache(_)
            | Self::Worker(_)
            | Self::Install(_)
            | Self::Uninstall(_)
            | Self::Doctor
            | Self::Tools
            | Self::Rule(_)
            | Self::Man { .. }
            | Self::Completions { .. } => false,
        }
    }
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and folders that per-file tools are given [default: the project]
    ///
    /// mypy and pytest always take the project's own targets, so that their answer is that of a
    /// whole run.
    pub paths: Vec<PathBuf>,

    #[command(flatten)]
    pub change: Change,

    #[command(flatten)]
    pub selection: Selection,

    /// Mend what the tools can mend, formatters last, then check
    #[arg(long)]
    pub fix: bool,

    #[command(flatten)]
    pub running: Running,

    #[command(flatten)]
    pub splitting: Splitting,

    /// Draw where the time went: a page (.html) or Chrome's trace format (.json)
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub timings: Vec<TimingsTarget>,

    #[command(flatten)]
    pub caching: Caching,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    pub sifting: Sifting,

    #[command(flatten)]
    pub looking: Looking,
}

/// What is shown in place of a run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Looking")]
#[group(multiple = false, conflicts_with = "fix")]
pub struct Looking {
    /// List the files that each tool would be given, and run nothing
    #[arg(long)]
    pub list_files: bool,

    /// List all that would be done, file by file and test by test, and run nothing
    #[arg(long)]
    pub list_units: bool,

    /// Show the settings that are in force and where each stands, and run nothing
    #[arg(long)]
    pub show_settings: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "What is checked")]
pub struct Change {
    /// What the index would commit; per-file tools are given the staged files
    #[arg(long, conflicts_with_all = ["since", "from_ref", "to_ref", "files_from"])]
    pub staged: bool,

    /// Files that were changed since HEAD left REF, as they lie in the work tree
    #[arg(long, value_name = "REF", conflicts_with_all = ["from_ref", "to_ref", "files_from"])]
    pub since: Option<String>,

    /// Files that differ between this commit and `--to-ref`
    #[arg(long, value_name = "REF", conflicts_with = "files_from")]
    pub from_ref: Option<String>,

    /// The content that is checked with `--from-ref`, checked out or not [default: HEAD]
    #[arg(long, value_name = "REF", requires = "from_ref")]
    pub to_ref: Option<String>,

    /// Files named in FILE, on lines or ended by zero bytes; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub files_from: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct HookArgs {
    /// Which hook
    pub hook: HookName,

    /// What git gives the hook
    #[arg(last = true)]
    pub arguments: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct InstallArgs {
    /// Which hook; any number of times [default: pre-commit]
    #[arg(long, value_enum, value_name = "HOOK")]
    pub hook: Vec<HookName>,

    /// Write a workflow for this CI platform instead of a hook
    #[arg(long, value_enum, value_name = "PLATFORM", conflicts_with_all = ["hook", "config_hook", "editor"])]
    pub ci: Option<Platform>,

    /// Print the settings for this editor instead of installing a hook
    #[arg(long, value_enum, value_name = "EDITOR", conflicts_with_all = ["hook", "config_hook", "force"])]
    pub editor: Option<Editor>,

    /// Write the editor's settings to their file; one that says something else is left alone
    #[arg(long, requires = "editor")]
    pub write: bool,

    /// Install where other repositories take their hooks too, and move a second former hook aside;
    /// overwrite a workflow that says something else
    #[arg(long)]
    pub force: bool,

    /// Install as a setting of git's instead of a file; needs git 2.54
    #[arg(long, conflicts_with = "force")]
    pub config_hook: bool,
}

#[derive(Debug, Args)]
pub struct UninstallArgs {
    /// Which hook; any number of times [default: all]
    #[arg(long, value_enum, value_name = "HOOK")]
    pub hook: Vec<HookName>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "From standard input, the formatted text goes to standard output. Where it \
                        cannot be formatted, nothing does: the exit code is 2, and one line on \
                        standard error says where and why."
)]
pub struct FormatArgs {
    /// Files and folders to format, or `-` for standard input [default: the project]
    pub paths: Vec<PathBuf>,

    /// Write nothing; exit with 1 when something would change
    #[arg(long)]
    pub check: bool,

    /// Write nothing; print how the files would change
    #[arg(long)]
    pub diff: bool,

    /// The file to which the text on standard input belongs; it need not exist
    #[arg(long, value_name = "FILE")]
    pub stdin_filename: Option<PathBuf>,

    /// Format these lines only, the last included; any number of times
    #[arg(long, value_name = "START-END")]
    pub range: Vec<LineRange>,

    #[command(flatten)]
    pub means: Means,
}

/// What a run of the formatters may use.
#[derive(Debug, Args)]
#[command(next_help_heading = "Running")]
pub struct Means {
    /// Most processes at once [default: the cores that pyqa may use]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,

    /// Format everything; read and write no stored results
    #[arg(long)]
    pub no_cache: bool,

    /// Install nothing; a formatter that is missing is an error
    #[arg(long, env = "PYQA_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    pub offline: bool,
}

#[derive(Debug, Args)]
pub struct Selection {
    /// Run these tools and no others
    #[arg(long, value_delimiter = ',', value_name = "TOOLS", value_parser = tool)]
    pub only: Option<Vec<ToolId>>,

    /// Leave these tools out
    #[arg(long, value_delimiter = ',', value_name = "TOOLS", value_parser = tool)]
    pub skip: Vec<ToolId>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Running")]
pub struct Running {
    /// Most processes at once [default: the cores that pyqa may use]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,

    /// Seconds that one process of a tool may take
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,

    /// Stop at the first batch with a finding
    #[arg(long)]
    pub fail_fast: bool,

    /// Install nothing; a tool that is missing is an error
    #[arg(long, env = "PYQA_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    pub offline: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Splitting")]
pub struct Splitting {
    /// Do one part of the run, such as 2/3; `pyqa merge` joins the reports
    #[arg(long, value_name = "I/N", conflicts_with = "fix")]
    pub shard: Option<Shard>,

    /// Split the tests by this file, written by `--report durations=FILE`
    /// [default: .pyqa-durations.json in the project's root, if it is there]
    #[arg(long, value_name = "FILE", requires = "shard")]
    pub durations: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Reports written by `pyqa check --shard I/N --report json=FILE`
    #[arg(required = true, value_name = "REPORT")]
    pub reports: Vec<PathBuf>,

    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub struct RuleArgs {
    /// Codes such as F401, or names of tools and plugins whose codes are listed [default: all]
    #[arg(value_name = "CODE")]
    pub codes: Vec<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Cache")]
pub struct Caching {
    /// Run everything; read and write no stored results
    #[arg(long, conflicts_with = "verify_cache")]
    pub no_cache: bool,

    /// Run again what could be replayed, and report every stored result that was wrong
    #[arg(long)]
    pub verify_cache: bool,

    /// Tell for each tool and file why it ran or was replayed
    #[arg(long)]
    pub explain: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Sifting {
    /// Show the findings that .pyqa-baseline.json accepts, too
    #[arg(long)]
    pub no_baseline: bool,

    /// Show only findings on lines that changed since the merge base with this commit
    #[arg(long, value_name = "REF", conflicts_with = "from_ref")]
    pub new_since: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// How findings are printed
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output_format: OutputFormat,

    /// Write a further report to a file; any number of times
    #[arg(long, value_name = "FORMAT=FILE")]
    pub report: Vec<ReportTarget>,

    /// Count the findings of each code
    #[arg(long)]
    pub statistics: bool,

    /// Print all findings, however many
    #[arg(long)]
    pub no_limit: bool,
}

#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Check the project and accept every finding
    ///
    /// Entries for findings that are still there keep their reason. Those of tools that do not
    /// run this time stay as they are.
    Write(Box<BaselineWriteArgs>),
    /// List the accepted findings
    Show,
    /// Check the project, and take the entries out whose findings are gone
    Prune(Box<BaselinePruneArgs>),
}

#[derive(Debug, Args)]
pub struct BaselineWriteArgs {
    /// Why the new ones are accepted
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// Last day on which the new ones are accepted
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = crate::baseline::file::parse_day)]
    pub expires: Option<chrono::NaiveDate>,

    #[command(flatten)]
    pub selection: Selection,

    #[command(flatten)]
    pub running: Running,
}

#[derive(Debug, Args)]
pub struct BaselinePruneArgs {
    /// Tell which entries would go, and change nothing; exit with 1 where there are any
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub selection: Selection,

    #[command(flatten)]
    pub running: Running,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum CacheCommand {
    /// Size and number of what is kept, and what it was good for
    Stats,
    /// Remove stored results and file states
    Clean {
        /// Also remove the tool environments that pyqa made
        #[arg(long)]
        all: bool,
        /// Remove only what the daily collection would: what was not used for 30 days, and the
        /// oldest of the rest beyond 2 GiB
        #[arg(long, conflicts_with = "all")]
        old: bool,
    },
    /// Read everything that is kept and remove what is damaged
    ///
    /// `pyqa check --verify-cache` runs the tools again to see whether the results are right.
    Verify,
    /// Print the cache folder
    Dir,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum WorkerCommand {
    /// Process number, interpreter, memory and what is imported
    Status,
    /// End them all, each when its last job is done
    Stop,
}

fn tool(name: &str) -> Result<ToolId, String> {
    match name.trim() {
        "" => Err("a tool's name is missing between the commas".to_owned()),
        name => Ok(ToolId::new(name)),
    }
}
