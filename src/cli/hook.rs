//! `pyqa hook`: what an installed hook runs. Short, because it is read on every commit.

use std::fs;
use std::io::{self, Read, Write};

use super::Stop;
use super::args::{Global, HookArgs, HookName};
use super::check::current_folder;
use super::console::Console;
use super::mended;
use super::skip;
use crate::engine::hook::{Checked, Report, commit, push};
use crate::engine::request::{Content, Files, Network, Occasion, Request};
use crate::error::{ExitStatus, UserError};
use crate::event::Outcome;
use crate::exec::cancel::CancelToken;
use crate::exec::signals::cancel_on_signals;
use crate::finding::Severity;
use crate::git::hooks::legacy::run_legacy;
use crate::git::push::parse;
use crate::git::restage::Restaged;
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
        network: network(variables),
        skip_if_known: skip::by_variables(variables),
        variables: variables.clone(),
        ..Request::default()
    };
    let cancel = CancelToken::new();
    cancel_on_signals(&cancel)?;
    let pushed = match args.hook {
        HookName::PrePush => Some(pushed()?),
        HookName::PreCommit | HookName::PreMergeCommit => None,
    };
    let former = former(args, pushed.as_deref(), variables)?;
    if variables.get("PYQA").is_some_and(|value| value == "0") {
        return Ok(former);
    }
    let status = match args.hook {
        HookName::PreCommit => on_commit(&request, "git commit", &cancel, console),
        HookName::PreMergeCommit => on_commit(&request, "git merge", &cancel, console),
        HookName::PrePush => on_push(&request, args, &pushed.unwrap_or_default(), &cancel, console),
    }?;
    Ok(status.max(former))
}

/// What git gives the hook of a push.
fn pushed() -> Result<Vec<u8>, UserError> {
    let mut text = Vec::new();
    io::stdin().lock().read_to_end(&mut text).map_err(|error| {
        UserError::new(format!("what is pushed cannot be read: {error}"))
            .hint("the hook reads it on standard input, as git gives it")
    })?;
    Ok(text)
}

/// What the hook says that was there before pyqa's. It is no reason not to check.
fn former(
    args: &HookArgs,
    input: Option<&[u8]>,
    variables: &Variables,
) -> Result<ExitStatus, Stop> {
    match run_legacy(args.hook, &args.arguments, input, variables)? {
        Some(status) if !status.success() => {
            writeln!(io::stderr(), "pyqa: {} failed: {status}", args.hook.legacy())?;
            Ok(ExitStatus::Findings)
        }
        _ => Ok(ExitStatus::Clean),
    }
}

/// As `--offline` reads it.
fn network(variables: &Variables) -> Network {
    const NO: [&str; 7] = ["", "0", "n", "no", "f", "false", "off"];
    let value = variables.get("PYQA_OFFLINE").map(|value| value.to_string_lossy().to_lowercase());
    let is_offline = value.is_some_and(|value| !NO.contains(&value.as_str()));
    if is_offline { Network::Offline } else { Network::Online }
}

fn on_commit(
    request: &Request,
    command: &str,
    cancel: &CancelToken,
    console: &Console,
) -> Result<ExitStatus, Stop> {
    let mut progress = console.passing_progress();
    let checked = commit(request, cancel, &mut |event| {
        // Progress that cannot be shown is no reason to stop.
        let _ = progress.event(&event);
    });
    progress.finish();
    match checked? {
        Checked::Nothing => {
            writeln!(io::stderr(), "pyqa: nothing is staged")?;
            Ok(ExitStatus::Clean)
        }
        Checked::TakenBack { mended, is_all } => {
            tell_taken_back(&mended, is_all, console)?;
            // Git has looked before the hook whether there is something to commit, and would make
            // an empty commit now.
            Ok(if is_all { ExitStatus::Findings } else { ExitStatus::Clean })
        }
        Checked::Run(report) => {
            tell(&report, "", command, console)?;
            Ok(report.outcome.status)
        }
    }
}

