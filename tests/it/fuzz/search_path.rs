//! Mutations of where the interpreter looks for modules, and of what it runs at its start.

use std::fs;

use super::world::World;
use super::{Mutation, TESTS};

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation::new("start-of-the-interpreter", start),
    Mutation::new("module-in-the-way", module_in_the_way),
    Mutation::new("path-file", path_file),
    Mutation::new("archive", archive),
    Mutation::new("data-copied-by-hand", data_copied_by_hand),
    Mutation::new("permissions", permissions),
];

/// Code that every process of the interpreter runs makes a name known to flake8, or another one.
fn start(world: &mut World) -> &'static str {
    world.write("pkg/named.py", "print(one, two, six)\n");
    let name = *world.random.pick(&["one", "two", "six"]);
    let code = format!("import os; os.environ['PYFLAKES_BUILTINS'] = '{name}'\n");
    let file = *world.random.pick(&["start.pth", "sitecustomize.py"]);
    world.site.forget_oracle_s_bytecode("sitecustomize.py");
    for other in ["start.pth", "sitecustomize.py"] {
        let _ = fs::remove_file(world.site.path(other));
    }
    world.write_maybe_keeping_time(world.site.path(file), &code);
    "flake8"
}

/// A module of the tool's in a folder of `PYTHONPATH`, where it is found before the installed one.
fn module_in_the_way(world: &mut World) -> &'static str {
    const FILE: &str = "../pythonpath/pycodestyle.py";
    if world.path(FILE).exists() && world.random.one_in(4) {
        world.remove(FILE);
        return "flake8";
    }
    let own = fs::read_to_string(world.site.path("pycodestyle.py")).unwrap();
    let size = *world.random.pick(&["wide", "vast", "huge"]);
    let text = own.replace("E501 line too long", &format!("E501 line too {size}"));
    world.write_maybe_keeping_time(FILE, &text);
    let folder = world.path("../pythonpath").to_str().unwrap().to_owned();
    world.variables.insert("PYTHONPATH", folder);
    "flake8"
}

/// A plugin to which a `.pth` file leads, or does not.
fn path_file(world: &mut World) -> &'static str {
    let file = world.site.path("leads.pth");
    if file.exists() {
        fs::remove_file(file).unwrap();
        return "flake8";
    }
    world.write(
        "../leads/flake8_eradicate-1.0.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: flake8-eradicate\nVersion: 1.0\n\n",
    );
    let entry = "[flake8.extension]\nL1 = leads:Checker\n";
    world.write("../leads/flake8_eradicate-1.0.dist-info/entry_points.txt", entry);
    let code = *world.random.pick(&["L101", "L102", "L103"]);
    let checker = format!(
        "class Checker:\n    name = 'leads'\n    version = '1'\n\n    \
         def __init__(self, tree):\n        pass\n\n    \
         def run(self):\n        yield 1, 0, '{code} seen', Checker\n"
    );
    world.write_maybe_keeping_time("../leads/leads.py", &checker);
    let folder = fs::canonicalize(world.path("../leads")).unwrap();
    fs::write(file, format!("{}\n", folder.display())).unwrap();
    "flake8"
}

/// A package without code of its own, with data that tests read.
fn data_copied_by_hand(world: &mut World) -> &'static str {
    let value = *world.random.pick(&["1\n", "2\n", "3\n", "4\n"]);
    world.write_maybe_keeping_time(world.site.path("copied/value.txt"), value);
    fs::write(world.site.path("copied/__init__.py"), "").unwrap();
    TESTS
}

/// An archive of modules, to which a `.pth` file leads.
fn archive(world: &mut World) -> &'static str {
    let value = 1 + world.random.below(3);
    let code = format!(
        "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as file:\n    \
         file.writestr('ziplib.py', 'VALUE = {value}\\n')\n"
    );
    let place = world.path("../archive.zip");
    let status = world.project.command("python3").args(["-c", &code]).arg(&place).status().unwrap();
    assert!(status.success());
    let place = fs::canonicalize(place).unwrap();
    fs::write(world.site.path("archive.pth"), format!("{}\n", place.display())).unwrap();
    TESTS
}

/// Who may read a file, which a test looks at.
fn permissions(world: &mut World) -> &'static str {
    use std::os::unix::fs::PermissionsExt;
    let mode = *world.random.pick(&[0o600, 0o604, 0o640, 0o644]);
    world.write("key.txt", "");
    fs::set_permissions(world.path("key.txt"), fs::Permissions::from_mode(mode)).unwrap();
    TESTS
}
