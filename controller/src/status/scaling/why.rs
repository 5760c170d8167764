//! One sentence for why the count of tasks does not move now.

use jiff::{SignedDuration, Timestamp};

use super::{Activity, Alarm, Policy, Scaling};

/// Policy and alarm in a given state that stand for more, or fewer, tasks.
fn alarms<'a>(scaling: &'a Scaling, state: &'a str) -> impl Iterator<Item = (&'a Policy, &'a Alarm)> {
    let all = scaling.policies.iter().flat_map(|policy| policy.alarms.iter().map(move |alarm| (policy, alarm)));
    all.filter(move |(_, alarm)| alarm.state.as_deref() == Some(state))
}

/// Whether an alarm asks for fewer tasks: it breaches below its threshold and its policy may remove some.
fn asks_for_fewer((policy, alarm): &(&Policy, &Alarm)) -> bool {
    policy.scales_in && !alarm.is_high
}

/// Why nothing happens now, from the alarms' states and the last activities. What could be said of several policies is said of the
/// one that keeps the others from acting.
#[must_use]
pub fn why(scaling: &Scaling, now: Timestamp) -> String {
    if scaling.policies.is_empty() {
        return "no policy asks for anything".into();
    }
    if let Some(more) = alarms(scaling, "ALARM").find(|one| !asks_for_fewer(one)) {
        return why_not_more(scaling, more, now);
    }
    if let Some((policy, alarm)) = alarms(scaling, "INSUFFICIENT_DATA").next() {
        let reason = alarm.reason.as_deref().unwrap_or("CloudWatch gives no reason");
        return format!("{} has too little data, so it scales neither out nor in: {reason}", policy.name);
    }
    match alarms(scaling, "ALARM").find(asks_for_fewer) {
        Some(fewer) => why_not_fewer(scaling, fewer, now),
        None => between(scaling),
    }
}

fn why_not_more(scaling: &Scaling, (policy, alarm): (&Policy, &Alarm), now: Timestamp) -> String {
    if scaling.suspended.scale_out {
        return format!("{} asks for more tasks, but scale-out is suspended", policy.name);
    }
    if scaling.desired >= scaling.max {
        return format!("{} asks for more tasks, but there are {} already, the maximum", policy.name, scaling.max);
    }
    match cooldown(scaling, &alarm.name, policy.cooldowns.0, now) {
        Some(until) => {
            let rule = "before that only a larger scale-out counts";
            format!("{} asks for more tasks, but the cooldown runs until {until}; {rule}", policy.name)
        }
        None => format!("{} asks for more tasks: its alarm {} is in ALARM", policy.name, alarm.name),
    }
}

fn why_not_fewer(scaling: &Scaling, (policy, alarm): (&Policy, &Alarm), now: Timestamp) -> String {
    if scaling.suspended.scale_in {
        return format!("{} asks for fewer tasks, but scale-in is suspended", policy.name);
    }
    if scaling.desired <= scaling.min {
        return format!("{} asks for fewer tasks, but there are {} only, the minimum", policy.name, scaling.desired);
    }
    if scaling.is_deploying {
        return format!("{} asks for fewer tasks, but none are removed while a deployment is under way", policy.name);
    }
    if let Some(other) = scaling.policies.iter().find(|other| other.name != policy.name && is_not_ready(other)) {
        return format!("{} asks for fewer tasks, but {} is not ready to scale in", policy.name, other.name);
    }
    match cooldown(scaling, &alarm.name, policy.cooldowns.1, now) {
        Some(until) => format!("{} asks for fewer tasks, but the cooldown runs until {until}", policy.name),
        None => format!("{} asks for fewer tasks: its alarm {} is in ALARM", policy.name, alarm.name),
    }
}

/// Tasks are removed only when every target-tracking policy that may remove some is low (AWS: target tracking, several policies).
fn is_not_ready(policy: &Policy) -> bool {
    let mut low = policy.alarms.iter().filter(|alarm| !alarm.is_high);
    policy.r#type == "TargetTrackingScaling"
        && policy.scales_in
        && low.any(|alarm| alarm.state.as_deref() != Some("ALARM"))
}

/// Until when a cooldown of so many seconds runs: it begins with the end of the last activity of this alarm that succeeded. One in
/// the other direction holds nothing back.
fn cooldown(scaling: &Scaling, alarm: &str, seconds: u32, now: Timestamp) -> Option<Timestamp> {
    let cause = format!("monitor alarm {alarm} in state ALARM triggered policy");
    let succeeded = |one: &&Activity| one.status == "Successful" && one.cause.starts_with(&cause);
    let ended = scaling.activities.iter().filter(succeeded).filter_map(|one| one.ended).max()?;
    let until = ended.checked_add(SignedDuration::from_secs(i64::from(seconds))).ok()?;
    (until > now).then_some(until)
}

