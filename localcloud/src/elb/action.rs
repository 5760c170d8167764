//! What a listener or rule does with a request, as sent, as kept and as echoed.
//!
//! AWS echoes more than was sent: a `forward` by `TargetGroupArn` comes back with a `ForwardConfig`, a redirect with every part.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::errors::invalid;
use crate::call::ApiError;

/// Target groups that one action may name (AWS quota).
const TARGET_GROUPS_MAX: usize = 5;

/// An action. There is exactly one per listener or rule: what may come before it, authentication, is not implemented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// To one of the target groups (by ARN), chosen by weight.
    Forward(Vec<(String, u32)>),
    /// Elsewhere.
    Redirect(Redirect),
    /// An answer without a target.
    FixedResponse(FixedResponse),
}

/// A redirect; each part may hold the placeholders `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// `HTTP`, `HTTPS` or the placeholder.
    pub protocol: String,
    /// Host.
    pub host: String,
    /// Port.
    pub port: String,
    /// Path with its leading slash.
    pub path: String,
    /// Query without the question mark.
    pub query: String,
    /// 301 or 302.
    pub status: u16,
}

/// An answer without a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedResponse {
    /// 2XX, 4XX or 5XX.
    pub status: u16,
    /// Media type of the body.
    pub content_type: String,
    /// The body.
    pub body: String,
}

