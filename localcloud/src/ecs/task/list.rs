//! DescribeTasks and ListTasks.

use serde::Deserialize;
use serde_json::json;

use super::{Task, view};
use crate::call::{Answer, ApiError};
use crate::ecs::errors::{self, invalid};
use crate::ecs::service::{LaunchType, ServiceKey};
use crate::ecs::{cluster, name_of, paging, task_definition};
use crate::world::World;

/// Input of DescribeTasks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    cluster: Option<String>,
    tasks: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
}

/// DescribeTasks: at most a hundred; stopped ones for an hour.
pub fn describe(world: &World, input: &Describe) -> Answer {
    let cluster = cluster::resolve(&world.ecs, input.cluster.as_deref())?;
    if input.tasks.is_empty() {
        return Err(invalid("Tasks cannot be empty."));
    }
    if input.tasks.len() > 100 {
        return Err(errors::too_many("tasks", 100));
    }
    let with_tags = input.include.iter().any(|field| field == "TAGS");
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for id in input.tasks.iter().map(|task| name_of(task)) {
        match world.ecs.tasks.get(id).filter(|task| task.cluster == cluster) {
            Some(task) => tasks.push(view::view(world, task, with_tags)),
            None => {
                let arn = world.arn("ecs", &format!("task/{cluster}/{id}"));
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(json!({"tasks": tasks, "failures": failures}))
}

/// Input of ListTasks.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct List {
    cluster: Option<String>,
    container_instance: Option<String>,
    family: Option<String>,
    started_by: Option<String>,
    service_name: Option<String>,
    desired_status: Option<String>,
    launch_type: Option<LaunchType>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// ListTasks: those meant to run, unless STOPPED is asked for.
pub fn list(world: &World, input: &List) -> Answer {
    let cluster = cluster::resolve(&world.ecs, input.cluster.as_deref())?;
    check(world, input, &cluster)?;
    let wanted = |task: &Task| {
        let status = match input.desired_status.as_deref() {
            None | Some("RUNNING") => task.is_wanted(),
            Some("STOPPED") => !task.is_wanted(),
            // AWS never sets a desired status of PENDING.
            Some(_) => false,
        };
        let family =
            || task_definition::find(&world.ecs, &task.definition).map(|definition| definition.family.as_str());
        let service = || task.service.as_ref().map(|key| key.name.as_str());
        let fits = |filter: &Option<String>, value: Option<&str>| filter.as_deref().is_none_or(|f| value == Some(f));
        let fits_id =
            |filter: &Option<String>, value: Option<&str>| filter.as_deref().is_none_or(|f| value == Some(name_of(f)));
        status
            && task.cluster == cluster
            && fits_id(&input.container_instance, task.instance.as_deref())
            && fits_id(&input.service_name, service())
            && fits(&input.started_by, task.started_by.as_deref())
            && fits(&input.family, family())
            && input.launch_type.is_none_or(|launch_type| launch_type == task.launch_type)
    };
    let found = world.ecs.tasks.values().filter(|task| wanted(task));
    let items = found.map(|task| paging::Item { key: task.id.clone(), value: task.arn.clone().into() }).collect();
    let request =
        paging::Request { max_results: input.max_results, next_token: input.next_token.as_deref(), default_size: 100 };
    paging::answer("taskArns", items, paging::Order::Ascending, &request)
}

fn check(world: &World, input: &List, cluster: &str) -> Result<(), ApiError> {
    let others = [&input.family, &input.service_name].into_iter().any(Option::is_some);
    if input.started_by.is_some() && others {
        return Err(invalid("cannot specify startedBy together with other filters."));
    }
    if let Some(name) = &input.service_name {
        let key = ServiceKey { cluster: cluster.to_owned(), name: name_of(name).to_owned() };
        if !world.ecs.services.contains_key(&key) {
            return Err(errors::service_not_found());
        }
    }
    Ok(())
}
