//! Mutations around the project: branches, a cache that is damaged or not this machine's, runs
//! that meet or die.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::site::copy;
use super::verdict::agree;
use super::world::{World, finished, pause, seen};
use super::{ALL, LINT, Mutation, TESTS, TYPES};
use crate::support::files::files_below;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation::new("rest", rest),
    Mutation::new("branch", branch),
    Mutation::new("cache-of-earlier", earlier_cache),
    Mutation::new("second-checkout", second_checkout),
    Mutation::new("cache-truncated", |world| damage(world, &truncate)),
    Mutation::new("cache-bit-flipped", |world| damage(world, &flip)),
    Mutation::new("cache-half-deleted", |world| damage(world, &delete)),
    Mutation::new("two-runs", two_runs),
    Mutation::new("two-runs-and-an-edit", two_runs_and_an_edit),
    Mutation::new("kill", kill),
    Mutation::new("verify-cache", verify_cache),
];

/// Nothing changes for so long that all states count as those of something finished, and a run
/// finds everything in these states.
fn rest(world: &mut World) -> &'static str {
    std::thread::sleep(Duration::from_millis(2_100));
    let _ = world.cached(ALL);
    ALL
}

/// Switches to the other branch and, in the end, back.
fn branch(world: &mut World) -> &'static str {
    world.project.git(&["add", "-A"]).git(&["commit", "-q", "--allow-empty", "-m", "work"]);
    world.project.git(&["checkout", "-q", "-f", "other"]);
    if world.random.one_in(3) {
        world.project.git(&["branch", "-q", "-f", "main", "other"]);
    } else {
        let _ = world.cached(ALL);
    }
    world.project.git(&["checkout", "-q", "-f", "main"]);
    // What pyproject.toml holds is what the branch says.
    world.write_pyproject();
    ALL
}

/// A cache as it was some time ago, or as another machine has it.
fn earlier_cache(world: &mut World) -> &'static str {
    if world.caches.is_empty() || (world.caches.len() < 4 && world.random.one_in(2)) {
        world.keep_cache();
    } else {
        let at = world.random.below(world.caches.len());
        let _ = fs::remove_dir_all(world.project.cache());
        copy(&world.caches[at], &world.project.cache());
    }
    ALL
}

/// Another checkout, with other content, that shares the cache.
fn second_checkout(world: &mut World) -> &'static str {
    let other = world.path("../second/root");
    let _ = fs::remove_dir_all(&other);
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    copy(&world.project.root(), &other);
    let texts = [
        ("pkg/style.py", "import sys\n\nprint(sxs.path)\n"),
        ("pkg/base.py", "def base(x: str) -> str:\n    return x\n"),
    ];
    for (name, text) in texts {
        let _ = fs::remove_file(other.join(name));
        fs::write(other.join(name), text).unwrap();
    }
    let status = world
        .command(&["check", "--only", "flake8,black,mypy"])
        .current_dir(&other)
        .output()
        .unwrap();
    assert!(status.status.code().is_some());
    "flake8,mypy"
}

fn damage(world: &mut World, how: &dyn Fn(&mut World, &std::path::Path)) -> &'static str {
    for file in files_below(&world.project.cache()) {
        if world.random.one_in(2) {
            how(world, &file);
        }
    }
    ALL
}

fn truncate(world: &mut World, file: &std::path::Path) {
    let length = fs::metadata(file).unwrap().len();
    let kept = world.random.next() % (length + 1);
    fs::File::options().write(true).open(file).unwrap().set_len(kept).unwrap();
}

fn flip(world: &mut World, file: &std::path::Path) {
    let mut bytes = fs::read(file).unwrap();
    if !bytes.is_empty() {
        let at = world.random.below(bytes.len());
        bytes[at] ^= 1 << world.random.below(8);
        fs::write(file, bytes).unwrap();
    }
}

fn delete(_: &mut World, file: &std::path::Path) {
    fs::remove_file(file).unwrap();
}

fn two_runs(world: &mut World) -> &'static str {
    let slot = world.slot();
    let text = world.content(slot);
    world.write(slot.path, text);
    let runs = [world.start(ALL), world.start(ALL)].map(finished);
    let truth = world.fresh(ALL);
    for run in runs {
        agree(world, "two runs at once", &run, &truth);
    }
    ALL
}

fn two_runs_and_an_edit(world: &mut World) -> &'static str {
    let slot = world.slot();
    let (first, tools) = (world.content(slot), slot.tools);
    world.write(slot.path, first);
    let one = world.start(tools);
    pause(&mut world.random, 500);
    let second = world.content(slot);
    world.write(slot.path, second);
    let other = world.start(tools);
    let _ = (finished(one), finished(other));
    tools
}

/// The process dies, and what it started with it or not.
fn kill(world: &mut World) -> &'static str {
    let slot = world.slot();
    let text = world.content(slot);
    world.write(slot.path, text);
    let tools = *world.random.pick(&[LINT, TYPES, ALL]);
    let mut run = world.start(tools);
    pause(&mut world.random, 1500);
    if world.random.one_in(2) {
        let _ = Command::new("pkill").args(["-9", "-P", &run.id().to_string()]).status();
    }
    run.kill().unwrap();
    run.wait().unwrap();
    tools
}

/// What is stored is confirmed by running it again.
fn verify_cache(world: &mut World) -> &'static str {
    let tools = *world.random.pick(&[LINT, TYPES, TESTS]);
    let mut run = world.command(&["check", "--no-limit", "--verify-cache", "--only", tools]);
    let (verified, truth) = (seen(&mut run), world.fresh(tools));
    agree(world, "with --verify-cache", &verified, &truth);
    tools
}
