//! What a tool is made of where Python packages bring it: [`InstalledTool`].

use std::collections::BTreeSet;

use super::spec::{KeyDecl, ToolSpec};
use crate::hash::{Digest, FileStates, Fingerprint};
use crate::project::environment::{Distribution, Environment};
use crate::project::sources::sources_digest;

/// The distributions that answer when the tool is called.
pub(super) struct InstalledTool<'a> {
    environment: &'a Environment,
    key: &'a KeyDecl,
    pub(super) package: &'a Distribution,
    /// By name. The package itself may be one.
    pub(super) plugins: Vec<&'a Distribution>,
    /// What all of these stand on, by name.
    pub(super) requirements: Vec<&'a Distribution>,
}

impl<'a> InstalledTool<'a> {
    /// `None` where the tool is not installed in `environment`.
    pub(super) fn find(spec: &'a ToolSpec, environment: &'a Environment) -> Option<Self> {
        let package = environment.distribution(spec.package.as_deref()?)?;
        let key = &spec.key;
        let plugins = environment.plugins(&key.plugin_groups, &key.plugin_modules);
        let names: Vec<&str> =
            [package].into_iter().chain(plugins.iter().copied()).map(|d| d.name.as_str()).collect();
        let requirements = environment.required_by(&names);
        Some(Self { environment, key, package, plugins, requirements })
    }

    /// The package and its plugins.
    fn own(&self) -> impl Iterator<Item = &'a Distribution> {
        [self.package].into_iter().chain(self.plugins.iter().copied())
    }

    /// Stands for the lists of files of all of these: two of the same version may differ.
    pub(super) fn files(&self) -> Fingerprint {
        let mut digest = Digest::new("pyqa files of a tool");
        for distribution in self.own().chain(self.requirements.iter().copied()) {
            digest.field(&distribution.name, distribution.files);
        }
        digest.finish()
    }

    /// Stands for the source that can change without a version: of what is installed editable, and of
    /// modules that take the place of installed ones. `None` where there is none.
    pub(super) fn code(&self, states: &dyn FileStates) -> Option<Fingerprint> {
        let counts = |of: &&Distribution| !self.key.command_line_only.contains(&of.name);
        let counted: Vec<&Distribution> =
            self.own().chain(self.requirements.iter().copied().filter(counts)).collect();
        let names: BTreeSet<&str> =
            counted.iter().flat_map(|of| &of.modules).map(String::as_str).collect();
        let strays = self.environment.strays_for(&names, &self.key.plugin_modules);
        let mut editable =
            counted.iter().filter_map(|distribution| distribution.editable.as_deref()).peekable();
        if editable.peek().is_none() && strays.is_empty() {
            return None;
        }
        let mut digest = Digest::new("pyqa source of a tool");
        for folder in editable {
            digest.field("folder", sources_digest(folder, states));
        }
        for stray in strays {
            digest.field("stray", stray.file_name().unwrap_or_default().as_encoded_bytes());
            digest.field("content", sources_digest(stray, states));
        }
        Some(digest.finish())
    }
}
