//! `pyqa hook`: what an installed hook runs. Short, because it is read on every commit.

use std::fs;
use std::io::{self, Write};

use super::Stop;
use super::args::{Global, HookArgs, HookName};
use super::check::current_folder;
use super::console::Console;
use super::skip;
use crate::engine::hook::{Checked, check};
use crate::engine::request::{Content, Files, Occasion, Request};
use crate::error::{ExitStatus, UserError};
use crate::event::Outcome;
use crate::exec::cancel::CancelToken;
use crate::exec::signals::cancel_on_signals;
use crate::finding::Severity;
use crate::paths::RelPath;
use crate::project::variables::Variables;
use crate::report::style::{Human, Palette, plural};
use crate::report::{OutputFormat, ReportContext, failures};

pub(super) fn run(
    args: &HookArgs,
    global: &Global,
    console: &Console,
    variables: &Variables,
) -> Result<ExitStatus, Stop> {
    let request = Request {
        folder: current_folder()?,
        root: global.root.clone(),
        content: Content::Staged,
        files: Files::Staged,
        occasion: Occasion::Commit,
        skip_if_known: skip::by_variables(variables),
        variables: variables.clone(),
        ..Request::default()
    };
    match args.hook {
        HookName::PreCommit | HookName::PreMergeCommit => commit(&request, console),
        HookName::PrePush => {
            Err(UserError::new("the pre-push hook is not part of this version").into())
        }
    }
}

fn commit(request: &Request, console: &Console) -> Result<ExitStatus, Stop> {
    let cancel = CancelToken::new();
    cancel_on_signals(&cancel)?;
    let mut progress = console.passing_progress();
    let checked = check(request, &cancel, &mut |event| {
        // Progress that cannot be shown is no reason to stop.
        let _ = progress.event(&event);
    });
    progress.finish();
    match checked? {
        Checked::Nothing => {
            writeln!(io::stderr(), "pyqa: no staged file to check")?;
            Ok(ExitStatus::Clean)
        }
        Checked::Run(outcome) => {
            tell(&outcome, "git commit", console)?;
            Ok(outcome.status)
        }
    }
}

/// One line for a pass; else the findings, and what to do.
fn tell(outcome: &Outcome, command: &str, console: &Console) -> io::Result<()> {
    let read = |path: &RelPath| fs::read(path.below(&outcome.content)).ok();
    let context = ReportContext {
        repository: &outcome.repository,
        color: console.stderr,
        width: console.width,
        verbosity: console.verbosity,
        ..ReportContext::plain(&outcome.root, &read)
    };
    let mut text = Vec::new();
    OutputFormat::Full.report().write(outcome, &context, &mut text)?;
    failures::write(outcome, &context, &mut text)?;
    let palette = Palette::new(console.stderr);
    let time = Human(outcome.elapsed);
    if outcome.status == ExitStatus::Clean {
        let tools: Vec<&str> = outcome.tools.iter().map(|tool| tool.tool.as_str()).collect();
        let tools = if tools.is_empty() { "no tool is on".to_owned() } else { tools.join(", ") };
        writeln!(text, "{} pyqa: {tools}: clean, {time}", palette.good.apply_to('✓'))?;
    } else {
        let found = outcome.findings.iter().filter(|f| f.severity != Severity::Note).count();
        let what = match outcome.status {
            ExitStatus::Findings => plural(found, "finding"),
            ExitStatus::Interrupted => "interrupted".to_owned(),
            _ => "not everything could be checked".to_owned(),
        };
        writeln!(text, "{} pyqa: {what}, {time}", palette.error.apply_to('✗'))?;
        let hint = palette.hint.apply_to("hint");
        writeln!(
            text,
            "{hint}: mend it and `git add` the files, or go on without a check by \
             `{command} --no-verify`"
        )?;
    }
    io::stderr().write_all(&text)
}
