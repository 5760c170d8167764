//! A task definition or a service without a manifest around it, as a file of its own or as ECS's answer.

use serde_json::{Value, json};

use super::moves::Moves;
use super::words::cannot;
use super::{Problems, key_like, problem};
use crate::manifest::load::structure::On;
use crate::manifest::pointer::Pointer;

/// What a document is instead of a manifest.
struct Bare {
    what: &'static str,
    /// Where the document has it, and where a manifest does.
    from: Pointer,
    to: Pointer,
}

/// Puts a manifest around what has none, so that all its fields get checked, and says that one is missing.
pub(super) fn wrap(value: &mut Value, moves: &mut Moves, problems: &mut Problems) {
    let Some(Bare { what, from, to }) = recognize(value) else { return };
    let Some(body) = value.pointer_mut(from.as_str()).map(Value::take) else { return };
    if let Some(tags) = value.get("tags") {
        problems.push((On::Key, cannot(Pointer::root().key("tags"), "ECS's `tags`", tags)));
    }
    *value = around(body, &to);
    let remedy = format!(
        "put the content under `{to}` of a manifest that has `metadata.name` and `spec.cluster`, \
         as in manifests/monolith.yaml"
    );
    problems.push((On::Value, problem(Pointer::root(), format!("{what} of ECS, not a manifest"), remedy)));
    moves.add(from, to);
}

/// A manifest that has `body` at `to`, one of the three places of [`recognize`].
fn around(body: Value, to: &Pointer) -> Value {
    let spec = match to.as_str() {
        "/spec" => body,
        "/spec/taskDefinition" => json!({ "cluster": "cluster", "taskDefinition": body }),
        _ => json!({ "cluster": "cluster", "taskDefinition": { "containers": body } }),
    };
    json!({ "apiVersion": "interstella.trade/v1", "kind": "Service", "metadata": { "name": "app" }, "spec": spec })
}

fn recognize(value: &Value) -> Option<Bare> {
    let root = Pointer::root();
    let spec = root.key("spec");
    let task = spec.key("taskDefinition");
    if value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(is_container)) {
        return Some(Bare { what: "these are container definitions", from: root, to: task.key("containers") });
    }
    if ["apiVersion", "kind", "spec"].iter().any(|key| value.get(key).is_some()) {
        return None;
    }
    // `describe-task-definition` answers with the definition under this key.
    let answer = root.key("taskDefinition");
    let is_task = |place: &Pointer| key_like(value, place, "containerDefinitions").is_some();
    if let Some(from) = [root.clone(), answer].into_iter().find(is_task) {
        return Some(Bare { what: "this is a task definition", from, to: task });
    }
    let is_service = key_like(value, &root, "serviceName").is_some();
    is_service.then_some(Bare { what: "this is a service", from: root, to: spec })
}

fn is_container(item: &Value) -> bool {
    ["name", "image"].iter().all(|key| item.get(key).is_some_and(Value::is_string))
}
