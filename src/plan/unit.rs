//! The work of one tool, cut into cacheable pieces: [`ToolPlan`] and its [`Unit`]s.

use super::command::Arguments;
use super::key::{CommonKey, file_key, project_key};
use crate::finding::ToolId;
use crate::hash::{ContentHash, Digest, Fingerprint};
use crate::project::files::{FileSet, ProjectFile};
use crate::tools::spec::{Granularity, ToolSpec};

/// What one unit of a tool is in this project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Each file by itself.
    File,
    /// All files together; the tool is started once, on its own targets.
    Project,
    /// All files together, because a plugin may look beyond one file; the tool is still given the
    /// files one by one.
    AllFiles,
}

impl Scope {
    pub fn of(spec: &ToolSpec, plugins: &[(String, String)]) -> Self {
        let per_file = |name: &str| spec.key.per_file_plugins.iter().any(|known| known == name);
        match spec.granularity {
            Granularity::Project => Self::Project,
            Granularity::File if plugins.iter().all(|(name, _)| per_file(name)) => Self::File,
            Granularity::File => Self::AllFiles,
        }
    }
}

/// One cacheable piece of work.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The file's index in the file set; `None` for the project.
    pub file: Option<usize>,
    /// `None` when nothing names its input, as where a file cannot be read: it always runs.
    pub key: Option<Fingerprint>,
}

/// What one tool has to do.
#[derive(Clone, Debug)]
pub struct ToolPlan {
    pub tool: ToolId,
    pub scope: Scope,
    pub common: CommonKey,
    /// Of `common`: names the pack of results.
    pub pack: Fingerprint,
    pub arguments: Arguments,
    /// Indexes of the files that the tool is given, in the file set's order.
    pub files: Vec<usize>,
    /// Indexes of the files that a unit for the project depends on.
    pub inputs: Vec<usize>,
    pub units: Vec<Unit>,
}

/// The project's files and what they hold.
#[derive(Clone, Copy)]
pub struct Contents<'a> {
    pub files: &'a FileSet,
    /// Per file; `None` where it cannot be read.
    pub hashes: &'a [Option<ContentHash>],
}

impl<'a> Contents<'a> {
    pub fn file(&self, index: usize) -> (&'a ProjectFile, Option<&'a ContentHash>) {
        (&self.files.files[index], self.hashes[index].as_ref())
    }
}

/// Units of the tool `spec` that is given `files`. `inputs` are what a unit for the project depends on.
pub fn units(
    spec: &ToolSpec,
    scope: Scope,
    pack: &Fingerprint,
    files: &[usize],
    inputs: &[usize],
    contents: Contents<'_>,
) -> Vec<Unit> {
    match scope {
        Scope::File => files
            .iter()
            .map(|&index| {
                let (file, content) = contents.file(index);
                Unit { file: Some(index), key: content.map(|hash| file_key(pack, file, hash)) }
            })
            .collect(),
        Scope::AllFiles if files.is_empty() => Vec::new(),
        Scope::Project | Scope::AllFiles => {
            let read: Option<Vec<_>> = inputs
                .iter()
                .map(|&index| {
                    let (file, content) = contents.file(index);
                    content.map(|hash| (file, hash))
                })
                .collect();
            let common = match scope {
                Scope::AllFiles => given(pack, files, contents),
                Scope::Project | Scope::File => *pack,
            };
            // What may look at any file may look at its permissions.
            let permissions = spec.key.extensions.is_empty();
            let key = read.map(|files| project_key(&common, files.into_iter(), permissions));
            vec![Unit { file: None, key }]
        }
    }
}

/// The common key of an answer for the given files only: one for fewer is not one for more.
fn given(pack: &Fingerprint, files: &[usize], contents: Contents<'_>) -> Fingerprint {
    let mut digest = Digest::new("pyqa given files");
    digest.field("common", pack);
    for &index in files {
        digest.field("file", contents.files.files[index].path.as_bytes());
    }
    digest.finish()
}
