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

/// Letters of options before a value that follows at once.
const LONGEST_CLUSTER: usize = 8;

/// All in the arguments that may name a file: `FILE`, `--config=FILE`, `-cFILE`, `-qcFILE`, `@FILE`,
/// `FILE,FILE`.
pub(super) fn possible_files(args: &[String]) -> impl Iterator<Item = &str> {
    let values = args.iter().flat_map(|argument| {
        let after = argument.split_once('=').map(|(_, value)| value);
        let begins = match argument.as_bytes() {
            [b'-', b'-', ..] => 0..0,
            [b'-', ..] => 2..LONGEST_CLUSTER,
            [b'@', ..] => 1..2,
            _ => 0..0,
        };
        let attached = begins.filter_map(|begin| argument.get(begin..));
        [Some(argument.as_str()), after].into_iter().flatten().chain(attached)
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
    fn a_file_may_be_named_in_many_ways() {
        let args = ["a", "--x=b", "-qcd", "@e", "f,g"].map(str::to_owned);
        let possible: Vec<&str> = possible_files(&args).collect();
        assert!(["a", "b", "d", "e", "f", "g"].iter().all(|name| possible.contains(name)));
    }

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
