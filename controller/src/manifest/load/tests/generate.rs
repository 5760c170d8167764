//! Random manifests in which everything is right, and a plain writer of YAML blocks.

mod scaling;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::manifest::Manifest;

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,9}"
}

/// Text with what could trip a reader of YAML.
fn awkward() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~äé☃]{0,12}",
        Just("null".into()),
        Just("1".into()),
        Just("yes: no # x".into()),
        Just("a\n b\t".into())
    ]
}

fn container(fargate: bool) -> impl Strategy<Value = Value> {
    let essentials = (name(), 6u32..512, any::<bool>(), 1u32..65535);
    let variables = proptest::collection::btree_map("[A-Z][A-Z0-9]{0,6}_X", awkward(), 0..4);
    let extras =
        (variables, any::<bool>(), proptest::option::of(2u32..=120), proptest::collection::vec(awkward(), 0..3));
    (essentials, extras).prop_map(move |((name, memory, soft, port), (environment, secret, stop, command))| {
        let mut value = json!({
            "name": name, "image": format!("registry.example.com:5000/{name}:1.0"),
            "portMappings": [{ "containerPort": port }],
            "environment": environment, "command": command,
            "logs": { "group": format!("/ecs/{name}"), "retentionDays": 7, "streamPrefix": "s" },
        });
        value[if soft && !fargate { "memoryReservation" } else { "memory" }] = json!(memory);
        if secret {
            value["secrets"] = json!({ "API_KEY": "/a/b" });
        }
        if let Some(stop) = stop {
            value["stopTimeout"] = json!(stop);
        }
        value
    })
}

fn health_check() -> impl Strategy<Value = Value> {
    (6u32..=300, 2u32..=5, 2u32..=10, "/[a-z0-9?=&]{0,8}").prop_map(|(interval, timeout, threshold, path)| {
        json!({ "path": path, "intervalSeconds": interval, "timeoutSeconds": timeout,
                "healthyThreshold": threshold, "matcher": "200-299,301" })
    })
}

/// Any manifest that `validate` has nothing against.
pub(super) fn manifest() -> impl Strategy<Value = Manifest> {
    let apart = (name(), name(), 0u32..=5000, any::<bool>(), any::<bool>());
    apart
        .prop_flat_map(|apart| {
            let scaling = scaling::section(apart.2, apart.4);
            (container(apart.3), Just(apart), health_check(), 0u32..=3600, scaling)
        })
        .prop_map(|(container, (name, cluster, count, fargate, balanced), health_check, delay, scaling)| {
            let port = container["portMappings"][0]["containerPort"].clone();
            let target = json!({ "name": container["name"], "port": port });
            let mut spec = json!({
                "cluster": cluster,
                "desiredCount": count,
                "taskDefinition": {
                    "executionRoleArn": "arn:aws:iam::123456789012:role/path/role",
                    "containers": [container],
                },
            });
            if fargate {
                spec["launchType"] = json!("FARGATE");
                let task = &mut spec["taskDefinition"];
                (task["networkMode"], task["cpu"], task["memory"]) = (json!("awsvpc"), json!(256), json!(512));
                spec["networkConfiguration"] = json!({ "subnets": ["subnet-1"], "securityGroups": ["sg-1"] });
            }
            if balanced {
                spec["loadBalancer"] = json!({
                    "subnets": ["subnet-1", "subnet-2"], "listener": { "port": 80 }, "container": target,
                    "targetGroup": { "healthCheck": health_check, "deregistrationDelaySeconds": delay },
                });
                spec["subscriptions"] = json!([{ "topic": "arn:aws:sns:us-west-2:123456789012:t", "path": "/order/" }]);
            }
            if let Some(scaling) = scaling {
                spec["scaling"] = scaling;
            }
            let metadata = json!({ "name": name, "region": "us-west-2" });
            let value =
                json!({ "apiVersion": "interstella.trade/v1", "kind": "Service", "metadata": metadata, "spec": spec });
            serde_json::from_value(value).expect("the generator writes what the types hold")
        })
}

/// The same manifest with the lists and sizes that ECS's own API has.
pub(super) fn in_ecss_words(mut value: Value) -> Value {
    let task = &mut value["spec"]["taskDefinition"];
    for (key, unit) in [("cpu", " vCPU"), ("memory", "GB")] {
        if let Some(size) = task[key].as_u64() {
            task[key] = json!(format!("{}{unit}", size as f64 / 1024.0));
        }
    }
    for (key, content) in [("environment", "value"), ("secrets", "valueFrom")] {
        let container = &mut task["containers"][0];
        if let Some(variables) = container[key].as_object() {
            container[key] = variables.iter().map(|(name, text)| json!({ "name": name, content: text })).collect();
        }
    }
    value
}

/// `value` in block style; text in double quotes, as JSON escapes it.
pub(super) fn block_yaml(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text
}

fn write(value: &Value, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                text.push_str(&format!("\n{pad}{key}:"));
                write(value, indent + 2, text);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                text.push_str(&format!("\n{pad}-"));
                write(item, indent + 2, text);
            }
        }
        scalar => text.push_str(&format!(" {scalar}")),
    }
}
