//! The waves that follow the service: its revision, and, only where something is not as it should be, the history of its
//! deployments, the health of its targets and why its tasks stopped.

use std::collections::{BTreeMap, BTreeSet};

use super::{App, Apps, Cache, fill, keys};
use crate::app::{AppName, Owner};
use crate::aws::Aws;
use crate::batch::{self, Fetched};
use crate::desired::Presence;
use crate::error::Error;
use crate::plan::handover;
use crate::resource::service::history::{self, Failure, History, Record};
use crate::resource::task_definition::{self, Revision, choice, older};
use crate::resource::{service, subscription, target_group};

/// Revisions that are remembered although they are not asked for now. Every rollout adds one.
const CACHED: usize = 4_096;

/// Reads each service's own revision, the newest of the family where that is not what is wanted, and all of ours where the app goes.
pub(super) async fn read_revisions(aws: &Aws, apps: &mut Apps<'_>, cache: &mut Cache) {
    let own = |app: &App<'_>| app.service().map(|found| found.task_definition_arn.clone());
    let fetched = read_cached(aws, keys(apps, own), cache).await;
    fill(apps, |app| {
        if let Some(arn) = own(app) {
            app.observed.task_definitions.own = batch::get(&fetched, &arn)?;
        }
        Ok(())
    });
    let family = |app: &App<'_>| needs_newest(app).then(|| app.desired.task_definition.0.clone());
    let fetched = batch::each(keys(apps, family), |family| task_definition::observe(aws, family)).await;
    fill(apps, |app| {
        if let Some(family) = family(app) {
            app.observed.task_definitions.newest = batch::get(&fetched, &family)?;
        }
        Ok(())
    });
    read_all_of_ours(aws, apps).await;
}

fn needs_newest(app: &App<'_>) -> bool {
    let choice = choice::choose(app.desired, &app.observed);
    app.desired.is_present() && choice == choice::Choice::Register
}

/// Revisions of an app that is to go: those of the family, and those of earlier families by the index.
async fn read_all_of_ours(aws: &Aws, apps: &mut Apps<'_>) {
    let going = |app: &App<'_>| app.desired.is_going().then(|| app.desired.task_definition.0.clone());
    let listed: Fetched<BTreeSet<String>> = batch::each(keys(apps, going), |family| async move {
        task_definition::observe_family(aws, &family).await.map(Some)
    })
    .await;
    let arns = |app: &App<'_>| -> Result<BTreeSet<String>, Error> {
        let Some(family) = going(app) else { return Ok(BTreeSet::new()) };
        let mut arns = batch::get(&listed, &family)?.unwrap_or_default();
        arns.extend(app.indexed(":task-definition/"));
        Ok(arns)
    };
    let all = keys(apps, |app| arns(app).unwrap_or_default());
    let fetched = batch::each(all, |arn| task_definition::observe(aws, arn)).await;
    fill(apps, |app| {
        for arn in arns(app)? {
            let revision = batch::get(&fetched, &arn)?.filter(|one| one.active);
            let ours = revision.filter(|one| app.desired.marks.owner(&one.tags) == Owner::Ours);
            app.observed.task_definitions.ours.extend(ours);
        }
        Ok(())
    });
}

/// Reads our revisions beyond those that stay, once whenever a service has come to rest on another revision.
pub(super) async fn read_older(aws: &Aws, apps: &mut Apps<'_>, cache: &mut Cache) {
    let rests = |app: &App<'_>, cache: &Cache| {
        let found = app.service().filter(|found| older::is_at_rest(app.desired, &app.observed, found))?;
        let rest = (found.task_definition_arn.clone(), app.desired.keep_revisions);
        (cache.trimmed.get(&app.desired.marks.app) != Some(&rest)).then_some(rest)
    };
    let family = |app: &App<'_>, cache: &Cache| rests(app, cache).map(|_| app.desired.task_definition.0.clone());
    let listed: Fetched<BTreeSet<String>> = batch::each(keys(apps, |app| family(app, cache)), |family| async move {
        task_definition::observe_family(aws, &family).await.map(Some)
    })
    .await;
    let mut beyond = BTreeMap::new();
    for (name, app) in apps.iter() {
        let Ok(app) = app else { continue };
        let Some(family) = family(app, cache) else { continue };
        // What cannot be listed now is listed by a later pass: nothing is urgent about it.
        let arns =
            batch::get(&listed, &family).ok().flatten().map(|arns| older::beyond(arns, app.desired.keep_revisions));
        beyond.extend(arns.map(|arns| (name.clone(), arns)));
    }
    let fetched = read_cached(aws, beyond.values().flatten().cloned().collect(), cache).await;
    for (name, arns) in beyond {
        let Some(Ok(app)) = apps.get_mut(&name) else { continue };
        let revisions = arns.iter().filter_map(|arn| batch::get(&fetched, arn).ok().flatten());
        // They were listed as ACTIVE just now, whatever the cache says.
        let ours = revisions.filter(|one| app.desired.marks.owner(&one.tags) == Owner::Ours);
        app.observed.task_definitions.older = ours.map(|one| Revision { active: true, ..one }).collect();
        if let Some(rest) = rests(app, cache).filter(|_| app.observed.task_definitions.older.is_empty()) {
            cache.trimmed.insert(name, rest);
        }
    }
    if cache.trimmed.len() > CACHED {
        cache.trimmed.retain(|name, _| apps.contains_key(name));
    }
}

