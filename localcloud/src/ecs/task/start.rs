//! How a task begins: a place, host ports or a network interface, and the targets it will be.

use std::time::Duration;

use serde_json::Value;

use super::{Health, Interface, Stage, Status, Task, TaskContainer};
use crate::clock::CloudTime;
use crate::ecs::placement::{self, Binding, Needs, NoPlace, Place, Purpose};
use crate::ecs::service::{LaunchType, LoadBalancer, ServiceKey, Workload};
use crate::ecs::tags::Tags;
use crate::ecs::task_definition::{self, Container, NetworkMode, TaskDefinition};
use crate::ecs::{Timer, deployment};
use crate::elb::Target;
use crate::world::{self, World};

/// From placement to the start of the containers, in cloud time.
const PROVISIONING: Duration = Duration::from_millis(50);

/// A task to start.
pub struct NewTask<'a> {
    /// What to run, where.
    pub workload: &'a Workload,
    /// Cluster.
    pub cluster: &'a str,
    /// Service and number of the deployment.
    pub service: Option<(&'a ServiceKey, u64)>,
    /// `startedBy`.
    pub started_by: Option<String>,
    /// `group`.
    pub group: String,
    /// `overrides`, completed.
    pub overrides: Value,
    /// `enableExecuteCommand`.
    pub execute_command: bool,
    /// Tags.
    pub tags: Tags,
    /// `placementConstraints`.
    pub constraints: &'a [Value],
    /// `placementStrategy`.
    pub strategy: &'a [Value],
}

/// Places a task and begins its life. Returns its ID.
pub fn start(world: &mut World, now: CloudTime, new: NewTask<'_>) -> Result<String, NoPlace> {
    let Some(definition) = task_definition::find(&world.ecs, &new.workload.task_definition).cloned() else {
        return Err(NoPlace::NoInstances);
    };
    let place = match new.workload.launch_type {
        LaunchType::Fargate => None,
        LaunchType::Ec2 => Some(place(world, &definition, &new)?),
    };
    let id = world.ids.hex(32);
    let interface = (definition.network_mode == NetworkMode::Awsvpc).then(|| interface(world, new.workload));
    let (instance, mut bindings) = place.map_or((None, Vec::new()), |place| (Some(place.instance), place.bindings));
    if interface.is_some() {
        bindings = interface_bindings(&definition);
    }
    let mut task = Task {
        containers: containers(world, &definition, new.cluster, &id),
        arn: world.arn("ecs", &format!("task/{}/{id}", new.cluster)),
        id: id.clone(),
        cluster: new.cluster.to_owned(),
        service: new.service.map(|(key, _)| key.clone()),
        deployment: new.service.map(|(_, number)| number),
        cpu: definition.cpu_units(),
        memory: definition.memory_mib(),
        definition: definition.arn,
        launch_type: new.workload.launch_type,
        platform_version: deployment::resolved_platform_version(new.workload).map(str::to_owned),
        started_by: new.started_by,
        group: new.group,
        overrides: new.overrides,
        execute_command: new.execute_command,
        tags: new.tags,
        status: Status::Provisioning,
        stop_wanted: false,
        instance,
        interface,
        bindings,
        targets: Vec::new(),
        was_healthy: false,
        version: 1,
        created_at: now,
        started_at: None,
        pull_stopped_at: None,
        stopping_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
    };
    task.targets = targets(world, &task, &new.workload.load_balancers);
    world.ecs.tasks.insert(id.clone(), task);
    world.timers.set(now.after(PROVISIONING), world::Timer::Ecs(Timer::LaunchTask(id.clone())));
    Ok(id)
}

