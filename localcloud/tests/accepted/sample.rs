//! Calls that hold one member at one place, with as little else as the model allows, and a cloud to make them in.

use std::sync::Arc;

use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::images::Images;
use interstella_localcloud::runtime::model::Model as Nothing;
use interstella_localcloud::seed::{self, SeedOptions};
use interstella_localcloud::wire::model::{Kind, Model};
use interstella_localcloud::world::World;
use serde_json::{Map, Value, json};

use crate::walk::Place;

/// Members that a call needs although the models do not say so.
const NEEDED: &[(&str, &str)] = &[
    ("ContainerDefinition", "name"),
    ("ContainerOverride", "name"),
    ("HostHeaderConditionConfig", "Values"),
    ("KeyValuePair", "name"),
    ("ListenerAttribute", "Key"),
    ("LoadBalancer", "containerName"),
    ("LoadBalancer", "containerPort"),
    ("LoadBalancer", "targetGroupArn"),
    ("LoadBalancerAttribute", "Key"),
    ("NetworkConfiguration", "awsvpcConfiguration"),
    ("PathPatternConditionConfig", "Values"),
    ("PortMapping", "containerPort"),
    ("RuleCondition", "Field"),
    ("RulePriorityPair", "Priority"),
    ("RulePriorityPair", "RuleArn"),
    ("SubnetMapping", "SubnetId"),
    ("Tag", "key"),
    ("TagFilter", "Key"),
    ("TargetGroupAttribute", "Key"),
    ("TargetGroupTuple", "TargetGroupArn"),
];

/// A cloud as the workshop left it.
pub fn cloud() -> Arc<Cloud> {
    let clock = Clock::stepped(CloudTime::from_millis(1_790_000_000_000));
    let cloud = Cloud::new(World::new("us-west-2", 7, Images::default()), clock, Box::new(Nothing::default()));
    let options = SeedOptions { api_key: "key".to_owned(), api_endpoint: "http://127.0.0.1:8889".to_owned() };
    cloud.with_world(|world, now| seed::workshop(world, now, &options)).unwrap();
    cloud
}

/// An input that holds the place's member.
pub fn with_member(model: &Model, input: &str, place: &Place) -> Value {
    value(model, "", input, &place.path)
}

/// A value of a shape that holds what `path` leads to; `name` is that of the member whose value it is.
fn value(model: &Model, name: &str, shape: &str, path: &[&str]) -> Value {
    let needs = |member: &str| NEEDED.contains(&(shape, member)) || member == "cluster";
    let shape = model.shape(shape);
    match &shape.kind {
        Kind::Structure { members, required, .. } => {
            let mut object = Map::new();
            for (member, reference) in members {
                if path.first() == Some(&member.as_str()) {
                    object.insert(member.clone(), value(model, member, &reference.shape, &path[1..]));
                } else if required.contains(member) || needs(member) {
                    object.insert(member.clone(), value(model, member, &reference.shape, &[]));
                }
            }
            Value::Object(object)
        }
        Kind::List { member } => json!([value(model, name, &member.shape, path)]),
        Kind::Map { value: reference, .. } => json!({"key": value(model, name, &reference.shape, path)}),
        Kind::String { values, .. } => text(name, values).into(),
        Kind::Integer | Kind::Long => shape.min.unwrap_or(1).max(1).into(),
        // What ends does so after it has begun.
        Kind::Timestamp if name.starts_with("End") => json!(2.0),
        Kind::Double | Kind::Timestamp => json!(1.0),
        Kind::Boolean => true.into(),
        Kind::Blob => "AAE=".into(),
    }
}

/// A text for a member: one that the local cloud takes where it takes few.
fn text(name: &str, values: &[String]) -> String {
    let known = [("cluster", "interstella"), ("stopType", "ROLLBACK")];
    let known = known.into_iter().find(|(known, _)| *known == name).map(|(_, text)| text);
    known.or(values.first().map(String::as_str)).unwrap_or("x").to_owned()
}
