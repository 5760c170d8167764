//! What the tasks of services reserve, for those who measure what they use.

use super::service::ServiceKey;
use super::task::Status;
use super::task_definition;
use crate::world::World;

/// The running tasks of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTasks {
    /// The service.
    pub key: ServiceKey,
    /// IDs of the tasks that run.
    pub tasks: Vec<String>,
    /// CPU units that a task reserves; zero if it reserves none.
    pub cpu_units: u32,
    /// MiB that a task reserves; zero if it reserves none.
    pub memory_mib: u32,
}

/// Every service that has running tasks. What a task reserves is what the service's present revision says.
#[must_use]
pub fn running_tasks(world: &World) -> Vec<ServiceTasks> {
    let services = world.ecs.services.iter().filter_map(|(key, service)| {
        let tasks: Vec<String> = running(world, key);
        let definition = task_definition::find(&world.ecs, &service.workload.task_definition)?;
        let (cpu_units, memory_mib) = (definition.cpu_units(), definition.memory_mib());
        (!tasks.is_empty()).then(|| ServiceTasks { key: key.clone(), tasks, cpu_units, memory_mib })
    });
    services.collect()
}

fn running(world: &World, key: &ServiceKey) -> Vec<String> {
    let own = world.ecs.tasks.values().filter(|task| task.service.as_ref() == Some(key));
    own.filter(|task| task.status == Status::Running).map(|task| task.id.clone()).collect()
}
