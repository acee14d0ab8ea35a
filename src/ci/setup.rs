//! How a project is installed on a fresh machine, told by its files: [`Setup`].

use std::fs;
use std::path::Path;

use crate::config::documents::Documents;
use crate::config::toml::Table;
use crate::error::UserError;

/// Python where the project names none.
const PYTHON: &str = "3.13";

/// Files of requirements that are installed, in this order.
const REQUIREMENTS: [&str; 8] = [
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-test.txt",
    "requirements_dev.txt",
    "dev-requirements.txt",
    "test-requirements.txt",
    "requirements/dev.txt",
    "requirements/test.txt",
];

/// Names by which projects call what their developers need.
const DEVELOPERS: [&str; 7] = ["dev", "develop", "test", "tests", "testing", "lint", "typing"];

/// What a workflow has to do before it can check the project.
pub(super) struct Setup {
    /// Commands, pyqa's own installation last.
    pub(super) install: Vec<String>,
    /// `3.12`, from `.python-version`.
    python: Option<String>,
    /// Whether pyproject.toml says which Python the project needs.
    requires_python: bool,
}

/// The requirement of this version of pyqa.
pub(super) fn pyqa() -> String {
    format!("pyqa-cli=={}", env!("CARGO_PKG_VERSION"))
}

impl Setup {
    pub(super) fn find(root: &Path, documents: &Documents) -> Result<Self, UserError> {
        let table = documents.toml(&root.join("pyproject.toml"))?;
        let project = table.as_ref().and_then(|table| table.table("project"));
        let python = fs::read_to_string(root.join(".python-version")).ok();
        let python = python.and_then(|text| plain_version(text.lines().next()?.trim()));
        let mut install = project_commands(root, table.as_deref());
        install.push(format!("python -m pip install {}", pyqa()));
        Ok(Self {
            install,
            python,
            requires_python: project.is_some_and(|(p, _)| p.get("requires-python").is_some()),
        })
    }

    /// The member of setup-python's that says which Python.
    pub(super) fn github_python(&self) -> String {
        if self.python.is_some() {
            "python-version-file: .python-version".to_owned()
        } else if self.requires_python {
            "python-version-file: pyproject.toml".to_owned()
        } else {
            format!("python-version: \"{PYTHON}\"")
        }
    }

    /// For the names of images.
    pub(super) fn python_version(&self) -> String {
        self.python.clone().unwrap_or_else(|| PYTHON.to_owned())
    }
}

/// `3.12` or `3.12.4`; not `pypy3.10`, `3` or names of a version manager's own.
fn plain_version(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('.').collect();
    let plain = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (matches!(parts.len(), 2 | 3) && parts.iter().all(plain)).then(|| text.to_owned())
}

fn project_commands(root: &Path, pyproject: Option<&Table>) -> Vec<String> {
    let has = |name: &str| root.join(name).is_file();
    let managers: [(&str, &str, &str); 4] = [
        ("uv.lock", "uv", "uv sync --locked"),
        ("poetry.lock", "poetry", "poetry install --no-interaction"),
        ("pdm.lock", "pdm", "pdm sync --dev"),
        ("Pipfile.lock", "pipenv", "pipenv sync --dev"),
    ];
    if let Some((_, manager, command)) = managers.iter().find(|(lock, _, _)| has(lock)) {
        return vec![format!("python -m pip install {manager}"), (*command).to_owned()];
    }
    let mut arguments: Vec<String> =
        REQUIREMENTS.iter().filter(|name| has(name)).map(|name| format!("-r {name}")).collect();
    let names = |section: &str| -> Vec<&str> {
        let table = pyproject.and_then(|table| table.table(section));
        let known = |name: &&&str| table.as_ref().is_some_and(|(t, _)| t.get(name).is_some());
        DEVELOPERS.iter().filter(known).copied().collect()
    };
    if has("setup.py") || pyproject.is_some_and(|table| table.table("build-system").is_some()) {
        let extras = names("project.optional-dependencies");
        arguments.push(if extras.is_empty() {
            "-e .".to_owned()
        } else {
            format!("-e '.[{}]'", extras.join(","))
        });
    }
    let groups = names("dependency-groups");
    arguments.extend(groups.iter().map(|group| format!("--group {group}")));
    if arguments.is_empty() {
        return Vec::new();
    }
    let mut commands = vec!["python -m venv .venv".to_owned()];
    if !groups.is_empty() {
        // Groups are known since 25.1.
        commands.push(".venv/bin/python -m pip install 'pip>=25.1'".to_owned());
    }
    commands.push(format!(".venv/bin/python -m pip install {}", arguments.join(" ")));
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(files: &[(&str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut install = Setup::find(root.path(), &Documents::default()).unwrap().install;
        assert_eq!(install.pop().unwrap(), format!("python -m pip install {}", pyqa()));
        install
    }

    #[test]
    fn a_lock_file_names_the_manager() {
        let project = ("pyproject.toml", "[build-system]\nrequires = []\n");
        assert_eq!(
            commands(&[project, ("uv.lock", "")]),
            ["python -m pip install uv", "uv sync --locked"]
        );
        assert_eq!(commands(&[("poetry.lock", "")])[1], "poetry install --no-interaction");
    }

    #[test]
    fn requirements_extras_and_groups_go_into_an_environment() {
        let project = "[build-system]\nrequires = []\n[project.optional-dependencies]\ntest = []\n\
                       docs = []\n[dependency-groups]\ndev = []\n";
        assert_eq!(
            commands(&[("pyproject.toml", project), ("requirements/dev.txt", "")]),
            [
                "python -m venv .venv",
                ".venv/bin/python -m pip install 'pip>=25.1'",
                ".venv/bin/python -m pip install -r requirements/dev.txt -e '.[test]' --group dev",
            ]
        );
    }

    #[test]
    fn a_project_without_dependencies_needs_nothing() {
        assert!(commands(&[("a.py", ""), ("pyproject.toml", "[tool.black]\n")]).is_empty());
    }

    #[test]
    fn only_a_plain_version_names_an_image() {
        assert_eq!(plain_version("3.12").as_deref(), Some("3.12"));
        for other in ["pypy3.10", "3", "3.", "system", "3.12-dev"] {
            assert_eq!(plain_version(other), None, "{other}");
        }
    }
}
