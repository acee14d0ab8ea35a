//! [`CancelToken`]: how an interrupt reaches everything that runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const RUNNING: u8 = 0;
const CANCELLED: u8 = 1;
const AT_ONCE: u8 = 2;

/// Shared by all parts of a run; once cancelled, it stays so.
#[derive(Clone, Debug, Default)]
pub struct CancelToken {
    own: Arc<AtomicU8>,
    parent: Option<Arc<Self>>,
}

impl CancelToken {
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is cancelled with this one, or by itself alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { own: Arc::default(), parent: Some(Arc::new(self.clone())) }
    }

    /// Asks for an end; asked again, without a time of grace.
    pub fn cancel(&self) {
        let first =
            self.own.compare_exchange(RUNNING, CANCELLED, Ordering::SeqCst, Ordering::SeqCst);
        if first.is_err() {
            self.own.store(AT_ONCE, Ordering::SeqCst);
        }
    }

    pub fn is_cancelled(&self) -> bool {
        self.level() != RUNNING
    }

    /// Asked for twice: nobody wants to wait.
    pub fn is_impatient(&self) -> bool {
        self.level() == AT_ONCE
    }

    fn level(&self) -> u8 {
        let above = self.parent.as_ref().map_or(RUNNING, |parent| parent.level());
        self.own.load(Ordering::SeqCst).max(above)
    }
}
