//! The bounds that the loader puts on a manifest's values are those that AWS's service models put on what is sent: at
//! them a value is taken, beyond them it is refused. Every value of a manifest has a row, so none escapes the
//! comparison.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use interstella_controller::manifest::load::load_str;
use interstella_controller::manifest::schema::json_schema;
use regex::Regex;
use serde_json::{Value, json};

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bounds")
}

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// One line of `members.txt` that names a member.
struct Row {
    place: String,
    service: String,
    member: String,
    options: String,
}

impl Row {
    fn option(&self, name: &str) -> Option<&str> {
        self.options.split(' ').find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
    }

    /// The shape of the member in the service's model.
    fn shape(&self) -> Value {
        let model = json_of(&tests().join(format!("../../../localcloud/models/{}.json", self.service)));
        let (structure, member) = self.member.split_once('.').unwrap();
        let reference = &model["shapes"][structure]["members"][member]["shape"];
        let name = reference.as_str().unwrap_or_else(|| panic!("{} has no {}", self.service, self.member));
        model["shapes"][name].clone()
    }
}

fn lines() -> Vec<(String, String)> {
    let text = fs::read_to_string(tests().join("members.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap()).map(|(place, rest)| (place.to_owned(), rest.to_owned())).collect()
}

fn rows() -> Vec<Row> {
    let row = |(place, rest): (String, String)| {
        let mut parts = rest.splitn(3, ' ').map(str::to_owned);
        let (service, member) = (parts.next().unwrap(), parts.next().unwrap());
        Row { place, service, member, options: parts.next().unwrap_or_default() }
    };
    lines().into_iter().filter(|(_, rest)| !rest.starts_with("- ")).map(row).collect()
}

/// Pointer of the first place in the manifest that `place` can be: `[]` is an element, `*` a key.
fn pointer(manifest: &Value, place: &str) -> String {
    let segments = place.replace("[]", ".[]");
    let segments: Vec<&str> = segments.split('.').collect();
    find(manifest, &segments).unwrap_or_else(|| panic!("{place} has no place in everything.json"))
}

fn find(here: &Value, segments: &[&str]) -> Option<String> {
    let Some((first, rest)) = segments.split_first() else { return Some(String::new()) };
    let next = |key: String, value: &Value| find(value, rest).map(|found| format!("/{key}{found}"));
    match (*first, here) {
        ("[]", Value::Array(items)) => items.iter().enumerate().find_map(|(index, item)| next(index.to_string(), item)),
        ("*", Value::Object(entries)) => entries.iter().find_map(|(key, value)| next(key.clone(), value)),
        (key, Value::Object(entries)) => match entries.get(key) {
            Some(value) => next(key.to_owned(), value),
            None if rest.is_empty() => Some(format!("/{key}")),
            None => None,
        },
        _ => None,
    }
}

/// Whether the loader has something against `value` at the row's place.
fn refused(row: &Row, value: &Value) -> bool {
    let mut manifest = json_of(&tests().join("everything.json"));
    prepare(&mut manifest, &row.place);
    let mut at = pointer(&manifest, &row.place);
    let (parent, key) = at.rsplit_once('/').map(|(parent, key)| (parent.to_owned(), key.to_owned())).unwrap();
    let object = manifest.pointer_mut(&parent).unwrap();
    if row.options.starts_with("key") {
        *object = json!({ value.as_str().unwrap(): "v" });
        at = format!("{parent}/{}", value.as_str().unwrap());
    } else if let Value::Array(items) = object {
        items[key.parse::<usize>().unwrap()] = value.clone();
    } else {
        object[key] = value.clone();
    }
    let shown = shown(&at);
    let problems = load_str("f", &manifest.to_string()).err().unwrap_or_default();
    problems.iter().any(|problem| problem.what.starts_with(&format!("{shown}: ")))
}

/// What some places need besides what `everything.json` says.
fn prepare(manifest: &mut Value, place: &str) {
    let scaling = &mut manifest["spec"]["scaling"];
    if place.ends_with("maxCapacityBreachBehavior") {
        scaling["predictive"].as_object_mut().unwrap().remove("maxCapacityBuffer");
    }
    if place.ends_with("minAdjustmentMagnitude") {
        scaling["step"][0]["adjustmentType"] = json!("PercentChangeInCapacity");
    }
    if place.ends_with("networkConfiguration.subnets[]") || place.contains("networkConfiguration.") {
        manifest["spec"]["networkConfiguration"] = json!({ "subnets": ["subnet-1"], "securityGroups": ["sg-1"] });
        manifest["spec"]["taskDefinition"]["networkMode"] = json!("awsvpc");
    }
}

/// The place as the loader's problems begin.
fn shown(pointer: &str) -> String {
    let mut shown = String::new();
    for segment in pointer.split('/').skip(1) {
        match segment.parse::<usize>() {
            Ok(index) => shown.push_str(&format!("[{index}]")),
            Err(_) if shown.is_empty() => shown.push_str(segment),
            Err(_) => shown.push_str(&format!(".{segment}")),
        }
    }
    shown
}

/// Values at the bounds of `shape` and beyond them, each with whether it has to be refused.
fn probes(row: &Row, shape: &Value) -> Vec<(Value, bool)> {
    let (min, max) = (shape["min"].as_i64(), shape["max"].as_i64());
    match shape["type"].as_str().unwrap() {
        "integer" | "long" => {
            let beyond = max.unwrap_or(i64::from(i32::MAX)) + 1;
            let inside = [min, max].into_iter().flatten().map(|number| (json!(number), false));
            let outside = [min.map(|min| min - 1), Some(beyond)].into_iter().flatten();
            inside.chain(outside.map(|number| (json!(number), true))).collect()
        }
        "list" => {
            let entries = |count: i64| (0..count).map(|index| (format!("k{index}"), json!("v"))).collect::<Value>();
            max.map_or_else(Vec::new, |max| vec![(entries(max), false), (entries(max + 1), true)])
        }
        "string" => [lengths(row, min, max), values(row, shape), characters(row, shape)].concat(),
        _ => Vec::new(),
    }
}

fn lengths(row: &Row, min: Option<i64>, max: Option<i64>) -> Vec<(Value, bool)> {
    let begin = row.option("begin").unwrap_or_default();
    let less: i64 = row.option("less").map_or(0, |less| less.parse().unwrap());
    let text = |length: i64| {
        let rest = usize::try_from(length).unwrap() - if length == 0 { 0 } else { begin.len() };
        json!(if length == 0 { String::new() } else { format!("{begin}{}", "a".repeat(rest)) })
    };
    let min = min.map_or_else(Vec::new, |min| vec![(text(min), false), (text(min - 1), true)]);
    let max = max.map_or_else(Vec::new, |max| vec![(text(max - less), false), (text(max - less + 1), true)]);
    [min, max].concat()
}

fn values(row: &Row, shape: &Value) -> Vec<(Value, bool)> {
    let except: Vec<&str> = row.option("except").unwrap_or_default().split(',').collect();
    let known = shape["enum"].as_array().cloned().unwrap_or_default();
    let mut probes: Vec<(Value, bool)> =
        known.iter().map(|value| (value.clone(), except.contains(&value.as_str().unwrap()))).collect();
    if !probes.is_empty() {
        probes.push((json!("NoSuchValue"), true));
    }
    probes
}

/// A letter, a digit and each other printable character between two letters: to be refused if the pattern has it not.
fn characters(row: &Row, shape: &Value) -> Vec<(Value, bool)> {
    let Some(pattern) = shape["pattern"].as_str() else { return Vec::new() };
    let pattern = Regex::new(&format!("^(?:{pattern})$")).unwrap();
    let begin = row.option("begin").unwrap_or("a");
    let rest = (' '..='~').filter(|c| !c.is_ascii_alphanumeric());
    let texts = ['Z', '9'].into_iter().chain(rest).map(|c| format!("{begin}{c}a"));
    texts.map(|text| (json!(text), !pattern.is_match(&text))).collect()
}

#[test]
fn the_bounds_are_those_of_the_service_models() {
    let everything = fs::read_to_string(tests().join("everything.json")).unwrap();
    load_str("everything.json", &everything).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let mut wrong = Vec::new();
    let mut compared = 0;
    for row in rows().iter().filter(|row| !row.options.contains("narrower:")) {
        for (value, beyond) in probes(row, &row.shape()) {
            compared += 1;
            if refused(row, &value) != beyond {
                let text = value.to_string();
                let how = if beyond { "is taken beyond" } else { "is refused within" };
                let shown: String = text.chars().take(40).collect();
                wrong.push(format!("{} {shown} ({} characters) {how} {}", row.place, text.len(), row.member));
            }
        }
    }
    assert!(compared > 400, "only {compared} values were compared");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_narrower_has_a_bound_and_a_reason() {
    for row in rows() {
        let shape = row.shape();
        let bounded = ["min", "max", "enum", "pattern"].iter().any(|bound| shape.get(bound).is_some());
        let reason = row.options.split_once("narrower:").map(|(_, reason)| reason.trim());
        assert!(reason.is_none_or(|reason| bounded && !reason.is_empty()), "{} {}", row.place, row.member);
    }
}

#[test]
fn every_value_of_a_manifest_has_a_row() {
    let schema = json_schema();
    let mut leaves = BTreeSet::new();
    collect(&schema, &schema, String::new(), &mut leaves);
    let listed: BTreeSet<String> = lines().into_iter().map(|(place, _)| place).collect();
    let missing: Vec<_> = leaves.difference(&listed).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    let unknown: Vec<_> = listed.difference(&leaves).filter(|place| !place.ends_with(".dimensions")).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// The places of all single values that the schema has.
fn collect(schema: &Value, node: &Value, place: String, leaves: &mut BTreeSet<String>) {
    let reference = node["$ref"].as_str().and_then(|text| text.strip_prefix('#'));
    let node = reference.and_then(|pointer| schema.pointer(pointer)).unwrap_or(node);
    // The first choice is the normal form.
    let node = node.get("anyOf").and_then(|choices| choices.get(0)).unwrap_or(node);
    if let Some(properties) = node["properties"].as_object() {
        for (key, property) in properties {
            let below = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            collect(schema, property, below, leaves);
        }
    } else if node["items"].is_object() {
        collect(schema, &node["items"], format!("{place}[]"), leaves);
    } else if node["additionalProperties"].is_object() {
        collect(schema, &node["additionalProperties"], format!("{place}.*"), leaves);
    } else {
        leaves.insert(place);
    }
}