fn between(scaling: &Scaling) -> String {
    let value = |policy: &Policy| {
        let newest =
            policy.alarms.iter().filter_map(|alarm| Some((alarm.updated, alarm.last_value?))).max_by_key(|one| one.0);
        let unit = policy.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
        newest.map(|(_, value)| format!("{} at {value}{unit}", policy.name))
    };
    let values: Vec<String> = scaling.policies.iter().filter_map(value).collect();
    let values = if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
    format!("every metric lies between the thresholds of its alarms{values}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::manifest::Suspended;

    fn alarm(is_high: bool, state: &str) -> Alarm {
        let name = if is_high { "High" } else { "Low" }.to_owned();
        let reason = Some("3 datapoints were unknown".into());
        Alarm { name, state: Some(state.into()), reason, last_value: Some(95.0), updated: None, is_high }
    }

    fn policy(name: &str, high: &str, low: &str) -> Policy {
        Policy {
            name: name.into(),
            r#type: "TargetTrackingScaling",
            metric: None,
            target: Some(100.0),
            unit: Some("%".into()),
            alarms: vec![alarm(true, high), alarm(false, low)],
            cooldowns: (60, 120),
            scales_in: true,
        }
    }

    fn activity(alarm: &str, ended: i64) -> Activity {
        Activity {
            time: Timestamp::UNIX_EPOCH,
            ended: Some(Timestamp::from_second(ended).unwrap()),
            status: "Successful".into(),
            cause: format!("monitor alarm {alarm} in state ALARM triggered policy a"),
            description: "Setting desired count to 3.".into(),
        }
    }

    fn scaling(desired: u32, policies: Vec<Policy>) -> Scaling {
        let suspended = Suspended::default();
        let (source, activities) = ("base".into(), vec![activity("High", 100), activity("Low", 100)]);
        Scaling { min: 1, max: 10, source, desired, suspended, policies, activities, why: None, is_deploying: false }
    }

    /// The sentence at a second after the epoch.
    fn at(second: i64, scaling: &Scaling) -> String {
        why(scaling, Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn each_reason_has_its_sentence() {
        let out = || vec![policy("a", "ALARM", "OK")];
        let down = || vec![policy("a", "OK", "ALARM")];
        let deploying = Scaling { is_deploying: true, ..scaling(3, down()) };
        let no_in = Suspended { scale_in: true, ..Suspended::default() };
        let no_out = Suspended { scale_out: true, ..Suspended::default() };
        let table = [
            (at(900, &scaling(3, vec![])), "no policy asks for anything"),
            (at(900, &scaling(10, out())), "a asks for more tasks, but there are 10 already, the maximum"),
            (
                at(130, &scaling(3, out())),
                "a asks for more tasks, but the cooldown runs until 1970-01-01T00:02:40Z; before that only a larger \
                 scale-out counts",
            ),
            (at(900, &scaling(3, out())), "a asks for more tasks: its alarm High is in ALARM"),
            (
                at(900, &Scaling { suspended: no_out, ..scaling(3, out()) }),
                "a asks for more tasks, but scale-out is suspended",
            ),
            (at(900, &scaling(1, down())), "a asks for fewer tasks, but there are 1 only, the minimum"),
            (at(900, &deploying), "a asks for fewer tasks, but none are removed while a deployment is under way"),
            (
                at(900, &Scaling { suspended: no_in, ..scaling(3, down()) }),
                "a asks for fewer tasks, but scale-in is suspended",
            ),
            (
                at(900, &scaling(3, vec![policy("a", "OK", "ALARM"), policy("b", "OK", "OK")])),
                "a asks for fewer tasks, but b is not ready to scale in",
            ),
            (at(200, &scaling(3, down())), "a asks for fewer tasks, but the cooldown runs until 1970-01-01T00:03:40Z"),
            (
                at(200, &Scaling { activities: vec![activity("High", 190)], ..scaling(3, down()) }),
                "a asks for fewer tasks: its alarm Low is in ALARM",
            ),
            (
                at(900, &scaling(3, vec![policy("a", "INSUFFICIENT_DATA", "INSUFFICIENT_DATA")])),
                "a has too little data, so it scales neither out nor in: 3 datapoints were unknown",
            ),
            (
                at(900, &scaling(3, vec![policy("a", "OK", "OK")])),
                "every metric lies between the thresholds of its alarms: a at 95 %",
            ),
        ];
        for (found, expected) in table {
            assert_eq!(found, expected);
        }
    }
}
