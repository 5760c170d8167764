//! What an alarm leads to: the readings of all of the target's policies, the engine's decision, and its consequence.

use interstella_autoscaling::activity::Cause;
use interstella_autoscaling::alarm::State;
use interstella_autoscaling::combine::{Decision, Reading, Situation, Trigger, decide};
use interstella_autoscaling::tracking::recent_peak;

use super::scalable_target::ScalableTarget;
use super::scaling_policy::{Kind, ScalingPolicy, alarms};
use super::{activity, change, resource};
use crate::clock::CloudTime;
use crate::cloudwatch;
use crate::ecs::{self, ServiceKey};
use crate::event::AlarmAction;
use crate::world::World;

/// Takes in that an alarm is in ALARM and has a scaling policy among its actions. An action that names no policy, or an alarm
/// of a policy that has other alarms by now, leads to nothing.
pub fn alarm_fired(world: &mut World, now: CloudTime, fired: &AlarmAction) {
    if fired.state != State::Alarm {
        return;
    }
    let arn = alarms::policy_arn(&fired.action_arn);
    let Some(key) = service_of(arn) else { return };
    let Some(target) = world.application_autoscaling.targets.get(&key) else { return };
    let Some((name, policy)) = target.policies.iter().find(|(_, policy)| policy.arn == arn) else { return };
    let Some(decision) = decision(world, now, &key, target, name, policy, fired) else { return };
    let cause = Cause::Alarm { alarm: fired.alarm.clone(), policy: name.clone() };
    match decision {
        Decision::Scale { to, cooldown_seconds } => {
            let from = ecs::desired_count(world, &key).unwrap_or(to);
            if let Some(target) = world.application_autoscaling.targets.get_mut(&key) {
                target.cooldowns.began(now.timestamp(), from, to, cooldown_seconds);
            }
            change::begin(world, now, &key, to, &cause);
        }
        Decision::NotScaled(reason) => activity::not_scaled(world, now, &key, cause.to_string(), reason),
        Decision::Held(why) => tracing::debug!(policy = arn, alarm = fired.alarm, ?why, "an alarm led to nothing"),
    }
}

/// The service in a policy's ARN: `…:resource/ecs/service/<cluster>/<service>:policyName/<name>`.
fn service_of(arn: &str) -> Option<ServiceKey> {
    let (_, rest) = arn.split_once(":resource/ecs/")?;
    let (resource_id, _) = rest.split_once(":policyName/")?;
    resource::parse(resource_id).ok()
}

/// The engine's decision; `None`: the alarm is not one of the policy's.
fn decision(
    world: &World,
    now: CloudTime,
    key: &ServiceKey,
    target: &ScalableTarget,
    name: &str,
    policy: &ScalingPolicy,
    fired: &AlarmAction,
) -> Option<Decision> {
    let readings: Vec<Reading<'_>> =
        target.policies.iter().filter_map(|(name, policy)| reading(world, now, name, policy)).collect();
    let invoked = readings.iter().position(|reading| reading.name == name)?;
    let (alarm, values) = (&fired.alarm, fired.datapoints.iter().map(|(_, value)| *value).collect::<Vec<_>>());
    let trigger = match &policy.kind {
        Kind::TargetTracking { alarms, .. } if alarms.high == *alarm => Trigger::High,
        Kind::TargetTracking { alarms, .. } if alarms.low.as_ref() == Some(alarm) => Trigger::Low,
        Kind::Step { .. } => {
            Trigger::Step { values: &values, threshold: cloudwatch::alarm(world, alarm)?.configuration.threshold }
        }
        Kind::TargetTracking { .. } | Kind::Predictive => return None,
    };
    Some(decide(&readings, invoked, trigger, &situation(world, now, key, target)?))
}

/// A policy with what CloudWatch knows of its metric now; `None`: it never acts.
fn reading<'a>(world: &World, now: CloudTime, name: &'a str, policy: &'a ScalingPolicy) -> Option<Reading<'a>> {
    let said = policy.policy()?;
    let Kind::TargetTracking { watched, alarms, .. } = &policy.kind else {
        return Some(Reading { name, policy: said, high: State::default(), low: None, value: None, recent_peak: None });
    };
    let state = |alarm: &str| cloudwatch::alarm(world, alarm).map(|alarm| alarm.state).unwrap_or_default();
    // An expression that cannot be evaluated has no value.
    let newest = cloudwatch::points(world, watched, now, 1).ok().and_then(|points| points.last()?.value);
    let low = alarms.low.as_deref().and_then(|low| cloudwatch::alarm(world, low));
    Some(Reading {
        name,
        policy: said,
        high: state(&alarms.high),
        low: alarms.low.as_deref().map(state),
        value: newest,
        recent_peak: low
            .and_then(|low| recent_peak(&low.configuration.rule(), low.datapoints.iter().map(|(_, value)| *value))),
    })
}

/// The target as it stands; `None`: its service is gone.
fn situation(world: &World, now: CloudTime, key: &ServiceKey, target: &ScalableTarget) -> Option<Situation> {
    Some(Situation {
        now: now.timestamp(),
        capacity: ecs::desired_count(world, key)?,
        min_capacity: target.bounds.min,
        max_capacity: target.bounds.max,
        suspended: target.suspended,
        is_deploying: ecs::is_deploying(world, key),
        cooldowns: target.cooldowns,
    })
}
