//! `pyqa format`

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use similar::TextDiff;

use super::Stop;
use super::args::{FormatArgs, Global};
use super::check::current_folder;
use super::console::Console;
use crate::engine::buffer::place;
use crate::engine::format::{self, Change, Formatted, Purpose, Report};
use crate::engine::request::{Buffer, CacheUse, Content, Network, Request};
use crate::error::{ExitStatus, UserError};
use crate::event::Failure;
use crate::exec::cancel::CancelToken;
use crate::exec::signals::cancel_on_signals;
use crate::finding::Finding;
use crate::project::variables::Variables;
use crate::report::Verbosity;
use crate::report::errors::write_errors;
use crate::report::escape::one_line;
use crate::report::style::plural;

/// What a text on standard input is called that nobody named.
const UNNAMED: &str = "stdin.py";

pub(super) fn run(
    args: &FormatArgs,
    global: &Global,
    console: &Console,
    variables: &Variables,
) -> Result<ExitStatus, Stop> {
    let is_stdin = |path: &PathBuf| path.as_os_str() == "-";
    let request = Request {
        folder: current_folder()?,
        root: global.root.clone(),
        cache: if args.means.no_cache { CacheUse::Off } else { CacheUse::ReadWrite },
        network: if args.means.offline { Network::Offline } else { Network::Online },
        jobs: args.means.jobs.map(usize::from),
        variables: variables.clone(),
        ..Request::default()
    };
    let cancel = CancelToken::new();
    cancel_on_signals(&cancel)?;
    match &args.paths[..] {
        [only] if is_stdin(only) => from_stdin(args, request, console, &cancel),
        [] if args.stdin_filename.is_some() => from_stdin(args, request, console, &cancel),
        paths if paths.iter().any(is_stdin) => {
            let error = UserError::new("`-` stands for standard input and goes with no other path");
            Err(error.hint("format the files in a command of their own").into())
        }
        paths => {
            if args.stdin_filename.is_some() {
                let error = UserError::new("`--stdin-filename` goes with `-`");
                return Err(error.hint("leave it out to format files").into());
            }
            if !args.range.is_empty() && !matches!(paths, [path] if path.is_file()) {
                let error = UserError::new("`--range` needs a single file");
                return Err(error.hint("name the file that has these lines").into());
            }
            let request = Request { paths: paths.to_vec(), ..request };
            on_disk(args, &request, console, &cancel)
        }
    }
}

fn purpose(args: &FormatArgs) -> Purpose {
    match (args.diff, args.check) {
        (true, _) => Purpose::Compare,
        (false, true) => Purpose::Check,
        (false, false) => Purpose::Write,
    }
}

fn from_stdin(
    args: &FormatArgs,
    mut request: Request,
    console: &Console,
    cancel: &CancelToken,
) -> Result<ExitStatus, Stop> {
    let name = args.stdin_filename.as_deref().unwrap_or(Path::new(UNNAMED));
    let mut content = Vec::new();
    io::stdin().lock().read_to_end(&mut content)?;
    let place = place(name, &request.folder)?;
    request.root = request.root.map(|root| request.folder.join(root));
    request.folder = place.folder;
    let buffer = Arc::new(Buffer { path: place.path, content });
    request.content = Content::Buffer(Arc::clone(&buffer));
    let formatted = format::buffer(&request, &args.range, cancel)?;
    let text = match &formatted {
        Formatted::Same => &buffer.content,
        Formatted::Changed(text) => text,
        Formatted::Invalid(findings) => {
            let first = findings.first().map(|finding| at_place(finding, &name.to_string_lossy()));
            return fail(&first.unwrap_or_default());
        }
        Formatted::Failed(_) if cancel.is_cancelled() => return Ok(ExitStatus::Interrupted),
        Formatted::Failed(failure) => return fail(&in_one_line(failure)),
    };
    let mut stdout = io::stdout().lock();
    if args.diff {
        write_diff(&name.to_string_lossy(), &buffer.content, text, &mut stdout)?;
    } else if !args.check {
        stdout.write_all(text)?;
        stdout.flush()?;
    }
    let would_change = *text != buffer.content;
    if would_change && args.check && console.verbosity != Verbosity::Quiet {
        writeln!(io::stderr(), "would reformat {}", one_line(&name.to_string_lossy()))?;
    }
    Ok(if args.check && would_change { ExitStatus::Findings } else { ExitStatus::Clean })
}

