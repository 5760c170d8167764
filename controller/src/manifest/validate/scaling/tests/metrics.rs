//! Policies with a target, and the metrics they name.

use serde_json::{Value, json};

use super::super::super::tests::table;
use super::{CUSTOM, PREDICTIVE, TRACKING, at, scaled, scaled_alone, scaled_on_fargate};

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
        json!({ "namespace": "AWS/ECS", "metricName": "CPUUtilization", "dimensions": dimensions,
                "statistic": statistic, "unit": unit })
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
