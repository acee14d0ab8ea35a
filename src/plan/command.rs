//! The command line of a tool in one project: [`Arguments`], from its declaration, its settings
//! and `[tool.pyqa]`. File names are added batch by batch.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::model::ToolSettings;
use crate::config::source::ToolConfig;
use crate::tools::spec::{Granularity, ToolSpec};

/// Stands in arguments for a folder of pyqa's own in which the tool may keep its state.
pub const STATE_FOLDER: &str = "{cache_dir}";

/// What is typed after a tool's name, without file names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// As they enter the key: no place of this machine in them.
    pub portable: Vec<String>,
    /// As they are given, but for [`STATE_FOLDER`].
    pub actual: Vec<OsString>,
}

/// Where the command is to run.
pub struct Place<'a> {
    /// The project's root, the tool's working folder.
    pub root: &'a Path,
    /// Where settings that pyqa generates are written, and under which name.
    pub generated: Option<&'a Path>,
    /// A file without content.
    pub empty: &'a Path,
}

impl Arguments {
    /// The command line of a tool that begins with `leading`, the declaration's `command.args` for
    /// a check, or those of its `fix`.
    pub fn new(
        spec: &ToolSpec,
        leading: &[String],
        config: &ToolConfig,
        settings: &ToolSettings,
        place: &Place<'_>,
    ) -> Self {
        let mut arguments = Self::default();
        for argument in leading {
            arguments.plain(argument);
        }
        if let Some(file) = &config.file {
            let name = file.file_name().unwrap_or_default();
            let wanted = spec
                .command
                .config_file_args
                .iter()
                .find(|candidate| candidate.file == "*" || name == candidate.file.as_str());
            if let Some(wanted) = wanted {
                arguments.with_path(&wanted.arg, &relative(file, place.root));
            }
        }
        if let (Some(pattern), Some(file)) = (&spec.command.config_arg, place.generated) {
            // Its content is part of the key by its values.
            arguments.portable.push(pattern.clone());
            arguments.actual.push(filled(pattern, file));
        }
        if config.file.is_none() && place.generated.is_none() {
            for pattern in &spec.command.no_config_args {
                arguments.portable.push(pattern.clone());
                arguments.actual.push(filled(&pattern.replace("{empty}", "{}"), place.empty));
            }
        }
        for argument in &settings.args {
            arguments.plain(argument);
        }
        arguments
    }

    /// Adds what a tool for the whole project is to look at, unless its own settings say it.
    pub fn add_targets(&mut self, spec: &ToolSpec, config: &ToolConfig) {
        if spec.granularity == Granularity::Project && !names_targets(spec, config) {
            for target in &spec.command.default_targets {
                self.plain(target);
            }
        }
    }

    fn plain(&mut self, argument: &str) {
        let null = if cfg!(windows) { "nul" } else { "/dev/null" };
        self.portable.push(argument.to_owned());
        self.actual.push(argument.replace("{null}", null).into());
    }

    /// Arguments that say where something is on this machine; what is there enters the key by
    /// other parts.
    pub fn local(&mut self, arguments: &[String]) {
        self.actual.extend(arguments.iter().map(OsString::from));
    }

    /// What a run at another place than the work tree needs to find the same settings.
    pub fn elsewhere(&mut self, spec: &ToolSpec, config: &ToolConfig, place: &Place<'_>) {
        let (patterns, file) = match (&config.file, place.generated) {
            (Some(file), _) => (&spec.command.elsewhere_args, file.as_path()),
            // The tool reads generated settings as if they stood at the root.
            (None, Some(_)) => return,
            (None, None) => (&spec.command.elsewhere_no_config_args, place.empty),
        };
        for pattern in patterns {
            let pattern = pattern.replace("{config}", "{}").replace("{empty}", "{}");
            let argument = match pattern.split_once("{root}") {
                Some((before, after)) => joined(before, place.root, after),
                None if pattern.contains("{}") => filled(&pattern, file),
                None => pattern.into(),
            };
            self.actual.push(argument);
        }
    }

    fn with_path(&mut self, pattern: &str, path: &Path) {
        let portable = if path.is_absolute() { "(outside of the project)".as_ref() } else { path };
        self.portable.push(pattern.replace("{}", &portable.to_string_lossy()));
        self.actual.push(filled(pattern, path));
    }

    /// The arguments with `folder` in the place of [`STATE_FOLDER`].
    pub fn with_state_folder(&self, folder: &Path) -> Vec<OsString> {
        self.actual
            .iter()
            .map(|argument| match argument.to_str() {
                Some(text) if text.contains(STATE_FOLDER) => {
                    let (before, after) = text.split_once(STATE_FOLDER).unwrap_or((text, ""));
                    joined(before, folder, after)
                }
                _ => argument.clone(),
            })
            .collect()
    }

    pub fn uses_state_folder(&self) -> bool {
        self.portable.iter().any(|argument| argument.contains(STATE_FOLDER))
    }
}

/// Whether the tool's own settings say what it is to look at.
fn names_targets(spec: &ToolSpec, config: &ToolConfig) -> bool {
    spec.command.targets_from.iter().any(|key| config.get(key).is_some())
}

fn relative(file: &Path, root: &Path) -> PathBuf {
    file.strip_prefix(root).map_or_else(|_| file.to_owned(), Path::to_owned)
}

fn filled(pattern: &str, path: &Path) -> OsString {
    let (before, after) = pattern.split_once("{}").unwrap_or((pattern, ""));
    joined(before, path, after)
}

fn joined(before: &str, path: &Path, after: &str) -> OsString {
    let mut text = OsString::from(before);
    text.push(path);
    text.push(after);
    text
}
