//! What a run is asked to do: [`Request`], the same type from the command line, a git hook and an
//! editor.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::finding::ToolId;
use crate::project::variables::Variables;
use crate::shard::Shard;
pub use crate::tools::provision::Network;

/// A run to be made.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Folder in which the user stands; relative paths are seen from there. Absolute.
    pub folder: PathBuf,
    /// The project's root; `None`: found from `folder`.
    pub root: Option<PathBuf>,
    /// Files and folders that per-file tools are given; empty: the project.
    pub paths: Vec<PathBuf>,
    /// What is checked.
    pub content: Content,
    /// Of the files that `paths` leave, those that per-file tools are given.
    pub files: Files,
    pub place: Place,
    /// What the run is for; decides which tools are on.
    pub occasion: Occasion,
    /// These tools and no others.
    pub only: Option<Vec<ToolId>>,
    pub skip: Vec<ToolId>,
    /// Left out as well; names that no tool has are nothing to complain of.
    pub skip_if_known: Vec<ToolId>,
    pub cache: CacheUse,
    pub network: Network,
    /// Most processes at once; `None`: the settings', else the cores.
    pub jobs: Option<usize>,
    /// For each process; `None`: the settings'.
    pub timeout: Option<Duration>,
    pub after_finding: AfterFinding,
    /// What is checked in the place of what some files hold on disk.
    pub overlay: Overlay,
    pub reach: Reach,
    pub telling: Telling,
    /// Whether to find out why each unit ran.
    pub reasons: Reasons,
    /// The part of the run that is to be done here; `None`: all of it.
    pub shard: Option<Shard>,
    /// File with the durations of tests; `None`: the project's, if it has one.
    pub durations: Option<PathBuf>,
    pub variables: Variables,
    pub sift: Sift,
}

/// Which findings the outcome leaves out. All of them are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sift {
    pub baseline: BaselineUse,
    /// Report only what has changed since the merge base with this commit.
    pub new_since: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BaselineUse {
    /// Leave out what the project's baseline accepts, where there is one.
    #[default]
    Apply,
    Ignore,
}

/// Where the content that is checked comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// What lies in the work tree.
    #[default]
    WorkTree,
    /// What the index would commit.
    Staged,
    /// What a commit holds, checked out or not.
    Revision(String),
    /// One text in the place of one file; nothing else is listed or read.
    Buffer(Arc<Buffer>),
}

/// The files that are of interest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Files {
    #[default]
    All,
    /// Those that the index holds otherwise than HEAD.
    Staged,
    /// Those that differ from where HEAD left a reference.
    Since(String),
    /// Those that differ between two commits.
    Between { from: String, to: String },
    /// These, seen from the user's folder. Those that are not there are passed over.
    Listed(Vec<PathBuf>),
}

/// What a run is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Occasion {
    #[default]
    ByHand,
    /// Before a commit or the commit of a merge: `pre-commit` under `[tool.pyqa.hooks]`.
    Commit,
    /// `pre-push` under `[tool.pyqa.hooks]`.
    Push,
}

/// Where tools run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// In the work tree where it holds the content that is checked, else in a snapshot.
    #[default]
    WhereItLies,
    /// In a snapshot in any case.
    Snapshot,
}

/// What an editor holds of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Absolute; there need not be such a file.
    pub path: PathBuf,
    pub content: Vec<u8>,
}

/// How stored results are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheUse {
    #[default]
    ReadWrite,
    /// Neither read nor written.
    Off,
    /// What could be replayed runs again, and both answers are compared.
    Verify,
}

/// Texts that an editor has not saved, by absolute path. A file need not be on disk.
///
/// Tools that look at one file at a time are given these texts. Tools that look at the project as
/// a whole read what is on disk and take no part in such a run.
pub type Overlay = BTreeMap<PathBuf, Arc<[u8]>>;

/// Which tools take part, by what they look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    #[default]
    All,
    /// Those that look at one file at a time.
    Files,
    /// Those that look at the project as a whole.
    Project,
}

/// When findings are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Telling {
    /// With the outcome.
    #[default]
    AtEnd,
    /// Also as soon as their tool is done, by [`Event::Found`](crate::event::Event::Found).
    ByTool,
}

/// What follows when a tool finds something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterFinding {
    /// What the settings say, `fail-fast`.
    #[default]
    AsSet,
    Stop,
    GoOn,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reasons {
    #[default]
    Untold,
    Told,
}
