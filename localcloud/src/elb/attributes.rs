//! Attributes of load balancers, target groups and listeners: defaults, what each may hold, and the calls that read and set them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{
    invalid, invalid_configuration, listener_not_found, load_balancer_not_found, target_group_not_found,
};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::World;

/// Attributes by key; every value is a string.
pub(super) type Attributes = BTreeMap<String, String>;

/// What an attribute may hold.
enum Domain {
    /// `true` or `false`.
    Bool,
    /// A number from the first to the second.
    Number(u32, u32),
    /// `off`, or a number from the first to the second.
    OffOrNumber(u32, u32),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Anything.
    Text,
    /// AWS lets it be changed; here only the default is honoured, and anything else is refused loudly.
    OnlyDefault,
}

/// Key, default and domain.
type Definition = (&'static str, &'static str, Domain);

const OF_LOAD_BALANCERS: &[Definition] = &[
    ("access_logs.s3.bucket", "", Domain::Text),
    ("access_logs.s3.enabled", "false", Domain::OnlyDefault),
    ("access_logs.s3.prefix", "", Domain::Text),
    ("client_keep_alive.seconds", "3600", Domain::Number(60, 604_800)),
    ("connection_logs.s3.bucket", "", Domain::Text),
    ("connection_logs.s3.enabled", "false", Domain::OnlyDefault),
    ("connection_logs.s3.prefix", "", Domain::Text),
    ("deletion_protection.enabled", "false", Domain::Bool),
    ("health_check_logs.s3.bucket", "", Domain::Text),
    ("health_check_logs.s3.enabled", "false", Domain::OnlyDefault),
    ("health_check_logs.s3.prefix", "", Domain::Text),
    ("idle_timeout.timeout_seconds", "60", Domain::Number(1, 4000)),
    ("ipv6.deny_all_igw_traffic", "false", Domain::Bool),
    ("load_balancing.cross_zone.enabled", "true", Domain::OnlyDefault),
    ("routing.http.desync_mitigation_mode", "defensive", Domain::OneOf(&["monitor", "defensive", "strictest"])),
    ("routing.http.drop_invalid_header_fields.enabled", "false", Domain::Bool),
    ("routing.http.preserve_host_header.enabled", "false", Domain::Bool),
    ("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", Domain::Bool),
    ("routing.http.xff_client_port.enabled", "false", Domain::Bool),
    ("routing.http.xff_header_processing.mode", "append", Domain::OneOf(&["append", "preserve", "remove"])),
    ("routing.http2.enabled", "true", Domain::Bool),
    ("waf.fail_open.enabled", "false", Domain::Bool),
    ("zonal_shift.config.enabled", "false", Domain::OnlyDefault),
];

const OF_TARGET_GROUPS: &[Definition] = &[
    ("deregistration_delay.timeout_seconds", "300", Domain::Number(0, 3600)),
    ("load_balancing.algorithm.anomaly_mitigation", "off", Domain::OnlyDefault),
    ("load_balancing.algorithm.type", "round_robin", Domain::OneOf(&["round_robin", "least_outstanding_requests"])),
    (
        "load_balancing.cross_zone.enabled",
        "use_load_balancer_configuration",
        Domain::OneOf(&["true", "use_load_balancer_configuration"]),
    ),
    ("slow_start.duration_seconds", "0", Domain::OnlyDefault),
    ("stickiness.app_cookie.cookie_name", "", Domain::Text),
    ("stickiness.app_cookie.duration_seconds", "86400", Domain::Number(1, 604_800)),
    ("stickiness.enabled", "false", Domain::OnlyDefault),
    ("stickiness.lb_cookie.duration_seconds", "86400", Domain::Number(1, 604_800)),
    ("stickiness.type", "lb_cookie", Domain::OneOf(&["lb_cookie", "app_cookie"])),
    ("target_group_health.dns_failover.minimum_healthy_targets.count", "1", Domain::OffOrNumber(1, 1000)),
    ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", Domain::OffOrNumber(1, 100)),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", Domain::Number(1, 1000)),
    (
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
        "off",
        Domain::OffOrNumber(1, 100),
    ),
];

const OF_LISTENERS: &[Definition] = &[
    ("routing.http.response.access_control_allow_credentials.header_value", "", Domain::OnlyDefault),
    ("routing.http.response.access_control_allow_headers.header_value", "", Domain::OnlyDefault),
    ("routing.http.response.access_control_allow_methods.header_value", "", Domain::OnlyDefault),
    ("routing.http.response.access_control_allow_origin.header_value", "", Domain::OnlyDefault),
    ("routing.http.response.access_control_expose_headers.header_value", "", Domain::OnlyDefault),
    ("routing.http.response.access_control_max_age.header_value", "", Domain::OnlyDefault),
    ("routing.http.response.content_security_policy.header_value", "", Domain::OnlyDefault),
    ("routing.http.response.server.enabled", "true", Domain::Bool),
    ("routing.http.response.strict_transport_security.header_value", "", Domain::OnlyDefault),
    ("routing.http.response.x_content_type_options.header_value", "", Domain::OnlyDefault),
    ("routing.http.response.x_frame_options.header_value", "", Domain::OnlyDefault),
];

