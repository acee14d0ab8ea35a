//! This machine's part of a run that is shared with others: [`Split`]. All that it depends on is
//! the same for every shard, and is told in its mark.

use std::path::PathBuf;

use serde_json::json;

use super::request::Request;
use super::toolset::Toolset;
use super::workspace::Workspace;
use crate::error::{Source, UserError};
use crate::hash::{Digest, Fingerprint};
use crate::paths::RelPath;
use crate::shard::durations::{self, Durations};
use crate::shard::{Shard, ShardMark};

/// How the work is shared.
#[derive(Clone, Debug)]
pub struct Split {
    pub shard: Shard,
    durations: Durations,
}

impl Split {
    /// The split that `request` asks for, if any.
    ///
    /// # Errors
    /// A file of durations that cannot be read.
    pub fn load(request: &Request, workspace: &Workspace) -> Result<Option<Self>, Vec<UserError>> {
        let Some(shard) = request.shard else { return Ok(None) };
        let named = request.durations.as_ref().map(|file| request.folder.join(file));
        let file = named.clone().unwrap_or_else(|| workspace.root.join(durations::FILE));
        let durations = match std::fs::read(&file) {
            Ok(text) => Durations::parse(&text).map_err(|error| {
                let what = format!("the durations of tests cannot be understood: {error}");
                vec![UserError::new(what).at(Source::file(&file)).hint(
                    "make the file anew with `--report durations=FILE` on a whole or merged run",
                )]
            })?,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                Durations::default()
            }
            Err(error) => {
                let what = format!("the durations of tests cannot be read: {error}");
                let error = UserError::new(what).at(Source::file(&file));
                return Err(vec![error.hint("every shard needs the same file")]);
            }
        };
        Ok(Some(Self { shard, durations }))
    }

    pub fn takes_file(&self, path: &RelPath) -> bool {
        self.shard.has_named(path.as_bytes())
    }

    /// What pyqa's pytest plugin is told.
    pub fn rule(&self) -> Vec<u8> {
        let tests = self.shard.of_tests(&self.durations);
        let rule = json!({
            "index": self.shard.index(),
            "count": self.shard.count(),
            "tests": tests,
        });
        rule.to_string().into_bytes()
    }

    /// Stands for the tests that are this shard's.
    pub fn fingerprint(&self) -> Fingerprint {
        Digest::new("pyqa shard").field("rule", self.rule()).finish()
    }

    /// What the report says of this shard.
    pub fn mark(&self, request: &Request, workspace: &Workspace, toolset: &Toolset) -> ShardMark {
        let mut digest = Digest::new("pyqa split");
        for (test, milliseconds) in self.durations.milliseconds() {
            digest.field("test", test).field("milliseconds", milliseconds.to_le_bytes());
        }
        for tool in request.only.iter().flatten() {
            digest.field("only", tool.as_str());
        }
        for tool in &request.skip {
            digest.field("skip", tool.as_str());
        }
        digest.field("selection", format!("{:?}", request.files));
        for path in &request.paths {
            let path: PathBuf = request.folder.join(path);
            let path = path.strip_prefix(&workspace.site.home).unwrap_or(&path);
            digest.field("path", path.as_os_str().as_encoded_bytes());
        }
        for (file, hash) in workspace.files.files.iter().zip(&workspace.hashes) {
            if let Some(hash) = hash.filter(|_| file.path.has_extension(&["py", "pyi"])) {
                digest.field("file", file.path.as_bytes()).field("content", hash);
            }
        }
        ShardMark {
            index: self.shard.index(),
            count: self.shard.count(),
            pyqa: env!("CARGO_PKG_VERSION").to_owned(),
            split: digest.finish().to_string(),
            tools: toolset.all.clone(),
            absent: toolset.absent.clone(),
        }
    }
}
