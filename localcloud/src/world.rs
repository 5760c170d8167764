//! Everything the cloud holds in a region: plain data, changed only by API calls, timers and reports, all synchronous.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::addresses::Addresses;
use crate::call::{Answer, Call, Service};
use crate::clock::CloudTime;
use crate::effect::{Effect, Report};
use crate::event::Event;
use crate::images::Images;
use crate::{application_autoscaling, cloudwatch, ecr, ecs, elb, logs, metrics, sns, sqs, ssm, sts, tagging};

/// The account of everything here.
pub const ACCOUNT: &str = "123456789012";

/// Everything the cloud holds in a region.
#[derive(Debug, Clone)]
pub struct World {
    /// The region that it is: a part of ARNs, zones and DNS names.
    pub region: String,
    /// Where this cloud answers, without a slash at the end: base of the URLs that SNS and SQS hand out.
    pub endpoint_url: String,
    /// Ports of loopback where programs of the product listen, and what each is: SNS delivers to none of them.
    pub own_ports: BTreeMap<u16, &'static str>,
    /// Cloud seconds in a second of the machine: what is measured in the machine's time is told in the cloud's.
    pub speed: f64,
    /// Source of identifiers.
    pub ids: Ids,
    /// What happens later.
    pub timers: Timers,
    /// What has to happen outside; the caller of `World` takes these and hands them to the runtime.
    pub effects: Vec<Effect>,
    /// What one service has to tell another; `World` routes these after every call, timer and report, so no service knows who
    /// listens.
    pub events: Vec<Event>,
    /// Events for other regions; the caller of `World` takes these and hands them on.
    pub leaving: Vec<Event>,
    /// Virtual addresses and the loopback ports behind them.
    pub addresses: Addresses,
    /// What image names resolve to.
    pub images: Images,
    /// Elastic Container Service.
    pub ecs: ecs::Ecs,
    /// Elastic Load Balancing.
    pub elb: elb::Elb,
    /// CloudWatch Logs.
    pub logs: logs::Logs,
    /// Simple Notification Service.
    pub sns: sns::Sns,
    /// Simple Queue Service.
    pub sqs: sqs::Sqs,
    /// Parameters.
    pub ssm: ssm::Ssm,
    /// Repositories.
    pub ecr: ecr::Ecr,
    /// What was seen of all this since the last whole minute.
    pub metrics: metrics::Metrics,
    /// Metrics and alarms.
    pub cloudwatch: cloudwatch::CloudWatch,
    /// Scalable targets and what scales them.
    pub application_autoscaling: application_autoscaling::ApplicationAutoScaling,
}

impl World {
    /// An empty cloud in `region`; `seed` determines every identifier it will make.
    pub fn new(region: &str, seed: u64, images: Images) -> Self {
        Self {
            region: region.to_owned(),
            endpoint_url: "http://127.0.0.1:4566".to_owned(),
            own_ports: BTreeMap::new(),
            speed: 1.0,
            ids: Ids { seed, made: 0 },
            timers: Timers::default(),
            effects: Vec::new(),
            events: Vec::new(),
            leaving: Vec::new(),
            addresses: Addresses::default(),
            images,
            ecs: ecs::Ecs::default(),
            elb: elb::Elb::default(),
            logs: logs::Logs::default(),
            sns: sns::Sns::default(),
            sqs: sqs::Sqs::default(),
            ssm: ssm::Ssm::default(),
            ecr: ecr::Ecr::default(),
            metrics: metrics::Metrics::default(),
            cloudwatch: cloudwatch::CloudWatch::default(),
            application_autoscaling: application_autoscaling::ApplicationAutoScaling::default(),
        }
    }

    /// Another region of the same cloud, with nothing in it.
    pub(crate) fn beside(&self, region: &str) -> Self {
        Self {
            endpoint_url: self.endpoint_url.clone(),
            own_ports: self.own_ports.clone(),
            speed: self.speed,
            addresses: self.addresses.beside(),
            elb: self.elb.beside(region),
            ..Self::new(region, self.ids.seed_for(region), self.images.clone())
        }
    }

    /// Answers one API call.
    pub fn call(&mut self, call: &Call, service: Service, operation: &str, input: Value) -> Answer {
        let answer = match service {
            Service::Ecs => ecs::call(self, call, operation, input),
            Service::Elb => elb::call(self, call, operation, input),
            Service::Logs => logs::call(self, call, operation, input),
            Service::Sns => sns::call(self, call, operation, input),
            Service::Sqs => sqs::call(self, call, operation, input),
            Service::Ssm => ssm::call(self, call, operation, input),
            Service::Ecr => ecr::call(self, call, operation, input),
            Service::Sts => sts::call(self, call, operation, input),
            Service::Tagging => tagging::call(self, call, operation, input),
            Service::CloudWatch => cloudwatch::call(self, call, operation, input),
            Service::ApplicationAutoScaling => application_autoscaling::call(self, call, operation, input),
        };
        if answer.is_ok() && matches!(operation, "CreateService" | "CreateLoadBalancer" | "RegisterScalableTarget") {
            self.start_metrics(call.now);
        }
        self.route_events(call.now);
        answer
    }

