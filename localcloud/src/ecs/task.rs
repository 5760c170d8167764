//! Tasks: what they are. How one lives is [`lifecycle`]'s, how its containers do [`containers`]'s, whether a service
//! needs one the scheduler's.

pub mod containers;
pub mod health;
mod launch;
pub mod lifecycle;
mod list;
mod order;
mod run;
pub mod start;
mod view;

use serde_json::Value;

use super::placement::Binding;
use super::service::{LaunchType, ServiceKey};
use super::tags::Tags;
use crate::clock::CloudTime;
use crate::effect::ContainerLaunch;
use crate::elb::Target;

use self::health::Health;
pub use self::health::HealthStatus;
pub use self::list::{describe, list};
pub use self::run::{run, stop};

/// Where a task is in its life (AWS: `lastStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Placed, gets what it needs.
    Provisioning,
    /// Its containers are starting.
    Pending,
    /// Runs.
    Running,
    /// Is being drained from its target groups.
    Deactivating,
    /// Its containers are ending.
    Stopping,
    /// Ended.
    Stopped,
}

impl Status {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
        }
    }

    /// Not yet RUNNING.
    pub fn is_starting(self) -> bool {
        matches!(self, Self::Provisioning | Self::Pending)
    }
}

/// Why a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopCode {
    /// It never ran.
    TaskFailedToStart,
    /// An essential container ended by itself.
    EssentialContainerExited,
    /// StopTask.
    UserInitiated,
    /// The service did not need it any more.
    ServiceSchedulerInitiated,
}

impl StopCode {
    fn name(self) -> &'static str {
        match self {
            Self::TaskFailedToStart => "TaskFailedToStart",
            Self::EssentialContainerExited => "EssentialContainerExited",
            Self::UserInitiated => "UserInitiated",
            Self::ServiceSchedulerInitiated => "ServiceSchedulerInitiated",
        }
    }
}

/// A network interface of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    attachment_id: String,
    id: String,
    pub(super) address: String,
    mac: String,
    subnet: String,
}

/// How far a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waits for others, or for the task's launch.
    Waiting,
    /// A runtime was told to start it.
    Starting,
    /// Runs.
    Running,
    /// Ended, or will never start.
    Ended,
}

/// A container of a task.
#[derive(Debug, Clone)]
pub struct TaskContainer {
    name: String,
    image: String,
    /// Digest of what was pulled.
    image_digest: Option<String>,
    arn: String,
    runtime_id: String,
    stage: Stage,
    /// What starts it, from the task's launch until its own.
    launch: Option<ContainerLaunch>,
    started_at: Option<CloudTime>,
    health: Health,
    /// Whether a runtime was told to end it.
    stop_asked: bool,
    exit_code: Option<i32>,
    reason: Option<String>,
}

impl TaskContainer {
    /// Whether a runtime has it.
    fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Starting | Stage::Running)
    }
}

/// A task.
#[derive(Debug, Clone)]
pub struct Task {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) cluster: String,
    pub(super) service: Option<ServiceKey>,
    /// Number of the deployment it belongs to.
    pub(super) deployment: Option<u64>,
    definition: String,
    launch_type: LaunchType,
    platform_version: Option<String>,
    started_by: Option<String>,
    group: String,
    overrides: Value,
    execute_command: bool,
    pub(super) tags: Tags,
    pub(super) status: Status,
    /// Whether it is to end (AWS: `desiredStatus` STOPPED).
    stop_wanted: bool,
    /// CPU units taken of the instance.
    pub(super) cpu: u32,
    /// MiB taken of the instance.
    pub(super) memory: u32,
    /// ID of the container instance; none on Fargate.
    pub(super) instance: Option<String>,
    pub(super) interface: Option<Interface>,
    pub(super) bindings: Vec<Binding>,
    /// Target groups and the targets in them that are this task.
    pub(super) targets: Vec<(String, Target)>,
    containers: Vec<TaskContainer>,
    /// Whether it was healthy once.
    pub(super) was_healthy: bool,
    version: u64,
    pub(super) created_at: CloudTime,
    pub(super) started_at: Option<CloudTime>,
    pull_stopped_at: Option<CloudTime>,
    stopping_at: Option<CloudTime>,
    stopped_at: Option<CloudTime>,
    stop_code: Option<StopCode>,
    stopped_reason: Option<String>,
}

impl Task {
    /// ARN of its task definition.
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// Its `group`: the family, or the service.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Whether it is meant to run (AWS: `desiredStatus` RUNNING).
    pub fn is_wanted(&self) -> bool {
        !self.stop_wanted
    }

    /// Notes that the task is to end, when and why.
    fn mark_stopping(&mut self, now: CloudTime, code: StopCode, reason: &str) {
        self.stop_wanted = true;
        self.stopping_at = Some(now);
        self.stop_code = Some(code);
        self.stopped_reason = Some(reason.to_owned());
    }

    fn set_status(&mut self, status: Status) {
        self.status = status;
        self.version += 1;
    }

    /// Whether no container runs any more, or ever will.
    fn has_ended(&self) -> bool {
        self.containers.iter().all(|container| container.stage == Stage::Ended)
    }

    fn container(&self, name: &str) -> Option<&TaskContainer> {
        self.containers.iter().find(|container| container.name == name)
    }
}