/// A revision never changes, so each is read once.
async fn read_cached(aws: &Aws, arns: BTreeSet<String>, cache: &mut Cache) -> Fetched<Revision> {
    let (known, unknown): (BTreeSet<_>, BTreeSet<_>) =
        arns.into_iter().partition(|arn| cache.revisions.contains_key(arn));
    let mut fetched = batch::each(unknown, |arn| task_definition::observe(aws, arn)).await;
    let news = fetched.iter().filter_map(|(arn, one)| Some((arn.clone(), one.clone().ok()??)));
    cache.revisions.extend(news);
    forget(&mut cache.revisions, |arn| known.contains(arn) || fetched.contains_key(arn));
    fetched.extend(known.into_iter().map(|arn| {
        let revision = cache.revisions.get(&arn).cloned();
        (arn, Ok(revision))
    }));
    fetched
}

/// Forgets what is not asked for now, once there is much of it.
fn forget<T>(remembered: &mut BTreeMap<String, T>, is_asked_for: impl Fn(&str) -> bool) {
    if remembered.len() > CACHED {
        remembered.retain(|arn, _| is_asked_for(arn));
    }
}

/// Reads what became of the deployments of those services that differ, and of those that no manifest describes.
pub(super) async fn read_history(aws: &Aws, apps: &mut Apps<'_>, cache: &mut Cache) {
    let mut records: BTreeMap<AppName, Result<Record, Error>> = BTreeMap::new();
    for (name, app) in apps.iter() {
        let Ok(app) = app else { continue };
        let undeclared = app.desired.presence == Presence::Undeclared;
        if let Some(found) = app.service().filter(|_| undeclared || service::differs(app.desired, &app.observed)) {
            records.insert(name.clone(), history::observe(aws, name, found).await);
        }
    }
    let attempts = records.values().flatten().flat_map(|record| &record.failed);
    let failed = attempts.map(|one| one.task_definition.clone()).collect();
    let revisions = read_cached(aws, failed, cache).await;
    fill(apps, |app| {
        let Some(record) = records.get(&app.desired.marks.app).cloned().transpose()? else { return Ok(()) };
        let mut failures = Vec::new();
        for attempt in record.failed {
            let revision = batch::get(&revisions, &attempt.task_definition)?;
            failures.push(Failure { attempt, revision });
        }
        app.observed.history = History { rolling_back: record.rolling_back, failures };
        Ok(())
    });
}

/// Reads the health of the targets where a subscription, a listener or the status waits for it, or of `all`.
pub(super) async fn read_targets(aws: &Aws, apps: &mut Apps<'_>, all: bool) {
    let group = |app: &App<'_>| -> Option<String> {
        if app.desired.presence == Presence::Undeclared {
            return app.service()?.spec.target_groups().next().cloned();
        }
        let (name, _) = app.desired.target_group()?;
        let found = app.observed.target_group(name)?;
        let mut wanted = app.desired.subscriptions.iter();
        let subscribed = wanted.all(|one| subscription::is_confirmed(app.desired, &app.observed, one));
        let moves = handover::is_under_way(app.desired, &app.observed);
        let waits = !subscribed && service::wants_tasks(app.desired, &app.observed);
        let waits = all || waits || moves || !app.service().is_none_or(service::Found::is_steady);
        waits.then(|| found.arn.clone())
    };
    let fetched = batch::each(keys(apps, group), |arn| target_group::observe_targets(aws, arn)).await;
    fill(apps, |app| {
        if let Some(arn) = group(app) {
            app.observed.targets = batch::get(&fetched, &arn)?.unwrap_or_default();
        }
        Ok(())
    });
}

/// Reads why tasks stopped, where some did. It explains only, so its failure is not one.
pub(super) async fn read_stopped(aws: &Aws, apps: &mut Apps<'_>) {
    for app in apps.values_mut().flatten() {
        let failing = app.service().is_some_and(|found| {
            found.deployments.iter().any(|one| one.failed_tasks > 0 || one.rollout_state == "FAILED")
        });
        // A rollout that ECS went back from is no deployment of the service any more, but its tasks are remembered for an hour.
        if failing || !app.observed.history.failures.is_empty() {
            let AppName { cluster, name } = &app.desired.marks.app;
            app.observed.stopped = service::observe::observe_stopped(aws, cluster, name).await.unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_of_rollouts_long_ago_are_forgotten() {
        let mut remembered = BTreeMap::new();
        for number in 0..20_000 {
            remembered.insert(format!("monolith:{number}"), ());
            forget(&mut remembered, |arn| arn == "monolith:7" || arn == format!("monolith:{number}"));
            assert!(remembered.len() <= CACHED);
        }
        assert!(remembered.contains_key("monolith:7") && remembered.contains_key("monolith:19999"));
    }
}
