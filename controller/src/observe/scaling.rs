//! The waves of auto scaling: scalable targets lead to policies and scheduled actions, the index of tags to alarms.
//!
//! The index lags, so it speaks only for a target or alarm about which there is nothing to do; before one is changed or deleted its
//! own tags are read.

use std::collections::BTreeMap;

use super::{App, Apps, Cache, fill, keys};
use crate::app::Tags;
use crate::aws::Aws;
use crate::batch;
use crate::error::{Class, Error};
use crate::observed::Scaling;
use crate::plan::scaling;
use crate::resource::scalable_target::{self, resource_id};
use crate::resource::{alarm, scaling_policy, scheduled_action};

/// This many apps are read one by one while it is not known how much all policies of the account are.
const FEW: usize = 10;
/// Calls that one app takes when it is read by itself.
const CALLS: usize = 2;

pub(super) async fn read(aws: &Aws, apps: &mut Apps<'_>, cache: &mut Cache) {
    read_targets(aws, apps).await;
    read_policies_and_actions(aws, apps, cache).await;
    read_alarms(aws, apps).await;
}

fn id(app: &App<'_>) -> String {
    resource_id(&app.desired.marks.app)
}

/// Also where no scaling is wanted: a target that somebody else registered has the count then.
async fn read_targets(aws: &Aws, apps: &mut Apps<'_>) {
    let targets = scalable_target::observe(aws, keys(apps, |app| [id(app)])).await;
    let unsure = |app: &App<'_>| {
        let found = batch::get(&targets, &id(app)).ok().flatten()?;
        found.arn.filter(|arn| !is_indexed(app, arn) || scaling::moves_target(app.desired, &found.spec))
    };
    let tags = batch::each(keys(apps, unsure), |arn| tags_or_unknown(scalable_target::observe_tags(aws, arn))).await;
    fill(apps, |app| {
        let Some(found) = batch::get(&targets, &id(app))? else { return Ok(()) };
        let tags = match unsure(app) {
            Some(arn) => batch::get(&tags, &arn)?,
            None => Some(None),
        };
        app.observed.scaling.target = tags.map(|tags| found.tagged(tags.unwrap_or_else(|| our_tags(app))));
        Ok(())
    });
}

fn is_indexed(app: &App<'_>, arn: &str) -> bool {
    app.index.contains(arn)
}

/// An endpoint that keeps no tags of such things cannot say whose one is; then it is its service's owner's.
async fn tags_or_unknown(
    read: impl Future<Output = Result<Option<Tags>, Error>>,
) -> Result<Option<Option<Tags>>, Error> {
    match read.await {
        Err(error) if error.class == Class::Unsupported => Ok(Some(None)),
        tags => Ok(tags?.map(Some)),
    }
}

fn our_tags(app: &App<'_>) -> Tags {
    app.desired.marks.tags().into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// What is on each target. A target has at most a few, but AWS tells of one target or of all; one sweep over all is a call for ten
/// policies, so it is cheaper for many apps, and as dear for one as for all.
async fn read_policies_and_actions(aws: &Aws, apps: &mut Apps<'_>, cache: &mut Cache) {
    let with_target = |app: &App<'_>| app.observed.scaling.target.is_some().then(|| id(app));
    let ids = keys(apps, with_target);
    if ids.is_empty() {
        return;
    }
    let one_by_one = ids.len() * CALLS;
    let fetched = if ids.len() <= FEW || cache.sweep.is_some_and(|calls| calls > one_by_one) {
        batch::each(
            ids,
            |id| async move { on_targets(aws, Some(id.clone())).await.map(|(mut all, _)| all.remove(&id)) },
        )
        .await
    } else {
        let all = on_targets(aws, None).await;
        cache.sweep = all.as_ref().ok().map(|(_, calls)| *calls);
        let all = all.map(|(all, _)| all);
        ids.into_iter()
            .map(|id| (id.clone(), all.as_ref().map(|all| all.get(&id).cloned()).map_err(Clone::clone)))
            .collect()
    };
    fill(apps, |app| {
        if let Some(id) = with_target(app) {
            let (policies, actions) = batch::get(&fetched, &id)?.unwrap_or_default();
            let scaling = std::mem::take(&mut app.observed.scaling);
            app.observed.scaling = Scaling { policies, actions, ..scaling };
        }
        Ok(())
    });
}

type OnTarget = (Vec<scaling_policy::Found>, Vec<scheduled_action::Found>);

/// Policies and scheduled actions by resource ID, of one target or of all, and how many calls that took.
async fn on_targets(aws: &Aws, id: Option<String>) -> Result<(BTreeMap<String, OnTarget>, usize), Error> {
    let (policies, first) = scaling_policy::observe(aws, id.clone()).await?;
    let (actions, second) = scheduled_action::observe(aws, id).await?;
    let mut all: BTreeMap<String, OnTarget> = BTreeMap::new();
    policies.into_iter().for_each(|(id, found)| all.entry(id).or_default().0 = found);
    actions.into_iter().for_each(|(id, found)| all.entry(id).or_default().1 = found);
    Ok((all, first + second))
}

/// Wanted alarms and indexed ones.
async fn read_alarms(aws: &Aws, apps: &mut Apps<'_>) {
    let names = |app: &App<'_>| {
        let wanted = app.desired.scaling.iter().flat_map(|one| one.alarms.keys().cloned());
        let indexed = app.indexed(":alarm:").filter_map(|arn| Some(arn.split_once(":alarm:")?.1.to_owned()));
        wanted.chain(indexed).collect::<std::collections::BTreeSet<_>>()
    };
    let alarms = alarm::observe(aws, keys(apps, names)).await;
    let unsure = |app: &App<'_>, found: &alarm::Untagged| {
        !is_indexed(app, &found.arn) || scaling::moves_alarm(app.desired, &app.observed, found)
    };
    let arns = keys(apps, |app| {
        let found = names(app).into_iter().filter_map(|name| batch::get(&alarms, &name).ok().flatten());
        found.filter(|found| unsure(app, found)).map(|found| found.arn).collect::<Vec<_>>()
    });
    let tags = batch::each(arns, |arn| tags_or_unknown(alarm::observe_tags(aws, arn))).await;
    fill(apps, |app| {
        for name in names(app) {
            let Some(found) = batch::get(&alarms, &name)? else { continue };
            let tags = if unsure(app, &found) { batch::get(&tags, &found.arn)? } else { Some(None) };
            let found = tags.map(|tags| found.tagged(tags.unwrap_or_else(|| our_tags(app))));
            app.observed.scaling.alarms.extend(found);
        }
        Ok(())
    });
}
