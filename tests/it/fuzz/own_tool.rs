//! Mutations of a tool that the project declares: a script that looks for words.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::Mutation;
use super::world::World;

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation::new("own-tool-edited", edited),
    Mutation::new("own-tool-s-input", input),
    Mutation::new("own-tool-s-output-read-otherwise", output),
];

const NAME: &str = "words";
const PROGRAM: &str = "../bin/words";
const WORDS: &str = "extra/words.txt";

/// What the project declares, but for the pattern that its output is read by.
const DECLARED: [&str; 3] = [
    "granularity = \"file\"",
    "command = { program = \"words\" }",
    "files = { extensions = [\"py\"] }",
];
const PATTERNS: [&str; 2] = [
    "output = { format = \"regex\", pattern = '^(?P<path>[^:]+):(?P<line>\\d+):(?P<message>.*)$' }",
    "output = { format = \"regex\", pattern = '^(?P<path>[^:]+):(?P<line>\\d+):(?P<message>\\w+)' }",
];

/// Makes what is not there yet.
fn declare(world: &mut World) {
    if !world.path(WORDS).exists() {
        world.write(WORDS, "import\n");
    }
    if world.variables.contains_key("PATH") {
        return;
    }
    write_program(world, "found");
    world.set_table("tool.pyqa.words", &["inputs = [\"extra/words.txt\"]"]);
    read_by(world, PATTERNS[0]);
    let folder = fs::canonicalize(world.path("../bin")).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    world.variables.insert("PATH", path);
}

fn write_program(world: &World, says: &str) {
    let script = format!(
        "#!/bin/sh\nfound=$(grep -nHf {WORDS} -- \"$@\" | sed 's/:\\([0-9]*\\):.*/:\\1:{says} it/')\n\
         [ -z \"$found\" ] && exit 0\nprintf '%s\\n' \"$found\"\nexit 1\n"
    );
    world.write(PROGRAM, &script);
    fs::set_permissions(world.path(PROGRAM), fs::Permissions::from_mode(0o755)).unwrap();
}

fn read_by(world: &mut World, pattern: &'static str) {
    let [granularity, command, files] = DECLARED;
    world.set_table("tool.pyqa.tools.words", &[granularity, command, files, pattern]);
}

fn edited(world: &mut World) -> &'static str {
    declare(world);
    let says = *world.random.pick(&["found", "noted", "spied"]);
    write_program(world, says);
    NAME
}

fn input(world: &mut World) -> &'static str {
    declare(world);
    let text = *world.random.pick(&["import\n", "return\n", "assert\n"]);
    world.write(WORDS, text);
    NAME
}

fn output(world: &mut World) -> &'static str {
    declare(world);
    let pattern = *world.random.pick(&PATTERNS);
    read_by(world, pattern);
    NAME
}
