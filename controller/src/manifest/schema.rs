//! The JSON Schema (draft 2020-12) of the manifest, made from the types.
//!
//! Editors complete and check with its checked-in copy `manifests/schema.json`. The loader checks with its normal
//! form, in which each value has one spelling, once `load` has brought the others to it.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Value, json};

use super::Manifest;

/// The schema of one document, with every spelling that is taken.
pub fn json_schema() -> Value {
    let mut schema = normal_schema();
    for (place, spelling) in spellings() {
        let Some(Value::Object(property)) = schema.pointer_mut(place) else { continue };
        let about = ["description", "default"].map(|key| property.remove_entry(key));
        let choices = json!([Value::Object(std::mem::take(property)), spelling]);
        property.extend(about.into_iter().flatten());
        property.insert("anyOf".into(), choices);
    }
    schema
}

/// Properties that have another spelling besides their type's, and its schema: ECS's own (AWS: ECS
/// RegisterTaskDefinition).
fn spellings() -> [(&'static str, Value); 4] {
    let size = |unit: &str| json!({ "type": "string", "pattern": format!("^ *([0-9]+|[0-9]*\\.?[0-9]+ *{unit}) *$") });
    let list = |content: &str| {
        json!({
            "type": "array",
            "items": {
                "type": "object",
                "properties": { "name": { "type": "string" }, content: { "type": "string" } },
                "required": ["name", content],
                "additionalProperties": false,
            },
        })
    };
    [
        ("/$defs/TaskDefinition/properties/cpu", size("[vV][cC][pP][uU]")),
        ("/$defs/TaskDefinition/properties/memory", size("[gG][bB]")),
        ("/$defs/Container/properties/environment", list("value")),
        ("/$defs/Container/properties/secrets", list("valueFrom")),
    ]
}

/// The schema of one document in its normal form.
pub(super) fn normal_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().with_transform(Tidy).into_generator();
    let mut schema = generator.into_root_schema_for::<Manifest>();
    schema.insert("title".into(), json!("Interstella manifest"));
    schema.to_value()
}

/// The schema as the file `manifests/schema.json` holds it.
pub fn json_schema_text() -> String {
    format!("{:#}\n", json_schema())
}

/// Says what serde would say anyway.
///
/// An optional field is left out or has a value: `null` is refused, because a key without a value is more often a file
/// cut short than a wish. Whole numbers end where the types end.
#[derive(Debug, Clone)]
struct Tidy;

impl Transform for Tidy {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        drop_null(schema);
        match schema.get("format").and_then(Value::as_str) {
            Some("uint32") => {
                schema.remove("format");
                schema.insert("maximum".into(), json!(u32::MAX));
            }
            Some("int32") => {
                schema.remove("format");
                schema.insert("minimum".into(), json!(i32::MIN));
                schema.insert("maximum".into(), json!(i32::MAX));
            }
            _ => {}
        }
    }
}

fn drop_null(schema: &mut Schema) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice != &json!({ "type": "null" }));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.insert(key, value);
            }
        }
    }
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}

/// Keys that the schema allows at a place, for suggestions. `segments` are keys and indexes from the root.
pub(super) fn known_keys(schema: &Value, segments: impl Iterator<Item = String>) -> Vec<&str> {
    let mut here = resolve(schema, schema);
    for segment in segments {
        let next = here.get("properties").and_then(|all| all.get(&segment)).or_else(|| here.get("items"));
        let Some(next) = next.or_else(|| here.get("additionalProperties")) else { return Vec::new() };
        here = resolve(schema, next);
    }
    match here.get("properties") {
        Some(Value::Object(all)) => all.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The place nearest to the root where the schema has `key`, as people read it, for whoever put it somewhere else.
pub(super) fn home(schema: &Value, key: &str) -> Option<String> {
    const DEEPEST: usize = 16;
    let mut level = vec![(String::new(), resolve(schema, schema))];
    for _ in 0..DEEPEST {
        if let Some((place, _)) =
            level.iter().find(|(_, node)| node.get("properties").is_some_and(|all| all.get(key).is_some()))
        {
            return Some(place.clone());
        }
        level = level.into_iter().flat_map(|(place, node)| below(schema, &place, node)).collect();
    }
    None
}

fn below<'a>(schema: &'a Value, place: &str, node: &'a Value) -> Vec<(String, &'a Value)> {
    let item = node.get("items").map(|item| (format!("{place}[]"), resolve(schema, item)));
    let properties = node.get("properties").and_then(Value::as_object).into_iter().flatten();
    let named = |key: &String| if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
    properties.map(|(key, property)| (named(key), resolve(schema, property))).chain(item).collect()
}

fn resolve<'a>(schema: &'a Value, node: &'a Value) -> &'a Value {
    let reference = node.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
    reference.and_then(|pointer| schema.pointer(pointer)).unwrap_or(node)
}
