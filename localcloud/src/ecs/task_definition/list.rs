//! The calls that name task definitions: describe, deregister, delete, list.

use serde::Deserialize;
use serde_json::json;

use super::{Family, Status, find, find_mut, forget_surplus, split, view};
use crate::call::Answer;
use crate::clock::CloudTime;
use crate::ecs::errors::{client, invalid, too_many};
use crate::ecs::{name_of, paging, tags};
use crate::world::World;

/// Input of DescribeTaskDefinition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Describe {
    task_definition: String,
    #[serde(default)]
    include: Vec<String>,
}

/// DescribeTaskDefinition.
pub fn describe(world: &World, input: &Describe) -> Answer {
    let definition =
        find(&world.ecs, &input.task_definition).ok_or_else(|| client("Unable to describe task definition."))?;
    let mut answer = json!({"taskDefinition": view::view(definition)});
    if input.include.iter().any(|field| field == "TAGS") {
        answer["tags"] = tags::to_list(&definition.tags);
    }
    Ok(answer)
}

/// Input of DeregisterTaskDefinition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Deregister {
    task_definition: String,
}

/// DeregisterTaskDefinition: the revision becomes INACTIVE.
pub fn deregister(world: &mut World, now: CloudTime, input: &Deregister) -> Answer {
    if split(&input.task_definition).1.is_none() {
        return Err(client("Revision is missing."));
    }
    let definition = find_mut(&mut world.ecs, &input.task_definition)
        .ok_or_else(|| client("The specified task definition does not exist."))?;
    if definition.status == Status::Active {
        definition.status = Status::Inactive;
        definition.deregistered_at = Some(now);
    }
    let (family, answer) = (definition.family.clone(), json!({"taskDefinition": view::view(definition)}));
    forget_surplus(&mut world.ecs, &family);
    Ok(answer)
}

/// Input of DeleteTaskDefinitions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Delete {
    task_definitions: Vec<String>,
}

/// DeleteTaskDefinitions: only INACTIVE ones; they stay visible as DELETE_IN_PROGRESS.
pub fn delete(world: &mut World, now: CloudTime, input: &Delete) -> Answer {
    if input.task_definitions.len() > 10 {
        return Err(too_many("taskDefinitions", 10));
    }
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for name in &input.task_definitions {
        let arn = world.arn("ecs", &format!("task-definition/{}", name_of(name)));
        match find_mut(&mut world.ecs, name) {
            None => failures.push(json!({"arn": arn, "reason": "TASK_DEFINITION_NOT_FOUND"})),
            Some(definition) if definition.status == Status::Active => {
                let detail = "The specified task definition is still in ACTIVE status. Please deregister the target and try again.";
                failures.push(json!({"arn": arn, "reason": "TASK_DEFINITION_ACTIVE", "detail": detail}));
            }
            Some(definition) => {
                definition.status = Status::DeleteInProgress;
                definition.delete_requested_at = Some(now);
                deleted.push(view::view(definition));
            }
        }
    }
    Ok(json!({"taskDefinitions": deleted, "failures": failures}))
}

/// Input of ListTaskDefinitions and ListTaskDefinitionFamilies, which has no `sort`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct List {
    family_prefix: Option<String>,
    status: Option<String>,
    sort: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

impl List {
    fn page(&self) -> paging::Request<'_> {
        paging::Request { max_results: self.max_results, next_token: self.next_token.as_deref(), default_size: 100 }
    }
}

/// ListTaskDefinitions: `familyPrefix` is, despite its name, the whole name of a family.
pub fn list(world: &World, input: &List) -> Answer {
    let status = input.status.as_deref().unwrap_or("ACTIVE");
    let families =
        world.ecs.families.iter().filter(|(name, _)| input.family_prefix.as_ref().is_none_or(|p| p == *name));
    let found = families.flat_map(|(_, family)| family.revisions.values()).filter(|d| d.status.name() == status);
    // A space sorts before every character of a name, so that `a` comes before `a-b`.
    let items =
        found.map(|d| paging::Item { key: format!("{} {:010}", d.family, d.revision), value: d.arn.clone().into() });
    let order = match input.sort.as_deref() {
        Some("DESC") => paging::Order::Descending,
        _ => paging::Order::Ascending,
    };
    paging::answer("taskDefinitionArns", items.collect(), order, &input.page())
}

/// ListTaskDefinitionFamilies: by default those that have or had revisions.
pub fn list_families(world: &World, input: &List) -> Answer {
    let status = input.status.as_deref().unwrap_or("ALL");
    let prefix = input.family_prefix.as_deref().unwrap_or_default();
    if !["ALL", "ACTIVE", "INACTIVE"].contains(&status) {
        return Err(invalid("status should be one of [ACTIVE, INACTIVE, ALL]"));
    }
    let wanted = |family: &Family| status == "ALL" || (status == "ACTIVE") == family.active().next().is_some();
    let found = world.ecs.families.iter().filter(|(name, family)| name.starts_with(prefix) && wanted(family));
    let items = found.map(|(name, _)| paging::Item { key: name.clone(), value: name.clone().into() }).collect();
    paging::answer("families", items, paging::Order::Ascending, &input.page())
}
