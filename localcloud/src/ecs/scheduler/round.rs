//! One round of a rolling update, as a pure decision: which tasks to stop, how many to start.
//!
//! The bounds are AWS's: never fewer healthy tasks than the lower one by our doing, never more tasks than the upper one.
//! As long as there is room, tasks are started before others are stopped.

use crate::clock::CloudTime;

/// How a task is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Not yet RUNNING.
    Starting,
    /// RUNNING, not known to be healthy.
    Warming,
    /// RUNNING and healthy.
    Healthy,
    /// Unhealthy, as this has shown.
    Unhealthy(Cause),
}

impl Condition {
    fn is_unhealthy(&self) -> bool {
        matches!(self, Self::Unhealthy(_))
    }
}

/// What showed that a task is unhealthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The load balancer's checks in this target group.
    TargetGroup(String),
    /// The health checks of its containers.
    Containers,
}

/// A task that is meant to run.
#[derive(Debug, Clone)]
pub struct TaskView {
    /// ID.
    pub id: String,
    /// Whether it is of the PRIMARY deployment.
    pub primary: bool,
    /// How it is.
    pub condition: Condition,
    /// When it was created.
    pub created_at: CloudTime,
    /// Container instance.
    pub instance: Option<String>,
}

/// What a service should have.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// Tasks.
    pub desired: usize,
    /// Healthy tasks at least.
    pub lower: usize,
    /// Tasks at most.
    pub upper: usize,
    /// The PRIMARY deployment has failed: nothing is started for it, and what runs besides it is left alone.
    pub abandoned: bool,
    /// Nothing is started for now.
    pub paused: bool,
}

/// What to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Tasks of the PRIMARY deployment to start.
    pub start: usize,
    /// Tasks to stop, with what showed that one is unhealthy if that is why.
    pub stop: Vec<(String, Option<Cause>)>,
    /// Whether the bounds allow neither.
    pub stuck: bool,
}

/// Decides a round.
pub fn decide(wish: &Wish, tasks: &[TaskView]) -> Round {
    let (new, old): (Vec<&TaskView>, Vec<&TaskView>) = tasks.iter().partition(|task| task.primary);
    let good = new.iter().filter(|task| !task.condition.is_unhealthy()).count();
    let need = wish.desired.saturating_sub(good);
    let room = wish.upper.saturating_sub(tasks.len());
    let start = if wish.abandoned || wish.paused { 0 } else { need.min(room) };
    let mut stop = surplus(wish, &new, good);
    stop.extend(unhealthy(wish, &new, need.saturating_sub(room)));
    if !wish.abandoned {
        stop.extend(outdated(wish, tasks, &old, need > room));
    }
    let starting = tasks.iter().any(|task| task.condition == Condition::Starting);
    let stuck = start == 0 && stop.is_empty() && !starting && !wish.paused && !wish.abandoned && need > 0 && room == 0;
    Round { start, stop: stop.into_iter().map(with_reason).collect(), stuck }
}

fn with_reason(task: &TaskView) -> (String, Option<Cause>) {
    let cause = match &task.condition {
        Condition::Unhealthy(cause) => Some(cause.clone()),
        Condition::Starting | Condition::Warming | Condition::Healthy => None,
    };
    (task.id.clone(), cause)
}

/// Tasks of the PRIMARY deployment beyond what is desired: first those that help least, then from the fullest instance, the
/// youngest.
fn surplus<'a>(wish: &Wish, new: &[&'a TaskView], good: usize) -> Vec<&'a TaskView> {
    let mut left: Vec<&TaskView> = new.iter().copied().filter(|task| !task.condition.is_unhealthy()).collect();
    let mut stop = Vec::new();
    for _ in wish.desired..good {
        let load = |task: &TaskView| left.iter().filter(|other| other.instance == task.instance).count();
        let rank = |task: &TaskView| {
            let usefulness = match task.condition {
                Condition::Starting => 2,
                Condition::Warming => 1,
                Condition::Healthy | Condition::Unhealthy(_) => 0,
            };
            (usefulness, load(task), task.created_at)
        };
        let Some(index) = (0..left.len()).max_by_key(|index| left.get(*index).map(|task| rank(task))) else { break };
        stop.push(left.remove(index));
    }
    stop
}

/// Unhealthy tasks of the PRIMARY deployment: all once enough others are healthy, else as many as replacements lack room.
fn unhealthy<'a>(wish: &Wish, new: &[&'a TaskView], lacking: usize) -> Vec<&'a TaskView> {
    let healthy = new.iter().filter(|task| task.condition == Condition::Healthy).count();
    let mut sick: Vec<&TaskView> = new.iter().copied().filter(|task| task.condition.is_unhealthy()).collect();
    sick.sort_by_key(|task| task.created_at);
    if healthy < wish.desired {
        sick.truncate(lacking);
    }
    sick
}

/// Tasks of older deployments. One that serves nobody goes at once; the others as replacements become healthy, or, where
/// replacements have no room, down to the lower bound. An old task that is not known to be healthy yet is spared like a healthy one:
/// it may be all there is.
fn outdated<'a>(wish: &Wish, tasks: &[TaskView], old: &[&'a TaskView], cramped: bool) -> Vec<&'a TaskView> {
    let serves = |task: &&TaskView| match task.condition {
        Condition::Healthy => true,
        Condition::Warming => !task.primary,
        Condition::Starting | Condition::Unhealthy(_) => false,
    };
    let serving = tasks.iter().filter(serves).count();
    let keep = if cramped { wish.lower } else { wish.lower.max(wish.desired) };
    let (mut spared, mut stop): (Vec<&TaskView>, Vec<&TaskView>) = old.iter().copied().partition(serves);
    spared.sort_by_key(|task| (task.condition == Condition::Healthy, task.created_at));
    spared.truncate(serving.saturating_sub(keep));
    stop.extend(spared);
    stop
}

#[cfg(test)]
mod tests;
