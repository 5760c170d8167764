//! The simulator and this cloud come to the same activities, one by one: the same load curve, once in virtual time and once
//! through load balancer metrics, alarms and Application Auto Scaling on the `model` runtime.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value, dead_code)]

#[path = "ecs/lab.rs"]
mod lab;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use interstella_autoscaling::combine::Suspended;
use interstella_autoscaling::simulate::{Load, Metric, Pattern, Policy, Service as Worker, Target, simulate};
use interstella_autoscaling::tracking::TargetTracking;
use interstella_localcloud::call::Service;
use interstella_localcloud::elb::{Counts, Traffic};
use jiff::Timestamp;
use lab::{Lab, text};
use regex::Regex;
use serde_json::{Value, json};

const RESOURCE: &str = "service/interstella/monolith";
const TRACKING: TargetTracking = TargetTracking {
    target: 20.0,
    scale_out_cooldown_seconds: 60,
    scale_in_cooldown_seconds: 60,
    disable_scale_in: false,
};
const MAX_CAPACITY: u32 = 10;

/// As many requests as the test says.
#[derive(Default)]
struct Told(AtomicU64);

impl Traffic for Told {
    fn counts(&self, _target_group_arn: &str) -> Counts {
        Counts { requests: self.0.load(Ordering::Relaxed), ..Counts::default() }
    }
}

/// Orders a minute, minute by minute, of a file with `minute,ordersPerMinute`.
fn curve(path: &Path) -> Vec<f64> {
    let file = std::fs::read_to_string(path).unwrap();
    let lines = file.lines().filter(|line| !line.starts_with('#')).skip(1);
    let steps: Vec<(usize, f64)> = lines
        .filter_map(|line| line.split_once(','))
        .map(|(minute, rate)| (minute.trim().parse().unwrap(), rate.trim().parse().unwrap()))
        .collect();
    let minutes = steps.last().unwrap().0;
    (0..minutes).map(|minute| steps.iter().rfind(|(from, _)| *from <= minute).unwrap().1).collect()
}

/// The load from `start` on; a minute without orders comes before the curve, as in the cloud before there is a policy.
fn load(start: Timestamp, curve: &[f64]) -> Load {
    let orders_per_minute = std::iter::once(0.0).chain(curve.iter().copied()).collect();
    Load { start, orders_per_minute, pattern: Pattern::Poisson, seed: 7 }
}

/// What the simulator comes to, a line for each activity.
fn simulated(load: &Load) -> Vec<String> {
    // As the tasks of the model: there within a second, and never too busy.
    let worker = Worker {
        service_time_seconds: 0.1,
        is_exponential: false,
        concurrency: None,
        patience_seconds: None,
        retry_seconds: 1.0,
        start_up_seconds: 1.0,
        late_after_seconds: 10.0,
    };
    let target = Target {
        initial_capacity: 1,
        min_capacity: 1,
        max_capacity: MAX_CAPACITY,
        suspended: Suspended::default(),
        policies: vec![Policy::tracking("orders", RESOURCE, Metric::RequestCountPerTarget, TRACKING)],
        scheduled: Vec::new(),
    };
    let simulation = simulate(load, &worker, &target);
    let line = |at: Timestamp| at.as_second() - load.start.as_second();
    let lines = simulation.activities.iter().map(|activity| {
        let ended = activity.ended_at.map(line);
        format!(
            "{:>6} {ended:?} {} | {} | {}",
            line(activity.at),
            activity.status().name(),
            activity.cause,
            activity.description()
        )
    });
    lines.collect()
}

