//! Auto scaling of the simulated service: the states of its alarms, its bounds, cooldowns and activities.

use jiff::Timestamp;

use super::metrics::Metrics;
use super::policy::{Policy, Role, Scheduled};
use super::{Activity, Outcome, Target};
use crate::activity::{Cause, Status, scheduled_cause};
use crate::alarm::State;
use crate::combine::{Decision, NotScaled, Reading, Situation, Suspended, Trigger, decide, within_bounds};
use crate::cooldown::Cooldowns;
use crate::series::later;
use crate::tracking::recent_peak;

/// The scalable target while it is simulated.
#[derive(Debug)]
pub(crate) struct Scaler<'a> {
    policies: &'a [Policy],
    scheduled: &'a [Scheduled],
    suspended: Suspended,
    /// Of each policy, of each of its alarms.
    watches: Vec<Vec<Watch>>,
    pub(crate) desired: u32,
    min_capacity: u32,
    max_capacity: u32,
    cooldowns: Cooldowns,
    pub(crate) activities: Vec<Activity>,
    /// The activity that has not ended, by its index.
    under_way: Option<usize>,
}

/// An alarm's state, and the values that decided it.
#[derive(Debug, Clone, Default)]
struct Watch {
    state: State,
    values: Vec<f64>,
    newest: Option<f64>,
}

impl<'a> Scaler<'a> {
    pub(crate) fn new(target: &'a Target) -> Self {
        let Target { initial_capacity, min_capacity, max_capacity, suspended, policies, scheduled } = target;
        let watches = policies.iter().map(|policy| vec![Watch::default(); policy.alarms.len()]).collect();
        Self {
            policies,
            scheduled,
            suspended: *suspended,
            watches,
            desired: within_bounds(*initial_capacity, *min_capacity, *max_capacity),
            min_capacity: *min_capacity,
            max_capacity: *max_capacity,
            cooldowns: Cooldowns::default(),
            activities: Vec::new(),
            under_way: None,
        }
    }

    /// How far back an alarm may look, in seconds.
    pub(crate) fn longest_range_seconds(&self) -> i64 {
        let of = |policy: &Policy| {
            policy.alarms.iter().map(|alarm| alarm.rule.evaluation_range() * policy.period_seconds).max()
        };
        i64::from(self.policies.iter().filter_map(of).max().unwrap_or(0)) + 120
    }

    /// When a scheduled action happens next, after `after`.
    pub(crate) fn next_schedule(&self, after: Timestamp) -> Option<Timestamp> {
        let next = |action: &Scheduled| action.schedule.next(&action.zone, action.span, after);
        self.scheduled.iter().filter_map(next).min().filter(|_| !self.suspended.scheduled)
    }

    /// Does what the scheduled actions of this moment say: new bounds, and a count within them at once.
    pub(crate) fn fire_schedules(&mut self, now: Timestamp) {
        let before = later(now, -1);
        for action in self.scheduled {
            if action.schedule.next(&action.zone, action.span, before) != Some(now) {
                continue;
            }
            self.min_capacity = action.min_capacity.unwrap_or(self.min_capacity);
            self.max_capacity = action.max_capacity.unwrap_or(self.max_capacity);
            let (min_capacity, max_capacity) = (self.min_capacity, self.max_capacity);
            let outcome = Outcome::Bounded { min_capacity, max_capacity };
            let cause = scheduled_cause(&action.name);
            self.activities.push(Activity { at: now, ended_at: None, cause, outcome });
            if let Some(cause) = Cause::of_bounds(self.desired, min_capacity, max_capacity) {
                self.set(now, within_bounds(self.desired, min_capacity, max_capacity), &cause);
            }
        }
    }

    /// Looks at all alarms, then lets each that is in ALARM set its policy off. AWS: that happens at every evaluation,
    /// not only at the first.
    pub(crate) fn evaluate(&mut self, now: Timestamp, metrics: &Metrics) {
        for (policy, watches) in self.policies.iter().zip(&mut self.watches) {
            let Some(series) = metrics.series(policy.metric) else { continue };
            for (alarm, watch) in policy.alarms.iter().zip(watches) {
                let range = alarm.rule.evaluation_range();
                let points = series.points(policy.statistic, policy.period_seconds, now, range);
                let evaluation = alarm.rule.evaluate(&points, watch.state);
                watch.state = evaluation.state;
                watch.values = evaluation.datapoints.iter().map(|(_, value)| *value).collect();
                watch.newest = points.last().and_then(|point| point.value);
            }
        }
        for (index, policy) in self.policies.iter().enumerate() {
            for alarm in 0..policy.alarms.len() {
                if self.watches[index][alarm].state == State::Alarm {
                    self.invoke(now, index, alarm);
                }
            }
        }
    }

