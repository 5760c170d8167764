//! Writes and deletes parameters. Only the newest version of each is kept.

use serde::Deserialize;
use serde_json::json;

use super::Parameter;
use crate::call::{Answer, ApiError, Call};
use crate::world::World;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Put {
    name: String,
    description: Option<String>,
    value: String,
    r#type: Option<String>,
    #[serde(default)]
    overwrite: bool,
    tier: Option<String>,
    data_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Delete {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DeleteSeveral {
    names: Vec<String>,
}

pub(super) fn put(world: &mut World, call: &Call, request: Put) -> Answer {
    if request.tier.as_deref().is_some_and(|tier| tier != "Standard")
        || request.data_type.as_deref().is_some_and(|kind| kind != "text")
    {
        return Err(ApiError::not_implemented("ssm parameters but of tier Standard and data type text"));
    }
    let before = world.ssm.0.get(&request.name);
    if before.is_some() && !request.overwrite {
        let message =
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.";
        return Err(ApiError::new("ParameterAlreadyExists", message));
    }
    let without = || ApiError::new("ValidationException", "A parameter type is required when you create a parameter.");
    let kind = request.r#type.or_else(|| before.map(|before| before.kind.clone())).ok_or_else(without)?;
    let version = before.map_or(1, |before| before.version + 1);
    let description = request.description.or_else(|| before.and_then(|before| before.description.clone()));
    let Put { name, value, .. } = request;
    let parameter = Parameter { name: name.clone(), kind, value, description, version, modified: call.now };
    world.ssm.0.insert(name, parameter);
    Ok(json!({"Version": version, "Tier": "Standard"}))
}

pub(super) fn delete(world: &mut World, request: &Delete) -> Answer {
    world.ssm.0.remove(&request.name).ok_or_else(|| ApiError::new("ParameterNotFound", ""))?;
    Ok(json!({}))
}

pub(super) fn delete_several(world: &mut World, request: &DeleteSeveral) -> Answer {
    let (deleted, missing): (Vec<&String>, Vec<&String>) =
        request.names.iter().partition(|name| world.ssm.0.remove(*name).is_some());
    Ok(json!({"DeletedParameters": deleted, "InvalidParameters": missing}))
}
