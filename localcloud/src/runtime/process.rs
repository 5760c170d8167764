//! The runtime that really runs: processes for containers, sockets for health checks and deliveries.
//!
//! `apply` only hands an effect to a tokio task. Time-outs here are wall time.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::time::timeout;

use super::container::{Container, Surroundings};
use super::reaper::Reaper;
use super::signer::Signer;
use super::usage::Meter;
use super::{container_check, deliver, health_check};
use crate::cloud::{Cloud, Runtime};
use crate::effect::{ContainerCheck, ContainerLaunch, DeliveryRequest, Effect, HealthCheckRequest, Report};
use crate::images::Program;

/// Health checks under way at a time.
const MAX_CHECKS: usize = 64;
/// Health checks of containers under way at a time; each is a process or more.
const MAX_CONTAINER_CHECKS: usize = 16;
/// Deliveries under way at a time; each takes up to 15 seconds.
const MAX_DELIVERIES: usize = 256;
/// How long the end of killed processes may take to be noticed.
const KILL_GRACE: Duration = Duration::from_secs(2);

/// What the runtime has to be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where this cloud answers; given to tasks as `AWS_ENDPOINT_URL`.
    pub endpoint_url: String,
    /// The cloud's first region. Tasks are given the one that they run in.
    pub region: String,
    /// The access key, given to tasks.
    pub access_key: String,
    /// `PATH` of tasks.
    pub search_path: String,
    /// Cloud seconds in a second of the machine.
    pub speed: f64,
    /// Environment variables that hold a duration in milliseconds of cloud time, with what they are if a task does not
    /// say. A task gets them divided by the speed.
    pub scaled_ms: Vec<(String, u64)>,
    /// The program that calls [`super::reaper::main`].
    pub reaper: Program,
}

/// The runtime. Clones share one state, so that whoever starts the cloud keeps one for [`Process::shut_down`].
#[derive(Clone)]
pub struct Process(Arc<Inner>);

struct Inner {
    settings: Arc<Settings>,
    handle: Handle,
    reaper: Arc<Reaper>,
    signer: Signer,
    containers: Mutex<Containers>,
    /// Rings when a container has ended.
    ended: Notify,
    checks: Semaphore,
    container_checks: Semaphore,
    deliveries: Semaphore,
    /// By region. Held while a measurement is made, so that a fast clock asks for no second one meanwhile.
    meters: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Meter>>>>,
}

#[derive(Default)]
struct Containers {
    /// Nothing is started any more.
    closed: bool,
    /// Those that run, or are about to, by task and name.
    running: BTreeMap<(String, String), Running>,
}

/// What there is to say to a container that runs.
struct Running {
    /// The region of its task.
    region: String,
    /// Asks it to end.
    stop: watch::Sender<Option<Duration>>,
    /// Asks for health checks.
    checks: mpsc::Sender<ContainerCheck>,
    /// Its process group, once it has started.
    group: Option<i32>,
}

impl Process {
    /// Starts the reaper and, in the background, the making of the signing key. Must be called within a tokio runtime.
    /// The error says why the reaper could not be started.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let reaper = Reaper::start(&settings.reaper)?;
        Ok(Self(Arc::new(Inner {
            signer: Signer::start(&settings.region, &settings.endpoint_url),
            settings: Arc::new(settings),
            handle: Handle::current(),
            reaper: Arc::new(reaper),
            containers: Mutex::default(),
            ended: Notify::new(),
            checks: Semaphore::new(MAX_CHECKS),
            container_checks: Semaphore::new(MAX_CONTAINER_CHECKS),
            deliveries: Semaphore::new(MAX_DELIVERIES),
            meters: Mutex::default(),
        })))
    }

    /// Ends every task: SIGTERM, and SIGKILL after `grace` (wall time). Starts no task any more. Returns when all are
    /// gone.
    pub async fn shut_down(&self, grace: Duration) {
        self.0.close(grace);
        let all_ended = async {
            loop {
                let ended = self.0.ended.notified();
                if self.0.containers().running.is_empty() {
                    break;
                }
                ended.await;
            }
        };
        if timeout(grace + KILL_GRACE, all_ended).await.is_err() {
            tracing::warn!("some processes did not end in time; the reaper kills them");
        }
        let reaper = Arc::clone(&self.0.reaper);
        match tokio::task::spawn_blocking(move || reaper.end()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the reaper's end was not seen"),
            Err(error) => tracing::warn!(%error, "the reaper was not ended"),
        }
    }
}

impl Runtime for Process {
    fn apply(&self, cloud: &Arc<Cloud>, effect: Effect) -> Vec<(Duration, Report)> {
        let inner = Arc::clone(&self.0);
        let cloud = Arc::clone(cloud);
        match effect {
            Effect::StartContainer(launch) => inner.start_container(cloud, launch),
            Effect::StopContainer { task_id, container, grace } => inner.stop_container(task_id, container, grace),
            Effect::CheckContainer(check) => inner.check_container(check),
            Effect::CheckTarget(request) => {
                self.0.handle.spawn(async move { inner.check(&cloud, request).await });
            }
            Effect::Deliver(request) => {
                self.0.handle.spawn(async move { inner.deliver(&cloud, request).await });
            }
            Effect::MeasureTasks => {
                self.0.handle.spawn_blocking(move || inner.measure(&cloud));
            }
        }
        Vec::new()
    }
}

