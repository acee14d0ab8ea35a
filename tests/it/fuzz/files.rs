//! Mutations of which files there are, and of what they are.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::slots::{INIT_1, INIT_2};
use super::verdict::compare;
use super::world::World;
use super::{ALL, LINT, Mutation, TESTS, TYPES};

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation::new("rename", rename),
    Mutation::new("submodule", submodule),
    Mutation::new("case-rename", case_rename),
    Mutation::new("file-to-folder", file_to_folder),
    Mutation::new("file-to-link", file_to_link),
    Mutation::new("folder-to-link", folder_to_link),
    Mutation::new("link-elsewhere", link_elsewhere),
    Mutation::new("link-to-the-same", link_to_the_same),
    Mutation::new("new-file", new_file),
    Mutation::new("new-init", new_init),
    Mutation::new("shadow", shadow),
    Mutation::new("stub-beside", stub_beside),
    Mutation::new("delete-module", delete_module),
    Mutation::new("conftest", conftest),
    Mutation::new("ignored-name", ignored_name),
    Mutation::new("ignored-tests", ignored_tests),
    Mutation::new("chmod", chmod),
    Mutation::new("ignore-rule", ignore_rule),
];

fn rename(world: &mut World) -> &'static str {
    let pairs = [("pkg/style.py", "pkg/styled.py"), ("pkg/mid.py", "pkg/middle.py")];
    let (one, other) = *world.random.pick(&pairs);
    let (one, other) = (world.path(one), world.path(other));
    let _ = if one.exists() { fs::rename(one, other) } else { fs::rename(other, one) };
    ALL
}

/// A module goes, and comes again with a content that it never had, that another one imports from its
/// package.
fn submodule(world: &mut World) -> &'static str {
    const NAME: &str = "pkg/mid.py";
    let text = world.read(NAME);
    if text.is_empty() {
        let count = world.done.len();
        world.write(NAME, &format!("Y: int = {count}\n\n\ndef mid():\n    return Y\n"));
    } else {
        world.remove(NAME);
    }
    TYPES
}

fn case_rename(world: &mut World) -> &'static str {
    let (one, other) = (world.path("pkg/danger.py"), world.path("pkg/Danger.py"));
    let _ = if one.exists() { fs::rename(one, other) } else { fs::rename(other, one) };
    ALL
}

/// `leaf.py` becomes a package with the same content, or a file again.
fn file_to_folder(world: &mut World) -> &'static str {
    if world.path("pkg/leaf.py").exists() {
        let text = world.read("pkg/leaf.py");
        world.remove("pkg/leaf.py");
        world.write("pkg/leaf/__init__.py", &text);
    } else {
        let text = world.read("pkg/leaf/__init__.py");
        world.remove("pkg/leaf");
        world.write("pkg/leaf.py", if text.is_empty() { "VALUE = 1\n" } else { &text });
    }
    TESTS
}

fn file_to_link(world: &mut World) -> &'static str {
    let path = world.path("pkg/base.py");
    if path.is_symlink() {
        fs::remove_file(&path).unwrap();
        world.write("pkg/base.py", "def base(x: int) -> int:\n    return x\n");
    } else {
        let target = if world.random.one_in(2) { "leaf.py" } else { "../../outside/base.py" };
        world.write("../outside/base.py", "def base(x: str) -> str:\n    return x\n");
        world.remove("pkg/base.py");
        symlink(target, &path).unwrap();
    }
    TYPES
}

fn link_elsewhere(world: &mut World) -> &'static str {
    let target = *world.random.pick(&["linked.txt", "ignored/value.txt", "nowhere.txt"]);
    link_to(world, target);
    TESTS
}

/// Another path with the same content behind it, for the time of one comparison.
fn link_to_the_same(world: &mut World) -> &'static str {
    link_to(world, "linked.txt");
    world.write("tests/data/value.txt", &world.read("linked.txt"));
    compare(world, TESTS);
    link_to(world, "tests/data/value.txt");
    compare(world, TESTS);
    link_to(world, "linked.txt");
    TESTS
}

fn link_to(world: &World, target: &str) {
    world.remove("link.txt");
    symlink(target, world.path("link.txt")).unwrap();
}

/// Test data lies in the project, or behind a link that leads out of it.
fn folder_to_link(world: &mut World) -> &'static str {
    let text = world.read("tests/data/value.txt");
    let was_link = world.path("tests/data").is_symlink();
    world.remove("tests/data");
    if was_link {
        world.write("tests/data/value.txt", &text);
    } else {
        world.write("../outside/data/value.txt", &text);
        symlink("../../outside/data", world.path("tests/data")).unwrap();
    }
    TESTS
}

fn toggle(world: &mut World, name: &str, text: &str) {
    if world.path(name).exists() { world.remove(name) } else { world.write(name, text) }
}

fn new_file(world: &mut World) -> &'static str {
    let name = *world.random.pick(&["pkg/new.py", "extra/deep/new.py"]);
    toggle(world, name, "import os\nassert  os\n");
    LINT
}

/// A package's `__init__.py` goes and comes, for mypy the same or with another content. Without
/// it, mypy finds the modules under two names and looks at nothing, so that it may not stay away.
fn new_init(world: &mut World) -> &'static str {
    const NAME: &str = "nspkg/__init__.py";
    world.remove(NAME);
    compare(world, TYPES);
    let text = *world.random.pick(&[INIT_1, INIT_2]);
    world.write(NAME, text);
    TYPES
}

/// A module of the project's own in the place of an installed one.
fn shadow(world: &mut World) -> &'static str {
    toggle(world, "somelib.py", "VALUE = 2\n\n\ndef give() -> str:\n    return ''\n");
    "mypy,pytest"
}

fn stub_beside(world: &mut World) -> &'static str {
    toggle(world, "pkg/base.pyi", "def base(x: bytes) -> bytes: ...\n");
    TYPES
}

fn delete_module(world: &mut World) -> &'static str {
    toggle(world, "pkg/base.py", "def base(x: int) -> int:\n    return x\n");
    "mypy,flake8"
}

fn conftest(world: &mut World) -> &'static str {
    let name = *world.random.pick(&["conftest.py", "tests/conftest.py"]);
    toggle(world, name, "import os\n\nos.environ['FUZZ_VALUE'] = '2'\n");
    TESTS
}

/// An ignored file in a folder that a test lists.
fn ignored_name(world: &mut World) -> &'static str {
    toggle(world, "tests/data/two.tmp", "");
    TESTS
}

/// Tests in a folder that git ignores, which pytest collects all the same.
fn ignored_tests(world: &mut World) -> &'static str {
    toggle(world, "tests/more.tmp/test_more.py", "def test_more():\n    assert False\n");
    if !world.path("tests/more.tmp/test_more.py").exists() {
        world.remove("tests/more.tmp");
    }
    TESTS
}

fn chmod(world: &mut World) -> &'static str {
    let name = *world.random.pick(&["script.sh", "pkg/style.py"]);
    let path = world.path(name);
    if let Ok(meta) = fs::metadata(&path) {
        let mode = meta.permissions().mode() ^ 0o111;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    TESTS
}

fn ignore_rule(world: &mut World) -> &'static str {
    let rules = ["ignored/\n*.tmp\n", "ignored/\n*.tmp\nstyle.py\n", "*.tmp\n"];
    let text = *world.random.pick(&rules);
    world.write(".gitignore", text);
    ALL
}
