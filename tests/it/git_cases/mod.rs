//! What git users have lost by hooks, each case as a test with real git and the real binary.

mod content;
mod forms;
mod hooks;
mod live;
mod partial;
mod places;
mod poverty;
mod pushes;
mod random;
mod repo;
mod runners;
mod state;

use std::thread;
use std::time::{Duration, Instant};

/// Waits until `is_so`, which is a matter of moments.
#[track_caller]
fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what}: waited in vain");
        thread::sleep(Duration::from_millis(10));
    }
}
