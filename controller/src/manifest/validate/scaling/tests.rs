#![allow(clippy::unwrap_used, clippy::expect_used)]

mod metrics;
mod step;

use serde_json::{Value, json};

use super::super::tests::{fargate, good, problems, table};

const STEP: &str = "/spec/scaling/step/0";
const ALARM: &str = "/spec/scaling/step/0/alarm";
const TRACKING: &str = "/spec/scaling/targetTracking/0";
const CUSTOM: &str = "/spec/scaling/targetTracking/1/customMetric";
const ACTION: &str = "/spec/scaling/scheduled/0";
const PREDICTIVE: &str = "/spec/scaling/predictive";

/// Everything that auto scaling has, and all of it right.
fn section() -> Value {
    json!({
        "minCapacity": 1, "maxCapacity": 10,
        "targetTracking": [
            { "name": "cpu", "metric": "ECSServiceAverageCPUUtilization", "target": 60 },
            { "name": "queue", "target": 100, "customMetric": {
                "namespace": "AWS/SQS", "metricName": "ApproximateNumberOfMessagesVisible",
                "dimensions": { "QueueName": "orders" }, "statistic": "Average",
            } },
        ],
        "step": [{
            "name": "burst", "adjustmentType": "ChangeInCapacity",
            "steps": [
                { "metricIntervalLowerBound": 0, "metricIntervalUpperBound": 20, "scalingAdjustment": 1 },
                { "metricIntervalLowerBound": 20, "scalingAdjustment": 3 },
            ],
            "alarm": {
                "namespace": "AWS/ECS", "metricName": "CPUUtilization", "statistic": "Average", "evaluationPeriods": 2,
                "threshold": 75, "comparisonOperator": "GreaterThanThreshold",
            },
        }],
        "scheduled": [{
            "name": "morning", "schedule": "cron(0 8 ? * MON-FRI *)", "timezone": "Europe/Berlin",
            "minCapacity": 4, "startTime": "2026-12-01T00:00:00Z", "endTime": "2027-12-01T00:00:00Z",
        }],
        "predictive": { "name": "ahead", "metricPair": "ECSServiceCPUUtilization", "target": 60 },
    })
}

fn with(mut manifest: Value) -> Value {
    manifest["spec"]["scaling"] = section();
    manifest
}

fn scaled() -> Value {
    with(good())
}

fn scaled_on_fargate() -> Value {
    with(fargate())
}

fn scaled_alone() -> Value {
    let mut value = scaled();
    let spec = value["spec"].as_object_mut().unwrap();
    spec.remove("loadBalancer");
    spec.remove("subscriptions");
    value
}

/// Starts at no task, with `policies` in the section.
fn from_zero(policies: &Value) -> Vec<String> {
    let mut value = good();
    value["spec"]["desiredCount"] = json!(0);
    value["spec"]["scaling"] = json!({ "minCapacity": 0, "maxCapacity": 5 });
    for (key, list) in policies.as_object().unwrap() {
        value["spec"]["scaling"][key] = list.clone();
    }
    problems(value)
}

fn at(parent: &str, key: &str) -> String {
    format!("{parent}/{key}")
}

#[test]
fn the_bases_are_good() {
    for base in [scaled, scaled_on_fargate, scaled_alone] {
        assert_eq!(problems(base()), Vec::<String>::new());
    }
}

#[test]
fn bounds_and_the_count_at_creation() {
    table(
        scaled,
        &[
            ("/spec/scaling/maxCapacity", json!(5001), "5001 is out of range"),
            ("/spec/scaling/maxCapacity", json!(0), "the minimum of 1 is above the maximum of 0"),
            ("/spec/desiredCount", json!(11), "the count at creation is 11"),
            ("/spec/desiredCount", json!(10), ""),
            ("/spec/desiredCount", json!(0), "the count at creation is 0"),
            (&at(ACTION, "minCapacity"), json!(5001), "5001 is out of range"),
            (&at(ACTION, "minCapacity"), json!(11), "above the maximum of 10 that `scaling` sets"),
            (&at(ACTION, "minCapacity"), json!(10), ""),
            (&at(ACTION, "minCapacity"), Value::Null, "changes neither bound"),
            (&at(ACTION, "maxCapacity"), json!(3), "the minimum of 4 is above the maximum of 3"),
            (&at(ACTION, "maxCapacity"), json!(4), ""),
        ],
    );
}

