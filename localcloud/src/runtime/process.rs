//! The runtime that really runs: processes for containers, sockets for health checks and deliveries.
//!
//! `apply` only hands an effect to a tokio task. Time-outs here are wall time.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::timeout;

use super::reaper::Reaper;
use super::signer::Signer;
use super::usage::Meter;
use super::{deliver, health_check, task};
use crate::cloud::{Cloud, Runtime};
use crate::effect::{DeliveryRequest, Effect, HealthCheckRequest, Report, TaskLaunch};
use crate::images::Program;

/// Health checks under way at a time.
const MAX_CHECKS: usize = 64;
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
    /// Environment variables that hold a duration in milliseconds of cloud time, with what they are if a task does not say. A
    /// task gets them divided by the speed.
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
    tasks: Mutex<Tasks>,
    /// Rings when a task has ended.
    ended: Notify,
    checks: Semaphore,
    deliveries: Semaphore,
    /// By region. Held while a measurement is made, so that a fast clock asks for no second one meanwhile.
    meters: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Meter>>>>,
}

#[derive(Default)]
struct Tasks {
    /// Nothing is started any more.
    closed: bool,
    /// How to stop each task that runs.
    running: BTreeMap<String, watch::Sender<Option<Duration>>>,
    /// By region the process groups of each task whose containers have started.
    groups: BTreeMap<String, BTreeMap<String, Vec<i32>>>,
}

impl Tasks {
    fn add_groups(&mut self, region: &str, task_id: &str, groups: Vec<i32>) {
        self.groups.entry(region.to_owned()).or_default().insert(task_id.to_owned(), groups);
    }

    fn remove(&mut self, region: &str, task_id: &str) {
        self.running.remove(task_id);
        if let Some(tasks) = self.groups.get_mut(region) {
            tasks.remove(task_id);
        }
    }
}

impl Process {
    /// Starts the reaper and, in the background, the making of the signing key. Must be called within a tokio runtime. The error
    /// says why the reaper could not be started.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let reaper = Reaper::start(&settings.reaper)?;
        Ok(Self(Arc::new(Inner {
            signer: Signer::start(&settings.region, &settings.endpoint_url),
            settings: Arc::new(settings),
            handle: Handle::current(),
            reaper: Arc::new(reaper),
            tasks: Mutex::default(),
            ended: Notify::new(),
            checks: Semaphore::new(MAX_CHECKS),
            deliveries: Semaphore::new(MAX_DELIVERIES),
            meters: Mutex::default(),
        })))
    }

    /// Ends every task: SIGTERM, and SIGKILL after `grace` (wall time). Starts no task any more. Returns when all are gone.
    pub async fn shut_down(&self, grace: Duration) {
        self.0.close(grace);
        let all_ended = async {
            loop {
                let ended = self.0.ended.notified();
                if self.0.tasks().running.is_empty() {
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
            Effect::StartTask(launch) => inner.start_task(cloud, launch),
            Effect::StopTask { task_id, grace } => inner.stop_task(&task_id, grace),
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
    /// Enters the task before anything runs, so that a stop that follows at once finds it.
    fn start_task(self: Arc<Self>, cloud: Arc<Cloud>, launch: TaskLaunch) {
        let (stop, stopped) = watch::channel(None);
        {
            let mut tasks = self.tasks();
            if tasks.closed {
                return;
            }
            tasks.running.insert(launch.task_id.clone(), stop);
        }
        let handle = self.handle.clone();
        handle.spawn(async move {
            let (region, task_id) = (cloud.region().to_owned(), launch.task_id.clone());
            let started = |groups| self.tasks().add_groups(&region, &task_id, groups);
            let settings = self.settings_in(&region);
            task::run(settings, Arc::clone(&self.reaper), cloud, launch, stopped, started).await;
            self.tasks().remove(&region, &task_id);
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

    /// A task that has ended already has reported that.
    fn stop_task(&self, task_id: &str, grace: Duration) {
        if let Some(stop) = self.tasks().running.get(task_id) {
            stop.send_replace(Some(grace));
        }
    }

    fn close(&self, grace: Duration) {
        let mut tasks = self.tasks();
        tasks.closed = true;
        for stop in tasks.running.values() {
            stop.send_replace(Some(grace));
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
        let groups = self.tasks().groups.get(region).cloned().unwrap_or_default();
        if groups.is_empty() {
            return;
        }
        let usage = meter.measure(&groups);
        drop(meter);
        cloud.report(Report::TasksMeasured(usage));
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether nothing holds a loopback port right now: the probe for [`crate::addresses::Addresses`].
pub fn port_is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
