//! A task as the API answers it.

use serde_json::{Map, Value, json};

use super::{Interface, Stage, Status, Task, TaskContainer, health};
use crate::clock::CloudTime;
use crate::ecs::service::LaunchType;
use crate::ecs::{cluster, tags, task_definition};
use crate::world::World;

/// The task of an answer; tags only where they were asked for.
pub fn view(world: &World, task: &Task, with_tags: bool) -> Value {
    let containers = task.containers.iter().map(|container| container_view(world, task, container));
    let mut view = json!({
        "taskArn": task.arn,
        "taskDefinitionArn": task.definition,
        "clusterArn": cluster::arn(world, &task.cluster),
        "attachments": task.interface.iter().map(|interface| attachment(task, interface)).collect::<Vec<_>>(),
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "availabilityZone": availability_zone(world, task),
        "connectivity": "CONNECTED",
        "connectivityAt": task.created_at.as_epoch_seconds(),
        "containers": containers.collect::<Vec<_>>(),
        "cpu": task.cpu.to_string(),
        "memory": task.memory.to_string(),
        "createdAt": task.created_at.as_epoch_seconds(),
        "desiredStatus": if task.is_wanted() { "RUNNING" } else { "STOPPED" },
        "enableExecuteCommand": task.execute_command,
        "group": task.group,
        "healthStatus": health::of_task(world, task).unwrap_or_default().name(),
        "lastStatus": task.status.name(),
        "launchType": task.launch_type,
        "overrides": task.overrides,
        "tags": if with_tags { tags::to_list(&task.tags) } else { json!([]) },
        "version": task.version,
    });
    if let Some(view) = view.as_object_mut() {
        add_optional(view, world, task);
    }
    view
}

fn add_optional(view: &mut Map<String, Value>, world: &World, task: &Task) {
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            view.insert(name.to_owned(), value);
        }
    };
    let moment = |at: Option<CloudTime>| at.map(|at| json!(at.as_epoch_seconds()));
    let instance = task.instance.as_ref().and_then(|id| world.ecs.instances.get(id));
    put("containerInstanceArn", instance.map(|instance| json!(instance.arn)));
    put("startedBy", task.started_by.as_ref().map(|by| json!(by)));
    put("startedAt", moment(task.started_at));
    put("pullStartedAt", moment(task.pull_stopped_at));
    put("pullStoppedAt", moment(task.pull_stopped_at));
    put("stoppingAt", moment(task.stopping_at));
    put("stoppedAt", moment(task.stopped_at));
    put("executionStoppedAt", moment(task.stopped_at.filter(|_| task.started_at.is_some())));
    put("stopCode", task.stop_code.map(|code| json!(code.name())));
    put("stoppedReason", task.stopped_reason.as_ref().map(|reason| json!(reason)));
    if task.launch_type == LaunchType::Fargate {
        put("platformVersion", task.platform_version.as_ref().map(|version| json!(version)));
        put("platformFamily", Some(json!("Linux")));
    }
}

fn availability_zone(world: &World, task: &Task) -> String {
    let instance = task.instance.as_ref().and_then(|id| world.ecs.instances.get(id));
    instance.map_or_else(|| format!("{}a", world.region), |instance| instance.availability_zone.clone())
}

fn attachment(task: &Task, interface: &Interface) -> Value {
    let status = match task.status {
        Status::Provisioning => "ATTACHING",
        Status::Stopped => "DELETED",
        Status::Pending | Status::Running | Status::Deactivating | Status::Stopping => "ATTACHED",
    };
    json!({
        "id": interface.attachment_id,
        "type": "ElasticNetworkInterface",
        "status": status,
        "details": [
            {"name": "subnetId", "value": interface.subnet},
            {"name": "networkInterfaceId", "value": interface.id},
            {"name": "macAddress", "value": interface.mac},
            {"name": "privateIPv4Address", "value": interface.address},
        ],
    })
}

fn container_view(world: &World, task: &Task, container: &TaskContainer) -> Value {
    let definition = task_definition::find(&world.ecs, &task.definition).and_then(|d| d.container(&container.name));
    let bindings = task.bindings.iter().filter(|binding| binding.container == container.name);
    let shown = task.interface.is_none() && task.started_at.is_some();
    let bindings = bindings.filter(|_| shown).map(|binding| {
        json!({
            "bindIP": "0.0.0.0",
            "containerPort": binding.container_port,
            "hostPort": binding.host_port,
            "protocol": binding.protocol,
        })
    });
    let interfaces = task
        .interface
        .iter()
        .map(|interface| json!({"attachmentId": interface.attachment_id, "privateIpv4Address": interface.address}));
    let last_status = match container.stage {
        Stage::Waiting | Stage::Starting => "PENDING",
        Stage::Running => "RUNNING",
        Stage::Ended => "STOPPED",
    };
    let mut view = json!({
        "containerArn": container.arn,
        "taskArn": task.arn,
        "name": container.name,
        "image": container.image,
        "lastStatus": last_status,
        "networkBindings": bindings.collect::<Vec<_>>(),
        "networkInterfaces": interfaces.collect::<Vec<_>>(),
        "healthStatus": container.health.status().name(),
        "cpu": definition.map_or(0, |definition| definition.cpu).to_string(),
    });
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            view[name] = value;
        }
    };
    put("imageDigest", container.image_digest.as_ref().map(|digest| json!(digest)));
    put("runtimeId", container.started_at.map(|_| json!(container.runtime_id)));
    put("exitCode", container.exit_code.map(|code| json!(code)));
    put("reason", container.reason.as_ref().map(|reason| json!(reason)));
    put("memory", definition.and_then(|d| d.memory).map(|memory| json!(memory.to_string())));
    put("memoryReservation", definition.and_then(|d| d.memory_reservation).map(|memory| json!(memory.to_string())));
    view
}
