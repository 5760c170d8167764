//! Does a `Value` have the types that the model says? Used on what clients send as JSON and on what handlers answer.
//! Constraints (required members, enums, lengths) are `validate`'s business.

use serde_json::{Map, Value};

use super::model::{Kind, Model};
use super::path::{Path, element};

/// What does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A member that the model does not have.
    #[error("{0} is not in the service's model")]
    Unknown(Path),
    /// A value of another type.
    #[error("{found} can not be converted to {wanted} at {path}")]
    Type {
        /// Where.
        path: Path,
        /// What was found.
        found: String,
        /// What the model says.
        wanted: &'static str,
    },
}

impl Misfit {
    /// A misfit of types at the place where the walk stands.
    pub fn types(found: impl Into<String>, wanted: &'static str) -> Self {
        Self::Type { path: Path::default(), found: found.into(), wanted }
    }

    /// The same misfit seen from one level further out.
    #[must_use]
    pub fn under(self, segment: impl Into<String>) -> Self {
        match self {
            Self::Unknown(path) => Self::Unknown(path.under(segment)),
            Self::Type { path, found, wanted } => Self::Type { path: path.under(segment), found, wanted },
        }
    }
}

/// `value` as the shape called `shape` of `model`. Members that are null count as absent and are left out; everything else is
/// kept as it was.
pub fn conform(model: &Model, shape: &str, value: Value) -> Result<Value, Misfit> {
    match (&model.shape(shape).kind, value) {
        (Kind::Structure { document: true, .. }, value) => Ok(value),
        (Kind::Structure { members, .. }, Value::Object(object)) => {
            entries(object, |name, value| match members.get(name) {
                Some(member) => conform(model, &member.shape, value),
                None => Err(Misfit::Unknown(Path::default())),
            })
        }
        (Kind::Map { value: reference, .. }, Value::Object(object)) => {
            entries(object, |_, value| conform(model, &reference.shape, value))
        }
        (Kind::List { member }, Value::Array(elements)) => {
            let conformed = elements.into_iter().enumerate().map(|(index, value)| {
                conform(model, &member.shape, value).map_err(|misfit| misfit.under(element(index)))
            });
            conformed.collect::<Result<_, _>>().map(Value::Array)
        }
        (kind, value) if scalar_fits(kind, &value) => Ok(value),
        (kind, value) => Err(Misfit::types(type_of(&value), name_of(kind))),
    }
}

fn entries(object: Map<String, Value>, read: impl Fn(&str, Value) -> Result<Value, Misfit>) -> Result<Value, Misfit> {
    let mut conformed = Map::with_capacity(object.len());
    for (name, value) in object.into_iter().filter(|(_, value)| !value.is_null()) {
        let value = read(&name, value).map_err(|misfit| misfit.under(name.clone()))?;
        conformed.insert(name, value);
    }
    Ok(Value::Object(conformed))
}

fn scalar_fits(kind: &Kind, value: &Value) -> bool {
    match kind {
        Kind::String { .. } | Kind::Blob => value.is_string(),
        Kind::Integer => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Kind::Long => value.is_i64(),
        Kind::Double | Kind::Timestamp => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Structure { .. } | Kind::List { .. } | Kind::Map { .. } => false,
    }
}

/// What AWS calls a JSON value in its `SerializationException`.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "ARRAY_VALUE",
        Value::Object(_) => "STRUCT_VALUE",
    }
}

pub(super) fn name_of(kind: &Kind) -> &'static str {
    match kind {
        Kind::Structure { .. } => "a Structure",
        Kind::List { .. } => "a List",
        Kind::Map { .. } => "a Map",
        Kind::String { .. } => "a String",
        Kind::Integer => "an Integer",
        Kind::Long => "a Long",
        Kind::Double => "a Double",
        Kind::Boolean => "a Boolean",
        Kind::Timestamp => "a Timestamp",
        Kind::Blob => "a Blob",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::call::Service;

    fn service(value: Value) -> Result<Value, String> {
        conform(Model::of(Service::Ecs), "CreateServiceRequest", value).map_err(|misfit| misfit.to_string())
    }

    #[test]
    fn what_fits_is_kept_and_null_is_absent() {
        let given =
            json!({"serviceName": "a", "desiredCount": 2, "loadBalancers": [{"containerPort": 80}], "role": null});
        let kept = json!({"serviceName": "a", "desiredCount": 2, "loadBalancers": [{"containerPort": 80}]});
        assert_eq!(service(given), Ok(kept));
    }

    #[test]
    fn misfits_say_where_they_are() {
        let unknown = json!({"deploymentConfiguration": {"circuitBreaker": {"enabled": true}}});
        let wanted = "deploymentConfiguration.circuitBreaker is not in the service's model";
        assert_eq!(service(unknown), Err(wanted.to_owned()));
        let typed = json!({"loadBalancers": [{}, {"containerPort": "80"}]});
        let wanted = "STRING_VALUE can not be converted to an Integer at loadBalancers.2.member.containerPort";
        assert_eq!(service(typed), Err(wanted.to_owned()));
    }

    #[test]
    fn integers_have_32_bits() {
        let wanted = "NUMBER_VALUE can not be converted to an Integer at desiredCount";
        assert_eq!(service(json!({"desiredCount": 1_i64 << 31})), Err(wanted.to_owned()));
    }
}
