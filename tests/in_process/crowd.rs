//! Many apps of one controller.

use std::collections::BTreeMap;
use std::time::Duration;

use interstella_controller::app::AppName;
use interstella_controller::desired::Desired;
use interstella_controller::memory::Memory;
use interstella_controller::reconcile::{self, Outcome};
use jiff::Timestamp;

use crate::lab::Lab;

/// More passes than any way to converged apps takes.
const MAX_PASSES: usize = 200;

/// Auto scaling with one policy and one schedule.
#[allow(dead_code, reason = "only the benchmark scales a crowd")]
pub const SCALING: &str = "  scaling:
    minCapacity: 1
    maxCapacity: 4
    targetTracking: [{ name: orders, metric: ALBRequestCountPerTarget, target: 30 }]
    scheduled: [{ name: night, schedule: cron(0 22 * * ? *), maxCapacity: 3 }]
";

/// So many subscribed apps, on Fargate, so that no container instance gets full; `more` is added to each one's `spec`.
pub fn apps(lab: &Lab, count: usize, more: &str) -> Vec<Desired> {
    let fargate = include_str!("../../manifests/fargate.yaml").replace("desiredCount: 2", "desiredCount: 1");
    let subscribed = fargate.replace("  deployment:", &format!("{more}  deployment:"));
    (0..count).map(|number| lab.present(&subscribed.replace("monolith-fargate", &format!("app-{number:04}")))).collect()
}

/// One pass over all apps.
pub async fn pass(lab: &Lab, apps: &[Desired], memory: &mut Memory) -> BTreeMap<AppName, Outcome> {
    let now = Timestamp::from_millisecond(lab.cloud.now().as_millis()).unwrap();
    reconcile::pass(&lab.aws, apps, memory, now).await
}

/// Passes until all apps are as they should be.
pub async fn converge(lab: &Lab, apps: &[Desired], memory: &mut Memory) {
    for _ in 0..MAX_PASSES {
        let outcomes = pass(lab, apps, memory).await;
        if outcomes.values().all(|one| one.is_converged() && !one.status.is_progressing()) {
            return;
        }
        lab.cloud.advance(Duration::from_secs(5));
    }
    panic!("not converged after {MAX_PASSES} passes");
}
