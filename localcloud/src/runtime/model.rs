//! A runtime that runs nothing: tasks start and stop in the books, targets are healthy, deliveries are accepted.
//!
//! For fast tests with a stepped clock. What a program would do wrong is told beforehand, as a [`Behaviour`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::CloudTime;
use crate::cloud::{Cloud, Runtime};
use crate::effect::{
    CheckResult, ContainerCheck, ContainerLaunch, DeliveryRequest, Effect, HealthCheckRequest, Report, TaskUsage,
};
use crate::sns::envelope;

/// How long starting and stopping take, in cloud time.
const PAUSE: Duration = Duration::from_millis(100);
/// Deliveries that are remembered; the oldest give way.
const MAX_DELIVERIES: usize = 10_000;

/// How a program behaves when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// It answers every health check with 503.
    NeverHealthy,
    /// It ends by itself.
    ExitsAfter(Duration, i32),
    /// It cannot be started.
    FailsToStart,
}

/// The runtime. Clones share one state, so that a test keeps one and gives one to the cloud.
#[derive(Debug, Clone, Default)]
pub struct Model(Arc<Mutex<State>>);

#[derive(Debug, Clone, Default)]
struct State {
    behaviours: BTreeMap<PathBuf, Behaviour>,
    /// Containers that were not told to end, by task and name.
    containers: BTreeMap<(String, String), Container>,
    /// Programs whose containers fail their health checks.
    sick: BTreeSet<PathBuf>,
    /// Where programs with a behaviour listen.
    listening: BTreeMap<SocketAddr, Behaviour>,
    /// Status of deliveries instead of 200.
    answer: Option<Option<u16>>,
    /// Cores and bytes that every task uses, if that is measured.
    usage: Option<(f64, u64)>,
    deliveries: VecDeque<DeliveryRequest>,
}

#[derive(Debug, Clone)]
struct Container {
    program: PathBuf,
    /// When it ends by itself.
    ends: Option<CloudTime>,
}

impl Model {
    /// One in the same state that shares nothing with this one, for a copy of its cloud.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    /// Has programs at `path` behave in a way from their next start on; `None`: as if nothing had been said.
    pub fn behave(&self, path: impl AsRef<Path>, behaviour: Option<Behaviour>) {
        let path = path.as_ref().to_owned();
        match behaviour {
            Some(behaviour) => self.state().behaviours.insert(path, behaviour),
            None => self.state().behaviours.remove(&path),
        };
    }

    /// Has the health checks of containers with the program at `path` fail, or pass again, from now on.
    pub fn fail_container_checks(&self, path: impl AsRef<Path>, fail: bool) {
        let path = path.as_ref().to_owned();
        if fail {
            self.state().sick.insert(path);
        } else {
            self.state().sick.remove(&path);
        }
    }

    /// Has deliveries end with a status from now on; `None` is no answer at all.
    pub fn answer_deliveries(&self, status: Option<u16>) {
        self.state().answer = Some(status);
    }

    /// Has every task use so many cores and bytes of memory from now on.
    pub fn use_resources(&self, cores: f64, memory_bytes: u64) {
        self.state().usage = Some((cores, memory_bytes));
    }

