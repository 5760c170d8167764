//! The requests of CreateService and UpdateService, from the normal form.

use std::collections::BTreeSet;

use aws_sdk_ecs::types::{
    AwsVpcConfiguration, DeploymentCircuitBreaker, DeploymentConfiguration, LoadBalancer, NetworkConfiguration,
};
use aws_smithy_types::DateTime;

use crate::app::{AppName, Marks};
use crate::aws::Aws;
use crate::desired;
use crate::diff::Change;
use crate::error::Error;
use crate::resource::service::spec::{Deployment, Network};
use crate::resource::service::{Spec, observe};
use crate::resource::tags;

/// Most characters of a client token.
const TOKEN_LENGTH: usize = 36;

/// The client token: the same for the same request after the same predecessor, so that a repeated call makes no second service.
#[must_use]
pub fn token(app: &AppName, spec: &Spec, predecessor: Option<DateTime>) -> String {
    let predecessor = predecessor.map(|at| (at.secs(), at.subsec_nanos()));
    let mut token = desired::hash(&(app, spec, predecessor));
    token.truncate(TOKEN_LENGTH);
    token
}

/// CreateService.
///
/// # Errors
/// When the call fails.
pub async fn create(aws: &Aws, marks: &Marks, spec: &Spec, token: &str) -> Result<(), Error> {
    const OPERATION: &str = "ecs:CreateService";
    let call = aws.write.ecs.create_service().cluster(&marks.app.cluster).service_name(&marks.app.name);
    let grace = (!spec.load_balancers.is_empty()).then(|| count(spec.health_check_grace_period_seconds));
    let call = call
        .client_token(token)
        .launch_type(spec.launch_type.as_str().into())
        .task_definition(&spec.task_definition)
        .desired_count(count(spec.desired_count))
        .set_network_configuration(spec.network_configuration.as_ref().map(|one| network(one, OPERATION)).transpose()?)
        .set_load_balancers(Some(load_balancers(spec)).filter(|list| !list.is_empty()))
        .set_health_check_grace_period_seconds(grace)
        .set_deployment_configuration(spec.deployment.as_ref().map(deployment))
        .set_tags(Some(tags::for_ecs(marks, &[])));
    call.send().await.map(drop).map_err(Error::of(OPERATION))
}

/// UpdateService with the fields that change, and no other. A new revision is set only in the place of the one that the plan was
/// made for, so that two controllers do not roll out twice.
///
/// # Errors
/// When a call fails, or the service has another revision by now.
pub async fn update(aws: &Aws, app: &AppName, spec: &Spec, after: &str, changes: &[Change]) -> Result<(), Error> {
    const OPERATION: &str = "ecs:UpdateService";
    let changed = |paths: &[&str]| changes.iter().any(|change| paths.iter().any(|path| change.path.starts_with(path)));
    if changed(&["taskDefinition"]) {
        let mut fetched = observe::observe(aws, &app.cluster, [app.name.clone()].into()).await;
        let found = fetched.remove(&app.name).unwrap_or(Ok(None))?;
        if found.is_none_or(|found| found.task_definition_arn != after) {
            return Err(Error::overtaken(OPERATION, "the service was given another revision meanwhile"));
        }
    }
    let mut call = aws.write.ecs.update_service().cluster(&app.cluster).service(&app.name);
    if changed(&["taskDefinition"]) {
        call = call.task_definition(&spec.task_definition);
    }
    if changed(&["desiredCount"]) {
        call = call.desired_count(count(spec.desired_count));
    }
    if let (true, Some(one)) = (changed(&["networkConfiguration"]), &spec.network_configuration) {
        call = call.network_configuration(network(one, OPERATION)?);
    }
    if changed(&["loadBalancers"]) {
        call = call.set_load_balancers(Some(load_balancers(spec)));
    }
    if changed(&["healthCheckGracePeriodSeconds"]) {
        call = call.health_check_grace_period_seconds(count(spec.health_check_grace_period_seconds));
    }
    if let (true, Some(one)) = (changed(&["deployment."]), &spec.deployment) {
        call = call.deployment_configuration(deployment(one));
    }
    call.send().await.map(drop).map_err(Error::of(OPERATION))
}

fn deployment(spec: &Deployment) -> DeploymentConfiguration {
    let breaker = DeploymentCircuitBreaker::builder();
    let breaker = breaker.enable(spec.circuit_breaker.enable).rollback(spec.circuit_breaker.rollback).build();
    DeploymentConfiguration::builder()
        .minimum_healthy_percent(count(spec.minimum_healthy_percent))
        .maximum_percent(count(spec.maximum_percent))
        .deployment_circuit_breaker(breaker)
        .build()
}

fn load_balancers(spec: &Spec) -> Vec<LoadBalancer> {
    let of_container = |(container, arns): (&String, &BTreeSet<String>)| -> Vec<LoadBalancer> {
        let (name, port) = container.rsplit_once(':').unwrap_or((container, ""));
        let builder = LoadBalancer::builder().container_name(name).set_container_port(port.parse().ok());
        arns.iter().map(|arn| builder.clone().target_group_arn(arn).build()).collect()
    };
    spec.load_balancers.iter().flat_map(of_container).collect()
}

fn network(spec: &Network, operation: &'static str) -> Result<NetworkConfiguration, Error> {
    let groups = spec.security_groups.as_ref().map(|groups| groups.iter().cloned().collect());
    let builder = AwsVpcConfiguration::builder().set_subnets(Some(spec.subnets.iter().cloned().collect()));
    let vpc = builder.set_security_groups(groups).assign_public_ip(spec.assign_public_ip.as_str().into()).build();
    let vpc = vpc.map_err(|error| Error::terminal(operation, "incomplete request", error.to_string()))?;
    Ok(NetworkConfiguration::builder().awsvpc_configuration(vpc).build())
}

fn count(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
