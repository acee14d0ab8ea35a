//! The comparison after a step, and what is told when it fails.

use super::world::{Seen, World};

/// With the cache as without.
pub(super) fn compare(world: &mut World, tools: &str) {
    let cached = world.cached(tools);
    let fresh = world.fresh(tools);
    agree(world, &format!("with {tools}"), &cached, &fresh);
}

/// What was `seen` has to be the truth. `what` says of which run.
pub(super) fn agree(world: &World, what: &str, seen: &Seen, truth: &Seen) {
    let World { seed, done, .. } = world;
    let steps = done.len();
    assert!(
        seen == truth,
        "the cache disagrees after {steps} steps of seed {seed}, {what}\n\
         replay: PYQA_FUZZ_SEEDS={seed} PYQA_FUZZ_STEPS={steps}\n\
         the last steps: {:?}\n\
         --- with the cache, exit code {}\n{}\n--- without, exit code {}\n{}",
        &done[steps.saturating_sub(12)..],
        seen.code,
        only_in(&seen.stdout, &truth.stdout),
        truth.code,
        only_in(&truth.stdout, &seen.stdout),
    );
}

/// The lines that one text has and the other has not; all of them where only the order differs.
fn only_in(one: &str, other: &str) -> String {
    let lines: Vec<&str> = one.lines().filter(|l| !other.lines().any(|o| o == *l)).collect();
    if lines.is_empty() { one.to_owned() } else { lines.join("\n") }
}
