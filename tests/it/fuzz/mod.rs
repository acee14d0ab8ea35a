//! Differential fuzz of the cache: a random mutation of a project or of what surrounds it, then
//! `pyqa check` has to print what `pyqa check --no-cache` prints, byte for byte. docs/caching.md
//! says how to run it for long and how to replay a failure.
//!
//! Variables: `PYQA_FUZZ_SEEDS=1,2,3`, `PYQA_FUZZ_STEPS=400` (a smaller number replays a prefix),
//! `PYQA_FUZZ_MUTATIONS=chmod,edit:README.md` (these, in turn, instead of random ones),
//! `PYQA_FUZZ_SECONDS=3000` (no new step after that), `PYQA_FUZZ_BINARY` (another pyqa), `PYQA_FUZZ_DROP`
//! (what it is told to leave out of keys).
//!
//! The seed modulo 3 says whether warm processes serve the cached runs: 0 keeps them between runs, 1
//! has none, 2 has them for one run.

mod edits;
mod files;
mod installed;
mod own_tool;
mod random;
mod search_path;
mod settings;
mod site;
mod slots;
mod surroundings;
mod verdict;
mod world;

use std::time::{Duration, Instant};

use verdict::compare;
use world::World;

const LINT: &str = "flake8,bandit,black";
const TYPES: &str = "mypy";
const TESTS: &str = "pytest";
const ALL: &str = "flake8,bandit,black,mypy,pytest";

/// One kind of change. It tells which tools may see it.
struct Mutation {
    name: &'static str,
    apply: fn(&mut World) -> &'static str,
}

impl Mutation {
    const fn new(name: &'static str, apply: fn(&mut World) -> &'static str) -> Self {
        Self { name, apply }
    }
}

fn mutations() -> Vec<&'static Mutation> {
    let groups = [
        edits::MUTATIONS,
        files::MUTATIONS,
        settings::MUTATIONS,
        installed::MUTATIONS,
        search_path::MUTATIONS,
        own_tool::MUTATIONS,
        surroundings::MUTATIONS,
    ];
    groups.into_iter().flatten().collect()
}

/// How long and with what one seed is run.
struct Plan {
    steps: usize,
    /// In turn; empty: at random.
    mutations: Vec<(&'static Mutation, String)>,
    until: Option<Instant>,
}

/// Runs one seed.
fn run(seed: u64, plan: &Plan) {
    let mut world = World::new(seed);
    let all = mutations();
    compare(&mut world, ALL);
    for step in 0..plan.steps {
        if plan.until.is_some_and(|end| Instant::now() > end) {
            break;
        }
        let mutation = match plan.mutations.get(step % plan.mutations.len().max(1)) {
            Some((mutation, path)) => {
                world.wanted.clone_from(path);
                mutation
            }
            // Edits are a third of all.
            None if world.random.one_in(3) => {
                *world.random.pick(&edits::MUTATIONS.iter().collect::<Vec<_>>())
            }
            None => *world.random.pick(&all),
        };
        world.done.push(mutation.name);
        let tools = (mutation.apply)(&mut world);
        // One tool a step is enough; now and then all of them together.
        let tools: Vec<&str> = tools.split(',').collect();
        let one = *world.random.pick(&tools);
        let tools = if world.random.one_in(15) { ALL } else { one };
        compare(&mut world, tools);
        if world.done.len().is_multiple_of(50) {
            tell(seed, world.done.len());
        }
    }
    tell(seed, world.done.len());
}

#[allow(clippy::print_stderr, reason = "the seed is what a failure is found again by")]
fn tell(seed: u64, steps: usize) {
    eprintln!("seed {seed}: {steps} steps without a disagreement");
}

fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Few steps by default; many by hand.
#[test]
fn what_is_printed_is_the_truth() {
    let seeds = std::env::var("PYQA_FUZZ_SEEDS").unwrap_or_else(|_| "1".to_owned());
    let names = std::env::var("PYQA_FUZZ_MUTATIONS").unwrap_or_default();
    let mutations: Vec<_> = names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| {
            // `edit:README.md`
            let (name, path) = name.split_once(':').unwrap_or((name, ""));
            let found = mutations().into_iter().find(|mutation| mutation.name == name);
            (found.unwrap_or_else(|| panic!("there is no mutation {name}")), path.to_owned())
        })
        .collect();
    let until = number("PYQA_FUZZ_SECONDS").map(|s| Instant::now() + Duration::from_secs(s as u64));
    let plan = Plan { steps: number("PYQA_FUZZ_STEPS").unwrap_or(25), mutations, until };
    for seed in seeds.split(',') {
        run(seed.trim().parse().unwrap(), &plan);
    }
}