    /// Takes what was delivered, in order, whatever was answered.
    pub fn take_deliveries(&self) -> Vec<DeliveryRequest> {
        self.state().deliveries.drain(..).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime for Model {
    fn apply(&self, cloud: &Arc<Cloud>, effect: Effect) -> Vec<(Duration, Report)> {
        let mut state = self.state();
        match effect {
            Effect::StartContainer(launch) => state.start(cloud.now(), launch),
            Effect::StopContainer { task_id, container, .. } => state.stop(cloud.now(), task_id, container),
            Effect::CheckContainer(check) => vec![(Duration::ZERO, state.check_container(check))],
            Effect::CheckTarget(request) => vec![(Duration::ZERO, state.check(request))],
            Effect::Deliver(request) => state.deliver(request),
            Effect::MeasureTasks => state.measure(),
        }
    }
}

impl State {
    fn start(&mut self, now: CloudTime, launch: ContainerLaunch) -> Vec<(Duration, Report)> {
        let ContainerLaunch { task_id, name: container, program, ports, .. } = launch;
        let behaviour = self.behaviours.get(&program.path).copied();
        if behaviour == Some(Behaviour::FailsToStart) {
            let reason = "CannotStartContainerError: the program could not be started".to_owned();
            return vec![(PAUSE, Report::ContainerFailedToStart { task_id, container, reason })];
        }
        for (_, address) in ports {
            // A port that was given back may belong to another program now.
            match behaviour {
                Some(behaviour) => self.listening.insert(address, behaviour),
                None => self.listening.remove(&address),
            };
        }
        let key = (task_id.clone(), container.clone());
        let mut reports =
            vec![(PAUSE, Report::ContainerStarted { task_id: task_id.clone(), container: container.clone() })];
        let mut ends = None;
        if let Some(Behaviour::ExitsAfter(duration, exit_code)) = behaviour {
            reports.push((PAUSE + duration, Report::ContainerExited { task_id, container, exit_code }));
            ends = Some(now.after(PAUSE + duration));
        }
        self.containers.insert(key, Container { program: program.path, ends });
        reports
    }

    /// Ends a container that has not ended by itself. It exits with 0, as a program does that drains on SIGTERM.
    fn stop(&mut self, now: CloudTime, task_id: String, container: String) -> Vec<(Duration, Report)> {
        let stopped = now.after(PAUSE);
        let running = self.containers.remove(&(task_id.clone(), container.clone()));
        let ended = running.is_none_or(|running| running.ends.is_some_and(|ends| ends <= stopped));
        if ended { Vec::new() } else { vec![(PAUSE, Report::ContainerExited { task_id, container, exit_code: 0 })] }
    }

    fn check_container(&self, check: ContainerCheck) -> Report {
        let ContainerCheck { task_id, container, command: _, timeout: _ } = check;
        let running = self.containers.get(&(task_id.clone(), container.clone()));
        let sick = running.is_none_or(|running| self.sick.contains(&running.program));
        let failure = sick.then(|| "the health check ended with exit code 1".to_owned());
        Report::ContainerChecked { task_id, container, failure }
    }

    fn check(&self, request: HealthCheckRequest) -> Report {
        let result = match request.address {
            None => CheckResult::Failed,
            Some(address) if self.listening.get(&address) == Some(&Behaviour::NeverHealthy) => CheckResult::Status(503),
            Some(_) => CheckResult::Status(200),
        };
        Report::TargetChecked { target_group_arn: request.target_group_arn, target: request.target, result }
    }

    fn measure(&self) -> Vec<(Duration, Report)> {
        let Some((cores, memory_bytes)) = self.usage else { return Vec::new() };
        let tasks: BTreeSet<&String> = self.containers.keys().map(|(task_id, _)| task_id).collect();
        let usage = tasks.into_iter().map(|task_id| TaskUsage { task_id: task_id.clone(), cores, memory_bytes });
        vec![(Duration::ZERO, Report::TasksMeasured(usage.collect()))]
    }

    fn deliver(&mut self, request: DeliveryRequest) -> Vec<(Duration, Report)> {
        let status = self.answer.unwrap_or(Some(200));
        let message = request.message.clone();
        let mut reports = vec![(
            Duration::ZERO,
            Report::Delivered { delivery_id: request.delivery_id, status, message: message.clone() },
        )];
        let text = |name: &str| envelope::text(&message, name).to_owned();
        if text("Type") == "SubscriptionConfirmation" && status.is_some_and(|status| (200..300).contains(&status)) {
            let confirmed = Report::SubscriptionConfirmed { topic_arn: text("TopicArn"), token: text("Token") };
            reports.push((Duration::ZERO, confirmed));
        }
        if self.deliveries.len() == MAX_DELIVERIES {
            self.deliveries.pop_front();
        }
        self.deliveries.push_back(request);
        reports
    }
}
