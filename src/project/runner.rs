//! Other hook runners that start pyqa: pre-commit and prek install it into an environment of their
//! own, which is not the project's, and make it look like an active one.

use std::path::Path;

use super::variables::Variables;

/// The variables without the environment that a hook runner made for pyqa.
pub fn without_its_environment(variables: Variables) -> Variables {
    let Some(environment) = variables.path("VIRTUAL_ENV") else { return variables };
    if !variables.is_set("PRE_COMMIT") || !is_of_runner(&environment, &variables) {
        return variables;
    }
    let others = |path: &Path| !path.starts_with(&environment);
    let path = variables
        .get("PATH")
        .map(|path| std::env::join_paths(std::env::split_paths(path).filter(|path| others(path))));
    variables
        .iter()
        .filter(|(name, _)| *name != "VIRTUAL_ENV")
        .map(|(name, value)| match &path {
            Some(Ok(path)) if name == "PATH" => (name.clone(), path.clone()),
            _ => (name.clone(), value.clone()),
        })
        .collect()
}

/// Whether the environment was made by a hook runner: by its name (pre-commit), a file in it
/// (prek), or because it lies in the runner's folder.
fn is_of_runner(environment: &Path, variables: &Variables) -> bool {
    let name = environment.file_name().unwrap_or_default().as_encoded_bytes();
    let within =
        |name: &str| variables.path(name).is_some_and(|folder| environment.starts_with(folder));
    name.starts_with(b"py_env-")
        || environment.join(".prek-hook.json").exists()
        || within("PRE_COMMIT_HOME")
        || within("PREK_HOME")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_s_environment_is_not_the_project_s() {
        let variables = Variables::from([
            ("PRE_COMMIT", "1"),
            ("VIRTUAL_ENV", "/cache/repo1/py_env-python3.11"),
            ("PATH", "/cache/repo1/py_env-python3.11/bin:/usr/bin"),
        ]);
        let left = without_its_environment(variables);
        assert_eq!(left.get("VIRTUAL_ENV"), None);
        assert_eq!(left.get("PATH"), Some("/usr/bin".as_ref()));
    }

    #[test]
    fn an_environment_that_the_user_activated_stays() {
        let variables = Variables::from([("PRE_COMMIT", "1"), ("VIRTUAL_ENV", "/project/.venv")]);
        let left = without_its_environment(variables);
        assert_eq!(left.get("VIRTUAL_ENV"), Some("/project/.venv".as_ref()));
    }
}
