//! Checks an input against the model's constraints: required members, enums, ranges, lengths and patterns. Types are right
//! already (`conform`, `form`). What of this the real services check before the operation itself, and in which order they
//! name it, is unverified; that they refuse it is not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use regex::Regex;
use serde_json::Value;

use super::model::{Kind, Model, Shape};
use super::path::{Path, element};

/// One constraint that an input breaks.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// Where.
    pub path: Path,
    /// What stands there; `None` where nothing does or where it is secret.
    pub found: Option<Value>,
    /// What the model asks for.
    pub constraint: Constraint,
}

/// A constraint of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constraint {
    /// It must be there.
    Required,
    /// One of these.
    OneOf(Vec<String>),
    /// A number, or a length, of at least this.
    Min(i64),
    /// At most this.
    Max(i64),
    /// This regular expression, on the whole text.
    Pattern(String),
}

/// Every constraint of the shape called `shape` that `value` breaks.
pub fn violations(model: &Model, shape: &str, value: &Value) -> Vec<Violation> {
    let shape = model.shape(shape);
    let mut found = own(shape, value);
    match (&shape.kind, value) {
        (Kind::Structure { members, required, document: false }, Value::Object(object)) => {
            for name in required.iter().filter(|name| !object.contains_key(*name)) {
                let path = Path::default().under(name.clone());
                found.push(Violation { path, found: None, constraint: Constraint::Required });
            }
            for (name, value) in object {
                if let Some(member) = members.get(name) {
                    found.extend(under(name, violations(model, &member.shape, value)));
                }
            }
        }
        (Kind::Map { key, value: reference }, Value::Object(object)) => {
            for (name, value) in object {
                found.extend(under("key", violations(model, &key.shape, &Value::String(name.clone()))));
                found.extend(under(name, violations(model, &reference.shape, value)));
            }
        }
        (Kind::List { member }, Value::Array(elements)) => {
            for (index, value) in elements.iter().enumerate() {
                found.extend(under(&element(index), violations(model, &member.shape, value)));
            }
        }
        _ => (),
    }
    found
}

fn under(segment: &str, violations: Vec<Violation>) -> impl Iterator<Item = Violation> {
    violations.into_iter().map(move |violation| Violation { path: violation.path.under(segment), ..violation })
}

/// The shape's own constraints, not those of its members.
fn own(shape: &Shape, value: &Value) -> Vec<Violation> {
    let mut broken = Vec::new();
    let size = size(value);
    if let Some(min) = shape.min.filter(|min| size.is_some_and(|size| size < *min)) {
        broken.push(Constraint::Min(min));
    }
    if let Some(max) = shape.max.filter(|max| size.is_some_and(|size| size > *max)) {
        broken.push(Constraint::Max(max));
    }
    if let (Kind::String { values, pattern }, Value::String(text)) = (&shape.kind, value) {
        if !values.is_empty() && !values.contains(text) {
            broken.push(Constraint::OneOf(values.clone()));
        }
        if let Some(pattern) = pattern.as_ref().filter(|pattern| !matches(pattern, text)) {
            broken.push(Constraint::Pattern(pattern.clone()));
        }
    }
    let found = (!shape.sensitive).then(|| value.clone());
    broken.into_iter().map(|constraint| Violation { path: Path::default(), found: found.clone(), constraint }).collect()
}

/// What `min` and `max` are compared with.
fn size(value: &Value) -> Option<i64> {
    let length = match value {
        Value::Number(number) => return number.as_i64(),
        Value::String(text) => text.chars().count(),
        Value::Array(elements) => elements.len(),
        Value::Object(object) => object.len(),
        Value::Null | Value::Bool(_) => return None,
    };
    i64::try_from(length).ok()
}

/// Whether the whole text matches. A pattern that the library cannot read is not checked; a test holds that there is none.
fn matches(pattern: &str, text: &str) -> bool {
    static COMPILED: Mutex<BTreeMap<String, Option<Arc<Regex>>>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let regex = match compiled.get(pattern) {
        Some(regex) => regex.clone(),
        None => compiled.entry(pattern.to_owned()).or_insert(compile(pattern)).clone(),
    };
    drop(compiled);
    regex.is_none_or(|regex| regex.is_match(text))
}

fn compile(pattern: &str) -> Option<Arc<Regex>> {
    Regex::new(&format!(r"\A(?:{pattern})\z")).ok().map(Arc::new)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::call::Service;

    fn broken(service: Service, shape: &str, value: &Value) -> Vec<String> {
        let violations = violations(Model::of(service), shape, value);
        violations.iter().map(|violation| format!("{}: {:?}", violation.path, violation.constraint)).collect()
    }

    #[test]
    fn each_kind_of_constraint() {
        let group = json!({"Name": "n", "Protocol": "SMTP", "Port": 70_000, "HealthCheckPath": "", "Tags": [{}]});
        let wanted = [
            "HealthCheckPath: Min(1)",
            "Port: Max(65535)",
            "Protocol: OneOf([\"HTTP\", \"HTTPS\", \"TCP\", \"TLS\", \"UDP\", \"TCP_UDP\", \"GENEVE\", \"QUIC\", \"TCP_QUIC\"])",
            "Tags.1.member.Key: Required",
        ];
        let mut found = broken(Service::Elb, "CreateTargetGroupInput", &group);
        found.sort();
        assert_eq!(found, wanted);
        let log_group = json!({"logGroupName": "a b", "tags": {"a!": ""}});
        let wanted = ["logGroupName: Pattern(\"[\\\\.\\\\-_/#A-Za-z0-9]+\")", r"tags.key: Pattern("];
        let found = broken(Service::Logs, "CreateLogGroupRequest", &log_group);
        assert!(found.iter().zip(wanted).all(|(found, wanted)| found.starts_with(wanted)), "{found:?}");
    }

    #[test]
    fn what_is_right_breaks_nothing() {
        let group = json!({"logGroupName": "/ecs/größe".replace("größe", "a"), "tags": {"interstella:app": "a/b"}});
        assert_eq!(broken(Service::Logs, "CreateLogGroupRequest", &group), Vec::<String>::new());
    }

    #[test]
    fn every_pattern_of_an_input_compiles() {
        let patterns =
            Service::ALL.into_iter().flat_map(|service| Model::of(service).shapes()).filter_map(|(name, shape)| {
                match &shape.kind {
                    Kind::String { pattern: Some(pattern), .. } => Some((name, pattern)),
                    _ => None,
                }
            });
        let unreadable: Vec<&str> =
            patterns.filter(|(_, pattern)| compile(pattern).is_none()).map(|(name, _)| name).collect();
        assert_eq!(unreadable, Vec::<&str>::new());
    }
}
