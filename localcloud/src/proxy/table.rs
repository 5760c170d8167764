//! The routing snapshot joined with what lives longer than a snapshot: connection pools, counters, and whose turn it is.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use super::counts::Counters;
use super::pool::Pool;
use crate::elb::Target;
use crate::elb::routing::{Group, RoutedTarget, Routing, UseFor};

/// What requests are routed by. Never changed, only replaced.
#[derive(Default)]
pub(super) struct Table {
    pub(super) routing: Arc<Routing>,
    pub(super) groups: BTreeMap<String, LiveGroup>,
}

/// A target group.
pub(super) struct LiveGroup {
    pub(super) shared: Arc<SharedGroup>,
    targets: BTreeMap<Target, (RoutedTarget, Arc<LiveTarget>)>,
    settings: Group,
}

/// What a group keeps from snapshot to snapshot.
#[derive(Default)]
pub(super) struct SharedGroup {
    pub(super) counters: Counters,
    turn: AtomicUsize,
}

/// A registration of a target at one address.
pub(super) struct LiveTarget {
    pub(super) address: Option<SocketAddr>,
    pub(super) pool: Pool,
    in_flight: AtomicUsize,
    gone: watch::Sender<bool>,
}

/// A request in flight to a target; it counts until this is dropped.
pub(super) struct InFlight(Arc<LiveTarget>);

impl Table {
    /// The table of a new snapshot. Targets that are in it no longer are told so: their deregistration delay is over, and what
    /// is still in flight to them breaks off.
    pub(super) fn next(&self, routing: Arc<Routing>) -> Self {
        let mut groups = BTreeMap::new();
        for (arn, group) in &routing.target_groups {
            groups.insert(arn.clone(), LiveGroup::next(self.groups.get(arn), group));
        }
        let table = Self { routing, groups };
        for (arn, group) in &self.groups {
            let now = table.groups.get(arn).map(|group| &group.targets);
            for (target, (_, live)) in &group.targets {
                let still = now.and_then(|targets| targets.get(target));
                if !still.is_some_and(|(_, other)| Arc::ptr_eq(other, live)) {
                    live.gone.send_replace(true);
                }
            }
        }
        table
    }
}

impl LiveGroup {
    fn next(before: Option<&Self>, group: &Group) -> Self {
        let live = |target: &Target, routed: &RoutedTarget| {
            let before = before.and_then(|before| before.targets.get(target)).map(|(_, live)| live);
            match before.filter(|live| live.address == routed.address) {
                Some(live) => Arc::clone(live),
                None => Arc::new(LiveTarget::new(routed.address)),
            }
        };
        let targets =
            group.targets.iter().map(|(target, routed)| (target.clone(), (*routed, live(target, routed)))).collect();
        let shared = before.map(|before| Arc::clone(&before.shared)).unwrap_or_default();
        Self { shared, targets, settings: group.clone() }
    }

    /// Chooses a target, and says whether by fail-open; `None`: no target is registered.
    pub(super) fn choose(&self) -> Option<(InFlight, bool)> {
        let registered: Vec<_> =
            self.targets.values().filter(|(routed, _)| routed.use_for != UseFor::InFlight).collect();
        let healthy: Vec<_> =
            registered.iter().copied().filter(|(routed, _)| routed.use_for == UseFor::Requests).collect();
        let percent = healthy.len() * 100;
        let enough = healthy.len() >= self.settings.healthy_min_count as usize
            && percent >= self.settings.healthy_min_percent as usize * registered.len();
        let fail_open = !enough;
        let candidates = if fail_open { registered } else { healthy };
        let turn = self.shared.turn.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..candidates.len()).filter_map(|step| candidates.get((turn + step) % candidates.len()));
        let chosen = match self.settings.least_outstanding {
            true => in_turn.min_by_key(|(_, live)| live.in_flight.load(Ordering::Relaxed))?,
            false => in_turn.take(1).next()?,
        };
        Some((InFlight::new(&chosen.1), fail_open))
    }
}

/// Index of the weight that the `turn`th request falls to; `None`: all weights are zero.
pub(super) fn weighted(turn: usize, weights: impl Iterator<Item = u32> + Clone) -> Option<usize> {
    let total: u64 = weights.clone().map(u64::from).sum();
    // Multiples of the golden ratio spread evenly, so that shares are right over short runs too.
    let spread = (turn as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let point = u64::try_from((u128::from(spread) * u128::from(total)) >> 64).unwrap_or(0);
    let ends = weights.scan(0, |end, weight| {
        *end += u64::from(weight);
        Some(*end)
    });
    ends.into_iter().position(|end| point < end)
}

impl LiveTarget {
    fn new(address: Option<SocketAddr>) -> Self {
        Self { address, pool: Pool::default(), in_flight: AtomicUsize::new(0), gone: watch::Sender::new(false) }
    }
}

impl InFlight {
    fn new(target: &Arc<LiveTarget>) -> Self {
        target.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(target))
    }

    pub(super) fn target(&self) -> &LiveTarget {
        &self.0
    }

    /// Resolves when the target's deregistration delay is over.
    pub(super) fn gone(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut gone = self.0.gone.subscribe();
        // Holds the target, so that the sender outlives the wait.
        let target = Arc::clone(&self.0);
        async move {
            let _ended = gone.wait_for(|gone| *gone).await;
            drop(target);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::weighted;

    #[test]
    fn weights_are_shares() {
        let mut hits = [0; 3];
        for turn in 0..100 {
            if let Some(hit) = weighted(turn, [90, 0, 10].into_iter()).and_then(|index| hits.get_mut(index)) {
                *hit += 1;
            }
        }
        assert_eq!(hits, [90, 0, 10]);
        assert_eq!(weighted(7, [0, 0].into_iter()), None);
    }
}
