//! Who can reach a kept worker: its own user, over a socket that nobody else can use or replace.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use pyqa::exec::worker::{Mode, stop};

use crate::workers::{Bench, text};

/// The socket of the one worker of this bench.
fn socket(bench: &Bench) -> PathBuf {
    let entries = fs::read_dir(bench.folder.path().join("pyqa")).unwrap().flatten();
    let mut sockets =
        entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "sock"));
    sockets.next().unwrap()
}

#[test]
fn a_link_planted_at_the_socket_s_place_is_refused() {
    let mut bench = Bench::new(Mode::Kept);
    bench.warm(&bench.job(&["leave", "0"]));
    let place = socket(&bench);
    stop(&bench.variables());
    let elsewhere = bench.folder.path().join("elsewhere");
    let listener = UnixListener::bind(&elsewhere).unwrap();
    listener.set_nonblocking(true).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &place).unwrap();
    bench.again();
    // Served by a worker of this run alone.
    bench.same(&bench.job(&["show", "folder"]));
    assert!(fs::symlink_metadata(&place).unwrap().is_symlink());
    assert!(listener.accept().is_err(), "the link was followed");
}

/// As the user `nobody`, who has nothing to look for in another user's folder.
fn as_nobody(script: &str, arguments: &[&Path]) -> String {
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args(["/usr/bin/env", "python3", "-c", script])
        .args(arguments)
        .output()
        .unwrap();
    text(&output.stdout) + &text(&output.stderr)
}

const ATTACK: &str = "
import json, os, socket, struct, sys, tempfile
path = sys.argv[1]
def attempt(name, action):
    try:
        print(name, action())
    except OSError as error:
        print(name, error.strerror)
def greet():
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    client.connect(path)
    text = json.dumps({'do': 'status'}).encode()
    client.sendall(struct.pack('>I', len(text)) + text)
    return 'answered' if client.recv(4) else 'closed'
attempt('talk:', greet)
attempt('remove:', lambda: os.unlink(path))
own = tempfile.mkdtemp() + '/own'
open(own, 'w').close()
attempt('replace:', lambda: os.rename(own, path))
attempt('plant:', lambda: os.symlink('/tmp', path + '.2'))
";

#[test]
fn another_user_can_neither_use_nor_replace_the_socket() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: a second user can be tried by root only");
        return;
    }
    let mut bench = Bench::new(Mode::Kept);
    bench.warm(&bench.job(&["leave", "0"]));
    let socket = socket(&bench);
    let said = as_nobody(ATTACK, &[&socket]);
    assert_eq!(said.matches("Permission denied").count(), 4, "{said}");
    // Even if the folders were open, the worker itself looks who calls.
    for (path, mode) in
        [(bench.folder.path(), 0o755), (socket.parent().unwrap(), 0o755), (&*socket, 0o666)]
    {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let said = as_nobody(ATTACK, &[&socket]);
    let refused = ["closed", "Connection reset by peer", "Broken pipe"];
    assert!(refused.iter().any(|way| said.contains(&format!("talk: {way}"))), "{said}");
    assert_eq!(said.matches("Permission denied").count(), 3, "{said}");
    // A folder that others may look into is not used, wherever it came from.
    bench.again();
    bench.same(&bench.job(&["show", "folder"]));
    fs::set_permissions(socket.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(bench.status()[0].jobs, 1);
}

const IMPOSTOR: &str = "
import os, socket, sys, time
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(5)
print('ready', flush=True)
time.sleep(60)
";

#[test]
fn a_socket_on_which_another_user_listens_is_not_used() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: a second user can be tried by root only");
        return;
    }
    let mut bench = Bench::new(Mode::Kept);
    bench.warm(&bench.job(&["leave", "0"]));
    let place = socket(&bench);
    stop(&bench.variables());
    let theirs = tempfile::tempdir().unwrap();
    fs::set_permissions(theirs.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let made = theirs.path().join("s");
    let mut impostor = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args(["/usr/bin/env", "python3", "-c", IMPOSTOR])
        .arg(&made)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = [0; 5];
    std::io::Read::read_exact(impostor.stdout.as_mut().unwrap(), &mut ready).unwrap();
    // Where it lies and whose it is on disk is in order; who listens is not.
    std::os::unix::fs::chown(&made, Some(0), Some(0)).unwrap();
    fs::rename(&made, &place).unwrap();
    bench.again();
    let begun = std::time::Instant::now();
    bench.same(&bench.job(&["show", "folder"]));
    assert!(bench.status().is_empty() && begun.elapsed() < Duration::from_secs(30));
    impostor.kill().unwrap();
    impostor.wait().unwrap();
}
