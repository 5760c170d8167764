//! What became of the orders, minute by minute.

use super::fleet::Work;
use super::{MINUTE, SECOND};

/// Microseconds of a millisecond, in which response times are kept.
const MILLISECOND: u64 = 1_000;

/// A minute's counts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) arrived: u32,
    /// Orders that were given to a task.
    pub(crate) taken: u32,
    /// Orders that a task began to work on.
    pub(crate) begun: u32,
    pub(crate) done: u32,
    /// Orders of this minute that are done too late.
    pub(crate) late: u32,
    /// Time that tasks worked.
    pub(crate) busy: u64,
    /// Sum, minimum and maximum of the response times of the orders that were done, in seconds. Measured by the load balancer, so
    /// that a wait at the entrance is no part of them.
    pub(crate) response: (f64, f64, f64),
}

/// The counts of all minutes until the end; what happens after it is not counted.
#[derive(Debug)]
pub(crate) struct Tally {
    minutes: Vec<Counts>,
    late_after: u64,
    /// Response time of each order, in milliseconds.
    responses: Vec<u32>,
}

impl Tally {
    pub(crate) fn new(minutes: usize, late_after: u64) -> Self {
        Self { minutes: vec![Counts::default(); minutes], late_after, responses: Vec::new() }
    }

    pub(crate) fn minute(&self, index: usize) -> Counts {
        self.minutes.get(index).copied().unwrap_or_default()
    }

    pub(crate) fn arrived(&mut self, at: u64) {
        self.count(at, |counts| counts.arrived += 1);
    }

    /// Notes an order that arrived at one time and was given to a task at another, or the same.
    pub(crate) fn taken(&mut self, arrived_at: u64, taken_at: u64, work: Work) {
        self.count(taken_at, |counts| counts.taken += 1);
        self.count(work.begins_at, |counts| counts.begun += 1);
        let seconds = (work.ends_at - taken_at) as f64 / SECOND as f64;
        self.count(work.ends_at, |counts| {
            let (sum, least, most) = counts.response;
            let least = if counts.done == 0 { seconds } else { least.min(seconds) };
            counts.done += 1;
            counts.response = (sum + seconds, least, most.max(seconds));
        });
        self.busy(work);
        self.answered(arrived_at, work.ends_at);
    }

    /// Notes an order that no task ever took.
    pub(crate) fn left(&mut self, arrived_at: u64, end: u64) {
        self.answered(arrived_at, end);
    }

    fn answered(&mut self, arrived_at: u64, at: u64) {
        let response = at - arrived_at;
        if response > self.late_after {
            self.count(arrived_at, |counts| counts.late += 1);
        }
        self.responses.push(u32::try_from(response / MILLISECOND).unwrap_or(u32::MAX));
    }

    fn busy(&mut self, work: Work) {
        let mut from = work.begins_at;
        while from < work.ends_at {
            let until = work.ends_at.min((from / MINUTE + 1) * MINUTE);
            self.count(from, |counts| counts.busy += until - from);
            from = until;
        }
    }

    fn count(&mut self, at: u64, change: impl FnOnce(&mut Counts)) {
        if let Some(counts) = self.minutes.get_mut((at / MINUTE) as usize) {
            change(counts);
        }
    }

    /// The response time in seconds that this many percent of the orders do not exceed.
    pub(crate) fn percentile(&mut self, percent: f64) -> Option<f64> {
        let last = self.responses.len().checked_sub(1)?;
        let rank = (self.responses.len() as f64 * percent / 100.0).ceil() as usize;
        let (_, value, _) = self.responses.select_nth_unstable(rank.saturating_sub(1).min(last));
        Some(f64::from(*value) / 1_000.0)
    }

    pub(crate) fn sum(&self, of: impl Fn(&Counts) -> u64) -> u64 {
        self.minutes.iter().map(of).sum()
    }
}
