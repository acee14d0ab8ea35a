//! A thread that runs the tools of one project, one job after the other: [`Lane`]. It keeps what
//! it knows of the project from job to job.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::engine::format::{self, Formatted, LineRange};
use crate::engine::request::{Reach, Request};
use crate::engine::session::Session;
use crate::engine::upkeep::keep_cache_small;
use crate::error::UserError;
use crate::event::{Event, Failure, FailureKind, Notice, Outcome, ToolReport};
use crate::exec::cancel::CancelToken;
use crate::finding::{Finding, ToolId};
use crate::tools::spec::{ColumnUnit, ColumnsDecl};

/// Number that names a job within the life of the server.
pub(super) type JobId = u64;

/// Something to check.
pub(super) struct Job {
    pub(super) id: JobId,
    pub(super) request: Request,
    pub(super) work: Work,
    pub(super) cancel: CancelToken,
}

/// What is to be done with what the request names.
pub(super) enum Work {
    Check,
    /// Format the request's buffer; all of it where there are no ranges.
    Format(Vec<LineRange>),
}

/// What a lane tells while it works.
pub(super) enum Report {
    /// A tool is done.
    Tool {
        job: JobId,
        answer: ToolAnswer,
    },
    /// The tools that are on in the project seen from `folder`.
    Tools {
        folder: PathBuf,
        tools: Vec<ToolId>,
    },
    /// The tool is not there; told once per job.
    Missing {
        tool: ToolId,
        failure: Failure,
    },
    Notice(Notice),
    Formatted {
        job: JobId,
        formatted: Formatted,
    },
    /// Nothing could be done.
    Wrong {
        job: JobId,
        errors: Vec<UserError>,
    },
    /// The job is over, whatever became of it.
    Done {
        job: JobId,
    },
}

/// All that one tool has to say.
pub(super) struct ToolAnswer {
    pub(super) tool: ToolId,
    /// What paths are seen from.
    pub(super) root: PathBuf,
    /// Each with what its columns count.
    pub(super) findings: Vec<(Finding, ColumnUnit)>,
    pub(super) failures: Vec<Failure>,
}