/// The containers of a task that begins.
fn containers(world: &World, definition: &TaskDefinition, cluster: &str, id: &str) -> Vec<TaskContainer> {
    let container = |container: &Container| TaskContainer {
        name: container.name.clone(),
        image: container.image.clone(),
        image_digest: None,
        arn: world.arn("ecs", &format!("container/{cluster}/{id}/{}", container.name)),
        runtime_id: format!("{id}-{}", container.name),
        stage: Stage::Waiting,
        launch: None,
        started_at: None,
        health: Health::default(),
        stop_asked: false,
        exit_code: None,
        reason: None,
    };
    definition.containers.iter().map(container).collect()
}

fn place(world: &mut World, definition: &TaskDefinition, new: &NewTask<'_>) -> Result<Place, NoPlace> {
    let purpose = Purpose {
        cluster: new.cluster,
        group: &new.group,
        definition_constraints: &definition.placement_constraints,
        constraints: new.constraints,
        strategy: new.strategy,
    };
    let place = placement::place(&world.ecs, &Needs::of(definition), &purpose)?;
    if let Some(port) = placement::last_dynamic(&place.bindings)
        && let Some(instance) = world.ecs.instances.get_mut(&place.instance)
    {
        instance.last_dynamic_port = Some(port);
    }
    Ok(place)
}

/// A network interface with an address of the subnet, `10.0.<subnet>.<host>`. The first ten hosts are AWS's and ours.
fn interface(world: &mut World, workload: &Workload) -> Interface {
    let subnets = workload.network_configuration.as_ref().map(|network| &network.awsvpc_configuration.subnets);
    let tasks = world.ecs.tasks.len();
    let subnet = subnets.filter(|subnets| !subnets.is_empty()).map_or("", |subnets| &subnets[tasks % subnets.len()]);
    let net = subnet.chars().last().and_then(|digit| digit.to_digit(16)).unwrap_or(0);
    let in_use = |address: &str| {
        world.ecs.tasks.values().any(|task| {
            task.status != Status::Stopped && task.interface.as_ref().is_some_and(|held| held.address == address)
        })
    };
    // A /20 of each subnet: sixteen third bytes, so that there is an address for every task.
    let addresses = (0..16).flat_map(|third| (10..250).map(move |host| format!("10.0.{}.{host}", net * 16 + third)));
    let address = addresses.into_iter().find(|address| !in_use(address)).unwrap_or_default();
    let subnet = subnet.to_owned();
    let mac = world.ids.hex(10);
    let mac =
        (0..5).filter_map(|i| mac.get(2 * i..2 * i + 2)).fold("0a".to_owned(), |all, byte| format!("{all}:{byte}"));
    Interface { attachment_id: world.ids.uuid(), id: format!("eni-{}", world.ids.hex(17)), address, mac, subnet }
}

/// Every container port, on the interface.
fn interface_bindings(definition: &TaskDefinition) -> Vec<Binding> {
    let all = definition.containers.iter().flat_map(|container| {
        container.port_mappings.iter().map(|mapping| Binding {
            container: container.name.clone(),
            container_port: mapping.container_port,
            host_port: mapping.container_port,
            protocol: mapping.protocol.clone(),
        })
    });
    all.collect()
}

/// The host of the task's virtual addresses: its interface's address, or the EC2 instance.
pub(super) fn host(world: &World, task: &Task) -> Option<String> {
    if let Some(interface) = &task.interface {
        return Some(interface.address.clone());
    }
    world.ecs.instances.get(task.instance.as_deref()?).map(|instance| instance.ec2_instance_id.clone())
}

/// What the service's load balancers will have of the task.
fn targets(world: &World, task: &Task, balancers: &[LoadBalancer]) -> Vec<(String, Target)> {
    let Some(host) = host(world, task) else { return Vec::new() };
    let target = |balancer: &LoadBalancer| {
        let bound = |binding: &&Binding| {
            binding.container == balancer.container_name && binding.container_port == balancer.container_port
        };
        let port = task.bindings.iter().find(bound)?.host_port;
        Some((balancer.target_group_arn.clone(), Target { id: host.clone(), port }))
    };
    balancers.iter().filter_map(target).collect()
}
