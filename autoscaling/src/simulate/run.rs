//! The simulation's course: what happens next, until the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::Peekable;

use jiff::Timestamp;

use super::fleet::{Answer, Fleet, micros};
use super::metrics::{Measured, Metrics};
use super::random::Random;
use super::scaler::Scaler;
use super::tally::Tally;
use super::{Arrivals, Load, MINUTE, SECOND, Sample, Service, Simulation, TICK, Target, Totals};
use crate::series::later;

/// Sets the service times apart from the arrivals, which have the seed itself.
const SERVICE_TIMES: u64 = 0x5e71_11ce;
/// How often it is looked whether as many tasks are healthy as are wanted, from a change on; as the local cloud does.
/// On AWS even a scale-in takes longer: 35 s were recorded.
const RHYTHM: u64 = SECOND;
/// Microseconds of an hour.
const HOUR: f64 = 3_600.0 * SECOND as f64;

/// A simulation under way.
pub(crate) struct Run<'a> {
    start: Timestamp,
    end: u64,
    service: &'a Service,
    arrivals: Peekable<Arrivals<'a>>,
    service_times: Random,
    /// Orders that were sent away: when each comes back, and when it arrived first.
    returning: BinaryHeap<Reverse<(u64, u64)>>,
    retry: u64,
    fleet: Fleet,
    tally: Tally,
    scaler: Scaler<'a>,
    /// When it is looked next whether a change has succeeded; `None`: none is under way.
    look: Option<u64>,
    metrics: Metrics,
    /// Healthy tasks at the ticks of this minute.
    healthy: Vec<u32>,
    samples: Vec<Sample>,
    waiting: u64,
}

impl<'a> Run<'a> {
    pub(crate) fn new(load: &'a Load, service: &'a Service, target: &'a Target) -> Self {
        let minutes = load.orders_per_minute.len();
        let scaler = Scaler::new(target);
        Self {
            start: load.start,
            end: minutes as u64 * MINUTE,
            service,
            arrivals: load.arrivals().peekable(),
            service_times: Random::new(load.seed ^ SERVICE_TIMES),
            returning: BinaryHeap::new(),
            retry: micros(service.retry_seconds).max(SECOND),
            fleet: Fleet::new(service, scaler.desired),
            tally: Tally::new(minutes, micros(service.late_after_seconds)),
            scaler,
            look: None,
            metrics: Metrics::default(),
            healthy: Vec::new(),
            samples: Vec::with_capacity(minutes),
            waiting: 0,
        }
    }

    pub(crate) fn finish(mut self) -> Simulation {
        let mut tick = 0;
        let mut schedule = self.scaler.next_schedule(later(self.start, -1)).map(|at| self.since_start(at));
        while tick <= self.end {
            let now = [self.fleet.next_healthy_at(), self.look, schedule].into_iter().flatten().fold(tick, u64::min);
            self.take_orders_before(now);
            self.fleet.start(now);
            self.look_for_success(now);
            if schedule == Some(now) {
                self.change(now, Scaler::fire_schedules);
                schedule = self.scaler.next_schedule(self.at(now)).map(|at| self.since_start(at));
            }
            if tick == now {
                self.tick(now);
                tick += TICK;
            }
        }
        self.report()
    }

    /// Gives every order that arrives or comes back before `until` to a task, as far as there is one.
    fn take_orders_before(&mut self, until: u64) {
        loop {
            let back = self.returning.peek().map(|Reverse(back)| *back).filter(|(at, _)| *at < until);
            let first = back.map_or(until, |(at, _)| at);
            if let Some(at) = self.arrivals.next_if(|at| *at < first) {
                self.tally.arrived(at);
                self.take(at, at);
            } else if let Some((at, arrived_at)) = back {
                self.returning.pop();
                self.take(arrived_at, at);
            } else {
                return;
            }
        }
    }

    fn take(&mut self, arrived_at: u64, now: u64) {
        let factor = if self.service.is_exponential { self.service_times.exponential() } else { 1.0 };
        match self.fleet.take(now, micros(self.service.service_time_seconds * factor)) {
            Answer::Taken(work) => self.tally.taken(arrived_at, now, work),
            Answer::SentAway(at) => {
                self.tally.sent_away(now, at);
                self.returning.push(Reverse((at + self.retry, arrived_at)));
            }
            Answer::NoTask => self.returning.push(Reverse((now + self.retry, arrived_at))),
        }
    }

