#![allow(clippy::unwrap_used, clippy::expect_used)]
mod limits;

use serde_json::{Value, json};

use super::*;

/// A manifest in which everything is right.
pub(super) fn good() -> Value {
    json!({
        "apiVersion": "interstella.trade/v1",
        "kind": "Service",
        "metadata": { "name": "app" },
        "spec": {
            "cluster": "c",
            "taskDefinition": {
                "executionRoleArn": "arn:aws:iam::123456789012:role/r",
                "containers": [{
                    "name": "app", "image": "a:1", "memory": 128,
                    "portMappings": [{ "containerPort": 5000 }],
                    "secrets": { "KEY": "/a/b" },
                    "logs": { "group": "g", "retentionDays": 7 },
                }],
            },
            "loadBalancer": {
                "subnets": ["subnet-1", "subnet-2"],
                "listener": { "port": 80 },
                "container": { "name": "app", "port": 5000 },
            },
            "subscriptions": [{ "topic": "arn:aws:sns:us-west-2:123456789012:t", "path": "/order/" }],
        },
    })
}

/// The same on Fargate.
pub(super) fn fargate() -> Value {
    let mut value = good();
    value["spec"]["launchType"] = json!("FARGATE");
    value["spec"]["networkConfiguration"] = json!({ "subnets": ["subnet-1"] });
    let task = &mut value["spec"]["taskDefinition"];
    (task["networkMode"], task["cpu"], task["memory"]) = (json!("awsvpc"), json!(256), json!(512));
    value
}

pub(super) fn problems(value: Value) -> Vec<String> {
    let manifest = serde_json::from_value(value).unwrap();
    validate(&manifest).into_iter().map(|problem| format!("{}: {}", problem.path, problem.what)).collect()
}

/// Each row changes one thing of `base` and names the one problem that follows.
pub(super) fn table(base: fn() -> Value, rows: &[(&str, Value, &str)]) {
    for (pointer, new, expected) in rows {
        let mut value = base();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        value.pointer_mut(parent).unwrap_or_else(|| panic!("{parent}"))[key] = new.clone();
        let found = problems(value);
        let as_expected =
            if expected.is_empty() { found.is_empty() } else { found.len() == 1 && found[0].contains(expected) };
        assert!(as_expected, "{pointer} = {new}\n  expected {expected:?}\n  found {found:#?}");
    }
}

#[test]
fn the_bases_are_good() {
    assert_eq!(problems(good()), Vec::<String>::new());
    assert_eq!(problems(fargate()), Vec::<String>::new());
}

#[test]
fn numbers_at_and_over_their_limits() {
    let container = "/spec/taskDefinition/containers/0";
    let row = |path: &str, good: &[i64], bad: &[i64]| {
        let target = |number: &i64| {
            let (parent, key) = path.rsplit_once('/').unwrap();
            let mut value = good_with(parent);
            value.pointer_mut(parent).unwrap()[key] = json!(number);
            problems(value)
        };
        for number in good {
            assert_eq!(target(number), Vec::<String>::new(), "{path} = {number}");
        }
        for number in bad {
            assert!(!target(number).is_empty(), "{path} = {number}");
        }
    };
    row("/spec/desiredCount", &[0, 5000], &[5001]);
    row(&format!("{container}/memory"), &[6, 100_000], &[0, 5]);
    row(&format!("{container}/stopTimeout"), &[0, 2, 121, 3600, 2_147_483_647], &[2_147_483_648]);
    row(&format!("{container}/portMappings/0/hostPort"), &[0, 1, 65535], &[65536, 22, 51678]);
    row(&format!("{container}/logs/retentionDays"), &[1, 3653], &[0, 2, 4000]);
    row(&format!("{container}/healthCheck/interval"), &[5, 300], &[4, 301]);
    row(&format!("{container}/healthCheck/timeout"), &[2, 60], &[1, 61]);
    row(&format!("{container}/healthCheck/retries"), &[1, 10], &[0, 11]);
    row(&format!("{container}/healthCheck/startPeriod"), &[0, 300], &[301]);
    row("/spec/loadBalancer/idleTimeoutSeconds", &[1, 4000], &[0, 4001]);
    row("/spec/loadBalancer/healthCheckGracePeriodSeconds", &[0, 2_147_483_647], &[2_147_483_648]);
    row("/spec/loadBalancer/listener/port", &[1, 65535], &[0, 65536]);
    row("/spec/loadBalancer/targetGroup/port", &[1, 65535], &[0, 65536]);
    row("/spec/loadBalancer/targetGroup/deregistrationDelaySeconds", &[0, 3600], &[3601]);
    row("/spec/loadBalancer/targetGroup/healthCheck/intervalSeconds", &[6, 300], &[4, 5, 301]);
    row("/spec/loadBalancer/targetGroup/healthCheck/timeoutSeconds", &[2, 29], &[1, 30, 121]);
    row("/spec/loadBalancer/targetGroup/healthCheck/healthyThreshold", &[2, 10], &[1, 11]);
    row("/spec/loadBalancer/targetGroup/healthCheck/unhealthyThreshold", &[2, 10], &[1, 11]);
    row("/spec/deployment/minimumHealthyPercent", &[0, 100], &[101]);
    row("/spec/deployment/maximumPercent", &[200, 400, 1000], &[99, 100, 2_147_483_648]);
    row("/spec/subscriptions/0/deliveryPolicy/numRetries", &[0, 100], &[101]);
    row("/spec/subscriptions/0/deliveryPolicy/maxReceivesPerSecond", &[1], &[0]);
}

