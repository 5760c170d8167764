//! What became of the orders, minute by minute.

use super::fleet::Work;
use super::{MINUTE, SECOND};

/// Microseconds of a millisecond, in which response times are kept.
const MILLISECOND: u64 = 1_000;

/// A minute's counts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) arrived: u32,
    /// Orders that were given to a task, as often as they were.
    pub(crate) requests: u32,
    /// Orders that a task began to work on.
    pub(crate) begun: u32,
    pub(crate) done: u32,
    /// Orders of this minute that are done too late.
    pub(crate) late: u32,
    /// Time that tasks worked.
    pub(crate) busy: u64,
    /// What the load balancer saw of the answers, with those that sent an order away.
    pub(crate) answers: Answers,
}

/// Answers of the tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Answers {
    pub(crate) count: u32,
    /// In seconds, as are the others.
    pub(crate) sum: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Answers {
    fn add(&mut self, seconds: f64) {
        self.least = if self.count == 0 { seconds } else { self.least.min(seconds) };
        self.most = self.most.max(seconds);
        self.sum += seconds;
        self.count += 1;
    }
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
    pub(crate) fn taken(&mut self, arrived_at: u64, given_at: u64, work: Work) {
        self.request(given_at, work.ends_at);
        self.count(work.begins_at, |counts| counts.begun += 1);
        self.count(work.ends_at, |counts| counts.done += 1);
        self.busy(work);
        self.ended(arrived_at, work.ends_at);
    }

    /// Notes an order that a task sent away after it had waited.
    pub(crate) fn sent_away(&mut self, given_at: u64, at: u64) {
        self.request(given_at, at);
    }

    /// Notes an order that no task worked on before the end.
    pub(crate) fn left(&mut self, arrived_at: u64, end: u64) {
        self.ended(arrived_at, end);
    }

    fn request(&mut self, given_at: u64, answered_at: u64) {
        self.count(given_at, |counts| counts.requests += 1);
        self.count(answered_at, |counts| counts.answers.add((answered_at - given_at) as f64 / SECOND as f64));
    }

    fn ended(&mut self, arrived_at: u64, at: u64) {
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