impl Inner {
    /// Enters the container before anything runs, so that a stop that follows at once finds it.
    fn start_container(self: Arc<Self>, cloud: Arc<Cloud>, launch: ContainerLaunch) {
        let (stop, stopped) = watch::channel(None);
        let (checks, requests) = mpsc::channel(1);
        let key = (launch.task_id.clone(), launch.name.clone());
        {
            let mut containers = self.containers();
            if containers.closed {
                return;
            }
            containers
                .running
                .insert(key.clone(), Running { region: cloud.region().to_owned(), stop, checks, group: None });
        }
        let handle = self.handle.clone();
        handle.spawn(async move {
            let report = self.run_container(&cloud, &launch, stopped, requests).await;
            cloud.report(report);
            self.containers().running.remove(&key);
            self.ended.notify_waiters();
        });
    }

    /// The settings for tasks of a region.
    fn settings_in(&self, region: &str) -> Arc<Settings> {
        if region == self.settings.region {
            return Arc::clone(&self.settings);
        }
        Arc::new(Settings { region: region.to_owned(), ..(*self.settings).clone() })
    }

    /// Starts a container and attends to it until it has ended. Returns what came of it.
    async fn run_container(
        &self,
        cloud: &Arc<Cloud>,
        launch: &ContainerLaunch,
        stop: watch::Receiver<Option<Duration>>,
        checks: mpsc::Receiver<ContainerCheck>,
    ) -> Report {
        let (task_id, container) = (launch.task_id.clone(), launch.name.clone());
        let surroundings = Surroundings::of(&self.settings_in(cloud.region()), launch);
        let started = match Container::start(&surroundings, &self.reaper, cloud, launch) {
            Ok(started) => started,
            Err(error) => return not_started(launch, &error),
        };
        if let Some(running) = self.containers().running.get_mut(&(task_id.clone(), container.clone())) {
            running.group = started.group();
        }
        cloud.report(Report::ContainerStarted { task_id: task_id.clone(), container: container.clone() });
        let exit_code = started.ended(stop, self.run_checks(cloud, &surroundings, checks)).await;
        Report::ContainerExited { task_id, container, exit_code }
    }

    /// Makes the health checks of a container that are asked for, one after the other.
    async fn run_checks(
        &self,
        cloud: &Arc<Cloud>,
        surroundings: &Surroundings,
        mut checks: mpsc::Receiver<ContainerCheck>,
    ) -> Infallible {
        while let Some(check) = checks.recv().await {
            let Ok(_permit) = self.container_checks.acquire().await else { break };
            let failure = container_check::run(&check, surroundings, &self.reaper).await;
            cloud.report(Report::ContainerChecked { task_id: check.task_id, container: check.container, failure });
        }
        std::future::pending().await
    }

    /// A container that has ended already has reported that.
    fn stop_container(&self, task_id: String, container: String, grace: Duration) {
        if let Some(running) = self.containers().running.get(&(task_id, container)) {
            running.stop.send_replace(Some(grace));
        }
    }

    /// A container that has ended is checked no more, and the cloud asks for the next check only after this one.
    fn check_container(&self, check: ContainerCheck) {
        let key = (check.task_id.clone(), check.container.clone());
        if let Some(running) = self.containers().running.get(&key) {
            let _ = running.checks.try_send(check);
        }
    }

    fn close(&self, grace: Duration) {
        let mut containers = self.containers();
        containers.closed = true;
        for running in containers.running.values() {
            running.stop.send_replace(Some(grace));
        }
    }

    async fn check(&self, cloud: &Arc<Cloud>, request: HealthCheckRequest) {
        let Ok(_permit) = self.checks.acquire().await else { return };
        let (target_group_arn, target) = (request.target_group_arn.clone(), request.target.clone());
        let result = health_check::check(request).await;
        cloud.report(Report::TargetChecked { target_group_arn, target, result });
    }

    async fn deliver(&self, cloud: &Arc<Cloud>, request: DeliveryRequest) {
        let Ok(_permit) = self.deliveries.acquire().await else { return };
        let delivery_id = request.delivery_id;
        let (status, message) = deliver::deliver(&self.signer, cloud, request).await;
        cloud.report(Report::Delivered { delivery_id, status, message });
    }

    /// Reports what the tasks of a region use, unless that is being measured already.
    fn measure(&self, cloud: &Arc<Cloud>) {
        let region = cloud.region();
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        let meter = Arc::clone(meters.entry(region.to_owned()).or_default());
        drop(meters);
        let Ok(mut meter) = meter.try_lock() else { return };
        let groups = self.groups(region);
        if groups.is_empty() {
            return;
        }
        let usage = meter.measure(&groups);
        drop(meter);
        cloud.report(Report::TasksMeasured(usage));
    }

    /// The process groups of each task whose containers have started.
    fn groups(&self, region: &str) -> BTreeMap<String, Vec<i32>> {
        let mut groups: BTreeMap<String, Vec<i32>> = BTreeMap::new();
        for ((task_id, _), running) in &self.containers().running {
            if let Some(group) = running.group.filter(|_| running.region == region) {
                groups.entry(task_id.clone()).or_default().push(group);
            }
        }
        groups
    }

    fn containers(&self) -> MutexGuard<'_, Containers> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The report of a container that could not be started.
fn not_started(launch: &ContainerLaunch, error: &io::Error) -> Report {
    let (task_id, container) = (launch.task_id.clone(), launch.name.clone());
    let program = launch.program.path.display();
    let directory = launch.working_directory.as_ref().map(|directory| format!(" in the working directory {directory}"));
    let reason = format!("CannotStartContainerError: {program}{}: {error}", directory.unwrap_or_default());
    Report::ContainerFailedToStart { task_id, container, reason }
}

/// Whether nothing holds a loopback port right now: the probe for [`crate::addresses::Addresses`].
pub fn port_is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