/// What the cloud comes to.
fn lived(curve: &[f64]) -> (Timestamp, Vec<String>) {
    let lab = Lab::new();
    let told = Arc::new(Told::default());
    lab.cloud.with_world(|world, _| world.elb.count_with(Arc::<Told>::clone(&told)));
    lab.revision("monolith");
    let group = lab.create_balanced(1, json!({}));
    lab.until_stable();
    lab.advance(seconds_to_minute(&lab));
    scale(&lab, &group);
    let start = Timestamp::from_millisecond(lab.cloud.now().as_millis() - 60_000).unwrap();
    let load = load(start, curve);
    let mut arrivals = load.arrivals().peekable();
    let mut requests = 0;
    for tick in 1..=6 * curve.len() as u64 {
        let now = (60 + 10 * tick) * 1_000_000;
        requests += std::iter::from_fn(|| arrivals.next_if(|at| *at < now)).count() as u64;
        told.0.store(requests, Ordering::Relaxed);
        lab.advance(10.0);
    }
    (start, activities(&lab, start))
}

fn seconds_to_minute(lab: &Lab) -> f64 {
    let passed = lab.cloud.now().as_millis() % 60_000;
    f64::from(i32::try_from(60_000 - passed).unwrap()) / 1000.0
}

fn scale(lab: &Lab, group: &str) {
    let call = |operation: &str, mut input: Value| {
        input["ServiceNamespace"] = json!("ecs");
        input["ScalableDimension"] = json!("ecs:service:DesiredCount");
        input["ResourceId"] = json!(RESOURCE);
        lab.cloud.call(Service::ApplicationAutoScaling, operation, input).unwrap()
    };
    call("RegisterScalableTarget", json!({"MinCapacity": 1, "MaxCapacity": MAX_CAPACITY}));
    let balancer = lab.cloud.call(Service::Elb, "DescribeLoadBalancers", json!({})).unwrap();
    let balancer = text(&balancer["LoadBalancers"][0]["LoadBalancerArn"]);
    let tail = |arn: &str| arn.rsplit(':').next().unwrap().trim_start_matches("loadbalancer/").to_owned();
    let configuration = json!({
        "TargetValue": TRACKING.target,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "ALBRequestCountPerTarget",
            "ResourceLabel": format!("{}/{}", tail(&balancer), tail(group)),
        },
        "ScaleOutCooldown": TRACKING.scale_out_cooldown_seconds,
        "ScaleInCooldown": TRACKING.scale_in_cooldown_seconds,
    });
    call(
        "PutScalingPolicy",
        json!({
            "PolicyName": "orders",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": configuration,
        }),
    );
}

fn activities(lab: &Lab, start: Timestamp) -> Vec<String> {
    let random = Regex::new("(Alarm(?:High|Low))-[0-9a-f-]{36}").unwrap();
    let mut lines = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut input = json!({
            "ServiceNamespace": "ecs",
            "ResourceId": RESOURCE,
            "IncludeNotScaledActivities": true,
        });
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = lab.cloud.call(Service::ApplicationAutoScaling, "DescribeScalingActivities", input).unwrap();
        for activity in page["ScalingActivities"].as_array().unwrap() {
            #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
            let line = |at: &Value| at.as_f64().map(|at| at as i64 - start.as_second());
            let ended = line(&activity["EndTime"]);
            let cause = text(&activity["Cause"]);
            lines.push(format!(
                "{:>6} {ended:?} {} | {} | {}",
                line(&activity["StartTime"]).unwrap(),
                text(&activity["StatusCode"]),
                random.replace(&cause, "$1"),
                text(&activity["Description"])
            ));
        }
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    lines.reverse();
    lines
}

/// Every load curve that ships, among them the rush hour.
#[test]
fn simulator_and_cloud_come_to_the_same_activities() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/load");
    let (mut curves, mut changes) = (0, 0);
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let curve = curve(&path);
        let (start, lived) = lived(&curve);
        let simulated = simulated(&load(start, &curve));
        assert_eq!(lived.join("\n"), simulated.join("\n"), "{}", path.display());
        curves += 1;
        changes += lived.iter().filter(|line| line.contains("Setting desired count")).count();
    }
    assert!(curves >= 5 && changes >= 20, "only {changes} changes in {curves} curves");
}
