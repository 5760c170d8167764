//! One metric of CloudWatch: its names, what it is a metric of, and when it has data.

use std::collections::BTreeMap;

use super::{Problems, grammar};
use crate::manifest::Manifest;
use crate::manifest::pointer::Pointer;

/// Metrics of the service: CPU and memory.
pub(super) const ECS: &str = "AWS/ECS";
/// Metrics of the load balancer and its target groups.
pub(super) const LOAD_BALANCER: &str = "AWS/ApplicationELB";
/// Most dimensions of a metric (AWS: CloudWatch Dimension).
const MAX_DIMENSIONS: usize = 30;

/// A metric as a policy, a query of metric math and an alarm name it.
#[derive(Clone, Copy)]
pub(super) struct Metric<'a> {
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
    pub(super) dimensions: Option<&'a BTreeMap<String, String>>,
    pub(super) unit: Option<&'a str>,
}

impl Metric<'_> {
    /// `path` is the object with the keys `namespace`, `metricName`, `dimensions` and `unit`.
    pub(super) fn check(self, manifest: &Manifest, path: &Pointer, problems: &mut Problems) {
        problems.grammar(path.key("namespace"), self.namespace, grammar::namespace, grammar::NAMESPACE);
        problems.grammar(path.key("metricName"), self.name, grammar::metric_name, grammar::METRIC_NAME);
        if let Some(unit) = self.unit {
            problems.grammar(path.key("unit"), unit, grammar::unit, grammar::UNIT);
        }
        match self.dimensions {
            Some(dimensions) => dimensions_given(dimensions, &path.key("dimensions"), problems),
            None => self.dimensions_absent(manifest, path, problems),
        }
    }

    fn dimensions_absent(self, manifest: &Manifest, path: &Pointer, problems: &mut Problems) {
        match self.namespace {
            ECS => {}
            LOAD_BALANCER if manifest.spec.load_balancer.is_some() => {}
            LOAD_BALANCER => {
                let what = "without `dimensions` this is the app's own load balancer, and there is none";
                problems.add(path.clone(), what, "add `loadBalancer`, or give `dimensions` of another one");
            }
            _ => {
                let what =
                    "`dimensions` is missing, and CloudWatch has no metric without the ones it is published with";
                let remedy = "add them by name, such as `dimensions: { QueueName: orders }`, or `{}` if it has none";
                problems.add(path.clone(), what, remedy);
            }
        }
    }

    /// What AWS knows the metric by, for one app.
    pub(super) fn identity(self, statistic: &str, manifest: &Manifest) -> Identity {
        let own = self.dimensions.is_none_or(|given| self.namespace == ECS && is_service(given, manifest));
        Identity {
            namespace: self.namespace.to_owned(),
            name: self.name.to_owned(),
            statistic: statistic.to_owned(),
            dimensions: if own { None } else { self.dimensions.cloned() },
        }
    }
}

fn is_service(dimensions: &BTreeMap<String, String>, manifest: &Manifest) -> bool {
    let is = |name: &str, value: &str| dimensions.get(name).is_some_and(|given| given == value);
    dimensions.len() == 2 && is("ClusterName", &manifest.spec.cluster) && is("ServiceName", &manifest.metadata.name)
}

fn dimensions_given(dimensions: &BTreeMap<String, String>, path: &Pointer, problems: &mut Problems) {
    if dimensions.len() > MAX_DIMENSIONS {
        let what = format!("a metric has up to {MAX_DIMENSIONS} dimensions, not {}", dimensions.len());
        problems.add(path.clone(), what, "remove some");
    }
    for (name, value) in dimensions {
        problems.grammar(path.key(name), name, grammar::dimension_name, grammar::DIMENSION_NAME);
        problems.grammar(path.key(name), value, grammar::dimension_value, grammar::DIMENSION_VALUE);
    }
}

/// What makes two metrics the same to Application Auto Scaling; neither unit nor label belongs to it.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Identity {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) statistic: String,
    /// `None` = those of the app's own service, or load balancer and target group.
    pub(super) dimensions: Option<BTreeMap<String, String>>,
}

impl Identity {
    /// Whether it has no data, or no more than zeros, while the app has no task.
    pub(super) fn is_silent_without_tasks(&self) -> bool {
        const OF_TARGETS: [&str; 6] = [
            "RequestCount",
            "RequestCountPerTarget",
            "TargetResponseTime",
            "TargetConnectionErrorCount",
            "HealthyHostCount",
            "UnHealthyHostCount",
        ];
        let of_targets = OF_TARGETS.contains(&self.name.as_str()) || self.name.starts_with("HTTPCode_Target_");
        let silent = self.namespace == ECS || (self.namespace == LOAD_BALANCER && of_targets);
        silent && self.dimensions.is_none()
    }

    /// Whether it is the app's own CPU or memory in percent.
    pub(super) fn is_utilization(&self) -> bool {
        let in_percent = ["CPUUtilization", "MemoryUtilization"].contains(&self.name.as_str());
        let a_sum = ["Sum", "SampleCount"].contains(&self.statistic.as_str());
        self.namespace == ECS && self.dimensions.is_none() && in_percent && !a_sum
    }
}