    fn invoke(&mut self, now: Timestamp, policy: usize, alarm: usize) {
        let readings: Vec<Reading<'_>> =
            self.policies.iter().zip(&self.watches).map(|(policy, watches)| reading(policy, watches)).collect();
        let rules = &self.policies[policy].alarms[alarm];
        let trigger = match rules.role {
            Role::High => Trigger::High,
            Role::Low => Trigger::Low,
            Role::Step => {
                Trigger::Step { values: &self.watches[policy][alarm].values, threshold: rules.rule.threshold }
            }
        };
        let decision = decide(&readings, policy, trigger, &self.situation(now));
        let cause = Cause::Alarm { alarm: rules.name.clone(), policy: self.policies[policy].name.clone() };
        match decision {
            Decision::Scale { to, cooldown_seconds } => {
                self.cooldowns.began(now, self.desired, to, cooldown_seconds);
                self.set(now, to, &cause);
            }
            Decision::NotScaled(reason) => self.note(now, cause.to_string(), reason),
            Decision::Held(_) => {}
        }
    }

    fn situation(&self, now: Timestamp) -> Situation {
        Situation {
            now,
            capacity: self.desired,
            min_capacity: self.min_capacity,
            max_capacity: self.max_capacity,
            suspended: self.suspended,
            is_deploying: false,
            cooldowns: self.cooldowns,
        }
    }

    /// Sets the count. A change that is under way is overridden by that, as in the local cloud.
    fn set(&mut self, now: Timestamp, to: u32, cause: &Cause) {
        self.end(now, Status::Overridden, to);
        let outcome = Outcome::Set { from: self.desired, to, status: Status::InProgress, found: to };
        self.under_way = Some(self.activities.len());
        self.activities.push(Activity { at: now, ended_at: None, cause: cause.to_string(), outcome });
        self.desired = to;
    }

    /// Notes an attempt in vain, unless it only repeats the one before it.
    fn note(&mut self, now: Timestamp, cause: String, reason: NotScaled) {
        let outcome = Outcome::NotScaled(reason);
        if self.activities.last().is_none_or(|last| last.outcome != outcome || last.cause != cause) {
            self.activities.push(Activity { at: now, ended_at: Some(now), cause, outcome });
        }
    }

    /// Notes that as many tasks are healthy as are wanted: what was under way has succeeded, and its cooldown begins. As in the
    /// local cloud that is seen when it is looked at, which happens every second after the change.
    pub(crate) fn succeeded(&mut self, now: Timestamp) {
        let Some(began_at) = self.under_way.and_then(|index| Some(self.activities.get(index)?.at)) else { return };
        let seen_at = now.max(later(began_at, 1));
        self.end(seen_at, Status::Successful, self.desired);
        self.cooldowns.ended(seen_at);
    }

    fn end(&mut self, now: Timestamp, ended: Status, count: u32) {
        let Some(activity) = self.under_way.take().and_then(|index| self.activities.get_mut(index)) else { return };
        activity.ended_at = Some(now);
        if let Outcome::Set { status, found, .. } = &mut activity.outcome {
            (*status, *found) = (ended, count);
        }
    }
}

/// A policy as its alarms know it.
fn reading<'a>(policy: &'a Policy, watches: &[Watch]) -> Reading<'a> {
    let pair = |role| policy.alarms.iter().zip(watches).find(|(alarm, _)| alarm.role == role);
    let of = |role| pair(role).map(|(_, watch)| watch);
    Reading {
        name: &policy.name,
        policy: &policy.policy,
        high: of(Role::High).map_or(State::InsufficientData, |watch| watch.state),
        low: of(Role::Low).map(|watch| watch.state),
        value: of(Role::High).and_then(|watch| watch.newest),
        recent_peak: pair(Role::Low).and_then(|(alarm, watch)| recent_peak(&alarm.rule, watch.values.iter().copied())),
    }
}
