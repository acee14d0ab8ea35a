//! Mutations of a file's content, and of when it says that it was changed.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::slots::SLOTS;
use super::world::{World, finished, pause};
use super::{ALL, LINT, Mutation};
use crate::support::files::{modified, set_modified};

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation::new("edit", edit),
    Mutation::new("edit-keeping-time", edit_keeping_time),
    Mutation::new("edit-replacing-the-file", replace),
    Mutation::new("edit-right-after-a-run", edit_after_run),
    Mutation::new("edit-during-a-run", edit_during_run),
    Mutation::new("swap", swap),
    Mutation::new("line-ends", line_ends),
    Mutation::new("comment", comment),
    Mutation::new("clock-set-back", clock),
    Mutation::new("touch", touch),
    Mutation::new("nothing", |_| ALL),
];

fn edit(world: &mut World) -> &'static str {
    let slot = world.slot();
    let text = world.content(slot);
    world.write(slot.path, text);
    slot.tools
}

fn edit_keeping_time(world: &mut World) -> &'static str {
    let slot = world.slot();
    let text = world.content(slot);
    let path = world.path(slot.path);
    let time = path.is_file().then(|| modified(&path));
    world.write(slot.path, text);
    if let Some(time) = time {
        set_modified(&path, time);
    }
    slot.tools
}

/// Written beside and renamed over, as editors do, with the time of the old file.
fn replace(world: &mut World) -> &'static str {
    let slot = world.slot();
    let text = world.content(slot);
    let path = world.path(slot.path);
    if !path.is_file() {
        world.write(slot.path, text);
        return slot.tools;
    }
    let beside = path.with_extension("new.tmp");
    fs::write(&beside, text).unwrap();
    set_modified(&beside, modified(&path));
    fs::rename(beside, path).unwrap();
    slot.tools
}

fn edit_after_run(world: &mut World) -> &'static str {
    let slot = world.slot();
    let text = world.content(slot);
    world.write(slot.path, text);
    let second = world.content(slot);
    let _ = world.cached(slot.tools);
    world.write(slot.path, second);
    slot.tools
}

fn edit_during_run(world: &mut World) -> &'static str {
    let slot = world.slot();
    let first = world.content(slot);
    world.write(slot.path, first);
    let second = world.content(slot);
    let run = world.start(slot.tools);
    pause(&mut world.random, 900);
    world.write(slot.path, second);
    if world.random.one_in(3) {
        pause(&mut world.random, 300);
        world.write(slot.path, first);
    }
    let _ = finished(run);
    slot.tools
}

fn swap(world: &mut World) -> &'static str {
    let pairs = [
        ("pkg/style.py", "pkg/danger.py"),
        ("pkg/base.py", "pkg/mid.py"),
        ("tests/data/value.txt", "linked.txt"),
        ("ignored/value.txt", "../outside/value.txt"),
    ];
    let (one, other) = *world.random.pick(&pairs);
    let (first, second) = (world.read(one), world.read(other));
    let paths = (world.path(one), world.path(other));
    let times =
        (paths.0.is_file() && paths.1.is_file()).then(|| (modified(&paths.0), modified(&paths.1)));
    world.write(one, &second);
    world.write(other, &first);
    if let Some(times) = times {
        set_modified(&paths.0, times.1);
        set_modified(&paths.1, times.0);
    }
    ALL
}

fn line_ends(world: &mut World) -> &'static str {
    let name = *world.random.pick(&["pkg/style.py", "pkg/danger.py", "pkg/base.py"]);
    let text = world.read(name);
    let other =
        if text.contains('\r') { text.replace('\r', "") } else { text.replace('\n', "\r\n") };
    world.write(name, &other);
    ALL
}

/// A comment at the end: of a settings file, or of a source.
fn comment(world: &mut World) -> &'static str {
    const NAMES: [&str; 9] = [
        "setup.cfg",
        "tox.ini",
        ".flake8",
        "mypy.ini",
        ".mypy.ini",
        "pytest.ini",
        ".bandit",
        "pyproject.toml",
        "pkg/style.py",
    ];
    let name = *world.random.pick(&NAMES);
    if world.path(name).is_file() {
        let text = format!("{}# a comment\n", world.read(name));
        world.write(name, &text);
    }
    ALL
}

fn clock(world: &mut World) -> &'static str {
    let slot = world.slot();
    let text = world.content(slot);
    world.write(slot.path, text);
    let times = [
        UNIX_EPOCH,
        UNIX_EPOCH + Duration::from_secs(1_000_000_000),
        SystemTime::now() + Duration::from_hours(24),
        SystemTime::now() - Duration::from_hours(1),
    ];
    let time = *world.random.pick(&times);
    set_modified(&world.path(slot.path), time);
    slot.tools
}

/// New times everywhere and the same content, as a fresh clone has.
fn touch(world: &mut World) -> &'static str {
    for slot in SLOTS.iter().filter(|slot| world.path(slot.path).is_file()) {
        set_modified(&world.path(slot.path), SystemTime::now());
    }
    LINT
}
