//! AWS/ApplicationELB: what the load balancers count, and how their targets are.
//!
//! AWS: "CloudWatch metrics for your Application Load Balancer". RequestCount, RequestCountPerTarget and the host counts are there
//! while a load balancer uses the target group; the others only when there was something.

use std::collections::BTreeMap;

use interstella_autoscaling::series::Bucket;
use interstella_autoscaling::traffic::requests_per_target;

use super::{metric, put_value};
use crate::clock::CloudTime;
use crate::cloudwatch;
use crate::elb::{self, Counts, Hosts};
use crate::world::World;

const NAMESPACE: &str = "AWS/ApplicationELB";
/// Names of the counts of targets' answers, by class of status.
const ANSWERS: [&str; 4] = [
    "HTTPCode_Target_2XX_Count",
    "HTTPCode_Target_3XX_Count",
    "HTTPCode_Target_4XX_Count",
    "HTTPCode_Target_5XX_Count",
];

const CONNECTION_ERRORS: &str = "TargetConnectionErrorCount";

/// By target group.
pub(super) type Samples = BTreeMap<String, Sample>;

/// A target group in this minute.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    /// The counters when the minute began.
    before: Counts,
    healthy: Vec<u32>,
    unhealthy: Vec<u32>,
}

/// Looks at the targets of every group in use; a group that is not in use any more is forgotten. A group's counters begin at zero
/// when it comes into use, so what they show at the first look is of this minute.
pub(super) fn sample(world: &mut World) {
    let groups = elb::hosts(world);
    let mut before = std::mem::take(&mut world.metrics.balancing);
    for Hosts { target_group_arn, healthy, unhealthy, .. } in groups {
        let mut sample = before.remove(&target_group_arn).unwrap_or_default();
        sample.healthy.push(healthy);
        sample.unhealthy.push(unhealthy);
        world.metrics.balancing.insert(target_group_arn, sample);
    }
}

/// Puts the minute that ended, and begins the next.
pub(super) fn put(world: &mut World, minute: CloudTime) {
    for Hosts { target_group_arn, load_balancer_arn, .. } in elb::hosts(world) {
        let counts = elb::counts(world, &target_group_arn);
        let Some(sample) = world.metrics.balancing.get_mut(&target_group_arn) else { continue };
        let ended = std::mem::take(sample);
        sample.before = counts.clone();
        let delta = counts.since(&ended.before);
        let (balancer, group) = (tail(&load_balancer_arn, "loadbalancer/"), tail(&target_group_arn, ""));
        put_traffic(world, minute, balancer, group, &delta);
        put_targets(world, minute, [("LoadBalancer", balancer), ("TargetGroup", group)], &delta, &ended);
    }
}

/// What is known of a load balancer as a whole, the groups' values together, and of each of its target groups. An answer of the load
/// balancer itself is of no group.
fn put_traffic(world: &mut World, minute: CloudTime, balancer: &str, group: &str, delta: &Counts) {
    let both = [("LoadBalancer", balancer), ("TargetGroup", group)];
    let answers = ANSWERS.into_iter().zip(delta.targets).chain([(CONNECTION_ERRORS, delta.connection_errors)]);
    for dimensions in [&both[..1], &both[..]] {
        put_value(world, &metric(NAMESPACE, "RequestCount", dimensions), "Count", minute, count(delta.requests));
        for (name, value) in answers.clone().filter(|(_, value)| *value > 0) {
            put_value(world, &metric(NAMESPACE, name, dimensions), "Count", minute, count(value));
        }
        let seconds = delta.response_times.iter().map(|(seconds, times)| (seconds * world.speed, times));
        if let Some(times) = Bucket::merged(seconds.map(|(seconds, times)| Bucket::of_counted(seconds, count(*times))))
        {
            cloudwatch::put(world, &metric(NAMESPACE, "TargetResponseTime", dimensions), "Seconds", minute, &times);
        }
    }
    if delta.balancer_5xx > 0 {
        let name = metric(NAMESPACE, "HTTPCode_ELB_5XX_Count", &both[..1]);
        put_value(world, &name, "Count", minute, count(delta.balancer_5xx));
    }
}

/// What is known of a target group alone.
fn put_targets(world: &mut World, minute: CloudTime, both: [(&str, &str); 2], delta: &Counts, ended: &Sample) {
    let each = requests_per_target(count(delta.requests), &ended.healthy);
    for dimensions in [&both[..], &both[1..]] {
        // Target tracking's alarms ask for values without a unit, as recorded on AWS.
        put_value(world, &metric(NAMESPACE, "RequestCountPerTarget", dimensions), "None", minute, each);
    }
    for (name, hosts) in [("HealthyHostCount", &ended.healthy), ("UnHealthyHostCount", &ended.unhealthy)] {
        if let Some(bucket) = Bucket::of_all(hosts.iter().copied().map(f64::from)) {
            cloudwatch::put(world, &metric(NAMESPACE, name, &both), "Count", minute, &bucket);
        }
    }
    if delta.fail_open > 0 {
        let name = metric(NAMESPACE, "UnhealthyRoutingRequestCount", &both);
        put_value(world, &name, "Count", minute, count(delta.fail_open));
    }
}

/// The end of an ARN as dimensions have it: `app/name/id` after `loadbalancer/`, `targetgroup/name/id` after the last colon.
fn tail<'a>(arn: &'a str, prefix: &str) -> &'a str {
    let resource = arn.rsplit(':').next().unwrap_or(arn);
    resource.strip_prefix(prefix).unwrap_or(resource)
}

#[expect(clippy::cast_precision_loss, reason = "a minute has fewer requests than a double counts exactly")]
fn count(count: u64) -> f64 {
    count as f64
}
