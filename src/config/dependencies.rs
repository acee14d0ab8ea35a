//! The distributions that a project names as needed for its development, wherever that is
//! usually written: one of the signs that a tool is in use.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::documents::Documents;
use super::toml::Table;
use crate::project::managers::normalised;

/// Names of distributions, normalised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies(BTreeSet<String>);

impl Dependencies {
    /// Reads what the project at `root` says. Files that cannot be read say nothing: this only
    /// helps to choose tools.
    pub fn read(root: &Path, documents: &Documents) -> Self {
        let mut found = Self::default();
        if let Ok(Some(table)) = documents.toml(&root.join("pyproject.toml")) {
            found.of_pyproject(&table);
        }
        if let Ok(Some(table)) = documents.toml(&root.join("Pipfile")) {
            for section in ["dev-packages", "packages"] {
                found.keys(&table, section);
            }
        }
        found.of_ini(root, documents);
        found.of_requirements(root);
        found
    }

    pub fn contains(&self, distribution: &str) -> bool {
        self.0.contains(&normalised(distribution))
    }

    fn of_pyproject(&mut self, table: &Table) {
        for path in [
            "project.dependencies",
            "project.optional-dependencies",
            "dependency-groups",
            "tool.pdm.dev-dependencies",
            "tool.uv.dev-dependencies",
        ] {
            self.requirements_at(table, path);
        }
        for path in ["tool.poetry.dependencies", "tool.poetry.dev-dependencies"] {
            self.keys(table, path);
        }
        let groups = table.table("tool.poetry.group").map(|(table, _)| table);
        for group in groups.into_iter().flat_map(|groups| &groups.entries) {
            self.keys(table, &format!("tool.poetry.group.{}.dependencies", group.key));
        }
        let environments = table.table("tool.hatch.envs").map(|(table, _)| table);
        for environment in environments.into_iter().flat_map(|table| &table.entries) {
            for list in ["dependencies", "extra-dependencies"] {
                self.requirements_at(table, &format!("tool.hatch.envs.{}.{list}", environment.key));
            }
        }
    }

    fn of_ini(&mut self, root: &Path, documents: &Documents) {
        if let Ok(Some(setup)) = documents.ini(&root.join("setup.cfg")) {
            for option in setup.options("options.extras_require") {
                option.value.lines().for_each(|line| self.requirement(line));
            }
        }
        if let Ok(Some(tox)) = documents.ini(&root.join("tox.ini")) {
            for name in tox.names().filter(|name| name.starts_with("testenv")) {
                for option in tox.options(name).iter().filter(|option| option.name == "deps") {
                    option.value.lines().for_each(|line| self.requirement(line));
                }
            }
        }
    }

    fn of_requirements(&mut self, root: &Path) {
        let folders = [root.to_owned(), root.join("requirements")];
        let files = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
        for file in files.flatten() {
            let name = file.file_name().to_string_lossy().to_lowercase();
            let is_text = Path::new(&name).extension().is_some_and(|e| e == "txt" || e == "in");
            let in_folder = file.path().parent().is_some_and(|parent| parent != root);
            if is_text && (in_folder || name.contains("requirements")) {
                let text = fs::read_to_string(file.path()).unwrap_or_default();
                text.lines().for_each(|line| self.requirement(line));
            }
        }
    }

    /// All strings at or below a path are requirements (PEP 508).
    fn requirements_at(&mut self, table: &Table, path: &str) {
        if let Some(value) = table.value(path) {
            self.strings(value);
        } else if let Some((table, _)) = table.table(path) {
            for entry in &table.entries {
                self.strings(&entry.node.to_json());
            }
        }
    }

    fn strings(&mut self, value: &Json) {
        for item in value.as_array().into_iter().flatten() {
            if let Some(text) = item.as_str() {
                self.requirement(text);
            }
        }
    }

    fn keys(&mut self, table: &Table, path: &str) {
        let entries = table.table(path).map(|(table, _)| &table.entries);
        self.0.extend(entries.into_iter().flatten().map(|entry| normalised(&entry.key)));
    }

    /// The name that a requirement begins with.
    fn requirement(&mut self, text: &str) {
        let text = text.trim();
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name: String = text.chars().take_while(|&c| is_part(c)).collect();
        if !name.is_empty() && !text.starts_with('-') {
            self.0.insert(normalised(&name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_place_is_read() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "pyproject.toml",
            r#"[project]
dependencies = ["one>=1"]
optional-dependencies = { dev = ["two[x]"] }
[dependency-groups]
test = ["three ; python_version > '3'", { include-group = "dev" }]
[tool.poetry.group.dev.dependencies]
Four_x = "^1"
[tool.hatch.envs.test]
dependencies = ["five"]
[tool.uv]
dev-dependencies = ["six"]
"#,
        );
        write("Pipfile", "[dev-packages]\nseven = \"*\"\n");
        write("setup.cfg", "[options.extras_require]\ndev =\n    eight\n");
        write("tox.ini", "[testenv:lint]\ndeps =\n    nine==1\n    -r requirements.txt\n");
        write("requirements-dev.txt", "# comment\nten==1  # why\n-e .\n");
        write("requirements/test.in", "eleven\n");
        let found = Dependencies::read(root.path(), &Documents::default());
        for name in [
            "one", "two", "three", "four-x", "five", "six", "seven", "eight", "nine", "ten",
            "eleven",
        ] {
            assert!(found.contains(name), "{name} in {found:?}");
        }
        assert!(!found.contains("requirements"));
    }
}
