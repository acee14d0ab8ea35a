//! `pyqa check`

use std::fs;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Stop;
use super::args::{Change, CheckArgs, Global, Output};
use super::catalogue::Shipped;
use super::console::Console;
use super::{listing, mended, skip, units};
use crate::engine;
use crate::engine::fix::Fixers;
use crate::engine::request::{
    AfterFinding, BaselineUse, CacheUse, Content, Files, Network, Occasion, Place, Reasons,
    Request, Sift,
};
use crate::error::{ExitStatus, UserError};
use crate::event::{Event, Outcome};
use crate::exec::cancel::CancelToken;
use crate::exec::signals::cancel_on_signals;
use crate::paths::RelPath;
use crate::project::variables::Variables;
use crate::report::timings::{Timings, TimingsTarget};
use crate::report::{
    Color, Limit, OutputFormat, ReportContext, explain, failures, github, statistics, summary,
};

pub(super) fn run(
    args: &CheckArgs,
    global: &Global,
    console: &Console,
    variables: &Variables,
) -> Result<ExitStatus, Stop> {
    let request = request(args, global, variables)?;
    if args.looking.list_units {
        return units::run(&request, args.output.output_format);
    }
    if args.looking.list_files {
        return listing::files(&request);
    }
    if args.looking.show_settings {
        return listing::settings(&request);
    }
    let cancel = CancelToken::new();
    cancel_on_signals(&cancel)?;
    let mut timings = Timings::begin();
    let outcome = perform(args, &request, console, &cancel, &mut |event| timings.event(event))?;
    let unwritten = write_timings(&args.timings, &timings, &outcome);
    let stage = Stage::of(args);
    let reported = report(&args.output, stage, console, variables, &outcome);
    // The process ends with this; taking thousands of findings apart would only delay it.
    std::mem::forget(outcome);
    match reported {
        Ok(_) if !unwritten.is_empty() => Err(Stop::User(unwritten)),
        Err(Stop::User(errors)) => Err(Stop::User([errors, unwritten].concat())),
        other => other,
    }
}

/// Mends, if that is asked for, and checks, showing what goes on. `on` is told of the check.
pub(super) fn perform(
    args: &CheckArgs,
    request: &Request,
    console: &Console,
    cancel: &CancelToken,
    on: &mut dyn FnMut(&Event),
) -> Result<Outcome, Stop> {
    let mut progress = console.progress();
    if args.fix {
        // Progress that cannot be shown is no reason to stop.
        let mut on = |event: Event| drop(progress.event(&event));
        if request.content == Content::Staged {
            let mended = engine::mend::mend(request, Fixers::All, cancel, &mut on)?;
            let mut text = Vec::new();
            mended::write(&mended, console.stderr, &mut text)?;
            io::stderr().write_all(&text)?;
        } else {
            engine::fix::fix(request, cancel, &mut on)?;
        }
    }
    let checked = engine::check(request, cancel, &mut |event| {
        on(&event);
        let _ = progress.event(&event);
    });
    progress.finish();
    Ok(checked?)
}

/// On GitHub, findings are annotations beside the log, and a table on the run's page where there
/// are more than it shows.
fn annotate(
    outcome: &Outcome,
    context: &ReportContext<'_>,
    variables: &Variables,
    stdout: &mut dyn Write,
) -> io::Result<()> {
    OutputFormat::Github.report().write(outcome, context, stdout)?;
    let Some(page) = variables.path("GITHUB_STEP_SUMMARY") else { return Ok(()) };
    let used = fs::metadata(&page).map_or(0, |meta| meta.len());
    let used = usize::try_from(used).unwrap_or(usize::MAX);
    match github::step_summary(outcome, context, used) {
        Some(text) => {
            fs::File::options().append(true).create(true).open(page)?.write_all(text.as_bytes())
        }
        None => Ok(()),
    }
}

pub(super) fn request(
    args: &CheckArgs,
    global: &Global,
    variables: &Variables,
) -> Result<Request, UserError> {
    let caching = &args.caching;
    let running = &args.running;
    let folder = current_folder()?;
    let (content, files) = change(&args.change, &folder, variables)?;
    Ok(Request {
        folder,
        root: global.root.clone(),
        paths: args.paths.clone(),
        content,
        files,
        place: Place::WhereItLies,
        occasion: Occasion::ByHand,
        only: args.selection.only.clone(),
        skip: args.selection.skip.clone(),
        skip_if_known: skip::by_variables(variables),
        cache: match (caching.no_cache, caching.verify_cache) {
            (true, _) => CacheUse::Off,
            (false, true) => CacheUse::Verify,
            (false, false) => CacheUse::ReadWrite,
        },
        network: if running.offline { Network::Offline } else { Network::Online },
        jobs: running.jobs.map(usize::from),
        timeout: running.timeout.map(Duration::from_secs),
        after_finding: if running.fail_fast { AfterFinding::Stop } else { AfterFinding::AsSet },
        shard: args.splitting.shard,
        durations: args.splitting.durations.clone(),
        reasons: if caching.explain { Reasons::Told } else { Reasons::Untold },
        variables: variables.clone(),
        sift: Sift {
            baseline: if args.sifting.no_baseline {
                BaselineUse::Ignore
            } else {
                BaselineUse::Apply
            },
            new_since: args.sifting.new_since.clone(),
        },
        ..Request::default()
    })
}

