//! The load balancer, its listener and target group, and the container behind them.

use super::{MOST, Problems, arn, grammar, network, spec};
use crate::manifest::pointer::Pointer;
use crate::manifest::{
    ContainerPort, HealthCheck, Listener, ListenerProtocol, LoadBalancer, Manifest, Metadata, TargetGroup,
    TransportProtocol,
};

pub(super) fn check(manifest: &Manifest, problems: &mut Problems) {
    let Some(load_balancer) = &manifest.spec.load_balancer else { return };
    let path = spec().key("loadBalancer");
    itself(load_balancer, &path, problems);
    listener(&load_balancer.listener, &manifest.metadata, &path.key("listener"), problems);
    target_group(&load_balancer.target_group, &path.key("targetGroup"), problems);
    container(&load_balancer.container, manifest, &path.key("container"), problems);
}

fn itself(load_balancer: &LoadBalancer, path: &Pointer, problems: &mut Problems) {
    if let Some(name) = &load_balancer.name {
        problems.grammar(path.key("name"), name, grammar::load_balancer_name, grammar::LOAD_BALANCER_NAME);
    }
    let subnets = path.key("subnets");
    network::subnets(&load_balancer.subnets, &subnets, problems);
    let distinct: std::collections::HashSet<_> = load_balancer.subnets.iter().collect();
    if distinct.len() < 2 {
        let what = format!("a load balancer needs two subnets or more, not {}", distinct.len());
        problems.add(subnets, what, "name subnets of at least two availability zones");
    }
    if let Some(groups) = &load_balancer.security_groups {
        network::security_groups(groups, &path.key("securityGroups"), problems);
    }
    problems.range(path.key("idleTimeoutSeconds"), load_balancer.idle_timeout_seconds, 1..=4000, " seconds");
    let grace = load_balancer.health_check_grace_period_seconds;
    problems.range(path.key("healthCheckGracePeriodSeconds"), grace, 0..=MOST, " seconds");
}

fn listener(listener: &Listener, metadata: &Metadata, path: &Pointer, problems: &mut Problems) {
    problems.range(path.key("port"), listener.port, 1..=65535, "");
    let certificate = path.key("certificateArn");
    match (listener.protocol, &listener.certificate_arn) {
        (ListenerProtocol::Http, None) => {}
        (ListenerProtocol::Http, Some(_)) => {
            problems.add(certificate, "an HTTP listener has no certificate", "set `protocol: HTTPS`, or remove it");
        }
        (ListenerProtocol::Https, None) => {
            let what = "`certificateArn` is missing: an HTTPS listener needs a certificate";
            problems.add(path.clone(), what, "add the ARN of a certificate of ACM");
        }
        (ListenerProtocol::Https, Some(text)) => certificate_arn(text, metadata, certificate, problems),
    }
}

fn certificate_arn(text: &str, metadata: &Metadata, path: Pointer, problems: &mut Problems) {
    let of_iam = arn::Arn::parse(text)
        .is_some_and(|arn| arn.service == "iam" && arn.resource.starts_with("server-certificate/"));
    match arn::Arn::regional(text, "acm").filter(|arn| arn.resource.starts_with("certificate/")) {
        Some(arn) => arn::same_region(problems, path, arn.region, metadata),
        None if of_iam => {}
        None => {
            let what = format!("`{}` is not the ARN of a certificate", super::shorten(text));
            problems.add(path, what, "write arn:aws:acm:<region>:<account>:certificate/<id>");
        }
    }
}

fn target_group(group: &TargetGroup, path: &Pointer, problems: &mut Problems) {
    if let Some(name) = &group.name {
        problems.grammar(path.key("name"), name, grammar::target_group_name, grammar::TARGET_GROUP_NAME);
    }
    problems.range(path.key("port"), group.port, 1..=65535, "");
    let delay = path.key("deregistrationDelaySeconds");
    problems.range(delay, group.deregistration_delay_seconds, 0..=3600, " seconds");
    health_check(&group.health_check, &path.key("healthCheck"), problems);
}

fn health_check(check: &HealthCheck, path: &Pointer, problems: &mut Problems) {
    let remedy = "start it with `/`; 1 to 1024 characters without spaces";
    problems.grammar(path.key("path"), &check.path, grammar::health_check_path, remedy);
    let port = check.port == "traffic-port" || check.port.parse::<u16>().is_ok_and(|port| port > 0);
    if !port {
        let what = format!("`{}` is not a port", super::shorten(&check.port));
        problems.add(path.key("port"), what, "use traffic-port, or a number from 1 to 65535 in quotes");
    }
    let before = problems.0.len();
    problems.range(path.key("intervalSeconds"), check.interval_seconds, 5..=300, " seconds");
    problems.range(path.key("timeoutSeconds"), check.timeout_seconds, 2..=120, " seconds");
    if problems.0.len() == before && check.timeout_seconds >= check.interval_seconds {
        let (timeout, interval) = (check.timeout_seconds, check.interval_seconds);
        let what = format!("the time-out of {timeout} s is not less than the interval of {interval} s");
        problems.add(path.key("timeoutSeconds"), what, "lower it, or raise `intervalSeconds`");
    }
    problems.range(path.key("healthyThreshold"), check.healthy_threshold, 2..=10, "");
    problems.range(path.key("unhealthyThreshold"), check.unhealthy_threshold, 2..=10, "");
    let remedy = "use codes or ranges from 200 to 499, such as 200 or 200-299,301";
    problems.grammar(path.key("matcher"), &check.matcher, matcher, remedy);
}

fn matcher(text: &str) -> bool {
    let code = |text: &str| {
        let number = text.parse::<u16>().ok().filter(|code| (200..=499).contains(code));
        number.filter(|_| text.len() == 3)
    };
    text.split(',').all(|part| match part.split_once('-') {
        Some((from, to)) => code(from).zip(code(to)).is_some_and(|(from, to)| from <= to),
        None => code(part).is_some(),
    })
}

fn container(target: &ContainerPort, manifest: &Manifest, path: &Pointer, problems: &mut Problems) {
    let containers = &manifest.spec.task_definition.containers;
    let Some(container) = containers.iter().find(|container| container.name == target.name) else {
        let names: Vec<&str> = containers.iter().map(|container| container.name.as_str()).collect();
        let what = format!("there is no container `{}`", super::shorten(&target.name));
        return problems.add(path.key("name"), what, format!("use one of: {}", super::shorten(&names.join(", "))));
    };
    let tcp = |mapping: &&crate::manifest::PortMapping| mapping.protocol == TransportProtocol::Tcp;
    let mut ports = container.port_mappings.iter().filter(tcp).map(|mapping| mapping.container_port);
    if !ports.any(|port| port == target.port) {
        let what = format!("container `{}` has no TCP port mapping for {}", target.name, target.port);
        let remedy =
            format!("add `{{ containerPort: {} }}` to its portMappings, or use one that is there", target.port);
        problems.add(path.key("port"), what, remedy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers() {
        for good in ["200", "200-299", "200,202", "200-299,301,400-404"] {
            assert!(matcher(good), "{good}");
        }
        for bad in ["", "199", "500", "299-200", "200,", "200-", "20", "+200", "0200", "ok"] {
            assert!(!matcher(bad), "{bad}");
        }
    }
}
