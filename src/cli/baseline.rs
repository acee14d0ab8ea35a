//! `pyqa baseline`: the accepted findings are written, listed, and cleared of what is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::Duration;

use chrono::NaiveDate;

use super::Stop;
use super::args::{
    BaselineCommand, BaselinePruneArgs, BaselineWriteArgs, Global, Running, Selection,
};
use super::check::current_folder;
use super::console::Console;
use crate::baseline::file::{Baseline, Entry, FILE_NAME, today};
use crate::baseline::recognise::{Recognised, recognise};
use crate::engine;
use crate::engine::request::{BaselineUse, Network, Request, Sift};
use crate::engine::sift::renames_of;
use crate::error::{ExitStatus, UserError};
use crate::event::{Event, Outcome};
use crate::exec::cancel::CancelToken;
use crate::exec::signals::cancel_on_signals;
use crate::finding::ToolId;
use crate::paths::RelPath;
use crate::project::variables::Variables;
use crate::report::escape::one_line;
use crate::report::style::plural;
use crate::report::{ReportContext, failures};

pub(super) fn run(
    command: &BaselineCommand,
    global: &Global,
    console: &Console,
    variables: &Variables,
) -> Result<ExitStatus, Stop> {
    match command {
        BaselineCommand::Show => show(global, variables),
        BaselineCommand::Write(args) => {
            let request = request(&args.selection, &args.running, global, variables)?;
            let state = State::find(&request, console)?;
            write(args, &state, console)
        }
        BaselineCommand::Prune(args) => {
            let request = request(&args.selection, &args.running, global, variables)?;
            let state = State::find(&request, console)?;
            prune(args, &state, console)
        }
    }
}

/// All tools on the whole project, with nothing left out.
fn request(
    selection: &Selection,
    running: &Running,
    global: &Global,
    variables: &Variables,
) -> Result<Request, UserError> {
    Ok(Request {
        folder: current_folder()?,
        root: global.root.clone(),
        only: selection.only.clone(),
        skip: selection.skip.clone(),
        network: if running.offline { Network::Offline } else { Network::Online },
        jobs: running.jobs.map(usize::from),
        timeout: running.timeout.map(Duration::from_secs),
        variables: variables.clone(),
        sift: Sift { baseline: BaselineUse::Ignore, new_since: None },
        ..Request::default()
    })
}

/// What the tools find, and what the baseline says of it.
struct State {
    outcome: Outcome,
    /// `None` where there is no file yet.
    baseline: Option<Baseline>,
    /// Per finding.
    known: Vec<Recognised>,
    /// Tools that have answered in full.
    answered: BTreeSet<ToolId>,
}

impl State {
    fn find(request: &Request, console: &Console) -> Result<Self, Stop> {
        // A damaged file is told before minutes of work, and never overwritten.
        let root = engine::open(request)?.root;
        let baseline = Baseline::read(&root)?;
        let cancel = CancelToken::new();
        cancel_on_signals(&cancel)?;
        let mut progress = console.progress();
        let outcome = engine::check(request, &cancel, &mut |event| {
            // Progress that cannot be shown is no reason to stop.
            let _ = progress.event(&event);
        })?;
        let accepted = baseline.clone().unwrap_or_default();
        let (renames, notices) = renames_of(&accepted, &outcome);
        for notice in notices {
            let _ = progress.event(&Event::Notice(notice));
        }
        progress.finish();
        let read = |path: &RelPath| std::fs::read(path.below(&root)).ok();
        let known = recognise(&outcome.findings, &accepted, &renames, &read);
        let whole = outcome.tools.iter().filter(|tool| tool.failures.is_empty());
        let answered = whole.map(|tool| tool.tool.clone()).collect();
        Ok(Self { outcome, baseline, known, answered })
    }

    /// Indexes of the entries whose findings are there.
    fn found(&self) -> BTreeSet<usize> {
        self.known.iter().filter_map(|known| known.entry).collect()
    }

    /// The exit code, with findings being no reason to fail: tools that gave no answer are.
    fn finish(&self, console: &Console) -> Result<ExitStatus, Stop> {
        let read = |_: &RelPath| None;
        let context = ReportContext {
            color: console.stderr,
            width: console.width,
            verbosity: console.verbosity,
            ..ReportContext::plain(&self.outcome.root, &read)
        };
        let mut stderr = Vec::new();
        failures::write(&self.outcome, &context, &mut stderr)?;
        io::stderr().write_all(&stderr)?;
        Ok(match self.outcome.status {
            ExitStatus::Findings => ExitStatus::Clean,
            status => status,
        })
    }
}

