//! What a push sends, as git tells its pre-push hook (githooks(5)).

use super::changes::has_commit;
use super::worktree::{WorkTree, not_started};
use crate::error::UserError;

/// One line of the hook's standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Reference on this side, for people; `(delete)` where it is to go.
    pub local_name: String,
    /// Zeros for a deletion.
    local: String,
    /// Zeros where the other side has no such reference yet.
    remote: String,
}

/// From where on a pushed commit is new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// The other side has it all.
    Nothing,
    /// A commit that the other side has.
    Commit(String),
    /// All of its history is new, or it cannot be told.
    Root,
}

/// The updates of a push: `local name SP local id SP remote name SP remote id` on each line.
///
/// # Errors
/// A line of another form.
pub fn parse(text: &str) -> Result<Vec<Update>, UserError> {
    text.lines().map(|line| update(line).ok_or_else(|| unreadable(line))).collect()
}

fn update(line: &str) -> Option<Update> {
    // The local name may be any expression, with spaces in it.
    let mut fields = line.rsplitn(4, ' ');
    let remote = fields.next()?.to_owned();
    fields.next()?;
    let local = fields.next()?.to_owned();
    let local_name = fields.next()?.to_owned();
    let is_id = |id: &str| id.len() >= 40 && id.bytes().all(|b| b.is_ascii_hexdigit());
    (is_id(&local) && is_id(&remote)).then_some(Update { local_name, local, remote })
}

fn unreadable(line: &str) -> UserError {
    UserError::new(format!("git tells of the push in a form that is not known: {line}"))
        .hint("push with `--no-verify`, and report this as a bug of pyqa")
}

fn is_zero(id: &str) -> bool {
    id.bytes().all(|byte| byte == b'0')
}

/// The commit that is pushed; `None` for a deletion and for a tag of something else.
///
/// # Errors
/// Where git cannot be started.
pub fn commit_of(work_tree: &WorkTree, update: &Update) -> Result<Option<String>, UserError> {
    if is_zero(&update.local) {
        return Ok(None);
    }
    let name = format!("{}^{{commit}}", update.local);
    let output = work_tree
        .git(["rev-parse", "-q", "--verify", &name])
        .output()
        .map_err(|error| not_started("find a commit", &error))?;
    let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok((output.status.success() && !id.is_empty()).then_some(id))
}

/// From where on `commit` is new to `remote`: the reference's own commit there; for a new
/// reference, or one whose commit is not known here, what the other references there have.
///
/// # Errors
/// Where git fails.
pub fn base_of(
    work_tree: &WorkTree,
    remote: &str,
    update: &Update,
    commit: &str,
) -> Result<Base, UserError> {
    if !is_zero(&update.remote) && has_commit(work_tree, &update.remote)? {
        return Ok(Base::Commit(update.remote.clone()));
    }
    let task = "tell which commits are new";
    let known = format!("--remotes={remote}");
    let arguments = ["rev-list", "--topo-order", "--reverse", commit, "--not", &known];
    let new = work_tree.read(task, arguments)?;
    let new = String::from_utf8_lossy(&new).into_owned();
    let Some(first) = new.lines().next() else { return Ok(Base::Nothing) };
    let parent = format!("{first}^");
    // In a shallow clone the parent may be missing.
    Ok(if has_commit(work_tree, &parent)? { Base::Commit(parent) } else { Base::Root })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const NONE: &str = "0000000000000000000000000000000000000000";

    #[test]
    fn all_lines_count_and_names_may_hold_spaces() {
        let text = format!(
            "refs/heads/a {ONE} refs/heads/a {NONE}\n(delete) {NONE} refs/heads/b {ONE}\n\
             HEAD@{{1 day ago}} {ONE} refs/heads/c {NONE}\n"
        );
        let updates = parse(&text).unwrap();
        let names: Vec<&str> = updates.iter().map(|update| update.local_name.as_str()).collect();
        assert_eq!(names, ["refs/heads/a", "(delete)", "HEAD@{1 day ago}"]);
        assert!(is_zero(&updates[1].local));
    }

    #[test]
    fn nothing_to_push_is_no_line_and_another_form_is_an_error() {
        assert_eq!(parse("").unwrap(), []);
        assert!(parse("refs/heads/a").is_err());
    }
}