    /// Lets auto scaling act; the tasks follow its count at once, as far as they can.
    fn change(&mut self, now: u64, act: impl FnOnce(&mut Scaler<'a>, Timestamp)) {
        let before = self.scaler.desired;
        act(&mut self.scaler, later(self.start, seconds(now)));
        if self.scaler.desired != before {
            self.fleet.set_count(now, self.scaler.desired);
            self.fleet.start(now);
            self.look = Some(now + RHYTHM);
        }
    }

    fn look_for_success(&mut self, now: u64) {
        if self.look == Some(now) {
            let has_succeeded = self.fleet.healthy() == self.scaler.desired;
            self.look = (!has_succeeded).then_some(now + RHYTHM);
            if has_succeeded {
                self.scaler.succeeded(self.at(now));
            }
        }
    }

    fn tick(&mut self, now: u64) {
        let first = self.fleet.healthy();
        if now.is_multiple_of(MINUTE) && now > 0 {
            self.end_minute((now / MINUTE - 1) as usize);
            let metrics = std::mem::take(&mut self.metrics);
            self.change(now, |scaler, at| scaler.evaluate(at, &metrics));
            self.metrics = metrics;
        }
        self.healthy.push(first);
    }

    /// Puts a minute that is over into the metrics and into the report.
    fn end_minute(&mut self, index: usize) {
        let counts = self.tally.minute(index);
        let healthy = std::mem::take(&mut self.healthy);
        let slots = healthy.iter().copied().map(u64::from).sum::<u64>() * TICK;
        let slots = self.service.concurrency.map(|each| slots * u64::from(each)).filter(|slots| *slots > 0);
        // Removed tasks finish their orders, but their slots are not counted any more.
        let utilisation = slots.map(|slots| (counts.busy as f64 * 100.0 / slots as f64).min(100.0));
        let measured = Measured { requests: counts.requests, healthy, utilisation, answers: counts.answers };
        let at = self.at(index as u64 * MINUTE);
        self.metrics.put(at, &measured);
        self.metrics.forget_before(later(at, -self.scaler.longest_range_seconds()));
        self.waiting = (self.waiting + u64::from(counts.arrived)).saturating_sub(u64::from(counts.begun));
        self.samples.push(Sample {
            minute: index as u32,
            orders: counts.arrived,
            desired: self.scaler.desired,
            running: self.fleet.healthy(),
            utilisation_percent: utilisation,
            waiting: u32::try_from(self.waiting).unwrap_or(u32::MAX),
            late: 0,
        });
    }

    fn report(mut self) -> Simulation {
        for Reverse((_, arrived_at)) in std::mem::take(&mut self.returning) {
            self.tally.left(arrived_at, self.end);
        }
        for (index, sample) in self.samples.iter_mut().enumerate() {
            sample.late = self.tally.minute(index).late;
        }
        let totals = self.totals();
        Simulation { samples: self.samples, totals, activities: self.scaler.activities }
    }

    fn totals(&mut self) -> Totals {
        let orders = self.tally.sum(|counts| u64::from(counts.arrived));
        let done = self.tally.sum(|counts| u64::from(counts.done));
        let used: Vec<f64> = self.samples.iter().filter_map(|sample| sample.utilisation_percent).collect();
        Totals {
            orders,
            done,
            unfinished: orders - done,
            late: self.tally.sum(|counts| u64::from(counts.late)),
            median_seconds: self.tally.percentile(50.0),
            p99_seconds: self.tally.percentile(99.0),
            longest_seconds: self.tally.percentile(100.0),
            most_tasks: self.samples.iter().map(|sample| sample.desired).max().unwrap_or(0),
            utilisation_percent: (!used.is_empty()).then(|| used.iter().sum::<f64>() / used.len() as f64),
            task_hours: self.fleet.billed_until(self.end) as f64 / HOUR,
        }
    }

    fn at(&self, moment: u64) -> Timestamp {
        later(self.start, seconds(moment))
    }

    fn since_start(&self, at: Timestamp) -> u64 {
        u64::try_from(at.as_second() - self.start.as_second()).unwrap_or(0) * SECOND
    }
}

fn seconds(micros: u64) -> i64 {
    i64::try_from(micros / SECOND).unwrap_or(i64::MAX)
}