    /// Takes in what came of an effect.
    pub fn report(&mut self, now: CloudTime, report: Report) {
        match report {
            Report::TaskFailedToStart { .. }
            | Report::ContainerStarted { .. }
            | Report::ContainerFailedToStart { .. }
            | Report::ContainerChecked { .. }
            | Report::ContainerExited { .. } => ecs::report(self, now, report),
            Report::TasksMeasured(usage) => metrics::measured(self, usage),
            Report::LogLine { group, stream, line } => logs::append(self, now, &group, &stream, line),
            Report::TargetChecked { target_group_arn, target, result } => {
                elb::checked(self, now, &target_group_arn, &target, result);
            }
            Report::Delivered { delivery_id, status, message } => {
                sns::delivered(self, now, delivery_id, status, message);
            }
            Report::SubscriptionConfirmed { topic_arn, token } => sns::confirmed(self, now, &topic_arn, &token),
        }
        self.route_events(now);
    }

    /// Fires every timer that is due at `now`, in order, including those that become due by it.
    pub fn fire_due(&mut self, now: CloudTime) {
        while let Some((at, timer)) = self.timers.take_due(now) {
            match timer {
                Timer::Ecs(timer) => ecs::fire(self, at, timer),
                Timer::Elb(timer) => elb::fire(self, at, timer),
                Timer::Sns(timer) => sns::fire(self, at, timer),
                Timer::Metrics => metrics::tick(self, at),
                Timer::ApplicationAutoScaling(timer) => application_autoscaling::fire(self, at, timer),
                Timer::Report(report) => self.report(at, report),
            }
            self.route_events(at);
        }
        // Of what a caller of the world has changed besides calls, reports and timers.
        self.route_events(now);
    }

    /// Tells every event to whom it is for, including events that come of it. What is for another region leaves.
    fn route_events(&mut self, now: CloudTime) {
        while !self.events.is_empty() {
            for event in std::mem::take(&mut self.events) {
                if event.region().is_none_or(|region| region == self.region) {
                    event.route(self, now);
                } else {
                    self.leaving.push(event);
                }
            }
        }
    }

    /// Begins to collect metrics, if that has not begun: there is something to see, or somebody who watches.
    pub fn start_metrics(&mut self, now: CloudTime) {
        metrics::start(self, now);
    }

    /// An ARN of this account and region: `arn:aws:<service>:<region>:<account>:<resource>`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{ACCOUNT}:{resource}", self.region)
    }
}

/// What a timer does when it fires.
#[derive(Debug, Clone, PartialEq)]
pub enum Timer {
    /// Something of ECS.
    Ecs(ecs::Timer),
    /// Something of load balancing.
    Elb(elb::Timer),
    /// Something of SNS.
    Sns(sns::Timer),
    /// A look at everything that has metrics.
    Metrics,
    /// Something of scaling.
    ApplicationAutoScaling(application_autoscaling::Timer),
    /// A report of the `model` runtime, which takes time but runs nothing.
    Report(Report),
}

/// What happens later, in order of time and then of being set.
#[derive(Debug, Clone, Default)]
pub struct Timers {
    queue: BTreeMap<(CloudTime, u64), Timer>,
    set: u64,
}

impl Timers {
    /// Has `timer` fire at `at`. Timers are not cancelled: one that has lost its reason does nothing when it fires.
    pub fn set(&mut self, at: CloudTime, timer: Timer) {
        self.set += 1;
        self.queue.insert((at, self.set), timer);
    }

    /// When the next one fires.
    pub fn next(&self) -> Option<CloudTime> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    fn take_due(&mut self, now: CloudTime) -> Option<(CloudTime, Timer)> {
        let entry = self.queue.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((at, _), timer) = entry.remove_entry();
        Some((at, timer))
    }
}

/// Identifiers that look like AWS's and are the same in every run with the same seed.
#[derive(Debug, Clone)]
pub struct Ids {
    seed: u64,
    made: u64,
}

impl Ids {
    /// A new identifier of `digits` hexadecimal digits, at most 32.
    pub fn hex(&mut self, digits: usize) -> String {
        let high = self.next();
        let low = self.next();
        let mut text = format!("{high:016x}{low:016x}");
        text.truncate(digits);
        text
    }

    /// A new decimal number of 19 digits, as in `ecs-svc/1234567890123456789`.
    pub fn number(&mut self) -> u64 {
        1_000_000_000_000_000_000 + self.next() % 8_000_000_000_000_000_000
    }

    /// A new UUID, lower case.
    pub fn uuid(&mut self) -> String {
        let bits = (u128::from(self.next()) << 64) | u128::from(self.next());
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
    }

    /// Where another region of the same cloud begins (FNV-1a).
    fn seed_for(&self, region: &str) -> u64 {
        let offset = 0xcbf2_9ce4_8422_2325 ^ self.seed;
        region.bytes().fold(offset, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// SplitMix64: equidistributed, so identifiers do not repeat.
    fn next(&mut self) -> u64 {
        self.made += 1;
        let mut z = self.seed.wrapping_add(self.made.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
