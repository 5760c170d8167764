//! The waves of log groups: all of them in batches, then the tags of those that the index of tags cannot vouch for.
//!
//! The index lags, so it speaks only for a group about which there is nothing to do; before one is changed or deleted its own
//! tags are read.

use std::collections::BTreeSet;

use super::{App, Apps, fill, keys};
use crate::aws::Aws;
use crate::batch;
use crate::resource::log_group::{self, Untagged};
use crate::resource::task_definition::spec::LOG_GROUP;

pub(super) async fn read(aws: &Aws, apps: &mut Apps<'_>) {
    let groups = log_group::observe(aws, keys(apps, names)).await;
    let unsure = |app: &App<'_>| -> Vec<String> {
        let found = names(app).into_iter().filter_map(|name| batch::get(&groups, &name).ok().flatten());
        found.filter(|group| !is_vouched_for(app, group)).map(|group| group.arn).collect()
    };
    let tags = batch::each(keys(apps, unsure), |arn| log_group::observe_tags(aws, arn)).await;
    fill(apps, |app| {
        for name in names(app) {
            let Some(group) = batch::get(&groups, &name)? else { continue };
            let tags = if is_vouched_for(app, &group) {
                let ours = app.desired.marks.tags().into_iter();
                Some(ours.map(|(key, value)| (key.to_owned(), value)).collect())
            } else {
                batch::get(&tags, &group.arn)?
            };
            app.observed.log_groups.extend(tags.map(|tags| group.tagged(tags)));
        }
        Ok(())
    });
}

/// Wanted groups, indexed ones, and those that the present revision writes to.
fn names(app: &App<'_>) -> BTreeSet<String> {
    let indexed = app.indexed(":log-group:").filter_map(|arn| {
        let name = arn.split(":log-group:").nth(1)?.trim_end_matches(":*");
        Some(name.to_owned())
    });
    let own = app.observed.task_definitions.own.iter().flat_map(|revision| revision.spec.containers.values());
    let options = own.filter_map(|container| container.logs.as_ref());
    let written = options.filter_map(|logs| logs.options.get(LOG_GROUP).cloned());
    app.desired.log_groups.keys().cloned().chain(indexed).chain(written).collect()
}

/// Whether the index says that a group is ours and it is as it should be.
fn is_vouched_for(app: &App<'_>, group: &Untagged) -> bool {
    let is_indexed = app.index.iter().any(|arn| arn.trim_end_matches(":*") == group.arn);
    is_indexed && app.desired.is_present() && app.desired.log_groups.get(&group.name) == Some(&group.spec)
}
