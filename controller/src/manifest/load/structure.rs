//! Structural problems: the document against the JSON Schema, in words.
//!
//! Nothing here knows what a field means; that is `validate`.

use std::sync::OnceLock;

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use jsonschema::{JsonType, Validator};
use serde_json::Value;

use super::ecs::{self, fold};
use crate::manifest::pointer::Pointer;
use crate::manifest::schema::{home, known_keys, normal_schema};
use crate::manifest::validate::Problem;

/// What part of the node the problem is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// Its key.
    Key,
    /// Its value.
    Value,
}

struct Checker {
    schema: Value,
    validator: Validator,
}

/// Every structural problem of one document.
pub(super) fn check(document: &Value) -> Vec<(On, Problem)> {
    let Some(checker) = checker() else {
        return vec![(On::Value, problem(Pointer::root(), "the schema is broken", "report this: it is a defect"))];
    };
    let mut found: Vec<_> =
        checker.validator.iter_errors(document).flat_map(|error| describe(&checker.schema, document, &error)).collect();
    drop_consequences(&mut found);
    found.into_iter().map(|Found { on, problem, .. }| (on, problem)).collect()
}

struct Found {
    on: On,
    problem: Problem,
    /// A key that this problem is about: the suggested one, or the missing one.
    key: Option<(Kind, Pointer)>,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Suggested,
    Missing,
}

fn checker() -> Option<&'static Checker> {
    static CHECKER: OnceLock<Option<Checker>> = OnceLock::new();
    let make = || {
        let schema = normal_schema();
        jsonschema::validator_for(&schema).ok().map(|validator| Checker { schema, validator })
    };
    CHECKER.get_or_init(make).as_ref()
}

/// A key that is missing because it is misspelt needs no line of its own.
fn drop_consequences(found: &mut Vec<Found>) {
    let suggested: Vec<Pointer> = found
        .iter()
        .filter_map(|one| one.key.as_ref().filter(|(kind, _)| *kind == Kind::Suggested))
        .map(|(_, key)| key.clone())
        .collect();
    found.retain(|one| !matches!(&one.key, Some((Kind::Missing, key)) if suggested.contains(key)));
}

fn describe(schema: &Value, document: &Value, error: &ValidationError<'_>) -> Vec<Found> {
    let at = Pointer::from_rfc6901(error.instance_path().as_str());
    let value = error.instance();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|key| unknown_key(schema, document, &at, key)).collect()
        }
        ValidationErrorKind::Required { property } => vec![missing(at, property.as_str().unwrap_or_default())],
        ValidationErrorKind::Type { kind } => vec![wrong_type(at, kind, value)],
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            vec![wrong_choice(at, context, value)]
        }
        ValidationErrorKind::Enum { options } => {
            vec![choice(at, options.as_array().map_or(&[], Vec::as_slice), value)]
        }
        ValidationErrorKind::Constant { expected_value } => vec![choice(at, &[(**expected_value).clone()], value)],
        ValidationErrorKind::Minimum { limit } => {
            vec![plain(problem(at, format!("{value} is too small"), format!("use {limit} or more")))]
        }
        ValidationErrorKind::Maximum { limit } => {
            vec![plain(problem(at, format!("{value} is too large"), format!("use {limit} or less")))]
        }
        _ => vec![plain(problem(at, error.masked().to_string(), "see manifests/schema.json"))],
    }
}

fn unknown_key(schema: &Value, document: &Value, at: &Pointer, key: &str) -> Found {
    let known = known_keys(schema, at.segments());
    let nearest = nearest(key, &known);
    let free = nearest.filter(|name| document.pointer(at.key(name).as_str()).is_none());
    let content = document.pointer(at.key(key).as_str()).unwrap_or(&Value::Null);
    if let Some(problem) = ecs::misplaced(at.key(key), key, content).filter(|_| nearest.is_none()) {
        return Found { on: On::Key, problem, key: None };
    }
    let home = home(schema, key).filter(|place| !place.is_empty());
    let remedy = match (nearest, home, known.is_empty()) {
        (Some(name), _, _) => format!("did you mean `{name}`?"),
        (None, Some(home), _) => format!("it belongs under `{home}`; move it there"),
        (None, None, false) => format!("known keys here: {}", known.join(", ")),
        (None, None, true) => "remove it".into(),
    };
    let what = format!("the key `{}` is unknown", shorten(key));
    let key_at = free.map(|name| (Kind::Suggested, at.key(name)));
    Found { on: On::Key, problem: problem(at.key(key), what, remedy), key: key_at }
}

fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let folded = fold(key);
    let distance = |name: &&&str| strsim::damerau_levenshtein(&folded, &fold(name));
    let best = known.iter().min_by_key(distance)?;
    // AWS's names are often longer, as in `targetValue`.
    let begins = |name: &&&str| name.len() > 3 && folded.starts_with(&fold(name));
    if distance(&best) <= 1 + best.len() / 5 { Some(*best) } else { known.iter().find(begins).copied() }
}

fn missing(at: Pointer, key: &str) -> Found {
    let key_at = Some((Kind::Missing, at.key(key)));
    let remedy = if at == Pointer::root() {
        format!("add `{key}`; is the file complete?")
    } else {
        format!("add `{key}` under `{at}`")
    };
    Found { on: On::Value, problem: problem(at, format!("`{key}` is missing"), remedy), key: key_at }
}

fn wrong_type(at: Pointer, kind: &TypeKind, value: &Value) -> Found {
    let expected = match kind {
        TypeKind::Single(one) => *one,
        TypeKind::Multiple(several) => several.iter().next().unwrap_or(JsonType::Object),
    };
    let remedy = match (expected, value) {
        (_, Value::Null) => "give it a value or remove the key".to_owned(),
        (JsonType::String, Value::Number(_) | Value::Bool(_)) => "put the value in quotes".to_owned(),
        (JsonType::Integer | JsonType::Number, Value::String(text)) if text.parse::<i64>().is_ok() => {
            "remove the quotes".to_owned()
        }
        (JsonType::Number, Value::String(text)) if text.parse().is_ok_and(f64::is_finite) => {
            "remove the quotes".to_owned()
        }
        (JsonType::Array, _) => "write a list: `[first, second]` or lines that start with `- `".to_owned(),
        (JsonType::Object, _) => "write keys and values under it".to_owned(),
        (JsonType::Boolean, _) => "write true or false".to_owned(),
        (other, _) => format!("write {}", type_name(other)),
    };
    plain(problem(at, format!("expected {}, found {}", type_name(expected), found_name(value)), remedy))
}

fn wrong_choice(at: Pointer, context: &[Vec<ValidationError<'static>>], value: &Value) -> Found {
    let options = context.iter().flatten().flat_map(|error| match error.kind() {
        ValidationErrorKind::Constant { expected_value } => vec![(**expected_value).clone()],
        ValidationErrorKind::Enum { options } => options.as_array().cloned().unwrap_or_default(),
        _ => Vec::new(),
    });
    choice(at, &options.collect::<Vec<_>>(), value)
}

fn choice(at: Pointer, options: &[Value], value: &Value) -> Found {
    let names: Vec<String> = options.iter().filter_map(Value::as_str).map(|name| format!("`{name}`")).collect();
    let what = match value {
        Value::String(text) => format!("`{}` is not possible here", shorten(text)),
        other => format!("expected text, found {}", found_name(other)),
    };
    plain(problem(at, what, format!("use {}", names.join(" or "))))
}

fn type_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "nothing",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "text",
    }
}

/// Names the kind of a value, never the value: it may be a secret.
fn found_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

pub(super) fn shorten(text: &str) -> String {
    if text.chars().count() <= 60 { text.to_owned() } else { text.chars().take(60).chain(['…']).collect() }
}

fn problem(path: Pointer, what: impl Into<String>, remedy: impl Into<String>) -> Problem {
    Problem { path, what: what.into(), remedy: remedy.into() }
}

fn plain(problem: Problem) -> Found {
    Found { on: On::Value, problem, key: None }
}