/// An action as sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ActionInput {
    #[serde(rename = "Type")]
    kind: String,
    target_group_arn: Option<String>,
    forward_config: Option<ForwardInput>,
    redirect_config: Option<RedirectInput>,
    fixed_response_config: Option<FixedResponseInput>,
    /// Only says in which order several actions are taken.
    #[serde(rename = "Order")]
    _order: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct ForwardInput {
    #[serde(default)]
    target_groups: Vec<TupleInput>,
    target_group_stickiness_config: Option<StickinessInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct TupleInput {
    target_group_arn: String,
    weight: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct StickinessInput {
    enabled: Option<bool>,
    /// Without effect while stickiness is off.
    #[serde(rename = "DurationSeconds")]
    _duration_seconds: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RedirectInput {
    protocol: Option<String>,
    host: Option<String>,
    port: Option<String>,
    path: Option<String>,
    query: Option<String>,
    status_code: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct FixedResponseInput {
    status_code: String,
    content_type: Option<String>,
    message_body: Option<String>,
}

/// The one action of a listener or rule.
///
/// # Errors
/// None, several, or one that is incomplete or not implemented.
pub(super) fn read(inputs: Vec<ActionInput>) -> Result<Action, ApiError> {
    let mut inputs = inputs.into_iter();
    let (Some(input), None) = (inputs.next(), inputs.next()) else {
        return Err(ApiError::new(
            "InvalidLoadBalancerAction",
            "The action list must contain exactly one forward, redirect or fixed-response action",
        ));
    };
    match input.kind.as_str() {
        "forward" => forward(input.target_group_arn, input.forward_config),
        "redirect" => redirect(input.redirect_config),
        "fixed-response" => fixed_response(input.fixed_response_config),
        other => Err(ApiError::not_implemented(format!("elasticloadbalancing actions of type {other}"))),
    }
}

fn forward(target_group_arn: Option<String>, config: Option<ForwardInput>) -> Result<Action, ApiError> {
    let mut groups = Vec::new();
    if let Some(config) = config {
        if config.target_group_stickiness_config.is_some_and(|stickiness| stickiness.enabled == Some(true)) {
            return Err(ApiError::not_implemented("elasticloadbalancing target group stickiness"));
        }
        groups
            .extend(config.target_groups.into_iter().map(|group| (group.target_group_arn, group.weight.unwrap_or(1))));
    }
    match target_group_arn {
        Some(arn) if groups.is_empty() => groups.push((arn, 1)),
        Some(arn) if groups.len() > 1 || groups.iter().any(|(other, _)| *other != arn) => {
            return Err(invalid("A target group ARN and a forward config must name the same single target group"));
        }
        _ => {}
    }
    if groups.is_empty() {
        return Err(invalid("A target group ARN must be specified"));
    }
    if groups.len() > TARGET_GROUPS_MAX {
        return Err(ApiError::new("TooManyTargetGroups", "An action can name at most 5 target groups"));
    }
    if let Some((_, weight)) = groups.iter().find(|(_, weight)| *weight > 999) {
        return Err(invalid(format!("The weight '{weight}' is not between 0 and 999")));
    }
    Ok(Action::Forward(groups))
}

fn redirect(config: Option<RedirectInput>) -> Result<Action, ApiError> {
    let config = config.ok_or_else(|| invalid("A redirect action needs a redirect config"))?;
    let status = match config.status_code.as_str() {
        "HTTP_301" => 301,
        "HTTP_302" => 302,
        other => return Err(invalid(format!("The redirect status code '{other}' is not HTTP_301 or HTTP_302"))),
    };
    let part = |part: Option<String>, default: &str| part.unwrap_or_else(|| default.to_owned());
    Ok(Action::Redirect(Redirect {
        protocol: part(config.protocol, "#{protocol}"),
        host: part(config.host, "#{host}"),
        port: part(config.port, "#{port}"),
        path: part(config.path, "/#{path}"),
        query: part(config.query, "#{query}"),
        status,
    }))
}

fn fixed_response(config: Option<FixedResponseInput>) -> Result<Action, ApiError> {
    let config = config.ok_or_else(|| invalid("A fixed-response action needs a fixed response config"))?;
    let status = config.status_code.parse().ok().filter(|status| matches!(status, 200..=299 | 400..=599));
    let status =
        status.ok_or_else(|| invalid(format!("The status code '{}' is not 2XX, 4XX or 5XX", config.status_code)))?;
    let body = config.message_body.unwrap_or_default();
    if body.len() > 1024 {
        return Err(invalid("The message body cannot be longer than 1024 characters"));
    }
    let content_type = config.content_type.unwrap_or_else(|| "text/plain".to_owned());
    Ok(Action::FixedResponse(FixedResponse { status, content_type, body }))
}

impl Action {
    /// ARNs of the target groups the action forwards to.
    pub(super) fn target_groups(&self) -> impl Iterator<Item = &str> {
        let groups: &[(String, u32)] = if let Self::Forward(groups) = self { groups } else { &[] };
        groups.iter().map(|(arn, _)| arn.as_str())
    }

    /// The action as the API shows it.
    pub(super) fn describe(&self) -> Value {
        match self {
            Self::Forward(groups) => describe_forward(groups),
            Self::Redirect(redirect) => json!({ "Type": "redirect", "RedirectConfig": {
                "Protocol": redirect.protocol,
                "Port": redirect.port,
                "Host": redirect.host,
                "Path": redirect.path,
                "Query": redirect.query,
                "StatusCode": format!("HTTP_{}", redirect.status),
            }}),
            Self::FixedResponse(response) => json!({ "Type": "fixed-response", "FixedResponseConfig": {
                "MessageBody": response.body,
                "StatusCode": response.status.to_string(),
                "ContentType": response.content_type,
            }}),
        }
    }
}

fn describe_forward(groups: &[(String, u32)]) -> Value {
    let mut action = Map::new();
    action.insert("Type".to_owned(), "forward".into());
    if let [(only, _)] = groups {
        action.insert("TargetGroupArn".to_owned(), only.as_str().into());
    }
    let tuples: Value = groups.iter().map(|(arn, weight)| json!({ "TargetGroupArn": arn, "Weight": weight })).collect();
    let config = json!({ "TargetGroups": tuples, "TargetGroupStickinessConfig": { "Enabled": false } });
    action.insert("ForwardConfig".to_owned(), config);
    Value::Object(action)
}
