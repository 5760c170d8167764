//! `logConfiguration` of a container: what of it `logs` can say.

use serde_json::{Map, Value};

use super::moves::Moves;
use super::words::cannot;
use super::{Problems, key_like, places, problem, remove};
use crate::manifest::load::structure::{On, shorten};
use crate::manifest::pointer::Pointer;

/// Options of the driver awslogs, and the key of `logs` that says the same. The region is the app's own; a log group is
/// made unless `create: false` says that it is there.
const OPTIONS: [(&str, Option<&str>); 4] = [
    ("awslogs-group", Some("group")),
    ("awslogs-stream-prefix", Some("streamPrefix")),
    ("awslogs-region", None),
    ("awslogs-create-group", None),
];

/// Points to `logs` from every `logConfiguration`, and names what it says that `logs` cannot.
pub(super) fn point(value: &mut Value, moves: &Moves, problems: &mut Problems) {
    for container in places(value, "/spec/taskDefinition/containers/*") {
        let Some(key) = key_like(value, &container, "logConfiguration") else { continue };
        let Some(given) = remove(value, &container, &key) else { continue };
        one(&key, &given, &moves.written(&container.key(&key)), problems);
    }
}

fn one(key: &str, given: &Value, path: &Pointer, problems: &mut Problems) {
    let driver = given.get("logDriver").and_then(Value::as_str).unwrap_or("awslogs");
    if driver != "awslogs" {
        let driver = shorten(driver);
        let what = format!("ECS's `{key}` with the log driver `{driver}` cannot be expressed in a manifest yet");
        let remedy = "leave it out, or use `logs`, which is the driver awslogs";
        return problems.push((On::Key, problem(path.clone(), what, remedy)));
    }
    let options = given.get("options").and_then(Value::as_object).cloned().unwrap_or_default();
    let what = format!("ECS's `{key}` is written `logs` in a manifest");
    problems.push((On::Key, problem(path.clone(), what, format!("write `logs: {{ {} }}`", settings(&options)))));
    for (name, content) in options.iter().filter(|(name, _)| !OPTIONS.iter().any(|(known, _)| known == name)) {
        let subject = format!("ECS's log option `{}`", shorten(name));
        problems.push((On::Key, cannot(path.key("options").key(name), &subject, content)));
    }
    if let Some(content) = given.get("secretOptions") {
        problems.push((On::Key, cannot(path.key("secretOptions"), "ECS's `secretOptions`", content)));
    }
}

/// The content of `logs` that says what the options say.
fn settings(options: &Map<String, Value>) -> String {
    let setting = |(option, key): &(&str, Option<&str>)| {
        let text = options.get(*option)?.as_str()?;
        key.map(|key| format!("{key}: {}", plain(text)))
    };
    let mut settings: Vec<String> = OPTIONS.iter().filter_map(setting).collect();
    if !options.contains_key("awslogs-group") {
        settings.insert(0, "group: <name>".into());
    }
    if !options.get("awslogs-create-group").is_some_and(|given| *given == "true" || *given == true) {
        settings.push("create: false".into());
    }
    settings.join(", ")
}

/// `text` as YAML has it between braces.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._/#-".contains(c);
    let short = shorten(text);
    if !text.is_empty() && text.chars().all(is_plain) { short } else { Value::from(short).to_string() }
}