#[test]
fn every_order_of_schedules_is_walked() {
    let action = |name: &str, min: Value, max: Value| {
        let schedule = "rate(1 day)";
        json!({ "name": name, "schedule": schedule, "minCapacity": min, "maxCapacity": max })
    };
    let scheduled = |actions: Value| {
        let mut value = scaled();
        value["spec"]["scaling"]["scheduled"] = actions;
        problems(value)
    };
    let day = |max: Value| action("day", json!(6), max);
    let night = |min: Value| action("night", min, json!(5));
    assert_eq!(scheduled(json!([day(json!(10)), night(json!(1))])), Vec::<String>::new());
    let only_min = scheduled(json!([day(Value::Null), night(json!(1))]));
    assert_eq!(only_min.len(), 1, "{only_min:#?}");
    assert!(only_min[0].contains("scheduled[0].minCapacity") && only_min[0].contains("that `night` sets"));
    let only_max = scheduled(json!([day(json!(10)), night(Value::Null)]));
    assert_eq!(only_max.len(), 1, "{only_max:#?}");
    assert!(only_max[0].contains("scheduled[1].maxCapacity") && only_max[0].contains("that `day` sets"));
    assert_eq!(scheduled(json!([day(Value::Null), night(Value::Null)])).len(), 2);
}

#[test]
fn names() {
    let mut long = scaled();
    long["metadata"]["name"] = json!("a".repeat(32));
    long["spec"]["scaling"]["step"][0]["name"] = json!("s".repeat(209));
    assert_eq!(problems(long.clone()).len(), 1, "{:#?}", problems(long.clone()));
    assert!(problems(long.clone())[0].contains("a name of 256 characters"));
    long["spec"]["scaling"]["step"][0]["name"] = json!("s".repeat(208));
    assert_eq!(problems(long), Vec::<String>::new());
    table(
        scaled,
        &[
            (&at(STEP, "name"), json!("cpu"), "another policy has the same name"),
            (&at(PREDICTIVE, "name"), json!("burst"), "another policy has the same name"),
            (&at(ACTION, "name"), json!("cpu"), ""),
            (&at(ACTION, "name"), json!("at 8:00"), "not allowed"),
            (&at(TRACKING, "name"), json!(""), "not allowed"),
            (&at(TRACKING, "name"), json!("a".repeat(245)), "not allowed"),
        ],
    );
}

#[test]
fn schedules() {
    table(
        scaled,
        &[
            (&at(ACTION, "schedule"), json!("cron(0 8 * * MON-FRI *)"), "both given"),
            (&at(ACTION, "timezone"), json!("Europe/Berlim"), "no time zone has the name"),
            (&at(ACTION, "timezone"), json!("europe/berlin"), "no time zone has the name"),
            (&at(ACTION, "timezone"), json!("Etc/GMT+9"), ""),
            (&at(ACTION, "timezone"), json!("UTC"), ""),
            (&at(ACTION, "timezone"), Value::Null, ""),
            (&at(ACTION, "schedule"), json!("at(2026-12-24T08:00:00)"), ""),
            (&at(ACTION, "schedule"), json!("rate(1 day)"), "has no time zone"),
            (&at(ACTION, "startTime"), json!("2026-12-01T00:00:00+01:00"), "not a time in UTC"),
            (&at(ACTION, "startTime"), json!("2027-12-01T00:00:00Z"), "ends before it starts"),
            (&at(ACTION, "endTime"), Value::Null, ""),
        ],
    );
}

