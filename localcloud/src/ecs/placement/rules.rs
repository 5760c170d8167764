//! What a request may say of placement, and what it means for a container instance.

use serde_json::Value;

use super::expression::Expression;
use super::{Candidate, Purpose};
use crate::call::ApiError;
use crate::ecs::Ecs;
use crate::ecs::errors::{client, invalid};
use crate::ecs::service::LaunchType;
use crate::ecs::task::Status;

/// Constraints that one task may have (AWS: `placementConstraints`, API reference).
const MAX_CONSTRAINTS: usize = 10;
/// Strategies that one task may have (AWS: `placementStrategy`, API reference).
const MAX_STRATEGIES: usize = 5;

/// Checks the `placementConstraints` of a task definition: AWS takes `memberOf` alone.
pub fn check_of_definition(constraints: &[Value]) -> Result<(), ApiError> {
    if constraints.iter().any(|constraint| kind(constraint) != "memberOf") {
        return Err(client("The placement constraint type of a task definition must be memberOf."));
    }
    constraint_problem(constraints).map_or(Ok(()), |problem| Err(client(problem)))
}

/// Checks the `placementConstraints` and the `placementStrategy` of a service or of RunTask. "If you're using the
/// Fargate launch type, task placement constraints aren't supported" (AWS: PlacementConstraint, API reference), nor is
/// there anything to choose between.
pub fn check(launch_type: LaunchType, constraints: &[Value], strategy: &[Value]) -> Result<(), ApiError> {
    if launch_type == LaunchType::Fargate && !(constraints.is_empty() && strategy.is_empty()) {
        return Err(invalid("placementConstraints and placementStrategy are not supported with launch type FARGATE."));
    }
    let problem = constraint_problem(constraints).or_else(|| strategy_problem(strategy));
    problem.map_or(Ok(()), |problem| Err(invalid(problem)))
}

/// What cannot be taken of constraints (the words are unverified).
fn constraint_problem(constraints: &[Value]) -> Option<String> {
    if constraints.len() > MAX_CONSTRAINTS {
        return Some(format!("placementConstraints can have at most {MAX_CONSTRAINTS} items."));
    }
    constraints.iter().find_map(|constraint| match (kind(constraint), constraint["expression"].as_str()) {
        ("distinctInstance", None) => None,
        ("distinctInstance", Some(_)) => {
            Some("The placement constraint distinctInstance takes no expression.".to_owned())
        }
        ("memberOf", expression) => Expression::parse(expression.unwrap_or_default())
            .err()
            .map(|why| format!("The expression of the placement constraint memberOf cannot be evaluated: {why}.")),
        (other, _) => Some(format!("Invalid placement constraint type: {other}")),
    })
}

/// What cannot be taken of strategies (AWS: PlacementStrategy, API reference; the words are unverified).
fn strategy_problem(strategy: &[Value]) -> Option<String> {
    if strategy.len() > MAX_STRATEGIES {
        return Some(format!("placementStrategy can have at most {MAX_STRATEGIES} items."));
    }
    strategy.iter().find_map(|one| match (kind(one), field(one)) {
        ("random", _) | ("binpack", "cpu" | "memory") | ("spread", "instanceId" | "host") => None,
        ("spread", field) if field.starts_with("attribute:") => None,
        ("spread" | "binpack", field) => {
            Some(format!("Invalid field '{field}' of the placement strategy {}.", kind(one)))
        }
        (other, _) => Some(format!("Invalid placement strategy type: {other}")),
    })
}

fn kind(value: &Value) -> &str {
    value["type"].as_str().unwrap_or_default()
}

/// The field, of which AWS takes the names of resources in either case.
fn field(value: &Value) -> &str {
    match value["field"].as_str().unwrap_or_default() {
        "CPU" => "cpu",
        "MEMORY" => "memory",
        other => other,
    }
}

/// Whether tasks of the group have to run on instances of their own.
pub(super) fn is_distinct(purpose: &Purpose<'_>) -> bool {
    purpose.constraints.iter().any(|constraint| kind(constraint) == "distinctInstance")
}

/// The `memberOf` constraints of the task definition and of the request. One that cannot be read was refused when it
/// came.
pub(super) fn expressions(purpose: &Purpose<'_>) -> Vec<Expression> {
    let all = purpose.definition_constraints.iter().chain(purpose.constraints);
    all.filter_map(|constraint| Expression::parse(constraint["expression"].as_str()?).ok()).collect()
}

/// The values of an expression's subject on an instance.
pub(super) fn values(ecs: &Ecs, candidate: &Candidate<'_>, subject: &str) -> Vec<String> {
    let instance = candidate.instance;
    match subject {
        "ec2InstanceId" => vec![instance.ec2_instance_id.clone()],
        "runningTasksCount" => vec![candidate.used.running.to_string()],
        "task:group" => {
            let live = ecs.tasks.values().filter(|task| task.status != Status::Stopped);
            live.filter(|task| task.instance.as_ref() == Some(&instance.id))
                .map(|task| task.group().to_owned())
                .collect()
        }
        _ => {
            let name = subject.strip_prefix("attribute:").unwrap_or(subject);
            instance.attributes().into_iter().filter(|(known, _)| *known == name).map(|(_, value)| value).collect()
        }
    }
}

/// How an instance ranks among all by the strategies, the least first: filling prefers the fullest instance, spreading
/// the place with the fewest tasks of the group. What the strategies leave open goes to the instance with the fewest of
/// the group, then of all.
pub(super) fn rank(ecs: &Ecs, candidate: &Candidate<'_>, all: &[Candidate<'_>], strategy: &[Value]) -> Vec<usize> {
    let one = |strategy: &Value| match (kind(strategy), field(strategy)) {
        ("binpack", "cpu") => candidate.instance.cpu.saturating_sub(candidate.used.cpu) as usize,
        ("binpack", _) => candidate.instance.memory.saturating_sub(candidate.used.memory) as usize,
        ("spread", "instanceId" | "host") => candidate.siblings,
        ("spread", attribute) => {
            let own = values(ecs, candidate, attribute);
            all.iter().filter(|other| values(ecs, other, attribute) == own).map(|other| other.siblings).sum()
        }
        _ => 0,
    };
    strategy.iter().map(one).chain([candidate.siblings, candidate.used.tasks]).collect()
}
