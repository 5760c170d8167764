//! Clusters. One that was deleted stays on record as INACTIVE.

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{self, invalid, too_many};
use super::service::ServiceStatus;
use super::tags::{self, Tag, Tags};
use super::task::Status;
use super::{Ecs, name_of, paging};
use crate::call::{Answer, ApiError};
use crate::world::World;

/// A cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub(super) name: String,
    pub(super) arn: String,
    active: bool,
    pub(super) tags: Tags,
}

/// Input of CreateCluster.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CreateCluster {
    cluster_name: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// Input of DeleteCluster.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteCluster {
    cluster: String,
}

/// Input of DescribeClusters.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribeClusters {
    #[serde(default)]
    clusters: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
}

/// Input of ListClusters.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListClusters {
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// The name of the ACTIVE cluster that a request means; without one, `default`.
pub(super) fn resolve(ecs: &Ecs, cluster: Option<&str>) -> Result<String, ApiError> {
    let name = name_of(cluster.unwrap_or("default"));
    ecs.clusters
        .get(name)
        .filter(|cluster| cluster.active)
        .map(|cluster| cluster.name.clone())
        .ok_or_else(errors::cluster_not_found)
}

/// The ACTIVE cluster of that name, to change.
pub(super) fn active_mut<'a>(ecs: &'a mut Ecs, name: &str) -> Option<&'a mut Cluster> {
    ecs.clusters.get_mut(name).filter(|cluster| cluster.active)
}

/// ARN of a cluster.
pub(super) fn arn(world: &World, name: &str) -> String {
    world.arn("ecs", &format!("cluster/{name}"))
}

/// CreateCluster: idempotent by name.
pub fn create(world: &mut World, input: CreateCluster) -> Answer {
    let name = input.cluster_name.unwrap_or_else(|| "default".to_owned());
    if name.is_empty() || name.len() > 255 || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
        return Err(invalid("Cluster name must match [a-zA-Z0-9-_]{1,255}"));
    }
    let tags = tags::from_list(input.tags)?;
    if active_mut(&mut world.ecs, &name).is_none() {
        let cluster = Cluster { name: name.clone(), arn: arn(world, &name), active: true, tags };
        world.ecs.clusters.insert(name.clone(), cluster);
    }
    Ok(json!({"cluster": view(world, &name, true)}))
}

/// DeleteCluster: refused while the cluster holds anything.
pub fn delete(world: &mut World, input: &DeleteCluster) -> Answer {
    let name = resolve(&world.ecs, Some(&input.cluster))?;
    let refuse =
        |code: &str, what: &str| Err(ApiError::new(code, format!("The Cluster cannot be deleted while {what}.")));
    if world.ecs.services.iter().any(|(key, service)| key.cluster == name && service.status != ServiceStatus::Inactive)
    {
        return refuse("ClusterContainsServicesException", "Services are active");
    }
    if world.ecs.tasks.values().any(|task| task.cluster == name && task.status != Status::Stopped) {
        return refuse("ClusterContainsTasksException", "Tasks are active");
    }
    if world.ecs.instances.values().any(|instance| instance.cluster == name) {
        return refuse("ClusterContainsContainerInstancesException", "Container Instances are active or draining");
    }
    if let Some(cluster) = world.ecs.clusters.get_mut(&name) {
        cluster.active = false;
    }
    Ok(json!({"cluster": view(world, &name, false)}))
}

/// DescribeClusters: without names, `default`.
pub fn describe(world: &World, input: &DescribeClusters) -> Answer {
    if input.clusters.len() > 100 {
        return Err(too_many("clusters", 100));
    }
    let default = ["default".to_owned()];
    let wanted = if input.clusters.is_empty() { default.as_slice() } else { input.clusters.as_slice() };
    let with_tags = input.include.iter().any(|field| field == "TAGS");
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for name in wanted.iter().map(|cluster| name_of(cluster)) {
        if world.ecs.clusters.contains_key(name) {
            clusters.push(view(world, name, with_tags));
        } else {
            failures.push(json!({"arn": arn(world, name), "reason": "MISSING"}));
        }
    }
    Ok(json!({"clusters": clusters, "failures": failures}))
}

/// ListClusters.
pub fn list(world: &World, input: &ListClusters) -> Answer {
    let active = world.ecs.clusters.values().filter(|cluster| cluster.active);
    let items =
        active.map(|cluster| paging::Item { key: cluster.name.clone(), value: cluster.arn.clone().into() }).collect();
    let request =
        paging::Request { max_results: input.max_results, next_token: input.next_token.as_deref(), default_size: 100 };
    paging::answer("clusterArns", items, paging::Order::Ascending, &request)
}

fn view(world: &World, name: &str, with_tags: bool) -> Value {
    let Some(cluster) = world.ecs.clusters.get(name) else { return Value::Null };
    let tasks = world.ecs.tasks.values().filter(|task| task.cluster == name);
    let (mut running, mut pending) = (0, 0);
    for task in tasks {
        running += u32::from(task.status == Status::Running);
        pending += u32::from(task.status.is_starting());
    }
    let services = world.ecs.services.iter();
    let live = services.filter(|(key, service)| key.cluster == name && service.status == ServiceStatus::Active);
    json!({
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": if cluster.active { "ACTIVE" } else { "INACTIVE" },
        "registeredContainerInstancesCount": world.ecs.instances.values().filter(|i| i.cluster == name).count(),
        "runningTasksCount": running,
        "pendingTasksCount": pending,
        "activeServicesCount": live.count(),
        "statistics": [],
        "tags": if with_tags { tags::to_list(&cluster.tags) } else { json!([]) },
        "settings": [],
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    })
}
