//! Reads parameters.

use serde::Deserialize;
use serde_json::{Value, json};

use super::get as find;
use crate::call::{Answer, ApiError};
use crate::page::page;
use crate::world::World;

/// Parameters on a page of DescribeParameters unless the caller says otherwise.
const PAGE: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Get {
    name: String,
    #[serde(default)]
    with_decryption: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetSeveral {
    names: Vec<String>,
    #[serde(default)]
    with_decryption: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Describe {
    max_results: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    parameter_filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Filter {
    key: String,
    option: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

pub(super) fn get(world: &World, request: &Get) -> Answer {
    let parameter = find(world, &request.name).ok_or_else(|| ApiError::new("ParameterNotFound", ""))?;
    Ok(json!({"Parameter": parameter.shown(world, request.with_decryption)}))
}

/// Names that there are not come back as invalid; the call succeeds.
pub(super) fn get_several(world: &World, request: &GetSeveral) -> Answer {
    let (found, missing): (Vec<&String>, _) = request.names.iter().partition(|name| find(world, name).is_some());
    let shown = found.into_iter().filter_map(|name| find(world, name));
    let shown: Vec<Value> = shown.map(|parameter| parameter.shown(world, request.with_decryption)).collect();
    Ok(json!({"Parameters": shown, "InvalidParameters": missing}))
}

pub(super) fn describe(world: &World, request: &Describe) -> Answer {
    let mut found: Vec<_> = world.ssm.0.values().collect();
    for filter in &request.parameter_filters {
        let option = filter.option.as_deref().unwrap_or("Equals");
        match (filter.key.as_str(), option) {
            ("Name", "Equals") => found.retain(|parameter| filter.values.contains(&parameter.name)),
            ("Name", "BeginsWith") => {
                found.retain(|parameter| filter.values.iter().any(|prefix| parameter.name.starts_with(prefix)));
            }
            ("Type", "Equals") => found.retain(|parameter| filter.values.contains(&parameter.kind)),
            (key, option) => return Err(ApiError::not_implemented(format!("ssm filters by {key} {option}"))),
        }
    }
    let size = request.max_results.unwrap_or(PAGE);
    let invalid = || ApiError::new("InvalidNextToken", "The specified token is not valid.");
    let (found, next) =
        page(found, |parameter| &parameter.name, request.next_token.as_deref(), size).ok_or_else(invalid)?;
    let described: Vec<Value> = found.into_iter().map(|parameter| parameter.described(world)).collect();
    Ok(json!({"Parameters": described, "NextToken": next}))
}
