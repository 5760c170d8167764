//! The waves of Elastic Load Balancing: target groups lead to load balancers, those to listeners, all of them to tags.

use std::collections::BTreeSet;

use super::{App, Apps, Cache, fill, keys};
use crate::app::{Owner, Tags};
use crate::aws::Aws;
use crate::batch::{self, Fetched};
use crate::error::Error;
use crate::observe::rotation::Rotation;
use crate::resource::{listener, load_balancer, tags, target_group};

pub(super) async fn read(aws: &Aws, apps: &mut Apps<'_>, cache: &mut Cache) {
    read_groups(aws, apps).await;
    read_balancers(aws, apps).await;
    let arns = keys(apps, |app| group_arns(app).chain(balancer_arns(app)).collect::<Vec<_>>());
    let tags = tags::observe_elb(aws, arns).await;
    keep_ours(apps, &tags);
    finish_groups(aws, apps, &tags, cache).await;
    finish_balancers(aws, apps, &tags, cache).await;
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
    let by_arn = target_group::observe_arns(aws, keys(apps, linked_groups)).await;
    fill(apps, |app| {
        for arn in linked_groups(app) {
            app.groups.extend(batch::get(&by_arn, &arn)?);
        }
        Ok(())
    });
    // A name is taken once, so what was found by its ARN need not be looked for by name.
    let missing = |app: &App<'_>| {
        let found = |name: &String| app.groups.iter().any(|one| one.target_group_name.as_ref() == Some(name));
        group_name(app).filter(|name| !found(name))
    };
    let by_name = target_group::observe_names(aws, keys(apps, missing)).await;
    fill(apps, |app| {
        if let Some(name) = missing(app) {
            app.groups.extend(batch::get(&by_name, &name)?);
        }
        Ok(())
    });
}

/// Indexed load balancers, and those that our target groups belong to.
fn linked_balancers(app: &App<'_>) -> BTreeSet<String> {
    let of_groups = app.groups.iter().flat_map(|one| one.load_balancer_arns().to_vec());
    app.indexed(":loadbalancer/app/").chain(of_groups).collect()
}

async fn read_balancers(aws: &Aws, apps: &mut Apps<'_>) {
    let by_arn = load_balancer::observe_arns(aws, keys(apps, linked_balancers)).await;
    fill(apps, |app| {
        for arn in linked_balancers(app) {
            app.balancers.extend(batch::get(&by_arn, &arn)?);
        }
        for group in &mut app.groups {
            // A target group may name a load balancer for a while after that is gone.
            let exists = |arn: &String| by_arn.get(arn).is_none_or(|found| !matches!(found, Ok(None)));
            group.load_balancer_arns.iter_mut().for_each(|arns| arns.retain(exists));
        }
        Ok(())
    });
    let missing = |app: &App<'_>| {
        let found = |name: &String| app.balancers.iter().any(|one| one.load_balancer_name.as_ref() == Some(name));
        balancer_name(app).filter(|name| !found(name))
    };
    let by_name = load_balancer::observe_names(aws, keys(apps, missing)).await;
    fill(apps, |app| {
        if let Some(name) = missing(app) {
            app.balancers.extend(batch::get(&by_name, &name)?);
        }
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

async fn finish_groups(aws: &Aws, apps: &mut Apps<'_>, tags: &Fetched<Tags>, cache: &mut Cache) {
    let arns = keys(apps, |app| group_arns(app).collect::<Vec<_>>());
    let last = &cache.target_groups;
    let settled = keys(apps, |app| {
        let wanted = app.desired.target_group();
        let wanted = wanted.and_then(|(name, spec)| Some((find_group(app, name)?, &spec.attributes)));
        wanted.filter(|(arn, attributes)| last.last(arn) == Some(attributes)).map(|(arn, _)| arn.clone())
    });
    let attributes = cache.target_groups.read(arns, &settled, |arn| target_group::observe_attributes(aws, arn)).await;
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

fn find_group<'a>(app: &'a App<'_>, name: &str) -> Option<&'a String> {
    app.groups.iter().find(|one| one.target_group_name() == Some(name))?.target_group_arn.as_ref()
}

async fn finish_balancers(aws: &Aws, apps: &mut Apps<'_>, tags: &Fetched<Tags>, cache: &mut Cache) {
    let arns = keys(apps, |app| balancer_arns(app).collect::<Vec<_>>());
    let last = &cache.load_balancers;
    let settled = keys(apps, |app| settled_balancer(app, last));
    let attributes = cache.load_balancers.read(arns, &settled, |arn| load_balancer::observe_attributes(aws, arn)).await;
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

/// The wanted load balancer, if it stays and its attributes were as they should be.
fn settled_balancer(app: &App<'_>, last: &Rotation<load_balancer::Attributes>) -> Option<String> {
    let (name, spec) = app.desired.load_balancer()?;
    let raw = app.balancers.iter().find(|one| one.load_balancer_name() == Some(name))?;
    let arn = raw.load_balancer_arn.clone()?;
    let attributes = last.last(&arn).filter(|one| one.idle_timeout_seconds == spec.idle_timeout_seconds)?;
    let found = load_balancer::found(raw, Tags::new(), *attributes);
    (found.spec.scheme == spec.scheme).then_some(arn)
}

/// Listeners of our load balancers; those of others are none of our business. Where the index of tags leads to the wanted one
/// that is enough; what else there may be is read only where something is missing, or goes.
async fn read_listeners(aws: &Aws, apps: &mut Apps<'_>) {
    let indexed = |app: &App<'_>| app.indexed(":listener/app/").collect::<Vec<_>>();
    let by_arn = listener::observe_arns(aws, keys(apps, indexed)).await;
    fill(apps, |app| {
        for arn in indexed(app) {
            app.listeners.extend(batch::get(&by_arn, &arn)?);
        }
        Ok(())
    });
    let incomplete = |app: &App<'_>| balancers_of_ours(app, |one| !has_wanted_listener(app, one));
    let by_balancer = batch::each(keys(apps, incomplete), |arn| listener::observe(aws, arn)).await;
    fill(apps, |app| {
        let complete = balancers_of_ours(app, |one| has_wanted_listener(app, one));
        let incomplete = incomplete(app);
        app.listeners.retain(|one| one.load_balancer_arn.as_ref().is_some_and(|arn| complete.contains(arn)));
        for arn in incomplete {
            app.listeners.extend(batch::get(&by_balancer, &arn)?.unwrap_or_default());
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

fn balancers_of_ours(app: &App<'_>, which: impl Fn(&load_balancer::Found) -> bool) -> Vec<String> {
    let ours = app.observed.load_balancers.iter().filter(|one| app.desired.marks.owner(&one.tags) == Owner::Ours);
    ours.filter(|one| which(one)).map(|one| one.arn.clone()).collect()
}

/// Whether this is the wanted load balancer, to stay, and has a listener at the wanted port.
fn has_wanted_listener(app: &App<'_>, balancer: &load_balancer::Found) -> bool {
    let Some(front) = app.desired.front.as_ref().filter(|_| load_balancer::going(app.desired, balancer).is_none())
    else {
        return false;
    };
    app.listeners.iter().any(|one| {
        one.load_balancer_arn.as_ref() == Some(&balancer.arn)
            && one.port.and_then(|port| u32::try_from(port).ok()) == Some(front.listener.port)
    })
}
