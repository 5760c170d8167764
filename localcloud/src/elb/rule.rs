//! Rules of listeners: conditions, an action, a priority. A listener's default rule is shown here but belongs to the listener.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::action::{self, Action, ActionInput};
use super::condition::{self, Condition, ConditionInput};
use super::errors::{invalid, listener_not_found, rule_not_found};
use super::listener::Listener;
use super::tags::{self, TagInput, Tags};
use super::{Elb, association, paging};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::World;

/// Rules of one load balancer besides the default ones (AWS quota).
const RULES_MAX: usize = 100;

/// A rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) arn: String,
    pub(super) listener_arn: String,
    /// The lowest is tried first.
    pub(super) priority: u32,
    pub(super) conditions: Vec<Condition>,
    pub(super) action: Action,
    pub(super) tags: Tags,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct CreateInput {
    listener_arn: String,
    conditions: Vec<ConditionInput>,
    priority: u32,
    actions: Vec<ActionInput>,
    #[serde(default)]
    tags: Vec<TagInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ModifyInput {
    rule_arn: String,
    conditions: Option<Vec<ConditionInput>>,
    actions: Option<Vec<ActionInput>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DescribeInput {
    listener_arn: Option<String>,
    rule_arns: Option<Vec<String>>,
    marker: Option<String>,
    page_size: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DeleteInput {
    rule_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct PrioritiesInput {
    rule_priorities: Vec<PriorityInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct PriorityInput {
    rule_arn: String,
    priority: u32,
}

pub(super) fn create(world: &mut World, now: CloudTime, input: CreateInput) -> Answer {
    let conditions = condition::read(input.conditions)?;
    let action = action::read(input.actions)?;
    let tags = tags::read(input.tags)?;
    check_priority(input.priority)?;
    let listener = world.elb.listeners.get(&input.listener_arn).ok_or_else(listener_not_found)?;
    association::allowed(&world.elb, &listener.load_balancer_arn, &action)?;
    if of_listener(&world.elb, &input.listener_arn).any(|rule| rule.priority == input.priority) {
        return Err(priority_in_use(input.priority));
    }
    let listeners = &world.elb.listeners;
    let same_balancer = |rule: &&Rule| {
        listeners.get(&rule.listener_arn).is_some_and(|other| other.load_balancer_arn == listener.load_balancer_arn)
    };
    if world.elb.rules.values().filter(same_balancer).count() >= RULES_MAX {
        return Err(ApiError::new("TooManyRules", format!("A load balancer can have at most {RULES_MAX} rules")));
    }
    let prefix = input.listener_arn.replacen(":listener/", ":listener-rule/", 1);
    let rule = Rule {
        arn: format!("{prefix}/{}", world.ids.hex(16)),
        listener_arn: input.listener_arn,
        priority: input.priority,
        conditions,
        action,
        tags,
    };
    let output = json!({ "Rules": [rule.describe()] });
    world.elb.rules.insert(rule.arn.clone(), rule);
    association::refresh(world, now);
    Ok(output)
}

pub(super) fn describe(world: &mut World, _now: CloudTime, input: DescribeInput) -> Answer {
    let DescribeInput { listener_arn, rule_arns, marker, page_size } = input;
    let arns = rule_arns.unwrap_or_default();
    let elb = &world.elb;
    let items: Vec<(String, Value)> = match (listener_arn, arns.is_empty()) {
        (Some(_), false) | (None, true) => {
            return Err(invalid("You must specify either listener rule ARNs or a listener ARN"));
        }
        (Some(arn), true) => {
            let listener = elb.listeners.get(&arn).ok_or_else(listener_not_found)?;
            let rules = of_listener(elb, &arn).map(|rule| (rule.order(), rule.describe()));
            rules.chain([(listener.default_order(), listener.describe_default_rule())]).collect()
        }
        (None, false) => {
            let rules = arns.iter().map(|arn| show(elb, arn)).collect::<Option<_>>();
            rules.ok_or_else(rule_not_found)?
        }
    };
    paging::answer("Rules", items, marker.as_deref(), page_size)
}

fn show(elb: &Elb, arn: &str) -> Option<(String, Value)> {
    if let Some(rule) = elb.rules.get(arn) {
        return Some((rule.order(), rule.describe()));
    }
    let listener = default_of(elb, arn)?;
    Some((listener.default_order(), listener.describe_default_rule()))
}

pub(super) fn modify(world: &mut World, now: CloudTime, input: ModifyInput) -> Answer {
    refuse_default(&world.elb, &input.rule_arn, "modified")?;
    let conditions = input.conditions.map(condition::read).transpose()?;
    let action = input.actions.map(action::read).transpose()?;
    let rule = world.elb.rules.get(&input.rule_arn).ok_or_else(rule_not_found)?;
    if let (Some(action), Some(listener)) = (&action, world.elb.listeners.get(&rule.listener_arn)) {
        association::allowed(&world.elb, &listener.load_balancer_arn, action)?;
    }
    let rule = world.elb.rules.get_mut(&input.rule_arn).ok_or_else(rule_not_found)?;
    if let Some(conditions) = conditions {
        rule.conditions = conditions;
    }
    if let Some(action) = action {
        rule.action = action;
    }
    let output = json!({ "Rules": [rule.describe()] });
    association::refresh(world, now);
    Ok(output)
}

pub(super) fn delete(world: &mut World, now: CloudTime, input: DeleteInput) -> Answer {
    let DeleteInput { rule_arn } = input;
    refuse_default(&world.elb, &rule_arn, "deleted")?;
    world.elb.rules.remove(&rule_arn).ok_or_else(rule_not_found)?;
    association::refresh(world, now);
    Ok(json!({}))
}

pub(super) fn set_priorities(world: &mut World, _now: CloudTime, input: PrioritiesInput) -> Answer {
    let mut wanted = BTreeMap::new();
    for PriorityInput { rule_arn, priority } in input.rule_priorities {
        refuse_default(&world.elb, &rule_arn, "reordered")?;
        check_priority(priority)?;
        wanted.insert(rule_arn, priority);
    }
    if wanted.keys().any(|arn| !world.elb.rules.contains_key(arn)) {
        return Err(rule_not_found());
    }
    let mut taken = BTreeSet::new();
    for rule in world.elb.rules.values() {
        let priority = wanted.get(&rule.arn).copied().unwrap_or(rule.priority);
        if !taken.insert((&rule.listener_arn, priority)) {
            return Err(priority_in_use(priority));
        }
    }
    let mut changed = Vec::new();
    for (arn, priority) in wanted {
        if let Some(rule) = world.elb.rules.get_mut(&arn) {
            rule.priority = priority;
            changed.push(rule.describe());
        }
    }
    Ok(json!({ "Rules": changed }))
}

/// Removes the rules of a listener.
pub(super) fn remove_of_listener(elb: &mut Elb, listener_arn: &str) {
    elb.rules.retain(|_, rule| rule.listener_arn != listener_arn);
}

/// The rules of a listener besides its default rule, in no particular order.
pub(super) fn of_listener<'a>(elb: &'a Elb, listener_arn: &str) -> impl Iterator<Item = &'a Rule> {
    // A rule's ARN begins with its listener's.
    let prefix = format!("{}/", listener_arn.replacen(":listener/", ":listener-rule/", 1));
    let following = elb.rules.range(prefix.clone()..);
    following.take_while(move |(arn, _)| arn.starts_with(&prefix)).map(|(_, rule)| rule)
}

fn default_of<'a>(elb: &'a Elb, rule_arn: &str) -> Option<&'a Listener> {
    elb.listeners.values().find(|listener| listener.default_rule_arn == rule_arn)
}

fn refuse_default(elb: &Elb, rule_arn: &str, verb: &str) -> Result<(), ApiError> {
    match default_of(elb, rule_arn) {
        Some(_) => Err(ApiError::new("OperationNotPermitted", format!("Default rule '{rule_arn}' cannot be {verb}"))),
        None => Ok(()),
    }
}

fn check_priority(priority: u32) -> Result<(), ApiError> {
    if (1..=50_000).contains(&priority) {
        return Ok(());
    }
    Err(invalid(format!("Priority '{priority}' must be between 1 and 50000")))
}

fn priority_in_use(priority: u32) -> ApiError {
    ApiError::new("PriorityInUse", format!("Priority '{priority}' is currently in use"))
}

impl Rule {
    /// What rules are ordered by.
    fn order(&self) -> String {
        format!("{:05} {}", self.priority, self.arn)
    }

    fn describe(&self) -> Value {
        json!({
            "RuleArn": self.arn,
            "Priority": self.priority.to_string(),
            "Conditions": self.conditions.iter().map(Condition::describe).collect::<Value>(),
            "Actions": [self.action.describe()],
            "IsDefault": false,
            "Transforms": [],
        })
    }
}

impl Listener {
    /// The default rule comes last.
    fn default_order(&self) -> String {
        format!("default {}", self.default_rule_arn)
    }

    fn describe_default_rule(&self) -> Value {
        json!({
            "RuleArn": self.default_rule_arn,
            "Priority": "default",
            "Conditions": [],
            "Actions": [self.default_action.describe()],
            "IsDefault": true,
            "Transforms": [],
        })
    }
}