/// An attribute as sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct AttributeInput {
    key: String,
    value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct OfLoadBalancer {
    load_balancer_arn: String,
    #[serde(default)]
    attributes: Vec<AttributeInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct OfTargetGroup {
    target_group_arn: String,
    #[serde(default)]
    attributes: Vec<AttributeInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct OfListener {
    listener_arn: String,
    #[serde(default)]
    attributes: Vec<AttributeInput>,
}

/// Attributes of a new load balancer.
pub(super) fn new_load_balancer(internal: bool) -> Attributes {
    let mut attributes = defaults(OF_LOAD_BALANCERS);
    attributes.insert("ipv6.deny_all_igw_traffic".to_owned(), internal.to_string());
    attributes
}

/// Attributes of a new target group.
pub(super) fn new_target_group() -> Attributes {
    defaults(OF_TARGET_GROUPS)
}

/// Attributes of a new listener.
pub(super) fn new_listener() -> Attributes {
    defaults(OF_LISTENERS)
}

pub(super) fn describe_of_load_balancer(world: &mut World, _now: CloudTime, input: OfLoadBalancer) -> Answer {
    // A describe call carries no attributes: its model has none.
    let OfLoadBalancer { load_balancer_arn, attributes: _ } = input;
    let found = world.elb.load_balancers.get(&load_balancer_arn).ok_or_else(load_balancer_not_found)?;
    Ok(show(&found.attributes))
}

pub(super) fn modify_of_load_balancer(world: &mut World, _now: CloudTime, input: OfLoadBalancer) -> Answer {
    let balancer = world.elb.load_balancers.get_mut(&input.load_balancer_arn).ok_or_else(load_balancer_not_found)?;
    modify("Load balancer", OF_LOAD_BALANCERS, &mut balancer.attributes, input.attributes)
}

pub(super) fn describe_of_target_group(world: &mut World, _now: CloudTime, input: OfTargetGroup) -> Answer {
    // A describe call carries no attributes: its model has none.
    let OfTargetGroup { target_group_arn, attributes: _ } = input;
    let found = world.elb.target_groups.get(&target_group_arn).ok_or_else(target_group_not_found)?;
    Ok(show(&found.attributes))
}

pub(super) fn modify_of_target_group(world: &mut World, _now: CloudTime, input: OfTargetGroup) -> Answer {
    let group = world.elb.target_groups.get_mut(&input.target_group_arn).ok_or_else(target_group_not_found)?;
    modify("Target group", OF_TARGET_GROUPS, &mut group.attributes, input.attributes)
}

pub(super) fn describe_of_listener(world: &mut World, _now: CloudTime, input: OfListener) -> Answer {
    // A describe call carries no attributes: its model has none.
    let OfListener { listener_arn, attributes: _ } = input;
    let found = world.elb.listeners.get(&listener_arn).ok_or_else(listener_not_found)?;
    Ok(show(&found.attributes))
}

pub(super) fn modify_of_listener(world: &mut World, _now: CloudTime, input: OfListener) -> Answer {
    let listener = world.elb.listeners.get_mut(&input.listener_arn).ok_or_else(listener_not_found)?;
    modify("Listener", OF_LISTENERS, &mut listener.attributes, input.attributes)
}

/// An attribute that holds a number; `default` stands for `off`.
pub(super) fn number(attributes: &Attributes, key: &str, default: u32) -> u32 {
    attributes.get(key).and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Whether an attribute is on.
pub(super) fn is_on(attributes: &Attributes, key: &str) -> bool {
    attributes.get(key).is_some_and(|value| value == "true")
}

fn defaults(definitions: &[Definition]) -> Attributes {
    definitions.iter().map(|(key, default, _)| ((*key).to_owned(), (*default).to_owned())).collect()
}

fn show(attributes: &Attributes) -> Value {
    let list: Value = attributes.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    json!({ "Attributes": list })
}

/// Sets what is given and keeps the rest; nothing is set if anything is wrong.
fn modify(noun: &str, definitions: &[Definition], attributes: &mut Attributes, inputs: Vec<AttributeInput>) -> Answer {
    let mut changed = attributes.clone();
    for AttributeInput { key, value } in inputs {
        let value = value.unwrap_or_default();
        let definition = definitions.iter().find(|(known, _, _)| *known == key);
        let definition = definition
            .ok_or_else(|| invalid_configuration(format!("{noun} attribute key '{key}' is not recognized")))?;
        check(noun, definition, &value)?;
        changed.insert(key, value);
    }
    *attributes = changed;
    Ok(show(attributes))
}

fn check(noun: &str, (key, default, domain): &Definition, value: &str) -> Result<(), ApiError> {
    let in_range = |low: u32, high: u32| value.parse().is_ok_and(|number: u32| (low..=high).contains(&number));
    let wanted = match domain {
        Domain::OnlyDefault if value != *default => {
            return Err(ApiError::not_implemented(format!("the {} attribute {key}={value}", noun.to_lowercase())));
        }
        Domain::OnlyDefault | Domain::Text => None,
        Domain::Bool => (!matches!(value, "true" | "false")).then(|| "true or false".to_owned()),
        Domain::Number(low, high) => (!in_range(*low, *high)).then(|| format!("between {low} and {high}")),
        Domain::OffOrNumber(low, high) => {
            (value != "off" && !in_range(*low, *high)).then(|| format!("off or between {low} and {high}"))
        }
        Domain::OneOf(values) => (!values.contains(&value)).then(|| format!("one of {}", values.join(", "))),
    };
    match wanted {
        None => Ok(()),
        Some(wanted) => Err(invalid(format!("{noun} attribute '{key}' must be {wanted}, not '{value}'"))),
    }
}
