//! A task definition without a manifest around it, as a file of its own or as ECS's answer.

use serde_json::{Value, json};

use super::moves::Moves;
use super::words::cannot;
use super::{Problems, key_like, problem};
use crate::manifest::load::structure::On;
use crate::manifest::pointer::Pointer;

/// Puts a manifest around a bare task definition, so that all its fields get checked, and says that one is missing.
pub(super) fn wrap(value: &mut Value, moves: &mut Moves, problems: &mut Problems) {
    let Some((from, to)) = place(value) else { return };
    let Some(body) = value.pointer_mut(from.as_str()).map(Value::take) else { return };
    if let Some(tags) = value.get("tags") {
        problems.push((On::Key, cannot(Pointer::root().key("tags"), "ECS's `tags`", tags)));
    }
    let (task, what) = match body {
        Value::Array(containers) => (json!({ "containers": containers }), "these are container definitions of ECS"),
        task => (task, "this is a task definition of ECS"),
    };
    *value = json!({
        "apiVersion": "interstella.trade/v1",
        "kind": "Service",
        "metadata": { "name": "app" },
        "spec": { "cluster": "cluster", "taskDefinition": task },
    });
    moves.add(from, to);
    let remedy = "put the content under `spec.taskDefinition` of a manifest that has `metadata.name` and `spec.cluster`, \
                  as in manifests/monolith.yaml";
    problems.push((On::Value, problem(Pointer::root(), format!("{what}, not a manifest"), remedy)));
}

/// Where the bare definition stands, and where a manifest has it.
fn place(value: &Value) -> Option<(Pointer, Pointer)> {
    let root = Pointer::root();
    let task = root.key("spec").key("taskDefinition");
    if value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_container)) {
        return Some((root, task.key("containers")));
    }
    if ["apiVersion", "kind", "spec"].iter().any(|key| value.get(key).is_some()) {
        return None;
    }
    // `describe-task-definition` answers with the definition under this key.
    let answer = root.key("taskDefinition");
    let is_task = |place: &Pointer| key_like(value, place, "containerDefinitions").is_some();
    [root, answer].into_iter().find(is_task).map(|place| (place, task))
}

fn is_container(item: &Value) -> bool {
    ["name", "image"].iter().all(|key| item.get(key).is_some_and(Value::is_string))
}
