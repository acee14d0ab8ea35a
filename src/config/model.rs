//! pyqa's own settings, `[tool.pyqa]`, after merging: [`Settings`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::Source;
use crate::finding::ToolId;

/// `[tool.pyqa]` of pyproject.toml, `[pyqa]` of tox.ini or `[tool:pyqa]` of setup.cfg.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where they were read; `None` without a section of pyqa's own.
    pub source: Option<Source>,
    /// `only`: exactly these tools, in this order. `None`: chosen by what the project shows.
    pub only: Option<Vec<ToolId>>,
    /// `skip`: never these.
    pub skip: Vec<ToolId>,
    /// `preset`: a named set of tool settings from `presets/`.
    pub preset: Option<String>,
    /// `exclude`: gitignore-style patterns of files that no per-file tool is given.
    pub exclude: Vec<String>,
    /// `python`: interpreter of the project's environment.
    pub python: Option<PathBuf>,
    /// `jobs`: most processes at once.
    pub jobs: Option<usize>,
    /// `timeout`: limit for one process of any tool.
    pub timeout: Option<Duration>,
    /// `fail-fast`
    pub fail_fast: bool,
    /// `workers`: keep warm Python processes between runs. `None`: outside of CI.
    pub workers: Option<bool>,
    /// `[tool.pyqa.NAME]`
    pub per_tool: BTreeMap<ToolId, ToolSettings>,
    /// `[tool.pyqa.tools.NAME]`: tools that the project declares, in the form of `presets/tools`.
    pub declared: BTreeMap<ToolId, DeclaredTool>,
    /// `[tool.pyqa.hooks]`
    pub hooks: HookSettings,
}

/// A tool's declaration in the project's settings, not yet understood.
#[derive(Clone, Debug)]
pub struct DeclaredTool {
    pub table: toml::Table,
    pub source: Source,
}

/// `[tool.pyqa.NAME]`: how pyqa runs one tool.
#[derive(Clone, Debug)]
pub struct ToolSettings {
    /// `enabled`: on or off, whatever else the project shows.
    pub enabled: Option<bool>,
    /// `args`: added to the command line.
    pub args: Vec<String>,
    /// `exclude`: gitignore-style patterns, added to the tool's own.
    pub exclude: Vec<String>,
    /// `timeout` for one process of this tool.
    pub timeout: Option<Duration>,
    /// `cache = false`: always run.
    pub cache: bool,
    /// `max-age`: an older result runs again. `None`: the tool's default. Zero: forever.
    pub max_age: Option<Duration>,
    /// `env`: environment variables whose values belong to the key.
    pub env: Vec<String>,
    /// `inputs`: glob patterns of further files whose content belongs to the key.
    pub inputs: Vec<String>,
    /// `requirements`: installed beside the tool where pyqa installs it, such as flake8's plugins.
    pub requirements: Vec<String>,
    /// `parallel`, for pytest: its tests run in several processes by pytest-xdist.
    pub parallel: Option<Parallel>,
}

/// In how many processes tests run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parallel {
    /// As many as the run may use.
    AllSlots,
    Processes(usize),
}

impl Parallel {
    /// The number of processes where the run may use `slots`.
    pub fn processes(self, slots: usize) -> usize {
        match self {
            Self::AllSlots => slots.max(1),
            Self::Processes(wanted) => wanted.clamp(1, slots.max(1)),
        }
    }
}

impl Default for ToolSettings {
    fn default() -> Self {
        Self {
            enabled: None,
            args: Vec::new(),
            exclude: Vec::new(),
            timeout: None,
            cache: true,
            max_age: None,
            env: Vec::new(),
            inputs: Vec::new(),
            requirements: Vec::new(),
            parallel: None,
        }
    }
}

/// `[tool.pyqa.hooks]`: what the git hooks run. `None` means the default of that hook.
#[derive(Clone, Debug, Default)]
pub struct HookSettings {
    /// `pre-commit`: tools. Default: all chosen tools but pytest.
    pub pre_commit: Option<Vec<ToolId>>,
    /// `pre-push`: tools. Default: all chosen tools.
    pub pre_push: Option<Vec<ToolId>>,
    /// `fix`
    pub fix: HookFix,
}

/// What the pre-commit hook does with what a formatter would change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HookFix {
    Off,
    /// The commit fails with the diff and a command that applies it.
    #[default]
    Suggest,
    /// The formatted content is what is committed.
    Stage,
}
