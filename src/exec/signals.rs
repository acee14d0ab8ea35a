//! Signals that ask a program to end: they cancel a [`CancelToken`], or arrive in a channel.

use std::io;

use crossbeam_channel::{Receiver, unbounded};

use super::cancel::CancelToken;

/// From now on SIGINT, SIGTERM and SIGHUP cancel `token`; a second one cancels it without grace.
///
/// # Errors
/// Where the system refuses a handler.
pub fn cancel_on_signals(token: &CancelToken) -> io::Result<()> {
    let token = token.clone();
    os::on_each(move || token.cancel())
}

/// From now on SIGINT, SIGTERM and SIGHUP arrive here.
///
/// # Errors
/// Where the system refuses a handler.
pub fn interrupts() -> io::Result<Receiver<()>> {
    let (sender, receiver) = unbounded();
    os::on_each(move || {
        // Nobody listens only when the program is about to end anyway.
        let _ = sender.send(());
    })?;
    Ok(receiver)
}

#[cfg(unix)]
mod os {
    use std::io;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    pub(super) fn on_each(mut act: impl FnMut() + Send + 'static) -> io::Result<()> {
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for _ in signals.forever() {
                act();
            }
        })?;
        Ok(())
    }
}

#[cfg(not(unix))]
mod os {
    use std::io;

    /// The system's own handling stays: the console ends pyqa and what it started. What would act
    /// is kept, since a channel that is closed says something else than one that is silent.
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    pub(super) fn on_each(act: impl FnMut() + Send + 'static) -> io::Result<()> {
        std::mem::forget(act);
        Ok(())
    }
}
