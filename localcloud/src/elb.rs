//! Elastic Load Balancing v2: application load balancers, listeners, rules, target groups and the health of targets.
//!
//! Plain data and synchronous functions. Traffic never comes through here: the proxy reads a [`routing::Routing`] snapshot, which is
//! rebuilt after every change. Settings that nothing here or in the proxy would honour are refused by name, never stored in silence.

mod action;
mod association;
mod attributes;
mod board;
mod condition;
mod errors;
mod health;
mod health_check;
mod listener;
mod load_balancer;
mod network;
mod paging;
mod ports;
pub mod routing;
mod rule;
mod tags;
mod target_group;
mod targets;
mod traffic;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

pub use action::{Action, FixedResponse, Redirect};
pub use condition::{Condition, Field};
pub use health::{checked, health};
pub use ports::Ports;
pub use targets::{deregister, register};
pub use traffic::{Counts, Hosts, Traffic, counts, hosts};

use crate::call::{self, Answer, ApiError, Call};
use crate::clock::CloudTime;
use crate::world::World;

/// State of the service.
#[derive(Debug, Clone, Default)]
pub struct Elb {
    load_balancers: BTreeMap<String, load_balancer::LoadBalancer>,
    target_groups: BTreeMap<String, target_group::TargetGroup>,
    listeners: BTreeMap<String, listener::Listener>,
    rules: BTreeMap<String, rule::Rule>,
    /// Registrations made so far: tells a target from the same target registered again.
    registrations: u64,
    ports: ports::PortsHandle,
    traffic: traffic::TrafficHandle,
    /// Whether something changed since the routing was last published.
    unpublished: bool,
    board: board::Board,
}

impl Elb {
    /// Has listeners open real sockets. Without it ports are only in the books.
    pub fn listen_on(&mut self, ports: Arc<dyn Ports>) {
        self.ports = ports::PortsHandle::new(ports);
    }

    /// Has `traffic` count the requests. Without it there are none.
    pub fn count_with(&mut self, traffic: Arc<dyn Traffic>) {
        self.traffic = traffic::TrafficHandle::new(traffic);
    }

    /// The empty service of another region of the same cloud: ports, counters and the proxy are shared.
    pub(crate) fn beside(&self, region: &str) -> Self {
        let ports = self.ports.beside(region);
        Self { ports, traffic: self.traffic.clone(), board: self.board.clone(), ..Self::default() }
    }
}

/// What happens later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timer {
    /// A load balancer (by ARN) is provisioned.
    Provisioned(String),
    /// A target is due for its next health check.
    Check(Registered),
    /// A target's deregistration delay is over.
    Drained(Registered),
}

/// One registration of a target. A timer of an earlier registration has lost its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    target_group_arn: String,
    target: Target,
    registration: u64,
}

/// A target of a target group, as the API names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// EC2 instance ID or address of a network interface.
    pub id: String,
    /// Port on it.
    pub port: u16,
}

/// State of a target (AWS: ELBv2 `TargetHealth`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealth {
    /// `initial`, `healthy`, `unhealthy`, `draining` or `unused`.
    pub state: String,
    /// Reason code.
    pub reason: Option<String>,
}

/// A call on its way to its handler.
struct Request<'a> {
    world: &'a mut World,
    now: CloudTime,
    operation: &'a str,
    input: Value,
}

impl Request<'_> {
    /// Reads the input as the handler's type and calls the handler.
    fn to<T: DeserializeOwned>(self, handler: fn(&mut World, CloudTime, T) -> Answer) -> Answer {
        let input = call::input("elasticloadbalancing", self.operation, self.input)?;
        handler(self.world, self.now, input)
    }
}

