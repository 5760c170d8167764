//! Containers that do not fit into their task.

use super::Container;

/// What AWS refuses of the containers' sizes in a task of `cpu` units and `memory` MiB, where the task has such limits
/// (cpu and memory of ContainerDefinition, API reference; the words are unverified).
pub(super) fn problem(containers: &[Container], cpu: Option<u32>, memory: Option<u32>) -> Option<String> {
    let one = |container: &Container| {
        let sizes = [
            ("cpu", Some(container.cpu), cpu),
            ("memory", container.memory, memory),
            ("memoryReservation", container.memory_reservation, memory),
        ];
        sizes.into_iter().find_map(|(member, own, task)| {
            let (own, task) = (own?, task.filter(|task| own.is_some_and(|own| own > *task))?);
            let name = &container.name;
            Some(format!("Invalid setting for container '{name}'. Its '{member}' of {own} exceeds the task's {task}."))
        })
    };
    containers.iter().find_map(one).or_else(|| all(containers, cpu, memory))
}

/// Sums: what is reserved of memory is the soft limit, or else the hard one.
fn all(containers: &[Container], cpu: Option<u32>, memory: Option<u32>) -> Option<String> {
    let reserved = |container: &Container| container.memory_reservation.or(container.memory).unwrap_or(0);
    let sums = [
        ("CPU units", containers.iter().map(|container| u64::from(container.cpu)).sum::<u64>(), cpu),
        ("MiB of memory", containers.iter().map(|container| u64::from(reserved(container))).sum(), memory),
    ];
    sums.into_iter().find_map(|(what, sum, task)| {
        let task = task.filter(|task| sum > u64::from(*task))?;
        Some(format!("The containers reserve {sum} {what} together, more than the task's {task}."))
    })
}
