//! Lets a test prove that it would notice a key with a part missing. Only in a build with the
//! feature `drop-key-parts`: the parts that `PYQA_DROP_KEY_PARTS` names, separated by commas, are
//! left out of keys and checks. docs/caching.md lists them.

/// Whether `part` is to be left out. A name with a space in it goes by its first word as well:
/// `plugin` stands for `plugin flake8-bugbear`.
#[cfg(feature = "drop-key-parts")]
pub fn dropped(part: &str) -> bool {
    let named = std::env::var("PYQA_DROP_KEY_PARTS").unwrap_or_default();
    let first = part.split(' ').next().unwrap_or(part);
    let kind = if part.starts_with('[') { "settings" } else { first };
    named.split(',').any(|name| !name.is_empty() && (name == part || name == kind))
}

#[cfg(not(feature = "drop-key-parts"))]
pub const fn dropped(_: &str) -> bool {
    false
}
