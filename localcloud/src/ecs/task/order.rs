//! In which order containers start and end, by their `dependsOn`. Pure.

use std::time::Duration;

use super::{HealthStatus, Stage, TaskContainer};
use crate::clock::CloudTime;
use crate::ecs::task_definition::Container;
use crate::ecs::task_definition::dependency::{Condition, Dependency};

/// Whether a container can start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// Now.
    Ready,
    /// Not yet, and to be looked at again at that moment, if any.
    Waits(Option<CloudTime>),
    /// Never, and why.
    Never(String),
}

/// Whether `container` of a task can start at `now`, its containers being defined and standing as given.
pub(super) fn outlook(container: &Container, defined: &[Container], all: &[TaskContainer], now: CloudTime) -> Outlook {
    let outlooks = container.depends_on.iter().map(|dependency| {
        let target = all.iter().find(|other| other.name == dependency.container_name);
        let timeout = defined.iter().find(|other| other.name == dependency.container_name)?.start_timeout;
        Some(of_one(dependency, target?, timeout.map(Duration::from_secs), now))
    });
    outlooks.flatten().fold(Outlook::Ready, |sum, one| match (sum, one) {
        (Outlook::Never(why), _) | (_, Outlook::Never(why)) => Outlook::Never(why),
        (Outlook::Waits(a), Outlook::Waits(b)) => Outlook::Waits([a, b].into_iter().flatten().min()),
        (Outlook::Waits(at), Outlook::Ready) | (Outlook::Ready, Outlook::Waits(at)) => Outlook::Waits(at),
        (Outlook::Ready, Outlook::Ready) => Outlook::Ready,
    })
}

/// The same for one dependency on `target`, others being given up waiting for it `timeout` after its start (AWS:
/// ContainerDependency and `startTimeout`, API reference).
fn of_one(dependency: &Dependency, target: &TaskContainer, timeout: Option<Duration>, now: CloudTime) -> Outlook {
    let met = match dependency.condition {
        Condition::Start => target.started_at.is_some(),
        Condition::Complete => target.exit_code.is_some(),
        Condition::Success => target.exit_code == Some(0),
        Condition::Healthy => target.stage == Stage::Running && target.health.status() == HealthStatus::Healthy,
    };
    if met {
        return Outlook::Ready;
    }
    let (name, condition) = (&target.name, dependency.condition.name());
    if target.stage == Stage::Ended {
        let how = target.exit_code.map_or("never started".to_owned(), |code| format!("ended with exit code {code}"));
        return Outlook::Never(format!("container {name}, of which it needs {condition}, {how}"));
    }
    // What START waits for is no work of the other container's, so no time is set for it.
    let timeout = timeout.filter(|_| dependency.condition != Condition::Start);
    match target.started_at.zip(timeout) {
        Some((started_at, timeout)) if now >= started_at.after(timeout) => {
            let seconds = timeout.as_secs();
            Outlook::Never(format!("container {name} did not reach {condition} within its startTimeout of {seconds} s"))
        }
        deadline => Outlook::Waits(deadline.map(|(started_at, timeout)| started_at.after(timeout))),
    }
}

/// Live containers that may be ended now: those on which no live one depends. "When a dependency is defined for
/// container startup, for container shutdown it is reversed" (AWS: `dependsOn`, API reference).
pub(super) fn can_end<'a>(defined: &[Container], all: &'a [TaskContainer]) -> Vec<&'a TaskContainer> {
    let live = |name: &str| all.iter().any(|container| container.name == name && container.is_live());
    let needed = |name: &str| {
        let needs = |other: &Container| other.depends_on.iter().any(|dependency| dependency.container_name == name);
        defined.iter().any(|other| live(&other.name) && needs(other))
    };
    all.iter().filter(|container| container.is_live() && !needed(&container.name)).collect()
}
