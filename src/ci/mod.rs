//! Workflows for CI platforms: [`Platform`], written for one project from the templates in
//! `presets/ci`. What is written is the project's from then on.

mod setup;

use std::path::Path;

use clap::ValueEnum;

use crate::config::documents::Documents;
use crate::error::UserError;
use setup::Setup;

/// `--ci`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    /// GitHub Actions
    Github,
    /// GitLab CI/CD
    Gitlab,
    /// Circle CI
    Circleci,
}

impl Platform {
    /// Where the platform looks for the file, from the repository's top.
    pub fn file(self) -> &'static Path {
        Path::new(match self {
            Self::Github => ".github/workflows/pyqa.yml",
            Self::Gitlab => ".gitlab-ci.yml",
            Self::Circleci => ".circleci/config.yml",
        })
    }

    fn template(self) -> &'static str {
        match self {
            Self::Github => include_str!("../../presets/ci/github.yml"),
            Self::Gitlab => include_str!("../../presets/ci/gitlab.yml"),
            Self::Circleci => include_str!("../../presets/ci/circleci.yml"),
        }
    }

    /// The workflow for the project at `root`.
    ///
    /// # Errors
    /// A pyproject.toml that cannot be read.
    pub fn workflow(self, root: &Path) -> Result<String, UserError> {
        let setup = Setup::find(root, &Documents::default())?;
        let mut text = String::new();
        for line in self.template().lines() {
            let content = line.trim_start();
            let indent = &line[..line.len() - content.len()];
            let (item, content) = match content.strip_prefix("- @") {
                Some(_) => ("- ", &content[2..]),
                None => ("", content),
            };
            let lines = match content {
                "@install@" => setup.install.clone(),
                "@python@" => vec![setup.github_python()],
                other => {
                    let line = other.replace("@version@", &setup.python_version());
                    vec![line.replace("@pyqa@", &setup::pyqa())]
                }
            };
            for line in lines {
                let line = [indent, item, &line].concat();
                text.push_str(line.trim_end());
                text.push('\n');
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_holder_is_left() {
        let root = tempfile::tempdir().unwrap();
        for platform in [Platform::Github, Platform::Gitlab, Platform::Circleci] {
            let text = platform.workflow(root.path()).unwrap();
            for name in ["@install@", "@python@", "@version@", "@pyqa@"] {
                assert!(!text.contains(name), "{name} in\n{text}");
            }
            assert!(text.contains(&setup::pyqa()), "{text}");
        }
    }
}
