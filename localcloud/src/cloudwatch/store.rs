//! Every metric with its history, within bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use interstella_autoscaling::series::{Bucket, Point, Series, Statistic, later, period_start};
use jiff::Timestamp;

/// Metrics that are kept. Real accounts have no such bound; here it keeps a mistaken dimension from filling the memory.
const MAX_METRICS: usize = 10_000;
/// Seconds for which values are kept by the minute (AWS: 15 days; by the hour longer, which is not done here).
const MINUTES_KEPT: i64 = 15 * 86_400;
/// Seconds for which values are kept by the second (AWS: three hours).
const SECONDS_KEPT: i64 = 3 * 3_600;
/// Seconds after which a metric is looked through for values that are too old.
const SWEEP: i64 = 600;

/// The identity of a metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricName {
    /// Such as `AWS/ECS`.
    pub namespace: String,
    /// Such as `CPUUtilization`.
    pub name: String,
    /// Names and values.
    pub dimensions: BTreeMap<String, String>,
}

/// Every metric. Cloning copies names and no history.
#[derive(Debug, Clone, Default)]
pub struct Store {
    metrics: BTreeMap<Arc<MetricName>, Arc<Metric>>,
}

/// One metric.
#[derive(Debug, Clone)]
struct Metric {
    /// By unit.
    units: BTreeMap<String, History>,
    newest: Timestamp,
    swept: Timestamp,
}

/// Values of one unit, twice: as they came, for a short time, and by the minute.
#[derive(Debug, Clone, Default)]
struct History {
    seconds: Series,
    minutes: Series,
}

impl Store {
    /// Adds values of the stretch that begins at `at`. A new metric beyond the bound is dropped with a warning.
    pub fn put(&mut self, name: &MetricName, unit: &str, at: Timestamp, bucket: &Bucket) {
        if !self.metrics.contains_key(name) {
            if self.metrics.len() >= MAX_METRICS {
                self.metrics.retain(|_, metric| metric.newest >= later(at, -MINUTES_KEPT));
            }
            if self.metrics.len() >= MAX_METRICS {
                tracing::warn!(
                    namespace = name.namespace,
                    metric = name.name,
                    "there are {MAX_METRICS} metrics already"
                );
                return;
            }
            let metric = Metric { units: BTreeMap::new(), newest: at, swept: at };
            self.metrics.insert(Arc::new(name.clone()), Arc::new(metric));
        }
        if let Some(metric) = self.metrics.get_mut(name) {
            Arc::make_mut(metric).put(unit, at, bucket);
        }
    }

    /// All values of the period that begins at `start`, of one unit or of all.
    pub fn bucket(&self, name: &MetricName, unit: Option<&str>, seconds: u32, start: Timestamp) -> Option<Bucket> {
        let units = self.metrics.get(name)?.units.iter();
        let wanted = units.filter(|(of, _)| unit.is_none_or(|unit| unit == of.as_str()));
        Bucket::merged(wanted.filter_map(|(_, history)| history.of(seconds).bucket(seconds, start)))
    }

    /// The values of the newest `count` periods that ended by `end`, oldest first.
    pub fn points(
        &self,
        (name, unit): (&MetricName, Option<&str>),
        statistic: Statistic,
        seconds: u32,
        (end, count): (Timestamp, u32),
    ) -> Vec<Point> {
        let end = period_start(end, seconds);
        let starts = (1..=i64::from(count)).rev().map(|back| later(end, -back * i64::from(seconds)));
        starts
            .map(|at| Point {
                at,
                value: self.bucket(name, unit, seconds, at).and_then(|all| all.statistic(statistic)),
            })
            .collect()
    }

    /// Units in which a metric has values.
    pub fn units(&self, name: &MetricName) -> impl Iterator<Item = &str> {
        self.metrics.get(name).into_iter().flat_map(|metric| metric.units.keys().map(String::as_str))
    }

    /// Every metric with the start of its newest values, in order.
    pub fn names(&self) -> impl Iterator<Item = (&MetricName, Timestamp)> {
        self.metrics.iter().map(|(name, metric)| (&**name, metric.newest))
    }
}

impl Metric {
    fn put(&mut self, unit: &str, at: Timestamp, bucket: &Bucket) {
        if !self.units.contains_key(unit) {
            self.units.insert(unit.to_owned(), History::default());
        }
        if let Some(history) = self.units.get_mut(unit) {
            history.seconds.add(at, bucket);
            history.minutes.add(period_start(at, 60), bucket);
        }
        self.newest = self.newest.max(at);
        if at.as_second() >= self.swept.as_second() + SWEEP {
            self.sweep(at);
        }
    }

    fn sweep(&mut self, now: Timestamp) {
        self.swept = now;
        for history in self.units.values_mut() {
            history.seconds.forget_before(later(now, -SECONDS_KEPT));
            history.minutes.forget_before(later(now, -MINUTES_KEPT));
        }
        self.units.retain(|_, history| !history.minutes.is_empty());
    }
}

impl History {
    /// The series in which a period of so many seconds is found.
    fn of(&self, seconds: u32) -> &Series {
        if seconds < 60 { &self.seconds } else { &self.minutes }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn name(metric: &str) -> MetricName {
        MetricName { namespace: "Test".to_owned(), name: metric.to_owned(), dimensions: BTreeMap::new() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn histories_are_bounded_and_units_are_told_apart() {
        let mut store = Store::default();
        for minute in 0..(20 * 1440) {
            store.put(&name("a"), "Count", at(minute * 60), &Bucket::of(1.0));
        }
        store.put(&name("a"), "None", at(20 * 86_400 - 60), &Bucket::of(2.0));
        let end = at(20 * 86_400);
        let sums = |unit, seconds, count| -> f64 {
            let points = store.points((&name("a"), unit), Statistic::Sum, seconds, (end, count));
            points.iter().filter_map(|point| point.value).sum()
        };
        let kept = sums(Some("Count"), 60, 20 * 1440);
        assert!((15.0 * 1440.0..=15.0 * 1440.0 + 10.0).contains(&kept), "{kept} minutes are kept");
        assert_eq!((sums(None, 60, 1), sums(Some("Count"), 60, 1), sums(Some("None"), 60, 1)), (3.0, 1.0, 2.0));
        assert!(sums(Some("Count"), 30, 20 * 2880) <= 191.0, "seconds are kept for three hours");
    }

    #[test]
    fn a_copy_shares_every_history_that_has_not_changed() {
        let mut store = Store::default();
        for metric in ["a", "b"] {
            store.put(&name(metric), "None", at(0), &Bucket::of(1.0));
        }
        let copy = store.clone();
        store.put(&name("a"), "None", at(60), &Bucket::of(1.0));
        let shared = |metric: &str| Arc::ptr_eq(&store.metrics[&name(metric)], &copy.metrics[&name(metric)]);
        assert_eq!((shared("a"), shared("b")), (false, true));
        assert_eq!(copy.points((&name("a"), None), Statistic::Sum, 60, (at(120), 1))[0].value, None);
    }
}
