//! The request of RegisterTaskDefinition, from the normal form. What is absent is not sent.

use aws_sdk_ecs::error::BuildError;
use aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionFluentBuilder;
use aws_sdk_ecs::types::{
    ContainerDefinition, HealthCheck, KeyValuePair, LogConfiguration, PortMapping, Secret, TransportProtocol,
};

use crate::error::Error;
use crate::resource::task_definition::spec::{self, Container, Spec};

/// Name of the operation in errors.
pub const OPERATION: &str = "ecs:RegisterTaskDefinition";

/// Fills the request.
///
/// # Errors
/// When a part that ECS requires is missing, which validation has ruled out.
pub fn fill(
    call: RegisterTaskDefinitionFluentBuilder,
    spec: &Spec,
) -> Result<RegisterTaskDefinitionFluentBuilder, Error> {
    let Spec {
        network_mode, cpu, memory, task_role_arn, execution_role_arn, requires_compatibilities, containers, ..
    } = spec;
    let containers: Result<Vec<_>, _> = containers.iter().map(|(name, one)| container(name, one)).collect();
    let containers = containers.map_err(|error| Error::terminal(OPERATION, "incomplete request", error.to_string()))?;
    let compatibilities = list(requires_compatibilities.iter().map(|one| one.as_str().into()).collect());
    Ok(call
        .network_mode(network_mode.as_str().into())
        .set_cpu(cpu.map(|units| units.to_string()))
        .set_memory(memory.map(|mebibytes| mebibytes.to_string()))
        .set_task_role_arn(task_role_arn.clone())
        .set_execution_role_arn(execution_role_arn.clone())
        .set_requires_compatibilities(compatibilities)
        .set_container_definitions(Some(containers)))
}

fn container(name: &str, spec: &Container) -> Result<ContainerDefinition, BuildError> {
    let Container { image, cpu, memory, memory_reservation, essential, port_mappings, environment, .. } = spec;
    let Container { secrets, command, entry_point, health_check, stop_timeout, logs, .. } = spec;
    let pair = |(name, value): (&String, &String)| KeyValuePair::builder().name(name).value(value).build();
    let secret = |(name, from): (&String, &String)| Secret::builder().name(name).value_from(from).build();
    Ok(ContainerDefinition::builder()
        .name(name)
        .image(image)
        .cpu(count(*cpu))
        .set_memory(memory.map(count))
        .set_memory_reservation(memory_reservation.map(count))
        .essential(*essential)
        .set_port_mappings(list(port_mappings.iter().map(|one| port_mapping(one)).collect()))
        .set_environment(list(environment.iter().map(pair).collect()))
        .set_secrets(list(secrets.iter().map(secret).collect::<Result<_, _>>()?))
        .set_command(list(command.clone()))
        .set_entry_point(list(entry_point.clone()))
        .set_health_check(health_check.as_ref().map(check).transpose()?)
        .set_stop_timeout(stop_timeout.map(count))
        .set_log_configuration(logs.as_ref().map(log).transpose()?)
        .build())
}

fn port_mapping(text: &str) -> PortMapping {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (host, container) = ports.split_once(':').unwrap_or(("0", ports));
    let host = host.parse().ok().filter(|port: &i32| *port != 0);
    let mapping = PortMapping::builder().set_host_port(host).set_container_port(container.parse().ok());
    mapping.protocol(TransportProtocol::from(protocol)).build()
}

fn check(spec: &spec::HealthCheck) -> Result<HealthCheck, BuildError> {
    HealthCheck::builder()
        .set_command(Some(spec.command.clone()))
        .interval(count(spec.interval))
        .timeout(count(spec.timeout))
        .retries(count(spec.retries))
        .set_start_period(Some(count(spec.start_period)).filter(|seconds| *seconds != 0))
        .build()
}

fn log(spec: &spec::Logs) -> Result<LogConfiguration, BuildError> {
    let options = spec.options.clone().into_iter().collect();
    LogConfiguration::builder().log_driver(spec.driver.as_str().into()).set_options(Some(options)).build()
}

fn list<T>(items: Vec<T>) -> Option<Vec<T>> {
    Some(items).filter(|items| !items.is_empty())
}

fn count(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
