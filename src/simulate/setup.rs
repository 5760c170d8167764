//! What is simulated: the settings of a manifest, or of flags alone.

use std::time::Duration;

use interstella_autoscaling::simulate::Service;
use interstella_controller::app::AppName;
use interstella_controller::manifest::{LaunchType, Manifest, PredefinedMetric, Scaling, Suspended, TargetTracking};

use crate::failure::Failure;
use crate::simulate::prices::TaskSize;

/// Variable of a worker that says how long it works on an order, in milliseconds.
const GATHER: &str = "INTERSTELLA_GATHER_MS";
/// Variable of a worker that says on how many orders it works at once.
const CONCURRENT: &str = "INTERSTELLA_MAX_CONCURRENT_ORDERS";
/// How long a worker works on an order unless something says otherwise.
const SERVICE_TIME_SECONDS: f64 = 2.0;
/// How long an order may take in a worker until its call, of which the service time is a part; then it is sent away.
const PATIENCE_SECONDS: f64 = 8.0;
/// SNS's delay between deliveries unless a policy says otherwise (AWS: SNS developer guide, message delivery retries).
const RETRY_SECONDS: f64 = 20.0;
/// The size that costs are shown for where a manifest gives none: Fargate's smallest.
const SMALLEST: TaskSize = TaskSize { cpu: 256, memory: 512 };

/// The parts of the model that flags may set.
#[derive(Debug, Clone, Default)]
pub struct Given {
    pub service_time: Option<Duration>,
    pub is_exponential: bool,
    pub concurrency: Option<u32>,
    pub patience: Option<Duration>,
    pub retry: Option<Duration>,
    pub start_up: Duration,
    pub late_after: Duration,
    pub cpu: Option<u32>,
    pub memory: Option<u32>,
}

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Setup {
    pub app: AppName,
    pub scaling: Scaling,
    pub initial_capacity: u32,
    pub service: Service,
    pub size: TaskSize,
    pub has_load_balancer: bool,
    /// ARNs of the topics that orders come from.
    pub topic_arns: Vec<String>,
    /// What was presumed, a sentence each.
    pub presumed: Vec<String>,
}

impl Setup {
    /// The settings of an app.
    ///
    /// # Errors
    /// If it has no `scaling`.
    pub fn of_manifest(manifest: &Manifest, given: &Given) -> Result<Self, Failure> {
        let app = manifest.app();
        let scaling = manifest.spec.scaling.clone().ok_or_else(|| {
            Failure::new(format!("{app} has no `scaling`"))
                .remedy("add it, or leave the manifest out and give settings as flags, such as --target 20")
        })?;
        let mut presumed = Vec::new();
        let task = &manifest.spec.task_definition;
        let variable =
            |name| task.containers.iter().find_map(|container| container.environment.get(name)?.parse().ok());
        let gather: Option<f64> = variable(GATHER);
        let concurrent: Option<f64> = variable(CONCURRENT);
        if given.service_time.or(gather.map(|_| Duration::ZERO)).is_none() {
            presumed.push(format!("an order takes {SERVICE_TIME_SECONDS} s, as nothing says otherwise"));
        }
        if given.concurrency.is_none() && concurrent.is_none() {
            presumed.push("a task works on one order at a time, as nothing says otherwise".to_owned());
        }
        let declared = task.cpu.zip(task.memory).map(|(cpu, memory)| TaskSize { cpu, memory });
        let size = given.size(declared.unwrap_or(SMALLEST));
        if manifest.spec.launch_type == LaunchType::Ec2 || declared.is_none() {
            let TaskSize { cpu, memory } = size;
            presumed.push(format!("the cost is that of Fargate tasks with {cpu} CPU units and {memory} MiB"));
        }
        let policy = manifest.spec.subscriptions.iter().find_map(|subscription| subscription.delivery_policy.as_ref());
        let retry = policy.map_or(RETRY_SECONDS, |policy| f64::from(policy.min_delay_target));
        let service = given.service(gather.map(|millis| millis / 1_000.0), concurrent.map(|slots| slots as u32), retry);
        let initial_capacity = manifest.spec.desired_count;
        let has_load_balancer = manifest.spec.load_balancer.is_some();
        let topic_arns = manifest.spec.subscriptions.iter().map(|subscription| subscription.topic.clone()).collect();
        Ok(Self { app, scaling, initial_capacity, service, size, has_load_balancer, topic_arns, presumed })
    }

    /// The settings of flags alone: one target-tracking policy.
    pub fn of_flags(app: AppName, scaling: Scaling, given: &Given) -> Self {
        Self {
            app,
            initial_capacity: scaling.min_capacity,
            scaling,
            service: given.service(None, None, RETRY_SECONDS),
            size: given.size(SMALLEST),
            has_load_balancer: true,
            topic_arns: Vec::new(),
            presumed: Vec::new(),
        }
    }
}

/// `scaling` with one target-tracking policy.
pub fn tracking(bounds: (u32, u32), metric: PredefinedMetric, target: f64, cooldowns: (u32, u32)) -> Scaling {
    let policy = TargetTracking {
        name: "tracking".to_owned(),
        metric: Some(metric),
        custom_metric: None,
        target,
        scale_out_cooldown: cooldowns.0,
        scale_in_cooldown: cooldowns.1,
        disable_scale_in: false,
    };
    Scaling {
        min_capacity: bounds.0,
        max_capacity: bounds.1,
        target_tracking: vec![policy],
        step: Vec::new(),
        scheduled: Vec::new(),
        predictive: None,
        suspended: Suspended::default(),
    }
}

impl Given {
    fn service(&self, gather_seconds: Option<f64>, concurrent: Option<u32>, retry_seconds: f64) -> Service {
        let service_time =
            self.service_time.map(|time| time.as_secs_f64()).or(gather_seconds).unwrap_or(SERVICE_TIME_SECONDS);
        let patience = self.patience.map_or((PATIENCE_SECONDS - service_time).max(0.0), |time| time.as_secs_f64());
        Service {
            service_time_seconds: service_time,
            is_exponential: self.is_exponential,
            concurrency: Some(self.concurrency.or(concurrent).unwrap_or(1)),
            patience_seconds: Some(patience),
            retry_seconds: self.retry.map_or(retry_seconds, |time| time.as_secs_f64()),
            start_up_seconds: self.start_up.as_secs_f64(),
            late_after_seconds: self.late_after.as_secs_f64(),
        }
    }

    fn size(&self, declared: TaskSize) -> TaskSize {
        TaskSize { cpu: self.cpu.unwrap_or(declared.cpu), memory: self.memory.unwrap_or(declared.memory) }
    }
}
