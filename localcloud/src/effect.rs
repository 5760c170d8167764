//! What has to happen outside of `World`, and what came of it.

use std::net::SocketAddr;
use std::time::Duration;

use crate::elb::Target;
use crate::images::Program;

/// Something a runtime has to do. Handlers and timers put these into `World::effects`.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Start a container. Answered by `ContainerStarted` or `ContainerFailedToStart`.
    StartContainer(ContainerLaunch),
    /// End a container: SIGTERM, then SIGKILL after `grace` (wall time). Answered by `ContainerExited`.
    StopContainer {
        /// The task.
        task_id: String,
        /// The container.
        container: String,
        /// Wall time between the signals.
        grace: Duration,
    },
    /// Run the health check command of a container. Answered by `ContainerChecked`, or not at all once the container
    /// has ended.
    CheckContainer(ContainerCheck),
    /// One health check request to a target.
    CheckTarget(HealthCheckRequest),
    /// One HTTP delivery of SNS.
    Deliver(DeliveryRequest),
    /// See what every running task uses. Answered by `TasksMeasured`, or not at all where nothing can be measured.
    MeasureTasks,
}

/// A container to start.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerLaunch {
    /// ID of its task: the last part of the task's ARN.
    pub task_id: String,
    /// Name in the task definition.
    pub name: String,
    /// What the image resolved to.
    pub program: Program,
    /// `entryPoint`, empty if the image's own holds.
    pub entry_point: Vec<String>,
    /// `command`, empty if the image's own holds.
    pub command: Vec<String>,
    /// Environment with secrets resolved. Never logged.
    pub environment: Vec<(String, String)>,
    /// Where its processes start; `None`: where the runtime runs.
    pub working_directory: Option<String>,
    /// Each container port with the loopback address it is really served on. The first one is given to the program as
    /// `PORT`.
    pub ports: Vec<(u16, SocketAddr)>,
    /// Log group and stream of the output.
    pub log: Option<(String, String)>,
}

/// A container's health check command to run beside it, with its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerCheck {
    /// The task.
    pub task_id: String,
    /// The container.
    pub container: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Wall time after which the check has failed and is killed.
    pub timeout: Duration,
}

/// A target's health check to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheckRequest {
    /// ARN of the target group.
    pub target_group_arn: String,
    /// The target as it was registered.
    pub target: Target,
    /// Where the target really listens; `None`: nothing is there, the check fails.
    pub address: Option<SocketAddr>,
    /// Path of the request.
    pub path: String,
    /// Wall time after which the check has failed.
    pub timeout: Duration,
}

/// A delivery to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRequest {
    /// Identifies the attempt in the report.
    pub delivery_id: u64,
    /// The subscription's endpoint: an `http://` URL whose host is on loopback (`.localhost` included), or the ARN of a
    /// queue of this cloud. For a queue the runtime only completes the message.
    pub endpoint: String,
    /// Port to connect to where it is not the URL's: a listener whose own port something else holds.
    pub moved_port: Option<u16>,
    /// Headers besides Host and Content-Length.
    pub headers: Vec<(String, String)>,
    /// The members of the body. `Timestamp` (wall time), `Signature` and `SigningCertURL` are empty at the first
    /// attempt: the runtime completes them off the lock.
    pub message: serde_json::Map<String, serde_json::Value>,
    /// Whether the body is the bare message (raw delivery) instead of the envelope.
    pub raw: bool,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// Nothing of the task could be started.
    TaskFailedToStart {
        /// The task.
        task_id: String,
        /// ECS's words, such as `CannotPullContainerError: …`.
        reason: String,
    },
    /// A container runs.
    ContainerStarted {
        /// The task.
        task_id: String,
        /// The container.
        container: String,
    },
    /// A container could not be started.
    ContainerFailedToStart {
        /// The task.
        task_id: String,
        /// The container.
        container: String,
        /// ECS's words, such as `CannotStartContainerError: …`.
        reason: String,
    },
    /// A container's health check command has ended.
    ContainerChecked {
        /// The task.
        task_id: String,
        /// The container.
        container: String,
        /// Why the check failed; `None`: it passed.
        failure: Option<String>,
    },
    /// A container ended.
    ContainerExited {
        /// The task.
        task_id: String,
        /// The container.
        container: String,
        /// Exit code; 128 + n after signal n.
        exit_code: i32,
    },
    /// A line of a container's output.
    LogLine {
        /// Log group.
        group: String,
        /// Log stream.
        stream: String,
        /// The line without its end.
        line: String,
    },
    /// A health check ended.
    TargetChecked {
        /// ARN of the target group.
        target_group_arn: String,
        /// The target.
        target: Target,
        /// What it answered.
        result: CheckResult,
    },
    /// What tasks use.
    TasksMeasured(Vec<TaskUsage>),
    /// A delivery ended.
    Delivered {
        /// The attempt.
        delivery_id: u64,
        /// HTTP status, or `None` after a time-out or transport error.
        status: Option<u16>,
        /// The message as it was sent. A retry repeats it, and dead letters hold it.
        message: serde_json::Map<String, serde_json::Value>,
    },
    /// The receiver of a `SubscriptionConfirmation` answered with its token. Only where nothing really runs: a real
    /// receiver calls `ConfirmSubscription`.
    SubscriptionConfirmed {
        /// The topic.
        topic_arn: String,
        /// The token of the message.
        token: String,
    },
}

/// What a task uses.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskUsage {
    /// The task.
    pub task_id: String,
    /// Cores kept busy since the last measurement, on average, in the machine's own time.
    pub cores: f64,
    /// Memory in use now.
    pub memory_bytes: u64,
}

/// What a target answered to a health check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckResult {
    /// An HTTP status.
    Status(u16),
    /// Nothing in time.
    Timeout,
    /// No connection, or one that broke.
    Failed,
}
