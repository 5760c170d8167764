//! The routing snapshot: all that the proxy needs to know, immutable, built from the world and swapped as a whole.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::action::Action;
use super::attributes::{Attributes, is_on, number};
use super::condition::Condition;
use super::health::State;
use super::listener::Listener;
use super::load_balancer::LoadBalancer;
use super::target_group::TargetGroup;
use super::{Target, rule};
use crate::world::World;

/// Everything that is routed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// Listeners by port; those of several load balancers share one.
    pub ports: BTreeMap<u16, Vec<Front>>,
    /// Target groups in use, by ARN.
    pub target_groups: BTreeMap<String, Group>,
}

/// A listener with what its load balancer says about traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Front {
    /// Lower case; tells load balancers on one port apart.
    pub dns_name: String,
    /// Wall time without a byte after which a connection is given up.
    pub idle_timeout: Duration,
    /// Wall time after which a client's connection is closed.
    pub client_keep_alive: Duration,
    /// What happens to X-Forwarded-For.
    pub forwarded_for: ForwardedFor,
    /// Whether X-Forwarded-For has the client's port too.
    pub client_port: bool,
    /// Whether header fields with unusual names are dropped.
    pub drop_invalid_headers: bool,
    /// Whether answers keep their Server header.
    pub server_header: bool,
    /// Rules in the order in which they are tried.
    pub rules: Vec<(Vec<Condition>, Action)>,
    /// What happens when no rule applies.
    pub default_action: Action,
}

/// `routing.http.xff_header_processing.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedFor {
    /// The client's address is appended.
    Append,
    /// The header is left as it came.
    Preserve,
    /// The header is removed.
    Remove,
}

/// A target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Whether the target with the fewest requests in flight is chosen, instead of each in turn.
    pub least_outstanding: bool,
    /// With fewer healthy targets than this, all targets get requests (fail-open).
    pub healthy_min_count: u32,
    /// The same as a percentage of the registered targets; 0: off.
    pub healthy_min_percent: u32,
    /// Registered targets, draining ones included.
    pub targets: BTreeMap<Target, RoutedTarget>,
}

/// A target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoutedTarget {
    /// Where it really listens; `None`: nowhere.
    pub address: Option<SocketAddr>,
    /// Whether it gets new requests.
    pub use_for: UseFor,
}

/// Which requests a target gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UseFor {
    /// Any: it is healthy.
    Requests,
    /// Requests when too few targets are healthy.
    FailOpen,
    /// Only those that are under way: it is draining.
    InFlight,
}

/// Builds the snapshot.
pub(super) fn build(world: &World) -> Routing {
    let mut routing = Routing::default();
    for listener in world.elb.listeners.values() {
        if let Some(balancer) = world.elb.load_balancers.get(&listener.load_balancer_arn) {
            routing.ports.entry(listener.port).or_default().push(front(world, balancer, listener));
        }
    }
    let in_use = world.elb.target_groups.iter().filter(|(_, group)| !group.load_balancers.is_empty());
    routing.target_groups = in_use.map(|(arn, used)| (arn.clone(), group(world, used))).collect();
    routing
}

fn front(world: &World, balancer: &LoadBalancer, listener: &Listener) -> Front {
    let mut rules: Vec<_> = rule::of_listener(&world.elb, &listener.arn).collect();
    rules.sort_by_key(|rule| rule.priority);
    let attributes = &balancer.attributes;
    Front {
        dns_name: balancer.dns_name.clone(),
        idle_timeout: seconds(attributes, "idle_timeout.timeout_seconds", 60),
        client_keep_alive: seconds(attributes, "client_keep_alive.seconds", 3600),
        forwarded_for: match attributes.get("routing.http.xff_header_processing.mode").map(String::as_str) {
            Some("preserve") => ForwardedFor::Preserve,
            Some("remove") => ForwardedFor::Remove,
            _ => ForwardedFor::Append,
        },
        client_port: is_on(attributes, "routing.http.xff_client_port.enabled"),
        drop_invalid_headers: is_on(attributes, "routing.http.drop_invalid_header_fields.enabled"),
        server_header: is_on(&listener.attributes, "routing.http.response.server.enabled"),
        rules: rules.into_iter().map(|rule| (rule.conditions.clone(), rule.action.clone())).collect(),
        default_action: listener.default_action.clone(),
    }
}

fn group(world: &World, group: &TargetGroup) -> Group {
    const MINIMUM: &str = "target_group_health.unhealthy_state_routing.minimum_healthy_targets";
    let algorithm = group.attributes.get("load_balancing.algorithm.type");
    let routed = |target: &Target, state: State| RoutedTarget {
        address: world.addresses.resolve(&target.id, target.port),
        use_for: match state {
            State::Healthy => UseFor::Requests,
            State::Draining => UseFor::InFlight,
            State::Unused | State::Registering | State::Initial | State::Unhealthy(_) => UseFor::FailOpen,
        },
    };
    Group {
        least_outstanding: algorithm.is_some_and(|algorithm| algorithm == "least_outstanding_requests"),
        healthy_min_count: number(&group.attributes, &format!("{MINIMUM}.count"), 1),
        healthy_min_percent: number(&group.attributes, &format!("{MINIMUM}.percentage"), 0),
        targets: group.targets.iter().map(|(target, one)| (target.clone(), routed(target, one.state))).collect(),
    }
}

fn seconds(attributes: &Attributes, key: &str, default: u32) -> Duration {
    Duration::from_secs(number(attributes, key, default).into())
}
