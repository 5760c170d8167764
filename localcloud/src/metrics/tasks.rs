//! AWS/ECS: what the tasks of a service use of what they reserve, and how many run.
//!
//! AWS: "Amazon ECS CloudWatch metrics": percent of the tasks' reservation, a value for each task, none while no task runs. A task
//! that reserves no CPU is measured against one whole core, and one that reserves no memory has no MemoryUtilization (both
//! unverified).

use std::collections::BTreeMap;

use interstella_autoscaling::series::Bucket;

use super::metric;
use crate::clock::CloudTime;
use crate::cloudwatch;
use crate::ecs::{self, ServiceTasks};
use crate::effect::TaskUsage;
use crate::world::World;

const NAMESPACE: &str = "AWS/ECS";
/// CPU units of a core.
const CORE: u32 = 1024;
const MIB: f64 = 1_048_576.0;

/// What was measured in this minute, by task.
pub(super) type Samples = BTreeMap<String, Vec<(f64, u64)>>;

/// Takes in a measurement.
pub(super) fn measured(world: &mut World, usage: Vec<TaskUsage>) {
    for TaskUsage { task_id, cores, memory_bytes } in usage {
        world.metrics.tasks.entry(task_id).or_default().push((cores, memory_bytes));
    }
}

/// Puts the minute that ended, and begins the next.
pub(super) fn put(world: &mut World, minute: CloudTime) {
    let samples = std::mem::take(&mut world.metrics.tasks);
    for service in ecs::running_tasks(world) {
        let dimensions = [("ClusterName", service.key.cluster.as_str()), ("ServiceName", service.key.name.as_str())];
        let used: Vec<(f64, f64)> =
            service.tasks.iter().filter_map(|task| samples.get(task)).filter_map(|samples| averages(samples)).collect();
        let mut put = |name: &str, unit: &str, bucket: Option<Bucket>| {
            if let Some(bucket) = bucket {
                cloudwatch::put(world, &metric(NAMESPACE, name, &dimensions), unit, minute, &bucket);
            }
        };
        let cores = f64::from(if service.cpu_units == 0 { CORE } else { service.cpu_units }) / f64::from(CORE);
        let cpu = Bucket::of_all(used.iter().map(|(used, _)| 100.0 * used / cores));
        put("CPUUtilization", "Percent", cpu);
        let reserved = f64::from(service.memory_mib) * MIB;
        let memory = Bucket::of_all(used.iter().filter(|_| reserved > 0.0).map(|(_, used)| 100.0 * used / reserved));
        put("MemoryUtilization", "Percent", memory);
        put("LiveTaskCount", "Count", live(&service));
    }
}

fn live(service: &ServiceTasks) -> Option<Bucket> {
    let tasks = u32::try_from(service.tasks.len()).unwrap_or(u32::MAX);
    (tasks > 0).then(|| Bucket::of(f64::from(tasks)))
}

/// Cores and bytes on average; `None` without a measurement.
#[expect(clippy::cast_precision_loss, reason = "bytes of memory fit a double exactly enough")]
fn averages(samples: &[(f64, u64)]) -> Option<(f64, f64)> {
    let count = samples.len() as f64;
    let sum = samples.iter().fold((0.0, 0.0), |sum, (cores, bytes)| (sum.0 + cores, sum.1 + *bytes as f64));
    (count > 0.0).then(|| (sum.0 / count, sum.1 / count))
}
