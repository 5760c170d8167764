//! Why tasks were replaced. ECS says in the service's events that it has started tasks; only then, and only where no rollout that goes
//! well explains it, the tasks that have ended since are read.

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;

use super::{Apps, Cache};
use crate::app::AppName;
use crate::aws::Aws;
use crate::batch;
use crate::resource::service::{Ended, Found, ended};

/// Apps of which that is remembered although they may have gone.
const CACHED: usize = 4_096;

/// When ECS was last seen to have started tasks of each app.
pub(super) type Starts = BTreeMap<AppName, Option<DateTime>>;

/// Reads the tasks that have ended since ECS last started some. It explains only, so its failure is not one.
pub(super) async fn read(aws: &Aws, apps: &mut Apps<'_>, cache: &mut Cache) {
    let mut since = BTreeMap::new();
    for app in apps.values().flatten() {
        let Some(found) = app.service() else { continue };
        let before = cache.starts.insert(app.desired.marks.app.clone(), found.last_start);
        let before = before.filter(|before| *before < found.last_start && asks_for_a_reason(found));
        since.extend(before.map(|before| (app.desired.marks.app.clone(), before)));
    }
    if cache.starts.len() > CACHED {
        cache.starts.retain(|name, _| apps.contains_key(name));
    }
    let names = since.keys().map(ToString::to_string).collect();
    let fetched = batch::each(names, |name| async move {
        let Some((cluster, service)) = name.split_once('/') else { return Ok(None) };
        ended::observe(aws, cluster, service).await.map(Some)
    });
    let fetched = fetched.await;
    for (name, before) in since {
        let Some(Ok(app)) = apps.get_mut(&name) else { continue };
        let all = batch::get(&fetched, &name.to_string()).ok().flatten().unwrap_or_default();
        // What an earlier deployment could not start was told while it ran.
        let begun = app.service().and_then(Found::primary).and_then(|one| one.created_at);
        let is_news = |one: &Ended| one.at > before && (!one.is_start || one.at >= begun);
        app.observed.ended = all.into_iter().filter(is_news).collect();
    }
}

/// Whether tasks were started for another reason than a rollout in which none has failed.
fn asks_for_a_reason(found: &Found) -> bool {
    found.primary().is_none_or(|one| one.rollout_state != "IN_PROGRESS" || one.failed_tasks > 0)
}
