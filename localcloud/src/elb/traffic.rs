//! What load balancers count of their traffic. The counters live outside of the world, where the requests are.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::health::State;
use crate::world::World;

/// Counts requests.
pub trait Traffic: Send + Sync {
    /// The counters of a target group; nothing for one that is not in use.
    fn counts(&self, target_group_arn: &str) -> Counts;
}

/// A reading of a target group's counters. Everything only grows, so what happened in between is the difference of two readings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// `RequestCount`: requests for which a target was chosen.
    pub requests: u64,
    /// `HTTPCode_Target_2XX_Count` to `…5XX_Count`.
    pub targets: [u64; 4],
    /// `HTTPCode_ELB_5XX_Count`: answers of the load balancer itself.
    pub balancer_5xx: u64,
    /// `TargetConnectionErrorCount`.
    pub connection_errors: u64,
    /// `UnhealthyRoutingRequestCount`: requests routed by fail-open.
    pub fail_open: u64,
    /// `TargetResponseTime`: seconds of wall time, and how many responses took as long.
    pub response_times: Vec<(f64, u64)>,
}

impl Counts {
    /// What was counted since `before`. A group that came into use again has begun anew.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        if self.requests < before.requests {
            return self.clone();
        }
        let earlier: BTreeMap<u64, u64> =
            before.response_times.iter().map(|(seconds, count)| (seconds.to_bits(), *count)).collect();
        let since = |(seconds, count): &(f64, u64)| {
            let count = count.saturating_sub(earlier.get(&seconds.to_bits()).copied().unwrap_or(0));
            (count > 0).then_some((*seconds, count))
        };
        Self {
            requests: self.requests - before.requests,
            targets: std::array::from_fn(|class| self.targets[class].saturating_sub(before.targets[class])),
            balancer_5xx: self.balancer_5xx.saturating_sub(before.balancer_5xx),
            connection_errors: self.connection_errors.saturating_sub(before.connection_errors),
            fail_open: self.fail_open.saturating_sub(before.fail_open),
            response_times: self.response_times.iter().filter_map(since).collect(),
        }
    }
}

/// Whoever counts; without one nothing is counted.
#[derive(Clone, Default)]
pub(super) struct TrafficHandle(Option<Arc<dyn Traffic>>);

impl TrafficHandle {
    pub(super) fn new(traffic: Arc<dyn Traffic>) -> Self {
        Self(Some(traffic))
    }
}

impl fmt::Debug for TrafficHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Traffic")
    }
}

/// A target group in use with how its targets are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// The group.
    pub target_group_arn: String,
    /// The load balancer that uses it.
    pub load_balancer_arn: String,
    /// Targets that are healthy.
    pub healthy: u32,
    /// Targets that are not.
    pub unhealthy: u32,
}

/// Every target group in use, by ARN.
#[must_use]
pub fn hosts(world: &World) -> Vec<Hosts> {
    let in_use = world.elb.target_groups.values().filter_map(|group| Some((group, group.load_balancers.first()?)));
    in_use
        .map(|(group, load_balancer_arn)| {
            let count = |is: fn(State) -> bool| group.targets.values().filter(|one| is(one.state)).count();
            let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
            Hosts {
                target_group_arn: group.arn.clone(),
                load_balancer_arn: load_balancer_arn.clone(),
                healthy: number(count(|state| state == State::Healthy)),
                unhealthy: number(count(|state| matches!(state, State::Unhealthy(_)))),
            }
        })
        .collect()
}

/// The counters of a target group now.
#[must_use]
pub fn counts(world: &World, target_group_arn: &str) -> Counts {
    world.elb.traffic.0.as_ref().map(|traffic| traffic.counts(target_group_arn)).unwrap_or_default()
}
