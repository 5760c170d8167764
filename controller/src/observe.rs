//! Reads what AWS has of all due apps at once, in waves: each wave reads in batches what the one before has led to.
//!
//! It decides nothing. What could not be read makes an error of the app that needed it, and of no other.

mod activities;
mod balancing;
mod ended;
mod logs;
mod newest;
mod rollout;
mod rotation;
mod scaling;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::types::{Listener, LoadBalancer, TargetGroup};

use crate::app::{AppName, Manager, Owner};
use crate::aws::Aws;
use crate::batch;
use crate::desired::Desired;
use crate::error::Error;
use crate::observed::Observed;
use crate::resource::tags::{self, Index, Scope};
use crate::resource::task_definition::Revision;
use crate::resource::{load_balancer, service, subscription, target_group};
pub use activities::explain;
use rotation::Rotation;

/// What ECS answers where there is no cluster of that name, or only the record of one; so there is no service in it either.
const CLUSTER_NOT_FOUND: &str = "ClusterNotFoundException";

/// What need not be read in every pass.
#[derive(Debug, Default)]
pub struct Cache {
    /// AWS never changes these.
    revisions: BTreeMap<String, Revision>,
    /// The revision on which an app rested when it was last found to have none too many.
    trimmed: BTreeMap<AppName, (String, usize)>,
    target_groups: Rotation<target_group::Attributes>,
    load_balancers: Rotation<load_balancer::Attributes>,
    subscriptions: Rotation<subscription::Spec>,
    starts: ended::Starts,
    /// Whether the health of targets is read in every pass, for whoever shows it. Otherwise it is where something waits for it.
    pub shows_health: bool,
    /// Calls that the last sweep over the policies and scheduled actions of all services took.
    sweep: Option<usize>,
}

/// One app while it is read.
struct App<'a> {
    desired: &'a Desired,
    observed: Observed,
    /// ARNs of what the tag index says is the app's.
    index: BTreeSet<String>,
    groups: Vec<TargetGroup>,
    balancers: Vec<LoadBalancer>,
    listeners: Vec<Listener>,
}

/// The due apps; one that could not be read is an error from there on.
type Apps<'a> = BTreeMap<AppName, Result<App<'a>, Error>>;

/// Reads all of `due`.
pub async fn observe(aws: &Aws, due: &[&Desired], cache: &mut Cache) -> BTreeMap<AppName, Result<Observed, Error>> {
    let mut apps: Apps<'_> = due.iter().map(|desired| (desired.marks.app.clone(), Ok(App::new(desired)))).collect();
    read_index(aws, &mut apps).await;
    read_services(aws, &mut apps).await;
    balancing::read(aws, &mut apps, cache).await;
    scaling::read(aws, &mut apps, cache).await;
    rollout::read_revisions(aws, &mut apps, cache).await;
    logs::read(aws, &mut apps).await;
    read_subscriptions(aws, &mut apps, cache).await;
    rollout::read_history(aws, &mut apps, cache).await;
    rollout::read_targets(aws, &mut apps, cache.shows_health).await;
    rollout::read_stopped(aws, &mut apps).await;
    ended::read(aws, &mut apps, cache).await;
    rollout::read_older(aws, &mut apps, cache).await;
    apps.into_iter().map(|(name, app)| (name, app.map(|app| app.observed))).collect()
}

impl<'a> App<'a> {
    fn new(desired: &'a Desired) -> Self {
        let observed = Observed::default();
        Self { desired, observed, index: BTreeSet::new(), groups: vec![], balancers: vec![], listeners: vec![] }
    }

    /// The service if it is ours and ACTIVE.
    fn service(&self) -> Option<&service::Found> {
        service::active(&self.observed).filter(|found| self.desired.marks.owner(&found.tags) == Owner::Ours)
    }

    /// ARNs in the index that hold `part`.
    fn indexed(&self, part: &str) -> impl Iterator<Item = String> {
        self.index.iter().filter(move |arn| arn.contains(part)).cloned()
    }
}

/// Continues with every app that could be read so far.
fn fill(apps: &mut Apps<'_>, f: impl Fn(&mut App<'_>) -> Result<(), Error>) {
    for app in apps.values_mut() {
        let result = match app {
            Ok(one) => f(one),
            Err(_) => continue,
        };
        if let Err(error) = result {
            *app = Err(error);
        }
    }
}

/// What all apps that could be read so far need.
fn keys<I: IntoIterator<Item = String>>(apps: &Apps<'_>, f: impl Fn(&App<'_>) -> I) -> BTreeSet<String> {
    apps.values().flatten().flat_map(f).collect()
}

