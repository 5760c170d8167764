//! Names of policies, actions and alarms.

use std::collections::HashMap;

use super::{Problems, grammar, section};
use crate::manifest::pointer::Pointer;
use crate::manifest::{Manifest, Scaling};

/// Longest name of an alarm (AWS: CloudWatch PutMetricAlarm).
const MAX_ALARM_NAME: usize = 255;

pub(super) fn check(manifest: &Manifest, scaling: &Scaling, problems: &mut Problems) {
    let path = section();
    let tracking = scaling.target_tracking.iter().map(|policy| policy.name.as_str());
    let step = scaling.step.iter().map(|policy| policy.name.as_str());
    let mut policies = named(&path.key("targetTracking"), tracking);
    policies.extend(named(&path.key("step"), step));
    if let Some(policy) = &scaling.predictive {
        policies.push((path.key("predictive").key("name"), policy.name.as_str()));
    }
    let actions = named(&path.key("scheduled"), scaling.scheduled.iter().map(|action| action.name.as_str()));
    each(&policies, "policy", grammar::policy_name, grammar::POLICY_NAME, problems);
    each(&actions, "scheduled action", grammar::action_name, grammar::ACTION_NAME, problems);
    alarms(manifest, scaling, problems);
}

fn named<'a>(list: &Pointer, names: impl Iterator<Item = &'a str>) -> Vec<(Pointer, &'a str)> {
    names.enumerate().map(|(index, name)| (list.index(index).key("name"), name)).collect()
}

/// A name is the identity of what it names, so a second one of the same name would replace the first.
fn each(names: &[(Pointer, &str)], noun: &str, rule: fn(&str) -> bool, remedy: &str, problems: &mut Problems) {
    let mut seen = HashMap::new();
    for (path, name) in names {
        problems.grammar(path.clone(), name, rule, remedy);
        if let Some(first) = seen.insert(*name, path) {
            let what = format!("another {noun} has the same name: `{first}`");
            problems.add(path.clone(), what, format!("give each {noun} a name of its own"));
        }
    }
}

/// An alarm's name holds the cluster, the app and the policy, because alarms of a region share one list.
fn alarms(manifest: &Manifest, scaling: &Scaling, problems: &mut Problems) {
    let app = manifest.spec.cluster.chars().count() + manifest.metadata.name.chars().count();
    for (index, policy) in scaling.step.iter().enumerate() {
        let length = grammar::PREFIX.len() + app + 2 + policy.name.chars().count();
        if length > MAX_ALARM_NAME && grammar::policy_name(&policy.name) {
            let what =
                format!("the alarm `interstella.<cluster>.<app>.<policy>` would have a name of {length} characters");
            let remedy =
                format!("shorten the policy's name by {}: an alarm has {MAX_ALARM_NAME}", length - MAX_ALARM_NAME);
            problems.add(section().key("step").index(index).key("name"), what, remedy);
        }
    }
}
