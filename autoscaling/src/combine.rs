//! What becomes of an alarm: one decision for one scalable target, from all of its policies, its bounds and what is under way.
//!
//! AWS: Application Auto Scaling user guide, "Multiple policies" and "Scaling activities".

use crate::alarm::State;
use crate::cooldown::{Cooldowns, Until};
use crate::step::StepScaling;
use crate::tracking::TargetTracking;
use jiff::Timestamp;

/// A policy that alarms set off.
#[derive(Debug, Clone, PartialEq)]
pub enum Policy {
    /// Keeps a metric near a target.
    TargetTracking(TargetTracking),
    /// Adjusts by how far a threshold is passed.
    StepScaling(StepScaling),
}

/// A policy with what is known of its metric now.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading<'a> {
    /// The policy's name.
    pub name: &'a str,
    /// What it says.
    pub policy: &'a Policy,
    /// State of the alarm that adds tasks. Target tracking only.
    pub high: State,
    /// State of the alarm that removes tasks; `None`: there is none. Target tracking only.
    pub low: Option<State>,
    /// The metric's newest value; `None`: it has none, which is not zero. Target tracking only.
    pub value: Option<f64>,
    /// The largest value among those that decided the low alarm: load that was there within its periods may come again, so a
    /// scale-in is measured by it (the conservative side of AWS's wording, unverified). Target tracking only.
    pub recent_peak: Option<f64>,
}

/// Which alarm of a policy is in ALARM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trigger<'a> {
    /// A target-tracking policy's, above the target.
    High,
    /// A target-tracking policy's, below the target.
    Low,
    /// A step policy's.
    Step {
        /// The values that decided the alarm, oldest first.
        values: &'a [f64],
        /// The alarm's threshold.
        threshold: f64,
    },
}

/// What of auto scaling is switched off (AWS: SuspendedState).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Suspended {
    /// Policies do not remove tasks.
    pub scale_in: bool,
    /// Policies do not add tasks.
    pub scale_out: bool,
    /// Scheduled actions do not happen.
    pub scheduled: bool,
}

/// A scalable target at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// The moment.
    pub now: Timestamp,
    /// Tasks that are wanted now.
    pub capacity: u32,
    /// Fewest tasks.
    pub min_capacity: u32,
    /// Most tasks.
    pub max_capacity: u32,
    /// What is switched off.
    pub suspended: Suspended,
    /// Whether a deployment of the service is under way. AWS: scale-in is off during one, scale-out is not.
    pub is_deploying: bool,
    /// The last scalings.
    pub cooldowns: Cooldowns,
}

/// What becomes of an alarm.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The capacity changes.
    Scale {
        /// The new capacity, which differs from the present one.
        to: u32,
        /// How long the scaling then holds back the next one.
        cooldown_seconds: u32,
    },
    /// It does not, and an activity that did not scale says so.
    NotScaled(NotScaled),
    /// It does not, and nothing is recorded.
    Held(Held),
}

/// Why an activity did not scale (AWS: NotScaledReason).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotScaled {
    /// The smaller capacity would lead straight to a scale-out.
    AnticipatedFlapping,
    /// It cannot grow further than this.
    AlreadyAtMaxCapacity(u32),
    /// It cannot shrink further than this.
    AlreadyAtMinCapacity(u32),
    /// It is what is wanted.
    AlreadyAtDesiredCapacity(u32),
}

/// Why nothing happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// The direction is suspended.
    Suspended,
    /// No scale-in happens during a deployment.
    Deployment,
    /// An earlier scaling holds it back.
    Cooldown(Until),
    /// This policy is not ready to scale in: its low alarm is not in ALARM.
    AnotherPolicy(String),
    /// A metric has no value, and none is not zero.
    NoData(String),
    /// No step is for the metric's value.
    NoStep,
}

/// A capacity that a policy asks for.
#[derive(Debug, Clone, Copy)]
struct Wish {
    capacity: u32,
    cooldown_seconds: u32,
}

