//! What follows runs when everything is shown: the cache is kept within its limits. Part of no
//! run, so that nobody waits for it.

use std::time::Duration;

use crate::cache::collect::{Limits, collect_daily};
use crate::cache::folder::CacheFolder;
use crate::error::UserError;
use crate::project::variables::Variables;

/// Collects old entries if that was not done today. Whatever goes wrong costs space only.
pub fn keep_cache_small(variables: &Variables) {
    let cache = CacheFolder::locate(|name| variables.get(name).map(ToOwned::to_owned));
    if let Err(error) = cache.prepare() {
        return log::info!("{}: {error}", cache.path().display());
    }
    match limits(variables) {
        Ok(limits) => {
            let environments = cache.environments(|name| variables.path(name));
            collect_daily(&cache, &environments, limits);
        }
        Err(error) => log::warn!("{error}"),
    }
}

/// The limits of the collection: `PYQA_CACHE_MAX_AGE` in days, `PYQA_CACHE_MAX_SIZE` such as
/// `500MiB`.
///
/// # Errors
/// A value that cannot be read.
pub fn limits(variables: &Variables) -> Result<Limits, UserError> {
    let mut limits = Limits::default();
    let text = |name: &str| variables.get(name).map(|value| value.to_string_lossy().into_owned());
    if let Some(text) = text("PYQA_CACHE_MAX_AGE") {
        let days: u32 = text.parse().map_err(|_| {
            UserError::new(format!("PYQA_CACHE_MAX_AGE is `{text}`"))
                .hint("give a number of days, such as 30")
        })?;
        limits.age = Duration::from_hours(24 * u64::from(days));
    }
    if let Some(text) = text("PYQA_CACHE_MAX_SIZE") {
        let size: bytesize::ByteSize = text.parse().map_err(|_| {
            UserError::new(format!("PYQA_CACHE_MAX_SIZE is `{text}`"))
                .hint("give a size, such as 500MiB or 2GiB")
        })?;
        limits.size = size.as_u64();
    }
    Ok(limits)
}