#[test]
fn forecasts() {
    table(
        scaled,
        &[
            (&at(PREDICTIVE, "metricPair"), json!("ALBRequestCount"), ""),
            (&at(PREDICTIVE, "target"), json!(0), "a target of 0"),
            (&at(PREDICTIVE, "schedulingBufferTime"), json!(3601), "out of range"),
            (&at(PREDICTIVE, "maxCapacityBuffer"), json!(10), "not raised"),
            (
                &at(PREDICTIVE, "maxCapacityBreachBehavior"),
                json!("IncreaseMaxCapacity"),
                "`maxCapacityBuffer` is missing",
            ),
        ],
    );
    table(scaled_alone, &[(&at(PREDICTIVE, "metricPair"), json!("ALBRequestCount"), "counted by a load balancer")]);
    let mut raised = scaled();
    raised["spec"]["scaling"]["predictive"]["maxCapacityBreachBehavior"] = json!("IncreaseMaxCapacity");
    for (percent, found) in [(0, 0), (100, 0), (101, 1)] {
        raised["spec"]["scaling"]["predictive"]["maxCapacityBuffer"] = json!(percent);
        assert_eq!(problems(raised.clone()).len(), found, "maxCapacityBuffer {percent}");
    }
}

#[test]
fn a_service_comes_back_from_no_task() {
    let requests = json!({ "name": "a", "metric": "ALBRequestCountPerTarget", "target": 100 });
    let queue = section()["targetTracking"][1].clone();
    let step = |missing: &str| {
        let mut policy = section()["step"][0].clone();
        policy["alarm"]["treatMissingData"] = json!(missing);
        json!([policy])
    };
    let mut inward = step("missing");
    inward[0]["steps"] = json!([{ "metricIntervalLowerBound": 0, "scalingAdjustment": -1 }]);
    let action = |min: u32| json!([{ "name": "a", "schedule": "rate(1 day)", "minCapacity": min, "maxCapacity": 5 }]);
    let elsewhere = json!({ "namespace": "AWS/ECS", "metricName": "CPUUtilization", "statistic": "Average",
        "dimensions": { "ClusterName": "c", "ServiceName": "other" } });
    for (policies, comes_back) in [
        (json!({ "targetTracking": [requests] }), false),
        (json!({ "targetTracking": [requests, queue] }), true),
        (json!({ "targetTracking": [{ "name": "o", "customMetric": elsewhere, "target": 50 }] }), true),
        (json!({ "step": step("missing") }), false),
        (json!({ "step": step("breaching") }), true),
        (json!({ "targetTracking": [requests], "step": inward }), false),
        (json!({ "targetTracking": [requests], "scheduled": action(1) }), true),
        (json!({ "targetTracking": [requests], "scheduled": action(0) }), false),
        (json!({ "scheduled": action(0) }), true),
        (json!({}), true),
    ] {
        let found = from_zero(&policies);
        assert_eq!(found.is_empty(), comes_back, "{policies}: {found:#?}");
        assert!(found.iter().all(|problem| problem.contains("no policy ever adds the first task")), "{found:#?}");
    }
}

#[test]
fn a_schedule_that_lets_the_service_scale_in_to_nothing() {
    let mut value = scaled();
    let scaling = &mut value["spec"]["scaling"];
    scaling["targetTracking"].as_array_mut().unwrap().truncate(1);
    scaling["scheduled"] = json!([{ "name": "night", "schedule": "rate(1 day)", "minCapacity": 0 }]);
    let found = problems(value.clone());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("spec.scaling.scheduled[0].minCapacity"), "{found:#?}");
    value["spec"]["scaling"]["scheduled"][0]["maxCapacity"] = json!(0);
    assert_eq!(problems(value), Vec::<String>::new());
}