/// A good manifest that has the object at `path`.
fn good_with(path: &str) -> Value {
    let mut value = good();
    let optional = [
        ("/spec/loadBalancer", "targetGroup", json!({ "healthCheck": {} })),
        ("/spec", "deployment", json!({})),
        (
            "/spec/subscriptions/0",
            "deliveryPolicy",
            json!({ "numRetries": 3, "minDelayTarget": 1, "maxDelayTarget": 1 }),
        ),
        ("/spec/taskDefinition/containers/0", "healthCheck", json!({ "command": ["CMD", "true"] })),
    ];
    for (parent, key, object) in optional {
        if path.starts_with(&format!("{parent}/{key}")) {
            value.pointer_mut(parent).unwrap()[key] = object;
        }
    }
    value
}

#[test]
fn launch_types_and_network_modes() {
    let task = "/spec/taskDefinition";
    let network = json!({ "subnets": ["subnet-1"] });
    table(
        good,
        &[
            (&format!("{task}/containers/0/memory"), Value::Null, "neither `memory`"),
            (&format!("{task}/containers/0/memoryReservation"), json!(256), "above the hard limit"),
            ("/spec/networkConfiguration", network, "container instance's network"),
            (&format!("{task}/cpu"), json!(100), ""),
            (&format!("{task}/cpu"), json!(196_609), "out of range"),
        ],
    );
    table(
        fargate,
        &[
            (&format!("{task}/cpu"), json!(300), "no size with 300"),
            (&format!("{task}/memory"), json!(4096), "does not offer 4096"),
            (&format!("{task}/memory"), json!(2048), ""),
            (&format!("{task}/containers/0/stopTimeout"), json!(120), ""),
            (&format!("{task}/containers/0/stopTimeout"), json!(121), "out of range"),
            (&format!("{task}/containers/0/stopTimeout"), json!(1), "out of range"),
            (&format!("{task}/cpu"), Value::Null, "needs `cpu` and `memory`"),
            (&format!("{task}/containers/0/cpu"), json!(512), "reserve 512 CPU units"),
            (&format!("{task}/containers/0/memory"), json!(513), "reserve 513 MiB"),
            (&format!("{task}/containers/0/portMappings/0/hostPort"), json!(80), "the host port is the container port"),
            (&format!("{task}/containers/0/portMappings/0/hostPort"), json!(5000), ""),
            ("/spec/networkConfiguration", Value::Null, "`networkConfiguration` is missing"),
            ("/spec/networkConfiguration/subnets", json!([]), "1 to 16 subnets"),
            ("/spec/networkConfiguration/subnets", json!(["subnet-1", "subnet-1"]), "twice"),
            ("/spec/networkConfiguration/securityGroups", json!(["sg-1", "subnet-1"]), "not allowed"),
            ("/spec/networkConfiguration/assignPublicIp", json!("ENABLED"), ""),
        ],
    );
}

