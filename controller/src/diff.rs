//! One generic difference over two serialised specs.
//!
//! It knows no resource: two values of the same normal form go in, the list of changed leaves comes out.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// One changed field: where, what is there, what should be there (`null` = absent).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Keys from the root of the spec, joined by dots.
    pub path: String,
    /// What AWS has.
    pub from: Value,
    /// What the manifest says.
    pub to: Value,
    /// What both are counted in, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

impl Change {
    /// Without a unit.
    #[must_use]
    pub fn new(path: impl Into<String>, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        Self { path: path.into(), from: from.into(), to: to.into(), unit: None }
    }
}

/// What an update leads from and to. What a call sends follows from the two values, never from the list of changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit<S> {
    /// What AWS has.
    pub from: S,
    /// What it should have.
    pub to: S,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            Value::Null => write!(f, "{}: {}", self.path, self.to)?,
            _ => write!(f, "{}: {} → {}", self.path, self.from, self.to)?,
        }
        self.unit.iter().try_for_each(|unit| write!(f, " {}", counted(&self.to, unit)))
    }
}

/// A unit as it stands behind a number: `1 task`, `2 tasks`. What is no word, such as `s`, stays.
fn counted(number: &Value, unit: &str) -> String {
    let (noun, rest) = unit.split_once(' ').unwrap_or((unit, ""));
    match noun.strip_suffix('s').filter(|one| one.len() > 1 && number.as_f64() == Some(1.0)) {
        Some(one) if rest.is_empty() => one.to_owned(),
        Some(one) => format!("{one} {rest}"),
        None => unit.to_owned(),
    }
}

/// The leaves in which `to` differs from `from`, in the order of the spec's fields. Empty means equal.
#[must_use]
pub fn diff<T: Serialize + PartialEq>(from: &T, to: &T) -> Vec<Change> {
    let mut changes = Vec::new();
    // Nearly always so, and much cheaper to tell.
    if from == to {
        return changes;
    }
    walk(String::new(), &value(from), &value(to), &mut changes);
    changes
}

/// All that a new resource will have.
#[must_use]
pub fn all<T: Serialize>(to: &T) -> Vec<Change> {
    let mut changes = Vec::new();
    walk(String::new(), &Value::Null, &value(to), &mut changes);
    changes
}

/// The same changes, each with the unit that its path has.
#[must_use]
pub fn in_units(mut changes: Vec<Change>, unit: impl Fn(&str) -> Option<String>) -> Vec<Change> {
    changes.iter_mut().for_each(|change| change.unit = unit(&change.path));
    changes
}

/// Serialises a number as people write it: 100 and not 100.0.
///
/// # Errors
/// When the serializer fails.
pub fn number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    let rounded = format!("{value:.0}").parse::<i64>();
    match rounded {
        Ok(whole) if value.fract() == 0.0 => serializer.serialize_i64(whole),
        _ => serializer.serialize_f64(*value),
    }
}

/// Specs are plain data, which always serialises; were one not to, it would differ from everything and be seen.
fn value<T: Serialize>(spec: &T) -> Value {
    serde_json::to_value(spec).unwrap_or_else(|error| Value::String(format!("not serialisable: {error}")))
}

fn walk(path: String, from: &Value, to: &Value, changes: &mut Vec<Change>) {
    if from == to {
        return;
    }
    let empty = serde_json::Map::new();
    let (from_keys, to_keys) = match (from, to) {
        (Value::Object(from), Value::Object(to)) => (from, to),
        (Value::Null, Value::Object(to)) => (&empty, to),
        (Value::Object(from), Value::Null) => (from, &empty),
        _ => return changes.push(Change::new(path, from.clone(), to.clone())),
    };
    let of_from = from_keys.keys().filter(|key| !to_keys.contains_key(*key));
    for key in to_keys.keys().chain(of_from) {
        let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let from = from_keys.get(key).unwrap_or(&Value::Null);
        walk(below, from, to_keys.get(key).unwrap_or(&Value::Null), changes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(from: &Value, to: &Value) -> Vec<String> {
        diff(from, to).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_unit_is_singular_behind_one() {
        let shown = |number: f64, unit: &str| {
            in_units(vec![Change::new("n", Value::Null, number)], |_| Some(unit.to_owned()))[0].to_string()
        };
        for (number, unit, expected) in [
            (1.0, "tasks", "n: 1.0 task"),
            (2.0, "tasks", "n: 2.0 tasks"),
            (1.0, "requests a minute for each task", "n: 1.0 request a minute for each task"),
            (1.0, "s", "n: 1.0 s"),
            (1.0, "Percent", "n: 1.0 Percent"),
        ] {
            assert_eq!(shown(number, unit), expected);
        }
    }

    #[test]
    fn names_each_changed_leaf() {
        let from = json!({"a": 1, "b": {"c": "x", "gone": true}, "list": [1, 2]});
        let to = json!({"a": 1, "b": {"c": "y", "new": 5}, "list": [1]});
        assert_eq!(text(&from, &to), ["b.c: \"x\" → \"y\"", "b.new: 5", "b.gone: true → null", "list: [1,2] → [1]"]);
        assert!(text(&to, &to).is_empty());
    }

    #[test]
    fn absent_objects_spread_into_leaves() {
        assert_eq!(text(&Value::Null, &json!({"a": {"b": 1}, "c": null})), ["a.b: 1"]);
    }
}
