//! Takes secrets out of an input before it is recorded: what the model marks as sensitive (parameter values, environments),
//! and the token that confirms a subscription.

use serde_json::Value;

use super::model::{Kind, Model};
use crate::call::Service;

const HIDDEN: &str = "(hidden)";

/// A copy of an operation's input without secrets.
pub fn redact(service: Service, operation: &str, input: &Value) -> Value {
    let model = Model::of(service);
    let shape = model.operations.get(operation).and_then(|operation| operation.input.as_deref());
    let Some(shape) = shape else { return Value::Null };
    let mut copy = walk(model, shape, input);
    if let (Service::Sns, Some(token)) = (service, copy.get_mut("Token")) {
        *token = Value::String(HIDDEN.to_owned());
    }
    copy
}

fn walk(model: &Model, shape: &str, value: &Value) -> Value {
    let shape = model.shape(shape);
    if shape.sensitive {
        return hide(value);
    }
    match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Object(object)) => {
            let copied = object.iter().filter_map(|(name, value)| {
                members.get(name).map(|member| (name.clone(), walk(model, &member.shape, value)))
            });
            Value::Object(copied.collect())
        }
        (Kind::Map { value: reference, .. }, Value::Object(object)) => Value::Object(
            object.iter().map(|(key, value)| (key.clone(), walk(model, &reference.shape, value))).collect(),
        ),
        (Kind::List { member }, Value::Array(elements)) => {
            elements.iter().map(|value| walk(model, &member.shape, value)).collect()
        }
        (_, value) => value.clone(),
    }
}

/// Everything inside is hidden but the names of environment variables.
fn hide(value: &Value) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(hide).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), if key == "name" { value.clone() } else { hide(value) }))
            .collect(),
        _ => Value::String(HIDDEN.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn environments_parameters_and_tokens() {
        let environment = json!([{"name": "KEY", "value": "s3cret"}]);
        let container = json!({"name": "web", "environment": environment});
        let overrides = json!({"cluster": "c", "overrides": {"containerOverrides": [container.clone()]}});
        let cases = [
            (Service::Ecs, "RegisterTaskDefinition", json!({"family": "f", "containerDefinitions": [container]})),
            (Service::Ecs, "RunTask", overrides),
            (Service::Ssm, "PutParameter", json!({"Name": "n", "Value": "s3cret"})),
            (Service::Sns, "ConfirmSubscription", json!({"TopicArn": "t", "Token": "s3cret"})),
        ];
        for (service, operation, input) in cases {
            let shown = redact(service, operation, &input).to_string();
            assert!(!shown.contains("s3cret") && shown.contains(HIDDEN), "{shown}");
            let given = input.to_string().replace("s3cret", HIDDEN);
            assert_eq!(shown, given, "only the secret is taken out");
        }
    }
}
