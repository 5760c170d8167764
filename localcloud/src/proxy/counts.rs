//! What the load balancer counts per target group (AWS/ApplicationELB metrics), in atomics that requests add to without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use super::histogram::Histogram;
use crate::elb::Counts;

/// The counters of a target group, since it came into use.
#[derive(Debug, Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    targets: [AtomicU64; 4],
    balancer_5xx: AtomicU64,
    connection_errors: AtomicU64,
    fail_open: AtomicU64,
    response_times: Histogram,
}

impl Counters {
    pub(super) fn request(&self, fail_open: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.fail_open.fetch_add(fail_open.into(), Ordering::Relaxed);
    }

    /// A target answered with `status` after `micros`.
    pub(super) fn target(&self, status: u16, micros: u64) {
        let class = usize::from(status / 100).checked_sub(2).and_then(|class| self.targets.get(class));
        if let Some(class) = class {
            class.fetch_add(1, Ordering::Relaxed);
        }
        self.response_times.add(micros);
    }

    pub(super) fn balancer_5xx(&self) {
        self.balancer_5xx.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn connection_error(&self) {
        self.connection_errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Counts {
        Counts {
            requests: self.requests.load(Ordering::Relaxed),
            targets: self.targets.each_ref().map(|class| class.load(Ordering::Relaxed)),
            balancer_5xx: self.balancer_5xx.load(Ordering::Relaxed),
            connection_errors: self.connection_errors.load(Ordering::Relaxed),
            fail_open: self.fail_open.load(Ordering::Relaxed),
            response_times: self.response_times.read(),
        }
    }
}