fn write(args: &BaselineWriteArgs, state: &State, console: &Console) -> Result<ExitStatus, Stop> {
    if state.outcome.status == ExitStatus::Interrupted {
        return state.finish(console);
    }
    let today = today();
    let found = state.found();
    let old = state.baseline.clone().unwrap_or_default().entries;
    let mut entries = Vec::new();
    let mut added = 0;
    for (finding, known) in state.outcome.findings.iter().zip(&state.known) {
        if !state.answered.contains(&finding.tool) {
            continue;
        }
        let entry = Entry::new(finding, known.mark);
        entries.push(match known.entry.map(|index| &old[index]) {
            Some(before) if !before.has_expired(today) => kept(entry, before),
            before => {
                added += 1;
                let reason = before.and_then(|entry| entry.reason.clone());
                let reason = args.reason.clone().or(reason);
                Entry { reason, expires: args.expires, ..entry }
            }
        });
    }
    let kept = entries.len() - added;
    let (of_answered, stay): (Vec<_>, Vec<_>) =
        old.into_iter().enumerate().partition(|(_, entry)| state.answered.contains(&entry.tool));
    let gone = of_answered.iter().filter(|(index, _)| !found.contains(index)).count();
    entries.extend(stay.into_iter().map(|(_, entry)| entry));
    let baseline = Baseline { entries };
    baseline.write(&state.outcome.root)?;
    let total = plural(baseline.entries.len(), "accepted finding");
    writeln!(io::stdout(), "{FILE_NAME}: {total}; {added} new, {kept} kept, {gone} gone")?;
    state.finish(console)
}

/// An entry whose finding is still there stays as it was written, so that its line changes only
/// where its file has another name.
fn kept(entry: Entry, before: &Entry) -> Entry {
    Entry {
        message: before.message.clone(),
        reason: before.reason.clone(),
        expires: before.expires,
        ..entry
    }
}

fn prune(args: &BaselinePruneArgs, state: &State, console: &Console) -> Result<ExitStatus, Stop> {
    let Some(old) = state.baseline.clone() else { return Err(no_baseline().into()) };
    if state.outcome.status == ExitStatus::Interrupted {
        return state.finish(console);
    }
    let now = state.known.iter().zip(&state.outcome.findings);
    let mut found: BTreeMap<usize, Entry> = now
        .filter_map(|(known, finding)| Some((known.entry?, Entry::new(finding, known.mark))))
        .collect();
    let mut gone = Vec::new();
    let mut entries = Vec::new();
    for (index, before) in old.entries.into_iter().enumerate() {
        match found.remove(&index) {
            Some(entry) => entries.push(kept(entry, &before)),
            None if state.answered.contains(&before.tool) => gone.push(before),
            None => entries.push(before),
        }
    }
    let mut text = Vec::new();
    for entry in &gone {
        writeln!(text, "gone: {}", describe(entry, today()))?;
    }
    let verb = if args.dry_run { "would be taken out" } else { "taken out" };
    let count = plural(gone.len(), "entry");
    writeln!(text, "{FILE_NAME}: {count} {verb}, {} left", entries.len())?;
    if !args.dry_run {
        Baseline { entries }.write(&state.outcome.root)?;
    }
    io::stdout().write_all(&text)?;
    let status = state.finish(console)?;
    Ok(if args.dry_run && !gone.is_empty() { status.max(ExitStatus::Findings) } else { status })
}

fn show(global: &Global, variables: &Variables) -> Result<ExitStatus, Stop> {
    let request = Request {
        folder: current_folder()?,
        root: global.root.clone(),
        variables: variables.clone(),
        ..Request::default()
    };
    let root = engine::open(&request)?.root;
    let baseline = Baseline::read(&root)?.ok_or_else(no_baseline)?;
    let today = today();
    let mut text = Vec::new();
    for entry in &baseline.entries {
        writeln!(text, "{}", describe(entry, today))?;
    }
    io::stdout().write_all(&text)?;
    Ok(ExitStatus::Clean)
}

fn no_baseline() -> UserError {
    UserError::new(format!("the project has no {FILE_NAME}"))
        .hint("`pyqa baseline write` accepts the findings of today")
}

/// `src/a.py: E501 line too long [flake8] (until 2027-01-31, reason)`
fn describe(entry: &Entry, today: NaiveDate) -> String {
    let place = entry.test.clone().or_else(|| entry.path.as_ref().map(ToString::to_string));
    let place = place.map(|place| format!("{}: ", one_line(&place))).unwrap_or_default();
    let code = entry.code.as_deref().map(|code| format!("{} ", one_line(code))).unwrap_or_default();
    let until = entry.expires.map(|day| {
        let verb = if entry.has_expired(today) { "expired on" } else { "until" };
        format!("{verb} {day}")
    });
    let reason = entry.reason.as_deref().map(|reason| one_line(reason).into_owned());
    let why: Vec<String> = until.into_iter().chain(reason).collect();
    let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(", ")) };
    format!("{place}{code}{} [{}]{why}", one_line(&entry.message), entry.tool)
}