/// What is checked, and which files are of interest.
fn change(
    change: &Change,
    folder: &Path,
    variables: &Variables,
) -> Result<(Content, Files), UserError> {
    if change.staged {
        // pre-commit and prek have taken what is not staged out of the work tree.
        let is_isolated = variables.is_set("PRE_COMMIT");
        let content = if is_isolated { Content::WorkTree } else { Content::Staged };
        return Ok((content, Files::Staged));
    }
    if let Some(reference) = &change.since {
        return Ok((Content::WorkTree, Files::Since(reference.clone())));
    }
    if let Some(from) = &change.from_ref {
        let to = change.to_ref.clone().unwrap_or_else(|| "HEAD".to_owned());
        let files = Files::Between { from: from.clone(), to: to.clone() };
        return Ok((Content::Revision(to), files));
    }
    let Some(list) = &change.files_from else { return Ok((Content::WorkTree, Files::All)) };
    let mut bytes = Vec::new();
    let read = if list.as_os_str() == "-" {
        io::stdin().lock().read_to_end(&mut bytes)
    } else {
        fs::File::open(folder.join(list)).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| {
        UserError::new(format!("the list {} cannot be read: {error}", list.display()))
            .hint("name a file with `--files-from`, or `-` for standard input")
    })?;
    Ok((Content::WorkTree, Files::Listed(listed(&bytes))))
}

/// Names ended by zero bytes where there is one, else lines.
fn listed(bytes: &[u8]) -> Vec<PathBuf> {
    let end = if bytes.contains(&0) { 0 } else { b'\n' };
    bytes
        .split(|&byte| byte == end)
        .map(|name| if end == 0 { name } else { name.strip_suffix(b"\r").unwrap_or(name) })
        .filter(|name| !name.is_empty())
        .map(|name| RelPath::from_bytes(name).to_path())
        .collect()
}

pub(super) fn current_folder() -> Result<std::path::PathBuf, UserError> {
    std::env::current_dir().map_err(|error| {
        UserError::new(format!("the current folder cannot be told: {error}"))
            .hint("go to a folder that exists")
    })
}

/// Where the outcome comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Check,
    /// The reason for each unit is shown.
    CheckExplained,
    /// From the reports of shards, each of which has told its findings before.
    Merge,
}

impl Stage {
    pub(super) fn of(args: &CheckArgs) -> Self {
        if args.caching.explain { Self::CheckExplained } else { Self::Check }
    }
}

/// Those that cannot be written are told; the others are written.
fn write_timings(
    targets: &[TimingsTarget],
    timings: &Timings,
    outcome: &Outcome,
) -> Vec<UserError> {
    let write = |target: &TimingsTarget| -> io::Result<()> {
        let mut file = BufWriter::new(create(&target.file)?);
        target.write(timings, outcome, &mut file)?;
        file.flush()
    };
    let failed = |target: &TimingsTarget| {
        let error = write(target).err()?;
        let what = format!("the timings {} cannot be written: {error}", target.file.display());
        Some(UserError::new(what).hint("name a file that can be written"))
    };
    targets.iter().filter_map(failed).collect()
}

/// A new file, in a folder that is made where it is missing.
fn create(file: &Path) -> io::Result<fs::File> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::File::create(file)
}

/// Writes all that is asked for.
pub(super) fn report(
    output: &Output,
    stage: Stage,
    console: &Console,
    variables: &Variables,
    outcome: &Outcome,
) -> Result<ExitStatus, Stop> {
    let root = &outcome.root;
    let read = |path: &RelPath| fs::read(path.below(&outcome.content)).ok();
    let shipped = Shipped::default();
    let context = |color: Color| ReportContext {
        catalogue: &shipped,
        repository: &outcome.repository,
        color,
        width: console.width,
        verbosity: console.verbosity,
        limit: if output.no_limit { Limit::None } else { Limit::Readable },
        ..ReportContext::plain(root, &read)
    };
    let mut errors = Vec::new();
    for target in &output.report {
        let write = || -> io::Result<()> {
            let mut file = BufWriter::new(create(&target.file)?);
            target.format.report().write(outcome, &context(Color::Never), &mut file)?;
            file.flush()
        };
        // The other reports are still written.
        if let Err(error) = write() {
            let what = format!("the report {} cannot be written: {error}", target.file.display());
            errors.push(UserError::new(what).hint("name a file that can be written"));
        }
    }
    let format = output.output_format;
    let mut stdout = BufWriter::new(io::stdout().lock());
    format.report().write(outcome, &context(console.stdout), &mut stdout)?;
    if output.statistics {
        statistics::write(outcome, &context(console.stdout), &mut stdout)?;
    }
    let is_for_people = matches!(format, OutputFormat::Full | OutputFormat::Concise);
    if is_for_people
        && stage != Stage::Merge
        && variables.get("GITHUB_ACTIONS").is_some_and(|value| value == "true")
    {
        annotate(outcome, &context(Color::Never), variables, &mut stdout)?;
    }
    stdout.flush()?;
    let mut stderr = Vec::new();
    let on_stderr = context(console.stderr);
    if !format.tells_failures() {
        failures::write(outcome, &on_stderr, &mut stderr)?;
    }
    if stage == Stage::CheckExplained {
        explain::write(outcome, &on_stderr, &mut stderr)?;
    }
    summary::write(outcome, &on_stderr, &mut stderr)?;
    io::stderr().write_all(&stderr)?;
    if errors.is_empty() { Ok(outcome.status) } else { Err(Stop::User(errors)) }
}
