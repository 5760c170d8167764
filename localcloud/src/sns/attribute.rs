//! Message attributes: what a publication may say besides its message.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::call::ApiError;

/// Characters of an attribute's name (AWS: "Amazon SNS message attributes", SNS developer guide).
const MAX_NAME: usize = 256;

/// Attributes by name, as given.
pub(super) type Attributes = BTreeMap<String, Attribute>;

/// The type of an attribute, and its value in one of two forms.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Attribute {
    data_type: String,
    string_value: Option<String>,
    /// Base64.
    binary_value: Option<String>,
}

/// Bytes of names, types and values, which count as the message's (AWS: MessageAttributeValue, API reference).
pub(super) fn bytes(attributes: &Attributes) -> usize {
    let of = |(name, attribute): (&String, &Attribute)| {
        let text = attribute.string_value.as_ref().map_or(0, String::len);
        let binary = attribute
            .binary_value
            .as_ref()
            .map_or(0, |value| BASE64_STANDARD.decode(value).map_or(value.len(), |bytes| bytes.len()));
        name.len() + attribute.data_type.len() + text + binary
    };
    attributes.iter().map(of).sum()
}

/// The attributes as they stand in the envelope.
pub(super) fn shown(attributes: Attributes) -> Result<Map<String, Value>, ApiError> {
    let one = |(name, attribute): (String, Attribute)| {
        let value = value(&name, &attribute).map_err(|why| ApiError::new("ParameterValueInvalid", why))?.to_owned();
        let members = [("Type".to_owned(), attribute.data_type.into()), ("Value".to_owned(), value.into())];
        Ok((name, Value::Object(Map::from_iter(members))))
    };
    attributes.into_iter().map(one).collect()
}

/// The attribute's value, if name, type and value are what SNS takes: "Name, type, and value must not be empty or null"
/// (AWS: MessageAttributeValue, API reference).
fn value<'a>(name: &str, attribute: &'a Attribute) -> Result<&'a str, String> {
    let said = |what: &str| Err(format!("The message attribute '{name}' {what}"));
    if !is_name(name) {
        return said(
            "has a name that is empty, too long, or has other characters than A-Z, a-z, 0-9, '_', '-' and '.'.",
        );
    }
    let kind = attribute.data_type.split('.').next().unwrap_or_default();
    if attribute.data_type.is_empty() {
        return said("must contain non-empty message attribute type.");
    }
    if !["String", "Number", "Binary"].contains(&kind) {
        return said(
            "has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.",
        );
    }
    let (own, other) = match kind {
        "Binary" => (&attribute.binary_value, &attribute.string_value),
        _ => (&attribute.string_value, &attribute.binary_value),
    };
    if other.is_some() {
        return said(&format!("with type '{kind}' must use the value of that type alone."));
    }
    match own.as_deref() {
        None | Some("") => {
            said(&format!("must contain non-empty message attribute value for message attribute type '{kind}'."))
        }
        Some(text) if kind == "Number" && !text.parse::<f64>().is_ok_and(f64::is_finite) => {
            Err(format!("Could not cast message attribute '{name}' value to number."))
        }
        Some(text) => Ok(text),
    }
}

/// Whether SNS takes the name (AWS: "Amazon SNS message attributes", SNS developer guide).
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let periods = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(fits) && !periods
}
