//! A task definition as the API answers it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{NetworkMode, TaskDefinition};
use crate::world::ACCOUNT;

/// The `taskDefinition` of an answer.
pub fn view(definition: &TaskDefinition) -> Value {
    let mut view = definition.sent.clone();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    put("taskDefinitionArn", json!(definition.arn));
    put("family", json!(definition.family));
    put("revision", json!(definition.revision));
    put("status", json!(definition.status.name()));
    put("compatibilities", json!(compatibilities(definition)));
    put("requiresAttributes", required_attributes(definition));
    put("registeredAt", json!(definition.registered_at.as_epoch_seconds()));
    put("registeredBy", json!(format!("arn:aws:iam::{ACCOUNT}:root")));
    if let Some(at) = definition.deregistered_at {
        put("deregisteredAt", json!(at.as_epoch_seconds()));
    }
    if let Some(at) = definition.delete_requested_at {
        put("deleteRequestedAt", json!(at.as_epoch_seconds()));
    }
    Value::Object(view)
}

/// Where the definition can run. AWS varies the order; so does this, from one revision to the next.
fn compatibilities(definition: &TaskDefinition) -> Vec<&'static str> {
    let mut all = match definition.network_mode {
        NetworkMode::Awsvpc => vec!["EC2", "MANAGED_INSTANCES"],
        NetworkMode::Bridge | NetworkMode::Host | NetworkMode::None => vec!["EXTERNAL", "EC2"],
    };
    if definition.fargate {
        all.push("FARGATE");
    }
    if definition.revision.is_multiple_of(2) {
        all.reverse();
    }
    all
}

fn required_attributes(definition: &TaskDefinition) -> Value {
    let mut names = BTreeSet::from(["com.amazonaws.ecs.capability.docker-remote-api.1.18"]);
    for container in &definition.containers {
        if container.log_configuration.as_ref().is_some_and(|logs| logs.log_driver == "awslogs") {
            names.insert("com.amazonaws.ecs.capability.logging-driver.awslogs");
        }
        if !container.secrets.is_empty() {
            names.insert("ecs.capability.secrets.ssm.environment-variables");
        }
        if container.memory_reservation.is_some() {
            names.insert("com.amazonaws.ecs.capability.docker-remote-api.1.21");
        }
        if container.health_check.is_some() {
            names.insert("ecs.capability.container-health-check");
        }
    }
    if definition.network_mode == NetworkMode::Awsvpc {
        names.insert("ecs.capability.task-eni");
    }
    if definition.sent.contains_key("taskRoleArn") {
        names.insert("com.amazonaws.ecs.capability.task-iam-role");
    }
    names.into_iter().map(|name| json!({"name": name})).collect()
}
