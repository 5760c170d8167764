//! The waves of Elastic Load Balancing: target groups lead to load balancers, those to listeners, all of them to tags.

use std::collections::BTreeSet;

use super::{App, Apps, fill, keys};
use crate::app::{Owner, Tags};
use crate::aws::Aws;
use crate::batch::{self, Fetched};
use crate::error::Error;
use crate::resource::{listener, load_balancer, tags, target_group};

pub(super) async fn read(aws: &Aws, apps: &mut Apps<'_>) {
    read_groups(aws, apps).await;
    read_balancers(aws, apps).await;
    let arns = keys(apps, |app| group_arns(app).chain(balancer_arns(app)).collect::<Vec<_>>());
    let tags = tags::observe_elb(aws, arns).await;
    keep_ours(apps, &tags);
    finish_groups(aws, apps, &tags).await;
    finish_balancers(aws, apps, &tags).await;
    read_listeners(aws, apps).await;
}

fn group_arns(app: &App<'_>) -> impl Iterator<Item = String> {
    app.groups.iter().filter_map(|one| one.target_group_arn.clone())
}

fn balancer_arns(app: &App<'_>) -> impl Iterator<Item = String> {
    app.balancers.iter().filter_map(|one| one.load_balancer_arn.clone())
}

fn group_name(app: &App<'_>) -> Option<String> {
    app.desired.front.as_ref().map(|front| front.target_group.0.clone())
}

fn balancer_name(app: &App<'_>) -> Option<String> {
    app.desired.front.as_ref().map(|front| front.load_balancer.0.clone())
}

/// Indexed target groups, and those that our service says it uses.
fn linked_groups(app: &App<'_>) -> BTreeSet<String> {
    let of_service =
        app.service().into_iter().flat_map(|found| found.spec.target_groups().cloned().collect::<Vec<_>>());
    app.indexed(":targetgroup/").chain(of_service).collect()
}

async fn read_groups(aws: &Aws, apps: &mut Apps<'_>) {
    let by_name = target_group::observe_names(aws, keys(apps, group_name)).await;
    let by_arn = target_group::observe_arns(aws, keys(apps, linked_groups)).await;
    fill(apps, |app| {
        if let Some(name) = group_name(app) {
            app.groups.extend(batch::get(&by_name, &name)?);
        }
        for arn in linked_groups(app) {
            app.groups.extend(batch::get(&by_arn, &arn)?);
        }
        let mut seen = BTreeSet::new();
        app.groups.retain(|one| seen.insert(one.target_group_arn.clone()));
        Ok(())
    });
}

/// Indexed load balancers, and those that our target groups belong to.
fn linked_balancers(app: &App<'_>) -> BTreeSet<String> {
    let of_groups = app.groups.iter().flat_map(|one| one.load_balancer_arns().to_vec());
    app.indexed(":loadbalancer/app/").chain(of_groups).collect()
}

async fn read_balancers(aws: &Aws, apps: &mut Apps<'_>) {
    let by_name = load_balancer::observe_names(aws, keys(apps, balancer_name)).await;
    let by_arn = load_balancer::observe_arns(aws, keys(apps, linked_balancers)).await;
    fill(apps, |app| {
        if let Some(name) = balancer_name(app) {
            app.balancers.extend(batch::get(&by_name, &name)?);
        }
        for arn in linked_balancers(app) {
            app.balancers.extend(batch::get(&by_arn, &arn)?);
        }
        for group in &mut app.groups {
            // A target group may name a load balancer for a while after that is gone.
            let exists = |arn: &String| by_arn.get(arn).is_none_or(|found| !matches!(found, Ok(None)));
            group.load_balancer_arns.iter_mut().for_each(|arns| arns.retain(exists));
        }
        let mut seen = BTreeSet::new();
        app.balancers.retain(|one| seen.insert(one.load_balancer_arn.clone()));
        Ok(())
    });
}

/// Drops what is neither ours nor has a wanted name, and what went between two reads.
fn keep_ours(apps: &mut Apps<'_>, tags: &Fetched<Tags>) {
    fill(apps, |app| {
        let marks = &app.desired.marks;
        let mut unknown = None;
        let mut keeps = |arn: Option<&str>, is_wanted: bool| match batch::get(tags, arn.unwrap_or_default()) {
            Ok(tags) => tags.is_some_and(|tags| is_wanted || marks.owner(&tags) == Owner::Ours),
            Err(error) => {
                unknown = Some(error);
                false
            }
        };
        let (group, balancer) = (group_name(app), balancer_name(app));
        app.groups.retain(|one| keeps(one.target_group_arn(), one.target_group_name == group));
        app.balancers.retain(|one| keeps(one.load_balancer_arn(), one.load_balancer_name == balancer));
        unknown.map_or(Ok(()), Err)
    });
}

fn tags_of(tags: &Fetched<Tags>, arn: Option<&String>) -> Result<Tags, Error> {
    Ok(arn.map(|arn| batch::get(tags, arn)).transpose()?.flatten().unwrap_or_default())
}

async fn finish_groups(aws: &Aws, apps: &mut Apps<'_>, tags: &Fetched<Tags>) {
    let arns = keys(apps, |app| group_arns(app).collect::<Vec<_>>());
    let attributes = batch::each(arns, |arn| target_group::observe_attributes(aws, arn)).await;
    fill(apps, |app| {
        for one in &app.groups {
            let arn = one.target_group_arn.clone().unwrap_or_default();
            let Some(attributes) = batch::get(&attributes, &arn)? else { continue };
            let tags = tags_of(tags, one.target_group_arn.as_ref())?;
            app.observed.target_groups.push(target_group::found(one, tags, attributes));
        }
        Ok(())
    });
}

async fn finish_balancers(aws: &Aws, apps: &mut Apps<'_>, tags: &Fetched<Tags>) {
    let arns = keys(apps, |app| balancer_arns(app).collect::<Vec<_>>());
    let attributes = batch::each(arns, |arn| load_balancer::observe_attributes(aws, arn)).await;
    fill(apps, |app| {
        for one in &app.balancers {
            let arn = one.load_balancer_arn.clone().unwrap_or_default();
            let Some(attributes) = batch::get(&attributes, &arn)? else { continue };
            let tags = tags_of(tags, one.load_balancer_arn.as_ref())?;
            app.observed.load_balancers.push(load_balancer::found(one, tags, attributes));
        }
        Ok(())
    });
}

/// Listeners of our load balancers; those of others are none of our business.
async fn read_listeners(aws: &Aws, apps: &mut Apps<'_>) {
    let ours = |app: &App<'_>| -> Vec<String> {
        let found = app.observed.load_balancers.iter();
        let ours = found.filter(|one| app.desired.marks.owner(&one.tags) == Owner::Ours);
        ours.map(|one| one.arn.clone()).collect()
    };
    let fetched = batch::each(keys(apps, ours), |arn| listener::observe(aws, arn)).await;
    fill(apps, |app| {
        for arn in ours(app) {
            app.listeners.extend(batch::get(&fetched, &arn)?.unwrap_or_default());
        }
        Ok(())
    });
    let arns = keys(apps, |app| app.listeners.iter().filter_map(|one| one.listener_arn.clone()).collect::<Vec<_>>());
    let tags = tags::observe_elb(aws, arns).await;
    fill(apps, |app| {
        for one in &app.listeners {
            let arn = one.listener_arn.clone().unwrap_or_default();
            if let Some(tags) = batch::get(&tags, &arn)? {
                app.observed.listeners.push(listener::found(one, tags));
            }
        }
        Ok(())
    });
}
