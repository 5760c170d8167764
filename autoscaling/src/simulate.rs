//! What a service would have done under a load curve: the engine's own functions around a model of a queue, in virtual
//! time.
//!
//! ```text
//!   load ─ arrivals ─▶ fleet ─ orders ─▶ tally ─ minutes ─▶ scaler ─ desired count ─▶ fleet
//! ```
//!
//! The model. Orders arrive at the load balancer, which gives each to the next healthy task in turn, as an Application
//! Load Balancer does by default. So every task has a queue of its own, first come, first served, and works on
//! `concurrency` orders at once; one central queue would share the work better than a load balancer does, and so
//! promise too much. An order that has waited for `patience` is sent away, and comes back `retry` later as another
//! request, which is what Amazon SNS does with an answer of 503; so it does while no task is healthy. New tasks are
//! healthy `start_up` after they were wanted; removed ones get no more orders, but finish those they have. Not in the
//! model: the end of SNS's retries, and the time of the network.
//!
//! Time. Every ten seconds the healthy tasks are counted; every whole minute the minute before is put into the
//! metrics, the alarms are evaluated, and those in ALARM set their policies off. The local cloud does the same at the
//! same moments, so that both come to the same activities.

mod arrivals;
mod fleet;
mod metrics;
mod policy;
mod random;
mod report;
mod run;
mod scaler;
mod tally;

use jiff::Timestamp;

use crate::combine::Suspended;

pub use arrivals::{Arrivals, Pattern};
pub use metrics::Metric;
pub use policy::{Policy, Scheduled, StepAlarm};
pub use report::{Activity, Outcome, Sample, Simulation, Totals};

/// Microseconds of a second: the simulation's own clock counts in them, from its start.
const SECOND: u64 = 1_000_000;
/// Between two counts of the healthy tasks.
const TICK: u64 = 10 * SECOND;
/// Between two evaluations of the alarms.
const MINUTE: u64 = 60 * SECOND;

/// What arrives.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// When it begins: a whole minute. Schedules go by it.
    pub start: Timestamp,
    /// Orders a minute, minute by minute. Its length is the simulation's.
    pub orders_per_minute: Vec<f64>,
    /// How orders are spread over a minute.
    pub pattern: Pattern,
    /// Where the random numbers begin; the same seed gives the same orders.
    pub seed: u64,
}

impl Load {
    /// The moments at which orders arrive.
    #[must_use]
    pub fn arrivals(&self) -> Arrivals<'_> {
        Arrivals::new(&self.orders_per_minute, self.pattern, self.seed)
    }
}

/// How the service works on orders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Service {
    /// How long a task works on an order: exactly, or on average.
    pub service_time_seconds: f64,
    /// Whether each order takes another time, exponentially distributed, rather than the same.
    pub is_exponential: bool,
    /// Orders that a task works on at once; `None`: any number, so that nothing waits.
    pub concurrency: Option<u32>,
    /// How long an order waits for its turn before it is sent away; `None`: as long as it takes.
    pub patience_seconds: Option<f64>,
    /// How long after it was sent away an order comes back; at least a second.
    pub retry_seconds: f64,
    /// From the moment at which a task is wanted until it is healthy: pull, start, health checks.
    pub start_up_seconds: f64,
    /// An order whose answer comes later than this after its arrival is late.
    pub late_after_seconds: f64,
}

/// What is scaled, and by which rules: a scalable target with what belongs to it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Tasks that are wanted and healthy at the start; brought within the bounds.
    pub initial_capacity: u32,
    /// Fewest tasks.
    pub min_capacity: u32,
    /// Most tasks.
    pub max_capacity: u32,
    /// What is switched off.
    pub suspended: Suspended,
    /// The policies, in the order in which their alarms are looked at.
    pub policies: Vec<Policy>,
    /// The scheduled actions.
    pub scheduled: Vec<Scheduled>,
}

/// Runs the service under the load from its start to the end of the curve.
#[must_use]
pub fn simulate(load: &Load, service: &Service, target: &Target) -> Simulation {
    run::Run::new(load, service, target).finish()
}

#[cfg(test)]
mod tests;
