//! Random auto scaling in which everything is right.

use proptest::prelude::*;
use serde_json::{Value, json};

/// Bounds around `count`, or none; requests are counted only if the app is `balanced`.
pub(super) fn section(count: u32, balanced: bool) -> impl Strategy<Value = Option<Value>> {
    let bounds = (0..=count, count.max(1)..=5000);
    let policies = (tracking(balanced), proptest::option::of(step()), proptest::option::of(predictive()));
    let section = (bounds, policies, proptest::collection::vec(action(), 0..3), any::<[bool; 3]>());
    let section = section.prop_map(|((min, max), (tracking, step, predictive), actions, suspended)| {
        let named = |(index, (schedule, min, max)): (usize, (String, u32, u32))| {
            json!({ "name": format!("action {index}"), "schedule": schedule, "minCapacity": min, "maxCapacity": max })
        };
        let [scale_in, scale_out, scheduled] = suspended;
        let mut value = json!({
            "minCapacity": min, "maxCapacity": max, "targetTracking": tracking,
            "scheduled": actions.into_iter().enumerate().map(named).collect::<Vec<_>>(),
            "suspended": { "in": scale_in, "out": scale_out, "scheduled": scheduled },
        });
        value["step"] = step.into_iter().collect();
        if let Some(predictive) = predictive {
            value["predictive"] = predictive;
        }
        value
    });
    proptest::option::of(section)
}

/// The metric of the queue has data at 0 tasks too.
fn tracking(balanced: bool) -> impl Strategy<Value = Value> {
    let metrics = if balanced {
        vec!["ECSServiceAverageMemoryUtilization", "ALBRequestCountPerTarget"]
    } else {
        vec!["ECSServiceAverageMemoryUtilization"]
    };
    let numbers = (1u32..100, 0u32..900, any::<bool>());
    (proptest::sample::select(metrics), numbers).prop_map(|(metric, (target, seconds, stay))| {
        json!([
            { "name": metric, "metric": metric, "target": f64::from(target) / 2.0, "scaleInCooldown": seconds,
              "disableScaleIn": stay },
            { "name": "queue: a/b", "target": target, "customMetric": { "namespace": "AWS/SQS", "metricName": "Depth",
              "dimensions": { "QueueName": "q" }, "statistic": "Sum", "unit": "Count" } },
        ])
    })
}

/// Steps of any widths, one above the other.
fn step() -> impl Strategy<Value = Value> {
    let alarm = (1u32..=24, 1u32..=60, -1000i32..1000);
    (proptest::collection::vec(1u32..50, 1..20), alarm).prop_map(|(widths, (periods, minutes, threshold))| {
        let mut lower = 0;
        let mut steps = Vec::new();
        for width in widths {
            steps.push(json!({ "metricIntervalLowerBound": lower, "metricIntervalUpperBound": lower + width,
                               "scalingAdjustment": width }));
            lower += width;
        }
        steps.push(json!({ "metricIntervalLowerBound": lower, "scalingAdjustment": 50 }));
        json!({
            "name": "step", "adjustmentType": "PercentChangeInCapacity", "minAdjustmentMagnitude": 1, "steps": steps,
            "alarm": { "namespace": "Orders", "metricName": "Late", "dimensions": {}, "statistic": "p99.9",
                       "period": minutes * 60, "evaluationPeriods": periods, "threshold": f64::from(threshold) / 8.0,
                       "comparisonOperator": "GreaterThanOrEqualToThreshold", "treatMissingData": "notBreaching" },
        })
    })
}

fn predictive() -> impl Strategy<Value = Value> {
    (1u32..100, 0u32..=3600, 0u32..=100).prop_map(|(target, seconds, percent)| {
        json!({ "name": "ahead", "metricPair": "ECSServiceCPUUtilization", "target": target,
                "schedulingBufferTime": seconds,
                "maxCapacityBreachBehavior": "IncreaseMaxCapacity", "maxCapacityBuffer": percent })
    })
}

fn action() -> impl Strategy<Value = (String, u32, u32)> {
    let schedule = prop_oneof![
        (0u32..60, 0u32..24).prop_map(|(minute, hour)| format!("cron({minute} {hour} ? * MON-FRI *)")),
        (2u32..1000).prop_map(|hours| format!("rate({hours} hours)")),
        (1u32..=28, 0u32..24).prop_map(|(day, hour)| format!("at(2027-02-{day:02}T{hour:02}:30:00)")),
    ];
    (schedule, 0u32..=2500, 2500u32..=5000)
}
