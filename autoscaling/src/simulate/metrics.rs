//! What CloudWatch would know of the service: a value a minute for each metric that the model has.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::tally::Answers;
use crate::series::{Bucket, Series};
use crate::traffic::requests_per_target;

/// A metric that the model has values for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// `AWS/ApplicationELB` `RequestCountPerTarget`, which is also what `ALBRequestCountPerTarget` tracks.
    RequestCountPerTarget,
    /// `AWS/ApplicationELB` `RequestCount` of the target group.
    RequestCount,
    /// `AWS/ApplicationELB` `TargetResponseTime`, in seconds.
    TargetResponseTime,
    /// `AWS/ApplicationELB` `HealthyHostCount`.
    HealthyHostCount,
    /// `AWS/ECS` `CPUUtilization`, in percent: the share of the slots for orders that are in use. So a task whose
    /// slots are all in use counts as one that uses all of its CPU.
    CpuUtilization,
}

impl Metric {
    /// The metric of this namespace and name; `None`: the model has no values for it.
    #[must_use]
    pub fn named(namespace: &str, name: &str) -> Option<Self> {
        Some(match (namespace, name) {
            ("AWS/ApplicationELB", "RequestCountPerTarget") => Self::RequestCountPerTarget,
            ("AWS/ApplicationELB", "RequestCount") => Self::RequestCount,
            ("AWS/ApplicationELB", "TargetResponseTime") => Self::TargetResponseTime,
            ("AWS/ApplicationELB", "HealthyHostCount") => Self::HealthyHostCount,
            ("AWS/ECS", "CPUUtilization") => Self::CpuUtilization,
            _ => return None,
        })
    }
}

/// What was measured in a minute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    /// How often an order was given to a task.
    pub(crate) requests: u32,
    /// Healthy tasks at each tick.
    pub(crate) healthy: Vec<u32>,
    /// Share of the slots that were in use, in percent; `None`: no task was healthy, or slots are not counted.
    pub(crate) utilisation: Option<f64>,
    /// The tasks' answers.
    pub(crate) answers: Answers,
}

/// The values of all metrics over time.
#[derive(Debug, Default)]
pub(crate) struct Metrics(BTreeMap<Metric, Series>);

impl Metrics {
    /// Notes the minute that begins at `at`.
    pub(crate) fn put(&mut self, at: Timestamp, minute: &Measured) {
        let Measured { requests, healthy, utilisation, answers: Answers { count, sum, least, most } } = minute;
        let hosts = Bucket::of_all(healthy.iter().copied().map(f64::from));
        let (tasks, requests) = (healthy.last().copied().unwrap_or(0).max(1), f64::from(*requests));
        let buckets = [
            (Metric::RequestCount, Some(Bucket::of(requests))),
            (Metric::RequestCountPerTarget, Some(Bucket::of(requests_per_target(requests, healthy)))),
            (Metric::TargetResponseTime, Bucket::of_statistics(f64::from(*count), *sum, *least, *most)),
            (Metric::HealthyHostCount, hosts),
            (Metric::CpuUtilization, utilisation.map(|percent| Bucket::of_counted(percent, f64::from(tasks)))),
        ];
        for (metric, bucket) in buckets {
            if let Some(bucket) = bucket {
                self.0.entry(metric).or_default().add(at, &bucket);
            }
        }
    }

    pub(crate) fn series(&self, metric: Metric) -> Option<&Series> {
        self.0.get(&metric)
    }

    /// Forgets what no alarm can look at any more.
    pub(crate) fn forget_before(&mut self, moment: Timestamp) {
        self.0.values_mut().for_each(|series| series.forget_before(moment));
    }
}
