//! What follows a run when everything is shown: statistics of the cache, and its collection.

use super::cache::limits;
use crate::cache::collect::collect_daily;
use crate::cache::folder::CacheFolder;
use crate::event::Outcome;
use crate::project::variables::Variables;

/// Notes what the cache was good for and, when the run took its time anyway, collects old entries.
pub(super) fn after(outcome: &Outcome, variables: &Variables) {
    let cache = CacheFolder::locate(|name| variables.get(name).map(ToOwned::to_owned));
    cache.usage().note(&outcome.tools);
    if outcome.tools.iter().all(|tool| tool.units_run == 0) {
        return;
    }
    match limits(variables) {
        Ok(limits) => {
            let environments = cache.environments(|name| variables.path(name));
            collect_daily(&cache, &environments, limits);
        }
        Err(error) => log::warn!("{error}"),
    }
}
