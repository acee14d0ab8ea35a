//! What a result of tests depends on: who may do what with files.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::Project;
use crate::support::suite::{is_noticed, pytest, with_test};

fn allow(project: &Project, name: &str, mode: u32) {
    fs::set_permissions(project.path(name), Permissions::from_mode(mode)).unwrap();
}

/// As another user, where permissions do not bind the one who runs this.
fn attempt(statement: &str) -> String {
    [
        "user = os.geteuid()",
        "if not user: os.seteuid(65534)",
        &format!("try: {statement}"),
        "except OSError: pass",
        "if not user: os.seteuid(user)",
    ]
    .join("\n    ")
}

#[test]
fn permissions_that_somebody_has_chosen_count() {
    for file in ["key", "ignored/key", "../key"] {
        // What lies elsewhere is seen when it is opened.
        let open = if file == "key" { String::new() } else { format!("open('{file}').close(); ") };
        let body = format!("{open}assert os.stat('{file}').st_mode & 0o77 == 0");
        let project = with_test(&body);
        project.write(file, "");
        allow(&project, file, 0o600);
        is_noticed(&project, || allow(&project, file, 0o644));
        allow(&project, file, 0o600);
        assert_eq!(pytest(&project).0, 0, "{file}");
    }
}

#[test]
fn a_file_that_a_test_was_not_allowed_to_write_counts() {
    let write = attempt("open('ignored/v', 'w')");
    let project = with_test(&format!("{write}\n    assert open('ignored/v').read() == '1'"));
    let put = |text| {
        project.write("ignored/v", text);
        allow(&project, "ignored/v", 0o444);
    };
    put("1");
    is_noticed(&project, || {
        allow(&project, "ignored/v", 0o644);
        put("2");
    });
}

#[test]
fn a_file_that_a_test_was_not_allowed_to_replace_counts() {
    let rename = attempt("os.rename('new/v', 'ignored/v')");
    let project = with_test(&format!(
        "os.makedirs('new'); open('new/v', 'w').close()\n    {rename}\n    \
         os.remove('new/v'); os.rmdir('new')\n    assert open('ignored/v').read() == '1'"
    ));
    project.write("ignored/v", "1");
    allow(&project, "ignored", 0o555);
    is_noticed(&project, || {
        allow(&project, "ignored", 0o755);
        project.write("ignored/v", "2");
        allow(&project, "ignored", 0o555);
    });
    allow(&project, "ignored", 0o755);
}
