//! What tools written in Python make of `$NAME`, `${NAME}` and `~` in values of their settings
//! (`os.path.expandvars` and `os.path.expanduser`).

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::variables::Variables;

/// The variable by which `~` stands for the user's home.
const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// As in CPython's `posixpath`.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\$(?:([0-9A-Za-z_]+)|\{([^}]*)\})"));
/// At the beginning of the text or of an item in it: `a, ~/b`, `dir=~/b`, `a:~`.
static HOME_SIGN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?:^|[\s,:;='"\[])~(?:[/\\\s,:;'"\]]|$)"#));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns are tested")
}

/// The variables on which the meaning of `text` depends.
pub fn variables_in(text: &str) -> Vec<String> {
    if !text.contains(['$', '~']) {
        return Vec::new();
    }
    let mut names: Vec<String> =
        VARIABLE.captures_iter(text).map(|c| name(&c).to_owned()).collect();
    if HOME_SIGN.is_match(text) {
        names.push(HOME.to_owned());
    }
    names
}

/// `path` as the tool sees it. A variable that is not set stays as it is written, and so does
/// another user's `~name`. `own` is a variable that the tool sets itself, with its value.
pub fn expanded(path: &str, variables: &Variables, own: Option<(&str, &str)>) -> String {
    let value = |name: &str| match own {
        Some((own, value)) if own == name => Some(value),
        _ => variables.get(name)?.to_str(),
    };
    let home = path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let path = match (home, value(HOME)) {
        (Some(rest), Some(home)) => format!("{}{rest}", home.trim_end_matches('/')),
        _ => path.to_owned(),
    };
    let replaced = VARIABLE.replace_all(&path, |found: &Captures<'_>| {
        value(name(found)).unwrap_or(&found[0]).to_owned()
    });
    replaced.into_owned()
}

fn name<'a>(found: &Captures<'a>) -> &'a str {
    found.get(1).or_else(|| found.get(2)).map_or("", |name| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_those_that_python_would_replace() {
        let cases: [(&str, &[&str]); 10] = [
            ("$STUBS", &["STUBS"]),
            ("a/${STUBS}b:$OTHER/c", &["STUBS", "OTHER"]),
            ("^x$|^y$", &[]),
            ("~", &[HOME]),
            ("~/stubs", &[HOME]),
            ("a, ~/stubs", &[HOME]),
            ("\n~/stubs\n", &[HOME]),
            ("~other/stubs", &[]),
            ("~=3.11", &[]),
            ("a~", &[]),
        ];
        for (text, names) in cases {
            assert_eq!(variables_in(text), names, "{text}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn values_take_the_place_of_variables_that_are_set() {
        let variables = Variables::from([("HOME", "/home/me"), ("STUBS", "$HOME"), ("HERE", "no")]);
        let cases = [
            ("~/a", "/home/me/a"),
            ("~", "/home/me"),
            ("~me/a", "~me/a"),
            ("$STUBS/~", "$HOME/~"),
            ("${STUBS}/$UNSET/${UNSET}", "$HOME/$UNSET/${UNSET}"),
            ("$HERE/a", "/settings/a"),
        ];
        for (path, wanted) in cases {
            assert_eq!(expanded(path, &variables, Some(("HERE", "/settings"))), wanted);
        }
    }
}
