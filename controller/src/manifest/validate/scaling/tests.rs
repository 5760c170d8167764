#![allow(clippy::unwrap_used, clippy::expect_used)]
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
fn from_zero(policies: Value) -> Vec<String> {
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
    let action = |name: &str, min: Value, max: Value| json!({ "name": name, "schedule": "rate(1 day)", "minCapacity": min, "maxCapacity": max });
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
fn targets_that_are_tracked() {
    table(
        scaled,
        &[
            (&at(TRACKING, "metric"), Value::Null, "the policy has no metric"),
            (&at(TRACKING, "customMetric"), json!({}), "exclude each other"),
            (&at(TRACKING, "metric"), json!("ALBRequestCountPerTarget"), ""),
            (&at(TRACKING, "target"), json!(0), "a target of 0"),
            (&at(TRACKING, "target"), json!(-1.5), "a target of -1.5"),
            (&at(TRACKING, "target"), json!(1e109), "no capacity"),
            (&at(TRACKING, "target"), json!(120), ""),
            (&at(TRACKING, "scaleInCooldown"), json!(0), ""),
            (&at(TRACKING, "scaleOutCooldown"), json!(2_147_483_648_u32), "out of range"),
        ],
    );
    table(
        scaled_on_fargate,
        &[
            (&at(TRACKING, "target"), json!(100), "never exceeds 100 %"),
            (&at(TRACKING, "target"), json!(99.5), ""),
            (&at(PREDICTIVE, "target"), json!(100), "never exceeds 100 %"),
            (&at("/spec/scaling/targetTracking/1", "target"), json!(1000), ""),
        ],
    );
    table(scaled_alone, &[(&at(TRACKING, "metric"), json!("ALBRequestCountPerTarget"), "counted by a load balancer")]);
}

#[test]
fn one_policy_for_each_metric() {
    let cpu = |dimensions: Value, statistic: &str, unit: Value| {
        json!({ "namespace": "AWS/ECS", "metricName": "CPUUtilization", "dimensions": dimensions, "statistic": statistic,
                "unit": unit })
    };
    let own = json!({ "ServiceName": "app", "ClusterName": "c" });
    let other = json!({ "ServiceName": "other", "ClusterName": "c" });
    let stat = |stat: &str| json!({ "namespace": "AWS/ECS", "metricName": "CPUUtilization", "stat": stat });
    let math = |stats: Value| json!({ "metrics": [{ "id": "m1", "metricStat": stats }] });
    let twice = "policy `cpu` already tracks this metric";
    table(
        scaled,
        &[
            (CUSTOM, cpu(Value::Null, "Average", Value::Null), twice),
            (CUSTOM, cpu(own, "Average", json!("Percent")), twice),
            (CUSTOM, cpu(Value::Null, "Maximum", Value::Null), ""),
            (CUSTOM, cpu(other, "Average", Value::Null), ""),
            (CUSTOM, math(stat("Average")), twice),
            (CUSTOM, math(stat("p90")), ""),
        ],
    );
}

#[test]
fn metrics_of_the_users_choosing() {
    let dimensions =
        |count: usize| (0..count).map(|n| (format!("d{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    table(
        scaled,
        &[
            (&at(CUSTOM, "namespace"), Value::Null, "`namespace` is missing"),
            (&at(CUSTOM, "statistic"), Value::Null, "`statistic` is missing"),
            (&at(CUSTOM, "namespace"), json!(":a"), "not allowed"),
            (&at(CUSTOM, "metricName"), json!("a".repeat(256)), "not allowed"),
            (&at(CUSTOM, "unit"), json!("percent"), "not allowed"),
            (&at(CUSTOM, "dimensions"), Value::Null, "`dimensions` is missing"),
            (&at(CUSTOM, "dimensions"), json!({}), ""),
            (&at(CUSTOM, "dimensions"), json!({ "QueueName": "" }), "not allowed"),
            (&at(CUSTOM, "dimensions"), json!(dimensions(30)), ""),
            (&at(CUSTOM, "dimensions"), json!(dimensions(31)), "up to 30 dimensions"),
        ],
    );
    let own = json!({ "namespace": "AWS/ApplicationELB", "metricName": "TargetResponseTime", "statistic": "Average" });
    table(scaled, &[(CUSTOM, own.clone(), "")]);
    table(scaled_alone, &[(CUSTOM, own, "the app's own load balancer, and there is none")]);
}

#[test]
fn metric_math() {
    let metric = |id: &str| {
        json!({ "id": id, "returnData": false, "metricStat": {
        "namespace": "Orders", "metricName": id, "dimensions": {}, "stat": "Sum" } })
    };
    let expression = |text: &str| json!({ "id": "e", "expression": text });
    let math = |queries: Vec<Value>| json!({ "metrics": queries });
    let per_task = |text: &str| math(vec![metric("m1"), metric("m2"), expression(text)]);
    let mut mixed = math(vec![metric("m1"), expression("m1")]);
    mixed["unit"] = json!("Count");
    let mut both = expression("m1");
    both["metricStat"] = metric("m1")["metricStat"].clone();
    let mut visible = metric("m1");
    visible["returnData"] = json!(true);
    let mut odd = metric("m1");
    odd["metricStat"]["stat"] = json!("Median");
    let many = |count: usize| (1..count).map(|n| metric(&format!("m{n}"))).chain([expression("m1")]).collect();
    table(
        scaled,
        &[
            (CUSTOM, per_task("m1 / IF(m2 > 0, m2, 1)"), ""),
            (CUSTOM, per_task("m1 / m3"), "no query has the id `m3`"),
            (CUSTOM, per_task("m1 / e"), "computed from itself"),
            (CUSTOM, per_task(""), "not an expression"),
            (CUSTOM, mixed, "`unit` and `metrics` exclude each other"),
            (CUSTOM, math(vec![metric("m1"), both]), "`expression` and `metricStat` exclude each other"),
            (CUSTOM, math(vec![json!({ "id": "m1" })]), "needs `metricStat` or `expression`"),
            (CUSTOM, math(vec![visible, expression("m1")]), "2 queries return data: `m1`, `e`"),
            (CUSTOM, math(vec![metric("m1")]), "no query returns data"),
            (CUSTOM, math(vec![metric("m1"), metric("m1"), expression("m1")]), "the id `m1` is taken"),
            (CUSTOM, math(vec![metric("M1"), expression("METRICS()")]), "`M1` is not allowed"),
            (CUSTOM, math(vec![odd, expression("m1")]), "`Median` is not allowed"),
            (CUSTOM, math(many(10)), ""),
            (CUSTOM, math(many(11)), "up to 10 queries"),
        ],
    );
}

#[test]
fn steps_without_gap_and_overlap() {
    let step = |lower: Option<f64>, upper: Option<f64>, change: i32| {
        let mut value = json!({ "scalingAdjustment": change });
        for (key, bound) in [("metricIntervalLowerBound", lower), ("metricIntervalUpperBound", upper)] {
            if let Some(bound) = bound {
                value[key] = json!(bound);
            }
        }
        value
    };
    let up = |steps: &[(Option<f64>, Option<f64>)]| -> Value {
        steps.iter().map(|(lower, upper)| step(*lower, *upper, 1)).collect()
    };
    let (zero, ten, twenty) = (Some(0.0), Some(10.0), Some(20.0));
    let fine: Vec<_> = (0..20).map(|n| (Some(f64::from(n)), (n < 19).then(|| f64::from(n + 1)))).collect();
    let more: Vec<_> = (0..21).map(|n| (Some(f64::from(n)), (n < 20).then(|| f64::from(n + 1)))).collect();
    table(
        scaled,
        &[
            (&at(STEP, "steps"), up(&[(ten, None), (zero, ten)]), ""),
            (&at(STEP, "steps"), up(&[(zero, ten), (twenty, None)]), "a gap, from 10 to 20"),
            (&at(STEP, "steps"), up(&[(zero, twenty), (ten, None)]), "steps 0 and 1 overlap"),
            (&at(STEP, "steps"), up(&[(zero, None), (ten, None)]), "steps 0 and 1 overlap"),
            (&at(STEP, "steps"), up(&[(zero, ten)]), "more than 10 above the threshold"),
            (&at(STEP, "steps"), up(&[(Some(-5.0), None)]), "more than 5 below the threshold"),
            (&at(STEP, "steps"), up(&[(None, ten), (ten, None)]), ""),
            (&at(STEP, "steps"), up(&[(None, None)]), "neither a lower nor an upper bound"),
            (&at(STEP, "steps"), up(&[(ten, ten), (ten, None)]), "not below the upper bound"),
            (&at(STEP, "steps"), up(&[(None, zero)]), "the alarm fires above the threshold only"),
            (&at(STEP, "steps"), up(&[]), "1 to 20 steps, not 0"),
            (&at(STEP, "steps"), up(&fine), ""),
            (&at(STEP, "steps"), up(&more), "1 to 20 steps, not 21"),
            (&at(STEP, "steps"), json!([step(zero, None, 0)]), "no step changes the count"),
            (&at(STEP, "steps"), json!([step(zero, ten, 0), step(ten, None, 1)]), ""),
            (&at(STEP, "minAdjustmentMagnitude"), json!(2), "only a change in percent"),
        ],
    );
}

#[test]
fn steps_go_with_their_alarm_and_their_type() {
    let fall = |operator: &str, steps: Value, adjustment: &str| {
        let mut value = scaled();
        let policy = &mut value["spec"]["scaling"]["step"][0];
        (policy["adjustmentType"], policy["steps"]) = (json!(adjustment), steps);
        policy["alarm"]["comparisonOperator"] = json!(operator);
        problems(value)
    };
    let below = || json!([{ "metricIntervalUpperBound": 0, "scalingAdjustment": -1 }]);
    let above = || json!([{ "metricIntervalLowerBound": 0, "scalingAdjustment": -1 }]);
    let none = json!([{ "metricIntervalUpperBound": 0, "scalingAdjustment": 0 }]);
    for (operator, steps, adjustment, expected) in [
        ("LessThanThreshold", below(), "ChangeInCapacity", ""),
        ("LessThanThreshold", above(), "ChangeInCapacity", "fires below the threshold only"),
        ("LessThanOrEqualToThreshold", above(), "ChangeInCapacity", ""),
        ("GreaterThanOrEqualToThreshold", below(), "PercentChangeInCapacity", "fires at or above the threshold only"),
        ("LessThanThreshold", below(), "ExactCapacity", "a service cannot have -1 tasks"),
        ("LessThanThreshold", none.clone(), "ExactCapacity", ""),
        ("LessThanThreshold", none, "PercentChangeInCapacity", "no step changes the count"),
    ] {
        let found = fall(operator, steps, adjustment);
        let as_expected =
            if expected.is_empty() { found.is_empty() } else { found.len() == 1 && found[0].contains(expected) };
        assert!(as_expected, "{operator} {adjustment}: expected {expected:?}, found {found:#?}");
    }
    let mut percent = scaled();
    percent["spec"]["scaling"]["step"][0]["adjustmentType"] = json!("PercentChangeInCapacity");
    for (magnitude, found) in [(1, 0), (0, 1), (5001, 1)] {
        percent["spec"]["scaling"]["step"][0]["minAdjustmentMagnitude"] = json!(magnitude);
        assert_eq!(problems(percent.clone()).len(), found, "minAdjustmentMagnitude {magnitude}");
    }
}

#[test]
fn alarms() {
    let of_orders = |period: u32| {
        let mut alarm = section()["step"][0]["alarm"].clone();
        (alarm["namespace"], alarm["dimensions"], alarm["period"]) = (json!("Orders"), json!({}), json!(period));
        alarm
    };
    let looking_back = |period: u32, periods: u32| {
        let mut alarm = of_orders(period);
        alarm["evaluationPeriods"] = json!(periods);
        alarm
    };
    table(
        scaled,
        &[
            (&at(ALARM, "period"), json!(0), "no period of 0 seconds"),
            (&at(ALARM, "period"), json!(90), "no period of 90 seconds"),
            (&at(ALARM, "period"), json!(300), ""),
            (&at(ALARM, "period"), json!(20), ""),
            (&at(ALARM, "period"), json!(10), "have a value a minute"),
            (ALARM, of_orders(10), ""),
            (ALARM, looking_back(60, 1440), ""),
            (ALARM, looking_back(60, 1441), "an alarm looks back 86400 at most"),
            (ALARM, looking_back(3600, 168), ""),
            (ALARM, looking_back(3600, 169), "an alarm looks back 604800 at most"),
            (&at(ALARM, "evaluationPeriods"), json!(0), "decide nothing"),
            (&at(ALARM, "datapointsToAlarm"), json!(3), "3 of 2 periods"),
            (&at(ALARM, "datapointsToAlarm"), json!(0), "0 of 2 periods"),
            (&at(ALARM, "datapointsToAlarm"), json!(1), ""),
            (&at(ALARM, "statistic"), json!("p99.9"), ""),
            (&at(ALARM, "statistic"), json!("average"), "not allowed"),
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
        let found = from_zero(policies.clone());
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