/// Decides what the alarm of `readings[invoked]` leads to.
#[must_use]
pub fn decide(readings: &[Reading<'_>], invoked: usize, trigger: Trigger<'_>, situation: &Situation) -> Decision {
    let wish = match (trigger, readings.get(invoked).map(|reading| reading.policy)) {
        (Trigger::High, _) => largest_scale_out(readings, situation).map(|wish| scale_out(wish, situation)),
        (Trigger::Low, _) => smallest_safe(readings, situation).map(|wish| scale_in(wish, readings, situation)),
        (Trigger::Step { values, threshold }, Some(Policy::StepScaling(policy))) => {
            step(policy, values, threshold, situation).map(|wish| {
                let more = wish.capacity > situation.capacity;
                if more { scale_out(wish, situation) } else { scale_in_by_step(wish, readings, situation) }
            })
        }
        (Trigger::Step { .. }, _) => Err(Held::NoStep),
    };
    wish.and_then(|decision| decision).unwrap_or_else(Decision::Held)
}

/// The capacity that the bounds allow; what registers a target or changes its bounds sets it at once.
#[must_use]
pub fn within_bounds(capacity: u32, min_capacity: u32, max_capacity: u32) -> u32 {
    capacity.min(max_capacity).max(min_capacity)
}

/// The largest capacity that a policy above its target asks for.
fn largest_scale_out(readings: &[Reading<'_>], situation: &Situation) -> Result<Wish, Held> {
    // From nothing a share is nothing, so one task is where it begins.
    let base = situation.cooldowns.base(situation.now, from_within(situation)).max(1);
    let wishes =
        tracking(readings).filter(|(reading, _)| reading.high == State::Alarm).filter_map(|(reading, policy)| {
            let capacity = policy.wanted(base, reading.value?);
            Some(Wish { capacity, cooldown_seconds: policy.scale_out_cooldown_seconds })
        });
    let largest = wishes.max_by_key(|wish| wish.capacity);
    largest.ok_or_else(|| Held::NoData(readings.first().map(|reading| reading.name.to_owned()).unwrap_or_default()))
}

/// The largest capacity that a policy below its target needs, if all of them are.
fn smallest_safe(readings: &[Reading<'_>], situation: &Situation) -> Result<Wish, Held> {
    let base = from_within(situation);
    let mut largest: Option<Wish> = None;
    for (reading, policy) in tracking(readings).filter(|(_, policy)| !policy.disable_scale_in) {
        if reading.low != Some(State::Alarm) {
            return Err(Held::AnotherPolicy(reading.name.to_owned()));
        }
        let peak = reading.recent_peak.ok_or_else(|| Held::NoData(reading.name.to_owned()))?;
        let wish = Wish { capacity: policy.wanted(base, peak), cooldown_seconds: policy.scale_in_cooldown_seconds };
        largest = largest.filter(|there| there.capacity >= wish.capacity).or(Some(wish));
    }
    largest.ok_or_else(|| Held::NoData(String::new()))
}

fn step(policy: &StepScaling, values: &[f64], threshold: f64, situation: &Situation) -> Result<Wish, Held> {
    let value = policy.aggregation.of(values).ok_or_else(|| Held::NoData(String::new()))?;
    let capacity = from_within(situation);
    let wanted = |base| policy.wanted(base, value, threshold).ok_or(Held::NoStep);
    let mut wanted_now = wanted(capacity)?;
    if wanted_now > capacity {
        wanted_now = wanted(situation.cooldowns.base(situation.now, capacity))?.max(capacity);
    }
    Ok(Wish { capacity: wanted_now, cooldown_seconds: policy.cooldown_seconds })
}

/// What a policy counts from: a capacity that was set by hand beyond a bound counts as the bound.
fn from_within(situation: &Situation) -> u32 {
    within_bounds(situation.capacity, situation.min_capacity, situation.max_capacity)
}

fn scale_out(wish: Wish, situation: &Situation) -> Result<Decision, Held> {
    let Situation { capacity, min_capacity, max_capacity, .. } = *situation;
    if situation.suspended.scale_out {
        return Err(Held::Suspended);
    }
    if capacity >= max_capacity {
        return Ok(Decision::NotScaled(NotScaled::AlreadyAtMaxCapacity(max_capacity)));
    }
    let to = within_bounds(wish.capacity, min_capacity, max_capacity);
    if to > capacity {
        return Ok(Decision::Scale { to, cooldown_seconds: wish.cooldown_seconds });
    }
    match situation.cooldowns.holds_out(situation.now) {
        Some(until) => Err(Held::Cooldown(until)),
        None => Ok(Decision::NotScaled(NotScaled::AlreadyAtDesiredCapacity(capacity))),
    }
}

fn scale_in(wish: Wish, readings: &[Reading<'_>], situation: &Situation) -> Result<Decision, Held> {
    let Situation { capacity, min_capacity, max_capacity, .. } = *situation;
    if situation.suspended.scale_in {
        return Err(Held::Suspended);
    }
    if situation.is_deploying {
        return Err(Held::Deployment);
    }
    if capacity <= min_capacity {
        return Ok(Decision::NotScaled(NotScaled::AlreadyAtMinCapacity(min_capacity)));
    }
    if let Some(until) = situation.cooldowns.holds_in(situation.now) {
        return Err(Held::Cooldown(until));
    }
    let to = within_bounds(wish.capacity, min_capacity, max_capacity);
    let flaps = tracking(readings)
        .filter_map(|(reading, policy)| Some((policy, reading.value?)))
        .any(|(policy, value)| policy.would_flap(from_within(situation), value, to));
    if to >= capacity || (flaps && capacity <= max_capacity) {
        return Ok(Decision::NotScaled(NotScaled::AnticipatedFlapping));
    }
    Ok(Decision::Scale { to, cooldown_seconds: wish.cooldown_seconds })
}

/// A step policy's scale-in asks no other policy, but for the guard against flapping.
fn scale_in_by_step(wish: Wish, readings: &[Reading<'_>], situation: &Situation) -> Result<Decision, Held> {
    if wish.capacity == situation.capacity {
        let held = situation.cooldowns.holds_out(situation.now).map(Held::Cooldown);
        let settled = Decision::NotScaled(NotScaled::AlreadyAtDesiredCapacity(situation.capacity));
        return held.map_or(Ok(settled), Err);
    }
    scale_in(wish, readings, situation)
}

fn tracking<'a>(readings: &'a [Reading<'a>]) -> impl Iterator<Item = (&'a Reading<'a>, &'a TargetTracking)> {
    readings.iter().filter_map(|reading| match reading.policy {
        Policy::TargetTracking(policy) => Some((reading, policy)),
        Policy::StepScaling(_) => None,
    })
}

#[cfg(test)]
mod tests;