fn fail(line: &str) -> Result<ExitStatus, Stop> {
    writeln!(io::stderr(), "error: {}", one_line(line))?;
    Ok(ExitStatus::Failure)
}

/// `src/a.py:3:7: Cannot parse …`
fn at_place(finding: &Finding, name: &str) -> String {
    let place = finding.location.as_ref();
    let number = |n: Option<u32>| n.map(|n| format!(":{n}")).unwrap_or_default();
    let (line, column) = place.map_or((None, None), |place| (place.line, place.column));
    format!("{name}{}{}: {}", number(line), number(column), finding.message)
}

/// The failure with what the tool said last.
fn in_one_line(failure: &Failure) -> String {
    match failure.output.lines().rfind(|line| !line.trim().is_empty()) {
        Some(said) => format!("{}: {}", failure.message, said.trim()),
        None => failure.message.clone(),
    }
}

fn on_disk(
    args: &FormatArgs,
    request: &Request,
    console: &Console,
    cancel: &CancelToken,
) -> Result<ExitStatus, Stop> {
    let purpose = purpose(args);
    let mut progress = console.progress();
    let report = format::files(request, &args.range, purpose, cancel, &mut |event| {
        // Progress that cannot be shown is no reason to stop.
        let _ = progress.event(&event);
    });
    progress.finish();
    let report = report?;
    let mut diffs = Vec::new();
    for Change { path, texts } in &report.changed {
        if let Some((old, new)) = texts {
            write_diff(&path.to_text(), old, new, &mut diffs)?;
        }
    }
    io::stdout().write_all(&diffs)?;
    let mut told = Vec::new();
    tell(&report, purpose, console, &mut told)?;
    io::stderr().write_all(&told)?;
    let is_checked = args.check && !report.changed.is_empty();
    Ok(match report.status(purpose) {
        ExitStatus::Clean if is_checked => ExitStatus::Findings,
        status => status,
    })
}

fn tell(
    report: &Report,
    purpose: Purpose,
    console: &Console,
    out: &mut Vec<u8>,
) -> Result<(), Stop> {
    let done = if purpose == Purpose::Write { "reformatted" } else { "would reformat" };
    let is_quiet = console.verbosity == Verbosity::Quiet;
    if !is_quiet {
        for change in &report.changed {
            writeln!(out, "{done} {}", one_line(&change.path.to_text()))?;
        }
    }
    let mut errors = Vec::new();
    for finding in &report.invalid {
        let name = finding.location.as_ref().map(|place| place.path.to_string());
        errors.push(UserError::new(at_place(finding, &name.unwrap_or_default())));
    }
    errors.extend(report.failures.iter().map(|failure| UserError::new(in_one_line(failure))));
    write_errors(&errors, console.stderr, out)?;
    if !is_quiet {
        writeln!(out, "{}", summary(report, purpose))?;
    }
    Ok(())
}

/// `2 files reformatted, 5 left unchanged`
fn summary(report: &Report, purpose: Purpose) -> String {
    let (changed, left) = match purpose {
        Purpose::Write => ("reformatted", "left unchanged"),
        Purpose::Check | Purpose::Compare => ("would be reformatted", "would be left unchanged"),
    };
    let troubled = report.invalid.len() + report.failures.len();
    let parts = [
        (report.changed.len(), changed),
        (report.unchanged, left),
        (troubled, "could not be formatted"),
    ];
    let mut told: Vec<String> = Vec::new();
    for (count, what) in parts.into_iter().filter(|(count, _)| *count > 0) {
        // The noun once.
        let count = if told.is_empty() { plural(count, "file") } else { count.to_string() };
        told.push(format!("{count} {what}"));
    }
    if told.is_empty() { "no files to format".to_owned() } else { told.join(", ") }
}

fn write_diff(name: &str, old: &[u8], new: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let diff = TextDiff::from_lines(old, new);
    diff.unified_diff().context_radius(3).header(name, name).to_writer(out)
}
