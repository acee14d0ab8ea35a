//! The names of the output formats ([`OutputFormat`]) and what `--report FORMAT=FILE` means
//! ([`ReportTarget`]).

use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;

use super::{
    Report, checkstyle, concise, durations, full, github, gitlab, json, jsonl, junit, rdjson, sarif,
};
use crate::error::UserError;

/// `--output-format`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Findings with an excerpt of the source, for reading
    #[default]
    Full,
    /// One line a finding: `path:line:column: CODE message [tool]`
    Concise,
    /// One JSON document (docs/report-schema.json)
    Json,
    /// One JSON object a line: the findings, then the summary
    Jsonl,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML: pytest's cases and a suite for each linter
    Junit,
    /// Workflow commands that GitHub Actions shows as annotations
    Github,
    /// GitLab's Code Quality report
    Gitlab,
    /// Checkstyle's XML
    Checkstyle,
    /// reviewdog's diagnostics, with the formatter's fixes as suggestions
    Rdjson,
    /// Seconds of each test, by which `--shard` splits later runs
    Durations,
}

impl OutputFormat {
    pub fn report(self) -> Box<dyn Report> {
        match self {
            Self::Full => Box::new(full::Full),
            Self::Concise => Box::new(concise::Concise),
            Self::Json => Box::new(json::Json),
            Self::Jsonl => Box::new(jsonl::JsonLines),
            Self::Sarif => Box::new(sarif::Sarif),
            Self::Junit => Box::new(junit::JUnit),
            Self::Github => Box::new(github::GitHub),
            Self::Gitlab => Box::new(gitlab::GitLab),
            Self::Checkstyle => Box::new(checkstyle::Checkstyle),
            Self::Rdjson => Box::new(rdjson::RdJson),
            Self::Durations => Box::new(durations::Durations),
        }
    }

    /// Whether the format tells of tools that failed. Where it does not, they belong on standard
    /// error ([`failures::write`](super::failures::write)).
    pub fn tells_failures(self) -> bool {
        !matches!(
            self,
            Self::Concise | Self::Gitlab | Self::Checkstyle | Self::Rdjson | Self::Durations
        )
    }

    /// The name typed on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// `--report FORMAT=FILE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportTarget {
    pub format: OutputFormat,
    pub file: PathBuf,
}

impl FromStr for ReportTarget {
    type Err = UserError;

    fn from_str(text: &str) -> Result<Self, UserError> {
        let (name, file) = text
            .split_once('=')
            .filter(|(_, file)| !file.is_empty())
            .ok_or_else(|| UserError::new(format!("`{text}` is not of the form FORMAT=FILE")))?;
        let known: Vec<String> =
            OutputFormat::value_variants().iter().map(|format| format.name()).collect();
        let format = OutputFormat::from_str(name, false).map_err(|_| {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            UserError::new(format!("unknown output format `{name}`")).suggest(name, &known)
        })?;
        Ok(Self { format, file: PathBuf::from(file) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_its_format_and_its_file() {
        let target: ReportTarget = "json=out/a=b.json".parse().unwrap();
        assert_eq!(target.format, OutputFormat::Json);
        assert_eq!(target.file, PathBuf::from("out/a=b.json"));
    }

    #[test]
    fn a_misspelt_format_is_answered_with_the_nearest_name() {
        let error = "jsn=x".parse::<ReportTarget>().unwrap_err();
        assert_eq!(error.what, "unknown output format `jsn`");
        assert_eq!(error.hint.as_deref(), Some("did you mean `json`?"));
        assert!("json".parse::<ReportTarget>().is_err());
        assert!("json=".parse::<ReportTarget>().is_err());
    }
}
