//! Turns the signals that ask a program to end into a cancelled [`CancelToken`].

use std::io;

use super::cancel::CancelToken;

/// From now on SIGINT, SIGTERM and SIGHUP cancel `token`; a second one cancels it without grace.
///
/// # Errors
/// Where the system refuses a handler.
#[cfg(unix)]
pub fn cancel_on_signals(token: &CancelToken) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let token = token.clone();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for _ in signals.forever() {
            token.cancel();
        }
    })?;
    Ok(())
}

/// Elsewhere the system's own handling stays: the console ends pyqa and what it started.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
pub fn cancel_on_signals(_: &CancelToken) -> io::Result<()> {
    Ok(())
}