pub(super) struct Lane {
    inbox: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Lane {
    /// # Errors
    /// Where the system gives no thread.
    pub(super) fn start(name: &str, reports: Sender<Report>) -> std::io::Result<Self> {
        let (inbox, jobs) = unbounded();
        let thread = thread::Builder::new()
            .name(format!("lsp {name}"))
            .spawn(move || work(&jobs, &reports))?;
        Ok(Self { inbox: Some(inbox), thread: Some(thread) })
    }

    pub(super) fn send(&self, job: Job) {
        if let Some(inbox) = &self.inbox {
            // The thread lives as long as this value.
            let _ = inbox.send(job);
        }
    }
}

impl Drop for Lane {
    /// Waits for the job that runs, which the owner has cancelled.
    fn drop(&mut self) {
        self.inbox = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(jobs: &Receiver<Job>, reports: &Sender<Report>) {
    let mut session = None;
    for job in jobs {
        let id = job.id;
        if !job.cancel.is_cancelled() {
            let run = catch_unwind(AssertUnwindSafe(|| match &job.work {
                Work::Check => check(&job, &mut session, reports),
                Work::Format(ranges) => format(&job, ranges, reports),
            }));
            match run {
                Ok(Ok(())) => {}
                Ok(Err(errors)) => tell(reports, Report::Wrong { job: id, errors }),
                Err(_) => {
                    session = None;
                    let what = "pyqa failed inside; the last check was given up";
                    let errors = vec![UserError::new(what).hint("please report this")];
                    tell(reports, Report::Wrong { job: id, errors });
                }
            }
        }
        tell(reports, Report::Done { job: id });
        // An editor may be open for weeks.
        keep_cache_small(&job.request.variables);
    }
}

fn check(
    job: &Job,
    kept: &mut Option<Session>,
    reports: &Sender<Report>,
) -> Result<(), Vec<UserError>> {
    let request = &job.request;
    // The project as a whole is looked at anew each time.
    let mut session =
        kept.take().filter(|session| request.reach == Reach::Files && session.is_current(request));
    if let Some(session) = &mut session {
        session.look_again(request);
    }
    let mut notice = |event: Event| {
        if let Event::Notice(notice) = event {
            tell(reports, Report::Notice(notice));
        }
    };
    let session = match session {
        Some(session) => session,
        None => Session::open(request, &mut notice)?,
    };
    let session = kept.insert(session);
    let columns = session.columns();
    let tools = columns.keys().cloned().collect();
    tell(reports, Report::Tools { folder: request.folder.clone(), tools });
    let root = session.root().to_owned();
    let mut listener = Listener {
        columns,
        root,
        findings: BTreeMap::new(),
        held_back: session.leaves_out(request).then(Vec::new),
        job: job.id,
        reports,
    };
    let outcome = session.check(request, &job.cancel, &mut |event| listener.event(event))?;
    listener.tell_held_back(&outcome);
    for (tool, failure) in missing(&outcome) {
        tell(reports, Report::Missing { tool, failure });
    }
    Ok(())
}

fn format(job: &Job, ranges: &[LineRange], reports: &Sender<Report>) -> Result<(), Vec<UserError>> {
    let formatted = format::buffer(&job.request, ranges, &job.cancel)?;
    if !job.cancel.is_cancelled() {
        tell(reports, Report::Formatted { job: job.id, formatted });
    }
    Ok(())
}

fn missing(outcome: &Outcome) -> Vec<(ToolId, Failure)> {
    let all = outcome.tools.iter().filter(|report| report.version.is_none());
    all.flat_map(|report| report.failures.iter().map(|f| (report.tool.clone(), f.clone())))
        .collect()
}

/// Puts together what a run tells of each tool.
struct Listener<'a> {
    columns: BTreeMap<ToolId, ColumnsDecl>,
    root: PathBuf,
    findings: BTreeMap<ToolId, Vec<Finding>>,
    /// Tools that are done, where a baseline decides at the end what is left of their findings.
    held_back: Option<Vec<ToolReport>>,
    job: JobId,
    reports: &'a Sender<Report>,
}

impl Listener<'_> {
    fn event(&mut self, event: Event) {
        match event {
            Event::Found { tool, findings } => {
                self.findings.insert(tool, findings);
            }
            Event::ToolDone(report) => {
                let cancelled = |failure: &Failure| failure.kind == FailureKind::Cancelled;
                if report.failures.iter().any(cancelled) {
                    return;
                }
                if let Some(held_back) = &mut self.held_back {
                    held_back.push(*report);
                    return;
                }
                let findings = self.findings.remove(&report.tool).unwrap_or_default();
                self.answer(*report, findings);
            }
            Event::Notice(notice) => tell(self.reports, Report::Notice(notice)),
            _ => {}
        }
    }

    fn answer(&self, report: ToolReport, findings: Vec<Finding>) {
        let columns = self.columns.get(&report.tool);
        let unit = |finding: &Finding| {
            columns.map(|c| c.unit(finding.code.as_deref())).unwrap_or_default()
        };
        let findings = findings.into_iter().map(|finding| {
            let unit = unit(&finding);
            (finding, unit)
        });
        let answer = ToolAnswer {
            root: self.root.clone(),
            findings: findings.collect(),
            failures: report.failures,
            tool: report.tool,
        };
        tell(self.reports, Report::Tool { job: self.job, answer });
    }

    /// What the baseline has left.
    fn tell_held_back(&mut self, outcome: &Outcome) {
        for report in self.held_back.take().into_iter().flatten() {
            let own = outcome.findings.iter().filter(|finding| finding.tool == report.tool);
            self.answer(report.clone(), own.cloned().collect());
        }
    }
}

fn tell(reports: &Sender<Report>, report: Report) {
    // The server that is gone needs no news.
    let _ = reports.send(report);
}
