//! Which checks are due and which run: [`Checks`]. At most one runs for a document and one for a
//! project as a whole; a newer one ends the older.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gen_lsp_types::{Diagnostic, Uri};
use lsp_server::RequestId;

use super::format::Wish;
use super::lane::{Job, JobId, Work};
use super::server::Server;
use crate::engine::request::{Reach, Request, Telling};
use crate::exec::cancel::CancelToken;

/// What a job is for.
#[derive(Debug)]
pub(super) enum Purpose {
    /// One version of one document.
    File { uri: Uri, version: i32 },
    /// The tools for the project as a whole, on what is on disk.
    Whole { folder: PathBuf },
    /// The text of one version, formatted, for a client that asked.
    Format { request: RequestId, uri: Uri, version: i32, wish: Wish },
    /// Everything on disk, for a client that asked.
    Everything { request: RequestId, found: BTreeMap<String, Vec<Diagnostic>> },
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) purpose: Purpose,
    cancel: CancelToken,
}

impl Running {
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}

#[derive(Debug, Default)]
pub(super) struct Checks {
    last: JobId,
    pub(super) jobs: BTreeMap<JobId, Running>,
    files: BTreeMap<String, Instant>,
    wholes: BTreeMap<PathBuf, Instant>,
}

impl Checks {
    /// When the next check has to start.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.files.values().chain(self.wholes.values()).min().copied()
    }

    pub(super) fn whole_due(&mut self, folder: &Path, after: Duration) {
        self.wholes.insert(folder.to_owned(), Instant::now() + after);
    }

    pub(super) fn is_due_or_runs(&self, uri: &Uri, version: i32) -> bool {
        let runs = |running: &Running| {
            matches!(&running.purpose, Purpose::File { uri: of, version: v }
                if of == uri && *v == version && !running.cancel.is_cancelled())
        };
        self.files.contains_key(&uri.0) || self.jobs.values().any(runs)
    }

    fn new_job(&mut self, purpose: Purpose, request: Request, work: Work) -> Job {
        self.last += 1;
        let cancel = CancelToken::new();
        let id = self.last;
        self.jobs.insert(id, Running { purpose, cancel: cancel.clone() });
        Job { id, request, work, cancel }
    }

    fn cancel(&self, which: impl Fn(&Purpose) -> bool) {
        for running in self.jobs.values().filter(|running| which(&running.purpose)) {
            // Nobody waits for what it would say: without a time of grace.
            running.cancel.cancel();
            running.cancel.cancel();
        }
    }

    fn cancel_file(&self, uri: &Uri) {
        self.cancel(|purpose| matches!(purpose, Purpose::File { uri: of, .. } if of == uri));
    }

    pub(super) fn forget_file(&mut self, uri: &Uri) {
        self.files.remove(&uri.0);
        self.cancel_file(uri);
    }

    pub(super) fn forget_project(&mut self, folder: &Path) {
        self.wholes.remove(folder);
        self.cancel(|purpose| matches!(purpose, Purpose::Whole { folder: of } if of == folder));
    }

    /// Ends what runs for a request of the client.
    pub(super) fn cancel_request(&self, id: &RequestId) {
        self.cancel(|purpose| match purpose {
            Purpose::Everything { request, .. } | Purpose::Format { request, .. } => request == id,
            Purpose::File { .. } | Purpose::Whole { .. } => false,
        });
    }

    pub(super) fn cancel_all(&mut self) {
        self.files.clear();
        self.wholes.clear();
        self.cancel(|_| true);
    }
}

impl Server<'_> {
    /// Checks the document when nothing more is typed for a while. What runs for it is ended: its
    /// text is no longer the current one, or is about to be checked with other settings.
    pub(super) fn check_soon(&mut self, uri: &Uri, after: Duration) {
        self.checks.cancel_file(uri);
        if self.document(uri).is_some_and(|document| document.python().is_some()) {
            self.checks.files.insert(uri.0.clone(), Instant::now() + after);
        }
    }

    /// Starts the checks whose time has come.
    pub(super) fn start_due(&mut self) {
        let now = Instant::now();
        let due = |at: &Instant| *at <= now;
        let files: Vec<String> = self
            .checks
            .files
            .iter()
            .filter(|(_, at)| due(at))
            .map(|(uri, _)| uri.clone())
            .collect();
        for uri in files {
            self.checks.files.remove(&uri);
            self.check_file(&Uri(uri));
        }
        let wholes: Vec<PathBuf> = self
            .checks
            .wholes
            .iter()
            .filter(|(_, at)| due(at))
            .map(|(folder, _)| folder.clone())
            .collect();
        for folder in wholes {
            self.checks.forget_project(&folder);
            let request = self.engine_request(&folder, Reach::Project);
            let purpose = Purpose::Whole { folder: folder.clone() };
            self.start_in(&folder, purpose, request, Work::Check);
        }
    }

    fn check_file(&mut self, uri: &Uri) {
        let Some(document) = self.document(uri) else { return };
        let Some(path) = document.python().map(Path::to_owned) else { return };
        let (version, overlay) = (document.version, document.overlay());
        let Some(folder) = self.projects.folder_of(&path) else {
            // No tool can look at a file whose folder is not there.
            return self.file_done(uri, version);
        };
        self.checks.cancel_file(uri);
        let mut request = self.engine_request(&folder, Reach::Files);
        request.overlay = overlay.into_iter().map(|bytes| (path.clone(), bytes)).collect();
        request.paths = vec![path];
        self.start_in(&folder, Purpose::File { uri: uri.clone(), version }, request, Work::Check);
    }

    /// Checks everything on disk, for a client that asked.
    pub(super) fn check_everything(&mut self, folder: &Path, id: RequestId) {
        let request = self.engine_request(folder, Reach::All);
        let purpose = Purpose::Everything { request: id, found: BTreeMap::new() };
        self.start_in(folder, purpose, request, Work::Check);
    }

    pub(super) fn engine_request(&self, folder: &Path, reach: Reach) -> Request {
        Request {
            folder: folder.to_owned(),
            only: self.options.only(),
            skip: self.options.skip(),
            reach,
            telling: Telling::ByTool,
            variables: self.variables.clone(),
            ..Request::default()
        }
    }

    /// Gives the job to the thread that is there for its kind.
    pub(super) fn start_in(
        &mut self,
        folder: &Path,
        purpose: Purpose,
        request: Request,
        work: Work,
    ) {
        let job = self.checks.new_job(purpose, request, work);
        let id = job.id;
        match self.projects.get(folder) {
            Ok(project) => {
                let lane = match (&job.work, job.request.reach) {
                    (Work::Format(_), _) => &project.format,
                    (Work::Check, Reach::Files) => &project.files,
                    (Work::Check, Reach::All | Reach::Project) => &project.whole,
                };
                lane.send(job);
            }
            Err(error) => {
                self.checks.jobs.remove(&id);
                let what = format!("pyqa cannot start a thread: {error}");
                self.show(gen_lsp_types::MessageType::Error, what);
            }
        }
    }
}
