//! Listeners. Creating one opens its port on loopback before the call is answered.

use serde::Deserialize;
use serde_json::{Value, json};

use super::action::{self, Action, ActionInput};
use super::attributes::{self, Attributes};
use super::errors::{invalid, invalid_configuration, listener_not_found, load_balancer_not_found};
use super::tags::{self, TagInput, Tags};
use super::{Elb, association, paging, rule};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::World;

/// Listeners of one load balancer (AWS quota).
const LISTENERS_MAX: usize = 50;

/// A listener. Its default rule exists through it alone.
#[derive(Debug, Clone)]
pub(super) struct Listener {
    pub(super) arn: String,
    pub(super) load_balancer_arn: String,
    pub(super) port: u16,
    pub(super) default_action: Action,
    pub(super) default_rule_arn: String,
    pub(super) attributes: Attributes,
    pub(super) tags: Tags,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct CreateInput {
    load_balancer_arn: String,
    protocol: Option<String>,
    port: Option<u16>,
    default_actions: Vec<ActionInput>,
    #[serde(default)]
    tags: Vec<TagInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ModifyInput {
    listener_arn: String,
    protocol: Option<String>,
    port: Option<u16>,
    default_actions: Option<Vec<ActionInput>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DescribeInput {
    load_balancer_arn: Option<String>,
    listener_arns: Option<Vec<String>>,
    marker: Option<String>,
    page_size: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DeleteInput {
    listener_arn: String,
}

pub(super) fn create(world: &mut World, now: CloudTime, input: CreateInput) -> Answer {
    let protocol = input.protocol.ok_or_else(|| invalid("A listener protocol must be specified"))?;
    check_protocol(&protocol)?;
    let port = input.port.filter(|port| *port > 0).ok_or_else(|| invalid("A listener port must be specified"))?;
    let default_action = action::read(input.default_actions)?;
    let tags = tags::read(input.tags)?;
    if !world.elb.load_balancers.contains_key(&input.load_balancer_arn) {
        return Err(load_balancer_not_found());
    }
    association::allowed(&world.elb, &input.load_balancer_arn, &default_action)?;
    if let Some(existing) = world.elb.on_port(&input.load_balancer_arn, port) {
        if existing.default_action != default_action {
            return Err(duplicate(&input.load_balancer_arn));
        }
        return Ok(json!({ "Listeners": [existing.describe()] }));
    }
    let count = world.elb.listeners.values().filter(|one| one.load_balancer_arn == input.load_balancer_arn).count();
    if count >= LISTENERS_MAX {
        return Err(ApiError::new(
            "TooManyListeners",
            format!("A load balancer can have at most {LISTENERS_MAX} listeners"),
        ));
    }
    open(&world.elb, port)?;
    let listener = make(world, input.load_balancer_arn, port, default_action, tags)?;
    let output = json!({ "Listeners": [listener.describe()] });
    world.elb.listeners.insert(listener.arn.clone(), listener);
    association::refresh(world, now);
    Ok(output)
}

fn make(
    world: &mut World,
    load_balancer_arn: String,
    port: u16,
    default_action: Action,
    tags: Tags,
) -> Result<Listener, ApiError> {
    let (id, rule_id) = (world.ids.hex(16), world.ids.hex(16));
    let balancer = world.elb.load_balancers.get(&load_balancer_arn).ok_or_else(load_balancer_not_found)?;
    let tail = balancer.tail();
    Ok(Listener {
        arn: world.arn("elasticloadbalancing", &format!("listener/app/{tail}/{id}")),
        default_rule_arn: world.arn("elasticloadbalancing", &format!("listener-rule/app/{tail}/{id}/{rule_id}")),
        load_balancer_arn,
        port,
        default_action,
        attributes: attributes::new_listener(),
        tags,
    })
}

pub(super) fn describe(world: &mut World, _now: CloudTime, input: DescribeInput) -> Answer {
    let DescribeInput { load_balancer_arn, listener_arns, marker, page_size } = input;
    let arns = listener_arns.unwrap_or_default();
    let items: Vec<(String, Value)> = match (load_balancer_arn, arns.is_empty()) {
        (Some(_), false) | (None, true) => {
            return Err(invalid("You must specify either listener ARNs or a load balancer ARN"));
        }
        (Some(arn), true) if !world.elb.load_balancers.contains_key(&arn) => return Err(load_balancer_not_found()),
        (Some(arn), true) => {
            let of_balancer = world.elb.listeners.values().filter(|listener| listener.load_balancer_arn == arn);
            of_balancer.map(|listener| (listener.arn.clone(), listener.describe())).collect()
        }
        (None, false) => {
            let describe = |arn: &String| Some((arn.clone(), world.elb.listeners.get(arn)?.describe()));
            arns.iter().map(describe).collect::<Option<_>>().ok_or_else(listener_not_found)?
        }
    };
    paging::answer("Listeners", items, marker.as_deref(), page_size)
}

pub(super) fn modify(world: &mut World, now: CloudTime, input: ModifyInput) -> Answer {
    if let Some(protocol) = &input.protocol {
        check_protocol(protocol)?;
    }
    let action = input.default_actions.map(action::read).transpose()?;
    let before = world.elb.listeners.get(&input.listener_arn).ok_or_else(listener_not_found)?;
    let (load_balancer_arn, old_port) = (before.load_balancer_arn.clone(), before.port);
    if let Some(action) = &action {
        association::allowed(&world.elb, &load_balancer_arn, action)?;
    }
    let port = input.port.filter(|port| *port > 0).unwrap_or(old_port);
    if port != old_port {
        if world.elb.on_port(&load_balancer_arn, port).is_some() {
            return Err(duplicate(&load_balancer_arn));
        }
        open(&world.elb, port)?;
    }
    let listener = world.elb.listeners.get_mut(&input.listener_arn).ok_or_else(listener_not_found)?;
    listener.port = port;
    if let Some(action) = action {
        listener.default_action = action;
    }
    let output = json!({ "Listeners": [listener.describe()] });
    close_unused(&world.elb, old_port);
    association::refresh(world, now);
    Ok(output)
}

pub(super) fn delete(world: &mut World, now: CloudTime, input: DeleteInput) -> Answer {
    let DeleteInput { listener_arn } = input;
    if !world.elb.listeners.contains_key(&listener_arn) {
        return Err(listener_not_found());
    }
    remove(&mut world.elb, &listener_arn);
    association::refresh(world, now);
    Ok(json!({}))
}

/// Removes a listener with its rules and closes its port. Associations are refreshed by the caller.
pub(super) fn remove(elb: &mut Elb, arn: &str) {
    if let Some(listener) = elb.listeners.remove(arn) {
        rule::remove_of_listener(elb, arn);
        close_unused(elb, listener.port);
    }
}

fn open(elb: &Elb, port: u16) -> Result<(), ApiError> {
    elb.ports.reserve(port).map_err(|reason| {
        invalid_configuration(format!(
            "The local cloud cannot listen on port {port}: {reason}. Choose another listener port"
        ))
    })
}

/// Closes the port unless another load balancer listens on it.
fn close_unused(elb: &Elb, port: u16) {
    if elb.listeners.values().all(|listener| listener.port != port) {
        elb.ports.release(port);
    }
}

fn check_protocol(protocol: &str) -> Result<(), ApiError> {
    match protocol {
        "HTTP" => Ok(()),
        "HTTPS" => Err(ApiError::not_implemented("elasticloadbalancing HTTPS listeners")),
        other => Err(invalid(format!("Listener protocol '{other}' must be one of 'HTTP, HTTPS'"))),
    }
}

fn duplicate(load_balancer_arn: &str) -> ApiError {
    let text = format!("A listener already exists on this port for this load balancer '{load_balancer_arn}'");
    ApiError::new("DuplicateListener", text)
}

impl Elb {
    fn on_port(&self, load_balancer_arn: &str, port: u16) -> Option<&Listener> {
        let mut listeners = self.listeners.values();
        listeners.find(|listener| listener.port == port && listener.load_balancer_arn == load_balancer_arn)
    }
}

impl Listener {
    fn describe(&self) -> Value {
        json!({
            "ListenerArn": self.arn,
            "LoadBalancerArn": self.load_balancer_arn,
            "Port": self.port,
            "Protocol": "HTTP",
            "DefaultActions": [self.default_action.describe()],
        })
    }
}