fn on_push(
    request: &Request,
    args: &HookArgs,
    text: &[u8],
    cancel: &CancelToken,
    console: &Console,
) -> Result<ExitStatus, Stop> {
    let updates = parse(&String::from_utf8_lossy(text))?;
    let remote = args.arguments.first().map(|name| name.to_string_lossy().into_owned());
    let remote = remote.unwrap_or_else(|| "origin".to_owned());
    let mut progress = console.passing_progress();
    let pushed = push(request, &remote, &updates, cancel, &mut |event| {
        let _ = progress.event(&event);
    });
    progress.finish();
    let pushed = pushed?;
    let mut status = ExitStatus::Clean;
    for update in &pushed {
        let name = if pushed.len() > 1 { update.name.as_str() } else { "" };
        match &update.checked {
            // A push mends nothing.
            Checked::Nothing | Checked::TakenBack { .. } => {}
            Checked::Run(report) => {
                tell(report, name, "git push", console)?;
                status = status.max(report.outcome.status);
            }
        }
    }
    if cancel.is_cancelled() { Ok(ExitStatus::Interrupted) } else { Ok(status) }
}

/// What is left where formatting took the change back.
fn tell_taken_back(mended: &[Restaged], is_all: bool, console: &Console) -> io::Result<()> {
    let mut text = Vec::new();
    mended::write(mended, console.stderr, &mut text)?;
    let palette = Palette::new(console.stderr);
    if is_all {
        let cross = palette.error.apply_to('✗');
        let hint = palette.hint.apply_to("hint");
        writeln!(text, "{cross} pyqa: nothing is left to commit: formatted, it is as in HEAD")?;
        writeln!(text, "{hint}: for `--amend` or an empty commit, give the command once more")?;
    } else {
        let tick = palette.good.apply_to('✓');
        writeln!(text, "{tick} pyqa: formatted, no file of the project differs from HEAD")?;
    }
    io::stderr().write_all(&text)
}

/// One line for a pass; else the findings, and what to do. `name` says what was checked where
/// that is not clear.
fn tell(report: &Report, name: &str, command: &str, console: &Console) -> io::Result<()> {
    let outcome = &report.outcome;
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
    mended::write(&report.mended, console.stderr, &mut text)?;
    let palette = Palette::new(console.stderr);
    let of = if name.is_empty() { String::new() } else { format!(" {name}") };
    let verdict = verdict(outcome);
    if outcome.status == ExitStatus::Clean {
        writeln!(text, "{} pyqa{of}: {verdict}", palette.good.apply_to('✓'))?;
    } else {
        writeln!(text, "{} pyqa{of}: {verdict}", palette.error.apply_to('✗'))?;
        let hint = palette.hint.apply_to("hint");
        if report.suggests_fix {
            let fix = "pyqa check --staged --fix";
            writeln!(text, "{hint}: `{fix}` formats the staged files and stages them again")?;
        }
        let again = match command {
            "git push" => "mend it and commit",
            _ => "mend it and `git add` the files",
        };
        writeln!(text, "{hint}: {again}, or go on unchecked with `{command} --no-verify`")?;
    }
    io::stderr().write_all(&text)
}

fn verdict(outcome: &Outcome) -> String {
    let time = Human(outcome.elapsed);
    let found = outcome.findings.iter().filter(|f| f.severity != Severity::Note).count();
    match outcome.status {
        ExitStatus::Clean if outcome.tools.is_empty() => format!("no tool is on, {time}"),
        ExitStatus::Clean => {
            let tools: Vec<&str> = outcome.tools.iter().map(|tool| tool.tool.as_str()).collect();
            format!("{} clean, {time}", tools.join(", "))
        }
        ExitStatus::Findings => format!("{}, {time}", plural(found, "finding")),
        ExitStatus::Failure => format!("not everything could be checked, {time}"),
        ExitStatus::Interrupted | ExitStatus::Abandoned => format!("interrupted, {time}"),
    }
}
