//! Targets: registration, deregistration with its delay, and the calls about them. ECS registers through the same functions.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::errors::{invalid, target_group_not_found};
use super::health::{self, Registration, State};
use super::target_group::{TargetGroup, TargetType};
use super::{Registered, Target, Timer, attributes};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::{self, World};

/// Targets of one group (AWS quota).
const TARGETS_MAX: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct TargetsInput {
    target_group_arn: String,
    targets: Vec<TargetInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct TargetInput {
    id: String,
    port: Option<u16>,
    /// All targets are in the load balancer's VPC, where AWS ignores the zone.
    #[serde(rename = "AvailabilityZone")]
    _availability_zone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct HealthInput {
    target_group_arn: String,
    targets: Option<Vec<TargetInput>>,
}

pub(super) fn register_by_call(world: &mut World, now: CloudTime, input: TargetsInput) -> Answer {
    let arn = input.target_group_arn;
    let group = world.elb.target_groups.get(&arn).ok_or_else(target_group_not_found)?;
    let targets: Vec<Target> = input.targets.into_iter().map(|target| group.target(target)).collect();
    for target in &targets {
        check_target(group.settings.target_type, target)?;
    }
    let all: BTreeSet<&Target> = group.targets.keys().chain(&targets).collect();
    if all.len() > TARGETS_MAX {
        return Err(ApiError::new("TooManyTargets", format!("A target group can have at most {TARGETS_MAX} targets")));
    }
    for target in &targets {
        register(world, now, &arn, target);
    }
    Ok(json!({}))
}

pub(super) fn deregister_by_call(world: &mut World, now: CloudTime, input: TargetsInput) -> Answer {
    let arn = input.target_group_arn;
    let group = world.elb.target_groups.get(&arn).ok_or_else(target_group_not_found)?;
    // Without a port all registrations of the ID are meant.
    let meant = |registered: &&Target| {
        let mut inputs = input.targets.iter();
        inputs.any(|input| input.id == registered.id && input.port.is_none_or(|port| port == registered.port))
    };
    let targets: Vec<Target> = group.targets.keys().filter(meant).cloned().collect();
    for target in &targets {
        deregister(world, now, &arn, target);
    }
    Ok(json!({}))
}

/// Registers a target on behalf of ECS. The target's address is looked up in `World::addresses` whenever it is needed. A target that
/// is registered already is left alone, a draining one begins anew.
pub fn register(world: &mut World, now: CloudTime, target_group_arn: &str, target: &Target) {
    let Some(group) = world.elb.target_groups.get_mut(target_group_arn) else { return };
    if group.targets.get(target).is_none_or(|registration| registration.state == State::Draining) {
        group.targets.insert(target.clone(), Registration::new(0));
        health::start(world, now, target_group_arn, target);
    }
}

/// Deregisters a target on behalf of ECS: `draining`, then gone after the deregistration delay, of which ECS is told with
/// `target_gone`. A target that no load balancer uses is gone at the same moment; one that is not registered is nothing to do, and ECS is
/// not told.
pub fn deregister(world: &mut World, now: CloudTime, target_group_arn: &str, target: &Target) {
    let Some(group) = world.elb.target_groups.get_mut(target_group_arn) else { return };
    let delay = match group.load_balancers.is_empty() {
        true => 0,
        false => attributes::number(&group.attributes, "deregistration_delay.timeout_seconds", 0),
    };
    let Some(registration) = group.targets.get_mut(target) else { return };
    if registration.state == State::Draining {
        return;
    }
    registration.state = State::Draining;
    let registered = Registered {
        target_group_arn: target_group_arn.to_owned(),
        target: target.clone(),
        registration: registration.id,
    };
    let at = now.after(Duration::from_secs(delay.into()));
    world.timers.set(at, world::Timer::Elb(Timer::Drained(registered)));
    world.elb.unpublished = true;
}

/// The deregistration delay is over.
pub(super) fn drained(world: &mut World, now: CloudTime, registered: &Registered) {
    let Registered { target_group_arn, target, registration: id } = registered;
    let Some(group) = world.elb.target_groups.get_mut(target_group_arn) else { return };
    // Registered again in the meantime: another registration.
    if group.targets.get(target).is_some_and(|registration| registration.id == *id) {
        group.targets.remove(target);
        gone(world, now, target_group_arn, target);
    }
}

/// A target is not registered any more: ECS, which waits for that before it stops a task, has to know.
pub(super) fn gone(world: &mut World, now: CloudTime, target_group_arn: &str, target: &Target) {
    world.elb.unpublished = true;
    crate::ecs::target_gone(world, now, target_group_arn, target);
}

pub(super) fn describe_health(world: &mut World, _now: CloudTime, input: HealthInput) -> Answer {
    let group = world.elb.target_groups.get(&input.target_group_arn).ok_or_else(target_group_not_found)?;
    let asked: Vec<Target> = match input.targets {
        Some(targets) if !targets.is_empty() => targets.into_iter().map(|target| group.target(target)).collect(),
        _ => group.targets.keys().cloned().collect(),
    };
    let descriptions: Value = asked.iter().map(|target| group.describe_target(target)).collect();
    Ok(json!({ "TargetHealthDescriptions": descriptions }))
}

impl TargetGroup {
    /// The target as meant: its port defaults to the group's.
    fn target(&self, input: TargetInput) -> Target {
        Target { id: input.id, port: input.port.unwrap_or(self.settings.port) }
    }

    fn describe_target(&self, target: &Target) -> Value {
        let port = self.settings.health_check.fixed_port().unwrap_or(target.port);
        let mut health = Map::new();
        match self.targets.get(target).map(|registration| registration.state) {
            Some(state) => {
                let (name, reason) = state.names();
                health.insert("State".to_owned(), name.into());
                health.extend(reason.map(|reason| ("Reason".to_owned(), reason.into())));
                health.extend(state.description().map(|text| ("Description".to_owned(), text.into())));
            }
            None => {
                health.insert("State".to_owned(), "unused".into());
                health.insert("Reason".to_owned(), "Target.NotRegistered".into());
                health.insert("Description".to_owned(), "Target is not registered to the target group".into());
            }
        }
        json!({
            "Target": { "Id": target.id, "Port": target.port },
            "HealthCheckPort": port.to_string(),
            "TargetHealth": health,
            "AdministrativeOverride": { "State": "no_override" },
        })
    }
}

/// Whether a group of this type may hold the target. Addresses are those of a VPC: loopback is refused as AWS refuses it.
fn check_target(target_type: TargetType, target: &Target) -> Result<(), ApiError> {
    let id = &target.id;
    match target_type {
        TargetType::Instance if id.starts_with("i-") => Ok(()),
        TargetType::Instance => Err(ApiError::new("InvalidTarget", format!("The instance ID '{id}' is not valid"))),
        TargetType::Ip => match id.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) if is_of_a_vpc(address) => Ok(()),
            Ok(_) => Err(invalid(format!(
                "The IP address '{id}' is not allowed, it must be from the VPC or from the ranges 10.0.0.0/8, 100.64.0.0/10, \
                 172.16.0.0/12 and 192.168.0.0/16"
            ))),
            Err(_) => Err(invalid(format!("The IP address '{id}' is not valid"))),
        },
    }
}

/// RFC 1918 or RFC 6598.
fn is_of_a_vpc(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private() || (first == 100 && (64..=127).contains(&second))
}
