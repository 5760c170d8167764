//! Reads awsQuery's forms, in which structure is spelled in the names: `Actions.member.1.Type=forward`.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::conform::{Misfit, name_of};
use super::model::{Kind, Model, Reference};
use super::path::{Path, element};

/// Levels of a name, each a segment between dots. Deeper than any shape, and bounds the recursion below.
const MAX_DEPTH: usize = 24;

/// A value, or names that go on.
#[derive(Debug, Default)]
struct Node {
    text: String,
    children: BTreeMap<String, Node>,
}

/// Reads the fields of a form as the shape called `shape` of `model`.
pub fn read(model: &Model, shape: &str, fields: &[(String, String)]) -> Result<Value, Misfit> {
    let mut root = Node::default();
    for (name, text) in fields {
        if name.split('.').count() > MAX_DEPTH {
            return Err(Misfit::Unknown(Path::default().under(name.clone())));
        }
        let node =
            name.split('.').fold(&mut root, |node, segment| node.children.entry(segment.to_owned()).or_default());
        node.text.clone_from(text);
    }
    value(model, shape, root)
}

fn value(model: &Model, shape: &str, node: Node) -> Result<Value, Misfit> {
    match &model.shape(shape).kind {
        Kind::Structure { members, .. } => structure(model, members, node),
        Kind::List { member } => list(model, member, node),
        Kind::Map { key, value } => map(model, key, value, node),
        kind => match node.children.into_keys().next() {
            Some(child) => Err(Misfit::Unknown(Path::default().under(child))),
            None => scalar(kind, node.text),
        },
    }
}

fn structure(model: &Model, members: &BTreeMap<String, Reference>, node: Node) -> Result<Value, Misfit> {
    let mut object = Map::new();
    for (name, child) in node.children {
        let found = members.iter().find(|(member, reference)| wire_name(reference, member) == name);
        let Some((member, reference)) = found else {
            return Err(Misfit::Unknown(Path::default().under(name)));
        };
        let read = value(model, &reference.shape, child).map_err(|misfit| misfit.under(name))?;
        object.insert(member.clone(), read);
    }
    Ok(Value::Object(object))
}

/// `Names.member.1`, `Names.member.2`, …; the empty list is `Names=`.
fn list(model: &Model, member: &Reference, node: Node) -> Result<Value, Misfit> {
    let elements = numbered(node, wire_name(member, "member"))?.into_values().enumerate();
    let read = elements
        .map(|(index, child)| value(model, &member.shape, child).map_err(|misfit| misfit.under(element(index))));
    read.collect::<Result<_, _>>().map(Value::Array)
}

/// `Attributes.entry.1.key`, `Attributes.entry.1.value`, ….
fn map(model: &Model, key: &Reference, entry: &Reference, node: Node) -> Result<Value, Misfit> {
    let mut object = Map::new();
    for (number, mut pair) in numbered(node, "entry")? {
        let key = pair.children.remove(wire_name(key, "key")).unwrap_or_default().text;
        let child = pair.children.remove(wire_name(entry, "value")).unwrap_or_default();
        if let Some(name) = pair.children.into_keys().next() {
            return Err(Misfit::Unknown(Path::default().under(name).under(format!("entry.{number}"))));
        }
        let read = value(model, &entry.shape, child).map_err(|misfit| misfit.under(key.clone()))?;
        object.insert(key, read);
    }
    Ok(Value::Object(object))
}

/// The children under `word`, by number: `01` and `1` are the same to AWS.
fn numbered(node: Node, word: &str) -> Result<BTreeMap<u32, Node>, Misfit> {
    let mut by_number = BTreeMap::new();
    for (name, child) in node.children {
        if name != word {
            return Err(Misfit::Unknown(Path::default().under(name)));
        }
        for (number, child) in child.children {
            let Ok(number) = number.parse() else {
                return Err(Misfit::Unknown(Path::default().under(number).under(name)));
            };
            by_number.insert(number, child);
        }
    }
    Ok(by_number)
}

fn scalar(kind: &Kind, text: String) -> Result<Value, Misfit> {
    let read = match kind {
        Kind::Integer => text.parse::<i32>().ok().map(Value::from),
        Kind::Long => text.parse::<i64>().ok().map(Value::from),
        Kind::Double => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
        Kind::Boolean => match text.as_str() {
            "true" | "True" | "1" => Some(Value::Bool(true)),
            "false" | "False" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        Kind::Timestamp => text.parse::<jiff::Timestamp>().ok().map(|moment| Value::from(seconds(moment))),
        _ => return Ok(Value::String(text)),
    };
    read.ok_or_else(|| Misfit::types(format!("'{text}'"), name_of(kind)))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit a double exactly")]
fn seconds(moment: jiff::Timestamp) -> f64 {
    moment.as_millisecond() as f64 / 1000.0
}

fn wire_name<'a>(reference: &'a Reference, otherwise: &'a str) -> &'a str {
    reference.location_name.as_deref().unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::call::Service;

    fn form(service: Service, shape: &str, text: &str) -> Result<Value, String> {
        let fields: Vec<_> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        read(Model::of(service), shape, &fields).map_err(|misfit| misfit.to_string())
    }

    #[test]
    fn lists_structures_and_numbers() {
        let text = "ListenerArn=l&Priority=010&Conditions.member.1.Field=path-pattern\
            &Conditions.member.1.PathPatternConfig.Values.member.2=b&Conditions.member.1.PathPatternConfig.Values.member.01=a\
            &Actions.member.10.Type=forward&Actions.member.9.Type=redirect&Tags=";
        let wanted = json!({
            "ListenerArn": "l",
            "Priority": 10,
            "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["a", "b"]}}],
            "Actions": [{"Type": "redirect"}, {"Type": "forward"}],
            "Tags": [],
        });
        assert_eq!(form(Service::Elb, "CreateRuleInput", text), Ok(wanted));
    }

    #[test]
    fn maps_with_and_without_names_of_their_own() {
        let text = "TopicArn=t&Protocol=http&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true";
        let wanted = json!({"TopicArn": "t", "Protocol": "http", "Attributes": {"RawMessageDelivery": "true"}});
        assert_eq!(form(Service::Sns, "SubscribeInput", text), Ok(wanted));
        let text = "Message=m&MessageAttributes.entry.1.Name=n&MessageAttributes.entry.1.Value.DataType=String\
            &MessageAttributes.entry.1.Value.StringValue=%C3%A4+b";
        let attribute = json!({"DataType": "String", "StringValue": "ä b"});
        let wanted = json!({"Message": "m", "MessageAttributes": {"n": attribute}});
        assert_eq!(form(Service::Sns, "PublishInput", text), Ok(wanted));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let cases = [
            ("Nmae=x", "Nmae is not in the service's model"),
            ("Port=http", "'http' can not be converted to an Integer at Port"),
            ("HealthCheckEnabled=yes", "'yes' can not be converted to a Boolean at HealthCheckEnabled"),
            ("Tags.member.x.Key=a", "Tags.member.x is not in the service's model"),
            ("Matcher.HttpCode.x=a", "Matcher.HttpCode.x is not in the service's model"),
        ];
        for (text, wanted) in cases {
            assert_eq!(form(Service::Elb, "CreateTargetGroupInput", text), Err(wanted.to_owned()));
        }
        let deep = form(Service::Elb, "CreateTargetGroupInput", &format!("a{}=1", ".a".repeat(100_000)));
        assert!(deep.unwrap_err().ends_with("is not in the service's model"));
    }
}