async fn read_index(aws: &Aws, apps: &mut Apps<'_>) {
    let managers: BTreeSet<Manager> = apps.values().flatten().map(|app| app.desired.marks.manager.clone()).collect();
    // A live app has many revisions, of which none can be left over.
    let going = apps.values().flatten().any(|app| app.desired.is_going());
    let scope = if going { Scope::Going } else { Scope::Live };
    for manager in managers {
        let index: Result<Index, Error> = tags::index(aws, &manager, scope).await;
        fill(apps, |app| {
            if app.desired.marks.manager == manager {
                let index = index.as_ref().map_err(Clone::clone)?;
                app.index = index.get(&app.desired.marks.app.to_string()).cloned().unwrap_or_default();
            }
            Ok(())
        });
    }
}

async fn read_services(aws: &Aws, apps: &mut Apps<'_>) {
    let mut clusters: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for AppName { cluster, name } in apps.keys() {
        clusters.entry(cluster.clone()).or_default().insert(name.clone());
    }
    for (cluster, names) in clusters {
        let fetched = service::observe::observe(aws, &cluster, names).await;
        fill(apps, |app| {
            if app.desired.marks.app.cluster == cluster {
                match batch::get(&fetched, &app.desired.marks.app.name) {
                    Err(error) if error.code == CLUSTER_NOT_FOUND => app.observed.cluster_is_missing = true,
                    found => app.observed.service = found?,
                }
            }
            Ok(())
        });
    }
}

/// Looks for the topics of subscriptions that are not there yet: without its topic, one cannot be made.
async fn read_topics(aws: &Aws, apps: &mut Apps<'_>) {
    let wanting = |app: &App<'_>| -> Vec<String> {
        let wanted = app.desired.subscriptions.iter().filter(|_| app.desired.is_present());
        let has = |topic: &str| app.observed.subscriptions.iter().any(|one| one.topic == topic);
        wanted.filter(|one| !has(&one.topic)).map(|one| one.topic.clone()).collect()
    };
    let fetched = batch::each(keys(apps, wanting), |topic| subscription::observe_topic(aws, topic)).await;
    fill(apps, |app| {
        for topic in wanting(app) {
            if batch::get(&fetched, &topic)? == Some(false) {
                app.observed.missing_topics.insert(topic);
            }
        }
        Ok(())
    });
}

async fn read_subscriptions(aws: &Aws, apps: &mut Apps<'_>, cache: &mut Cache) {
    let regions = keys(apps, |app| {
        let own = (!app.observed.load_balancers.is_empty()).then(|| aws.region().to_owned());
        let topics = app.desired.subscriptions.iter().filter(|_| own.is_some());
        let topics: Vec<_> = topics.filter_map(|one| subscription::region_of(&one.topic)).map(str::to_owned).collect();
        own.into_iter().chain(topics)
    });
    let fetched = batch::each(regions.clone(), |region| subscription::observe(aws, region)).await;
    fill(apps, |app| {
        for region in &regions {
            let all = batch::look(&fetched, region)?.into_iter().flatten();
            let hosts: BTreeSet<&str> = app.observed.load_balancers.iter().map(|one| one.dns_name.as_str()).collect();
            let ours: Vec<_> = all.filter(|one| hosts.contains(one.host.as_str())).cloned().collect();
            app.observed.subscriptions.extend(ours);
        }
        Ok(())
    });
    read_topics(aws, apps).await;
    let arns =
        keys(apps, |app| app.observed.subscriptions.iter().filter_map(|one| one.arn.clone()).collect::<Vec<_>>());
    let last = &cache.subscriptions;
    let is_wanted = |app: &App<'_>, topic: &str, spec: &subscription::Spec| {
        app.desired.is_present() && app.desired.subscriptions.iter().any(|one| one.topic == topic && one.spec == *spec)
    };
    let settled = keys(apps, |app| {
        let found = app.observed.subscriptions.iter().filter_map(|one| Some((&one.topic, one.arn.as_ref()?)));
        let settled = found.filter(|(topic, arn)| last.last(arn).is_some_and(|spec| is_wanted(app, topic, spec)));
        settled.map(|(_, arn)| arn.clone()).collect::<Vec<_>>()
    });
    let specs = cache.subscriptions.read(arns, &settled, |arn| subscription::observe_spec(aws, arn)).await;
    fill(apps, |app| {
        for found in &mut app.observed.subscriptions {
            if let Some(arn) = &found.arn {
                found.spec = batch::get(&specs, arn)?;
            }
        }
        Ok(())
    });
}
