//! What `[tool.pyqa.NAME] args` say to a tool: options are told apart as Python's `argparse` does it.

use std::path::Path;

/// The arguments, with the lines of a file in the place of `@FILE` after it.
pub(super) fn all_arguments(args: &[String], root: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for argument in args {
        all.push(argument.clone());
        if let Some(file) = argument.strip_prefix('@') {
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            all.extend(text.lines().map(str::to_owned));
        }
    }
    all
}

/// All in the arguments that may name a file: `FILE`, `--config=FILE`, `-cFILE`, `@FILE`, `FILE,FILE`.
pub(super) fn possible_files(args: &[String]) -> impl Iterator<Item = &str> {
    let values = args.iter().flat_map(|argument| {
        let after = argument.split_once('=').map(|(_, value)| value);
        let attached = argument.strip_prefix('@').or_else(|| argument.get(2..));
        [Some(argument.as_str()), after, attached].into_iter().flatten()
    });
    values.flat_map(|value| value.split(',')).filter(|value| !value.is_empty())
}

/// The values given to the option of the name of a setting, which may be shortened: `--key=VALUE`,
/// `--key VALUE`. Whatever follows an option that takes none is told too.
pub(super) fn option_values<'a>(
    args: &'a [String],
    key: &str,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let option = key.replace('_', "-");
    args.iter().enumerate().filter_map(move |(at, argument)| {
        let typed = argument.strip_prefix("--")?;
        let (name, value) = typed.split_once('=').map_or((typed, None), |(n, v)| (n, Some(v)));
        let next = || args.get(at + 1).map_or("", String::as_str);
        (!name.is_empty() && option.starts_with(name)).then(|| value.unwrap_or_else(next))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_has_its_value_attached_or_after_it_and_may_be_shortened() {
        let args =
            ["--", "--strict", "--python-exec", "a", "--python-executable=b", "--python-v=c"];
        let args = args.map(str::to_owned);
        assert_eq!(option_values(&args, "python_executable").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(option_values(&args, "strict").count(), 1);
        assert_eq!(option_values(&args, "exclude_gitignore").count(), 0);
    }
}