#[test]
fn roles_pins_and_arns() {
    let queue =
        |text: &str| json!([{ "topic": "arn:aws:sns:us-west-2:123456789012:t", "path": "/", "deadLetterQueue": text }]);
    let topic = |text: &str| json!([{ "topic": text, "path": "/" }]);
    table(
        good,
        &[
            ("/spec/taskDefinition/executionRoleArn", Value::Null, "ECS reads `secrets`"),
            ("/spec/taskDefinition/taskRoleArn", json!("arn:aws:iam::123456789012:user/u"), "not the ARN of a role"),
            ("/metadata/account", json!("210987654321"), "belongs to account 123456789012"),
            ("/metadata/account", json!("123456789012"), ""),
            ("/metadata/region", json!("us-east-1"), "in region us-west-2"),
            ("/metadata/region", json!("us-west-2"), ""),
            ("/spec/subscriptions", topic("arn:aws:sns:us-west-2:123456789012:t.fifo"), "FIFO"),
            ("/spec/subscriptions", topic("t"), "not the ARN of a topic"),
            ("/spec/subscriptions", queue("arn:aws:sqs:us-west-2:123456789012:q"), ""),
            ("/spec/subscriptions", queue("arn:aws:sqs:us-west-2:210987654321:q"), "another account or region"),
            ("/spec/subscriptions", queue("arn:aws:sqs:us-west-2:123456789012:q.fifo"), "standard queue"),
            ("/spec/subscriptions", queue("q"), "not the ARN of a queue"),
        ],
    );
}

#[test]
fn listeners_and_certificates() {
    let listener =
        |protocol: &str, arn: Option<&str>| json!({ "port": 443, "protocol": protocol, "certificateArn": arn });
    let good_arn = Some("arn:aws:acm:us-west-2:123456789012:certificate/1");
    table(
        good,
        &[
            ("/spec/loadBalancer/listener", listener("HTTPS", good_arn), ""),
            ("/spec/loadBalancer/listener", listener("HTTPS", None), "`certificateArn` is missing"),
            ("/spec/loadBalancer/listener", listener("HTTPS", Some("x")), "not the ARN of a certificate"),
            ("/spec/loadBalancer/listener", listener("HTTP", good_arn), "has no certificate"),
            ("/spec/loadBalancer/targetGroup", json!({ "healthCheck": { "port": "0" } }), "not a port"),
            ("/spec/loadBalancer/targetGroup", json!({ "healthCheck": { "port": "8080" } }), ""),
        ],
    );
}

#[test]
fn retries_end_within_the_hour() {
    let policy = |function: &str, retries: u32, min: u32, max: u32| {
        json!({ "numRetries": retries, "numMinDelayRetries": 3, "numMaxDelayRetries": 24,
                "minDelayTarget": min, "maxDelayTarget": max, "backoffFunction": function })
    };
    table(
        good,
        &[
            ("/spec/subscriptions/0/deliveryPolicy", policy("exponential", 39, 5, 120), ""),
            ("/spec/subscriptions/0/deliveryPolicy", policy("linear", 39, 5, 120), "SNS gives up after 3600 s"),
            ("/spec/subscriptions/0/deliveryPolicy", policy("exponential", 26, 5, 120), "the phases have 27"),
            ("/spec/subscriptions/0/deliveryPolicy", policy("exponential", 39, 130, 120), "smallest delay"),
        ],
    );
}

#[test]
fn deployments_that_can_never_end() {
    let deployment = |low: u32, high: u32| json!({ "minimumHealthyPercent": low, "maximumPercent": high });
    let with_count = |count: u32, low: u32, high: u32| {
        let mut value = good();
        value["spec"]["desiredCount"] = json!(count);
        value["spec"]["deployment"] = deployment(low, high);
        problems(value).len()
    };
    for (count, low, high, found) in [
        (1, 100, 200, 0),
        (1, 100, 100, 1),
        (1, 75, 125, 1),
        (1, 0, 100, 0),
        (2, 75, 125, 1),
        (2, 50, 100, 0),
        (4, 75, 100, 0),
        (4, 100, 125, 0),
        (3, 100, 125, 1),
        (0, 100, 150, 0),
        (0, 100, 100, 1),
    ] {
        assert_eq!(with_count(count, low, high), found, "{count} × {low}–{high} %");
    }
}

#[test]
fn secrets_are_refused_and_not_repeated() {
    let mut value = good();
    value["spec"]["taskDefinition"]["containers"][0]["environment"] = json!({ "DB_PASSWORD": "hunter2" });
    value["spec"]["taskDefinition"]["containers"][0]["secrets"] = json!({ "OTHER": "hunter2 hunter2" });
    let found = problems(value);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().all(|problem| !problem.contains("hunter2")));
}
