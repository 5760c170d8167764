//! When a rule applies. Paths and hosts are implemented; conditions on anything else are refused by name.

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::invalid;
use crate::call::ApiError;

/// Values that all conditions of a rule may hold together (AWS quota).
const VALUES_MAX: usize = 5;
/// Length of a value.
const VALUE_LENGTH_MAX: usize = 128;

/// A condition: some part of the request matches one of the patterns, in which `*` and `?` are wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The part of the request.
    pub field: Field,
    /// The patterns.
    pub patterns: Vec<String>,
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The Host header without its port, whatever its case.
    Host,
    /// The path of the URL, case and all.
    Path,
}

/// A condition as sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ConditionInput {
    field: String,
    #[serde(default)]
    values: Vec<String>,
    host_header_config: Option<ValuesInput>,
    path_pattern_config: Option<ValuesInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct ValuesInput {
    values: Vec<String>,
}

/// The conditions of a rule, ordered by field as AWS echoes them.
///
/// # Errors
/// None, too many values, or a field that is not implemented.
pub(super) fn read(inputs: Vec<ConditionInput>) -> Result<Vec<Condition>, ApiError> {
    let mut conditions = inputs.into_iter().map(read_one).collect::<Result<Vec<_>, _>>()?;
    if conditions.is_empty() {
        return Err(invalid("A condition must be specified"));
    }
    if conditions.iter().map(|condition| condition.patterns.len()).sum::<usize>() > VALUES_MAX {
        return Err(invalid(format!("A rule can have at most {VALUES_MAX} condition values")));
    }
    conditions.sort_by_key(|condition| condition.field);
    if conditions.windows(2).any(|pair| matches!(pair, [one, other] if one.field == other.field)) {
        return Err(invalid("A rule can have only one condition of each of the fields path-pattern and host-header"));
    }
    Ok(conditions)
}

fn read_one(input: ConditionInput) -> Result<Condition, ApiError> {
    let (field, config) = match input.field.as_str() {
        "host-header" => (Field::Host, input.host_header_config),
        "path-pattern" => (Field::Path, input.path_pattern_config),
        other => return Err(ApiError::not_implemented(format!("elasticloadbalancing conditions on {other}"))),
    };
    let patterns = config.map_or(input.values, |config| config.values);
    if patterns.is_empty() {
        return Err(invalid("A condition value must be specified"));
    }
    if let Some(pattern) = patterns.iter().find(|pattern| pattern.is_empty() || pattern.len() > VALUE_LENGTH_MAX) {
        return Err(invalid(format!(
            "The condition value '{pattern}' must be 1 to {VALUE_LENGTH_MAX} characters long"
        )));
    }
    Ok(Condition { field, patterns })
}

impl Condition {
    /// The condition as the API shows it: the values twice.
    pub(super) fn describe(&self) -> Value {
        let values = json!({ "Values": self.patterns });
        match self.field {
            Field::Host => json!({ "Field": "host-header", "Values": self.patterns, "HostHeaderConfig": values }),
            Field::Path => json!({ "Field": "path-pattern", "Values": self.patterns, "PathPatternConfig": values }),
        }
    }
}