/// Answers a call.
///
/// # Errors
/// As AWS answers, with its codes; `NotImplemented` for what the local cloud does not do.
pub fn call(world: &mut World, call: &Call, operation: &str, input: Value) -> Answer {
    if !operation.starts_with("Describe") {
        world.elb.unpublished = true;
    }
    let request = Request { world, now: call.now, operation, input };
    match operation {
        "CreateLoadBalancer" => request.to(load_balancer::create),
        "DescribeLoadBalancers" => request.to(load_balancer::describe),
        "DeleteLoadBalancer" => request.to(load_balancer::delete),
        "SetSubnets" => request.to(load_balancer::set_subnets),
        "SetSecurityGroups" => request.to(load_balancer::set_security_groups),
        "SetIpAddressType" => request.to(load_balancer::set_ip_address_type),
        "DescribeLoadBalancerAttributes" => request.to(attributes::describe_of_load_balancer),
        "ModifyLoadBalancerAttributes" => request.to(attributes::modify_of_load_balancer),
        "CreateTargetGroup" => request.to(target_group::create),
        "DescribeTargetGroups" => request.to(target_group::describe),
        "ModifyTargetGroup" => request.to(target_group::modify),
        "DeleteTargetGroup" => request.to(target_group::delete),
        "DescribeTargetGroupAttributes" => request.to(attributes::describe_of_target_group),
        "ModifyTargetGroupAttributes" => request.to(attributes::modify_of_target_group),
        "CreateListener" => request.to(listener::create),
        "DescribeListeners" => request.to(listener::describe),
        "ModifyListener" => request.to(listener::modify),
        "DeleteListener" => request.to(listener::delete),
        "DescribeListenerAttributes" => request.to(attributes::describe_of_listener),
        "ModifyListenerAttributes" => request.to(attributes::modify_of_listener),
        "CreateRule" => request.to(rule::create),
        "DescribeRules" => request.to(rule::describe),
        "ModifyRule" => request.to(rule::modify),
        "DeleteRule" => request.to(rule::delete),
        "SetRulePriorities" => request.to(rule::set_priorities),
        "RegisterTargets" => request.to(targets::register_by_call),
        "DeregisterTargets" => request.to(targets::deregister_by_call),
        "DescribeTargetHealth" => request.to(targets::describe_health),
        "AddTags" => request.to(tags::add),
        "RemoveTags" => request.to(tags::remove),
        "DescribeTags" => request.to(tags::describe),
        _ => Err(ApiError::not_implemented(format!("elasticloadbalancing {operation}"))),
    }
}

/// Fires a timer.
pub fn fire(world: &mut World, now: CloudTime, timer: Timer) {
    world.elb.unpublished = true;
    match timer {
        Timer::Provisioned(arn) => load_balancer::provisioned(world, &arn),
        Timer::Check(registered) => health::check(world, now, &registered),
        Timer::Drained(registered) => targets::drained(world, now, &registered),
    }
}

/// Load balancers that forward to the target group through a listener or rule; `None`: there is no such target group.
pub fn load_balancers_of(world: &World, target_group_arn: &str) -> Option<Vec<String>> {
    let group = world.elb.target_groups.get(target_group_arn)?;
    Some(group.load_balancers.iter().cloned().collect())
}

/// What the targets of a target group are, `instance` or `ip`; `None`: there is no such target group.
pub fn target_type(world: &World, target_group_arn: &str) -> Option<&'static str> {
    world.elb.target_groups.get(target_group_arn).map(|group| group.settings.target_type.as_str())
}

/// DNS name of a load balancer; `None`: there is no such load balancer.
pub fn dns_name<'a>(world: &'a World, load_balancer_arn: &str) -> Option<&'a str> {
    world.elb.load_balancers.get(load_balancer_arn).map(|balancer| balancer.dns_name.as_str())
}

/// The port to connect to for `port` of a load balancer's DNS name where it is another one: something else on the
/// machine has the listener's own. `None` for every other host, whose ports are what they are.
pub fn moved_port(world: &World, host: &str, port: u16) -> Option<u16> {
    let is_balancer = host.trim_end_matches('.').to_ascii_lowercase().ends_with(load_balancer::DNS_SUFFIX);
    world.elb.ports.moved(port).filter(|_| is_balancer)
}

/// Every load balancer, target group, listener and rule by ARN, with its tags.
pub fn tagged(world: &World) -> Vec<(String, BTreeMap<String, String>)> {
    tags::all(&world.elb)
}

/// Publishes the routing if something changed and someone reads it. Called whenever the world's lock is about to be given back.
pub fn publish(world: &mut World) {
    if world.elb.unpublished && world.elb.board.is_read() {
        world.elb.board.put(&world.region, routing::build(world));
        world.elb.unpublished = false;
    }
}

/// Has the routing of every region published from now on, beginning with what holds now in this one.
pub fn subscribe(world: &mut World) -> watch::Receiver<Arc<routing::Routing>> {
    let receiver = world.elb.board.read();
    world.elb.unpublished = true;
    publish(world);
    receiver
}
