//! A service as the API answers it.

use serde_json::{Map, Value, json};

use super::{LaunchType, Service, ServiceKey, ServiceStatus};
use crate::ecs::deployment::{self, Counts};
use crate::ecs::{cluster, service_deployment, tags};
use crate::world::World;

/// The `service` of an answer; tags only where they were asked for.
pub fn view(world: &World, key: &ServiceKey, service: &Service, with_tags: bool) -> Value {
    let counts = Counts::of_service(&world.ecs, key);
    let workload = &service.workload;
    let mut view = json!({
        "serviceArn": service.arn,
        "serviceName": key.name,
        "clusterArn": cluster::arn(world, &key.cluster),
        "loadBalancers": workload.load_balancers,
        "serviceRegistries": [],
        "status": service.status.name(),
        "desiredCount": service.desired,
        "runningCount": counts.running,
        "pendingCount": counts.pending,
        "launchType": workload.launch_type,
        "taskDefinition": workload.task_definition,
        "deploymentConfiguration": service.deployment_settings.view(),
        "deployments": deployment::views(&world.ecs, key, service),
        "events": service.events.iter().map(crate::ecs::events::Event::view).collect::<Vec<_>>(),
        "createdAt": service.created_at.as_epoch_seconds(),
        "currentServiceRevisions": service_deployment::current_revisions(&world.ecs, key, service),
        "placementConstraints": service.placement_constraints,
        "placementStrategy": service.placement_strategy,
        "healthCheckGracePeriodSeconds": service.grace_seconds,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "createdBy": format!("arn:aws:iam::{}:root", crate::world::ACCOUNT),
        "enableECSManagedTags": service.managed_tags,
        "propagateTags": service.propagate_tags,
        "enableExecuteCommand": service.execute_command,
        "availabilityZoneRebalancing": service.zone_rebalancing,
        "resourceManagementType": "CUSTOMER",
    });
    if let Some(view) = view.as_object_mut() {
        add_optional(view, service, with_tags);
    }
    view
}

fn add_optional(view: &mut Map<String, Value>, service: &Service, with_tags: bool) {
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    if let Some(role) = &service.role {
        put("roleArn", json!(role));
    }
    if let Some(network) = &service.workload.network_configuration {
        put("networkConfiguration", json!(network));
    }
    if service.workload.launch_type == LaunchType::Fargate {
        put("platformVersion", json!(service.workload.platform_version));
        put("platformFamily", json!("Linux"));
    }
    if service.status != ServiceStatus::Inactive
        && let Some(current) = service.service_deployments.last().filter(|deployment| deployment.is_ongoing())
    {
        put("currentServiceDeployment", json!(current.arn));
    }
    if with_tags && !service.tags.is_empty() {
        put("tags", tags::to_list(&service.tags));
    }
}
