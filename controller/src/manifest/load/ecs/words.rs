//! The members of ECS's API that a manifest does not have by that name.

use serde_json::Value;

use super::moves::Moves;
use super::{Problems, fold, places, problem, remove};
use crate::manifest::load::structure::On;
use crate::manifest::pointer::Pointer;
use crate::manifest::validate::Problem;

/// What a manifest has instead of a member of ECS's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// The same, written as the text says.
    Written(&'static str),
    /// Nothing.
    Missing,
    /// Nothing, and an app gets one of these values anyway.
    Fixed(&'static [&'static str]),
    /// Nothing, because it is what ECS answers and nobody declares.
    Answer,
}

use Word::{Answer, Fixed, Missing, Written};

/// Words of ECS by the place that they would have in a manifest, deeper places first, so that what is in a part gets
/// its words before the part does.
pub(super) const WORDS: [(&str, &[(&str, Word)]); 8] = [
    ("/spec/taskDefinition/containers/*/portMappings/*", &PORT_MAPPING),
    ("/spec/taskDefinition/containers/*", &CONTAINER),
    ("/spec/taskDefinition", &TASK_DEFINITION),
    ("/spec/deployment/circuitBreaker", &CIRCUIT_BREAKER),
    ("/spec/deployment", &DEPLOYMENT),
    ("/spec/loadBalancers/*", &LOAD_BALANCER),
    ("/spec/loadBalancer", &LOAD_BALANCER),
    ("/spec", &SERVICE),
];

/// AWS: ECS PortMapping.
const PORT_MAPPING: [(&str, Word); 3] = [("appProtocol", Missing), ("containerPortRange", Missing), ("name", Missing)];

/// AWS: ECS ContainerDefinition; `logConfiguration` is read by `logs`.
const CONTAINER: [(&str, Word); 28] = [
    ("credentialSpecs", Missing),
    ("dependsOn", Missing),
    ("disableNetworking", Missing),
    ("dnsSearchDomains", Missing),
    ("dnsServers", Missing),
    ("dockerLabels", Missing),
    ("dockerSecurityOptions", Missing),
    ("environmentFiles", Missing),
    ("extraHosts", Missing),
    ("firelensConfiguration", Missing),
    ("hostname", Missing),
    ("interactive", Missing),
    ("links", Missing),
    ("linuxParameters", Missing),
    ("mountPoints", Missing),
    ("privileged", Missing),
    ("pseudoTerminal", Missing),
    ("readonlyRootFilesystem", Missing),
    ("repositoryCredentials", Missing),
    ("resourceRequirements", Missing),
    ("restartPolicy", Missing),
    ("startTimeout", Missing),
    ("systemControls", Missing),
    ("ulimits", Missing),
    ("user", Missing),
    ("versionConsistency", Fixed(&["enabled"])),
    ("volumesFrom", Missing),
    ("workingDirectory", Missing),
];

/// AWS: ECS RegisterTaskDefinition, and what DescribeTaskDefinition adds to it.
const TASK_DEFINITION: [(&str, Word); 21] = [
    ("enableFaultInjection", Missing),
    ("ephemeralStorage", Missing),
    ("inferenceAccelerators", Missing),
    ("ipcMode", Missing),
    ("pidMode", Missing),
    ("placementConstraints", Missing),
    ("proxyConfiguration", Missing),
    ("requiresCompatibilities", Written("`spec.launchType`, as `EC2` or `FARGATE`")),
    ("runtimePlatform", Fixed(&["LINUX", "X86_64"])),
    ("tags", Missing),
    ("trustedExecutionConfiguration", Missing),
    ("volumes", Missing),
    ("compatibilities", Answer),
    ("deleteRequestedAt", Answer),
    ("deregisteredAt", Answer),
    ("registeredAt", Answer),
    ("registeredBy", Answer),
    ("requiresAttributes", Answer),
    ("revision", Answer),
    ("status", Answer),
    ("taskDefinitionArn", Answer),
];

/// AWS: ECS DeploymentCircuitBreaker.
const CIRCUIT_BREAKER: [(&str, Word); 2] =
    [("resetOnHealthyTask", Fixed(&["true"])), ("thresholdConfiguration", Fixed(&["BOUNDED_PERCENT", "50"]))];

/// AWS: ECS DeploymentConfiguration.
const DEPLOYMENT: [(&str, Word); 7] = [
    ("alarms", Missing),
    ("bakeTimeInMinutes", Fixed(&["0"])),
    ("canaryConfiguration", Missing),
    ("earlySuccessCriteria", Missing),
    ("lifecycleHooks", Missing),
    ("linearConfiguration", Missing),
    ("strategy", Fixed(&["ROLLING"])),
];

/// AWS: ECS LoadBalancer. An app has its load balancer and its target group for itself, so none is named that exists.
const LOAD_BALANCER: [(&str, Word); 5] = [
    ("advancedConfiguration", Missing),
    ("containerName", Written("`spec.loadBalancer.container.name`")),
    ("containerPort", Written("`spec.loadBalancer.container.port`")),
    ("loadBalancerName", Missing),
    ("targetGroupArn", Missing),
];

/// AWS: ECS CreateService.
const SERVICE: [(&str, Word); 22] = [
    ("availabilityZoneRebalancing", Missing),
    ("capacityProviderStrategy", Missing),
    ("clientToken", Answer),
    ("deploymentController", Fixed(&["ECS"])),
    ("enableECSManagedTags", Missing),
    ("enableExecuteCommand", Missing),
    ("gatewayConnectors", Missing),
    ("healthCheckGracePeriodSeconds", Written("`spec.loadBalancer.healthCheckGracePeriodSeconds`")),
    ("loadBalancers", Written("`spec.loadBalancer`, with the listener and the target group that the app is to have")),
    ("monitoring", Missing),
    ("placementConstraints", Missing),
    ("placementStrategy", Missing),
    ("platformVersion", Fixed(&["LATEST"])),
    ("propagateTags", Fixed(&["NONE"])),
    ("role", Missing),
    ("schedulingStrategy", Fixed(&["REPLICA"])),
    ("serviceConnectConfiguration", Missing),
    ("serviceName", Written("`metadata.name`")),
    ("serviceRegistries", Missing),
    ("tags", Missing),
    ("volumeConfigurations", Missing),
    ("vpcLatticeConfigurations", Missing),
];

/// Values that ECS has and a manifest does not.
pub(super) struct Values {
    /// The object that has the key.
    place: &'static str,
    pub(super) key: &'static str,
    noun: &'static str,
    pub(super) unknown: &'static [&'static str],
    remedy: &'static str,
}

pub(super) const VALUES: [Values; 2] = [
    Values {
        place: "/spec",
        key: "launchType",
        noun: "launch type",
        unknown: &["EXTERNAL", "MANAGED_INSTANCES"],
        remedy: "use `EC2` or `FARGATE`",
    },
    Values {
        place: "/spec/taskDefinition",
        key: "networkMode",
        noun: "network mode",
        unknown: &["host", "none"],
        remedy: "use `bridge` or `awsvpc`",
    },
];

/// Takes every word and value of ECS that a manifest does not have out of the document, and says what about it.
pub(super) fn point(value: &mut Value, moves: &Moves, problems: &mut Problems) {
    for (pattern, words) in WORDS {
        for place in places(value, pattern) {
            members(value, &place, words, moves, problems);
        }
    }
    for Values { place, key, noun, unknown, remedy } in VALUES {
        let place = Pointer::from_rfc6901(place);
        let given = value.pointer(place.key(key).as_str()).and_then(Value::as_str);
        let Some(given) = given.filter(|given| unknown.contains(given)) else { continue };
        let what = format!("ECS's {noun} `{given}` cannot be expressed in a manifest yet");
        problems.push((On::Value, problem(moves.written(&place.key(key)), what, remedy)));
        remove(value, &place, key);
    }
}

fn members(value: &mut Value, place: &Pointer, words: &[(&str, Word)], moves: &Moves, problems: &mut Problems) {
    let keys = value.pointer(place.as_str()).and_then(Value::as_object).map(|object| object.keys().cloned());
    for key in keys.into_iter().flatten().collect::<Vec<_>>() {
        let Some((_, word)) = words.iter().find(|(name, _)| fold(name) == fold(&key)) else { continue };
        let Some(content) = remove(value, place, &key) else { continue };
        let path = moves.written(&place.key(&key));
        problems.push((On::Key, about(*word, path, &format!("ECS's `{key}`"), &content)));
    }
}

/// What to say about `content` under a word that the document calls `subject`.
pub(super) fn about(word: Word, path: Pointer, subject: &str, content: &Value) -> Problem {
    match word {
        Written(how) => problem(path, format!("{subject} has another form in a manifest"), format!("write {how}")),
        Fixed(values) if leaves(content).iter().all(|leaf| values.contains(&leaf.as_str())) => {
            let remedy = "remove it: an app gets this value anyway";
            problem(path, format!("{subject} is not written in a manifest"), remedy)
        }
        Missing if is_off(content) => {
            let remedy = "remove it: it is empty or off, as it is without it";
            problem(path, format!("{subject} is not written in a manifest"), remedy)
        }
        Missing | Fixed(_) => {
            let remedy = "leave it out if the app can do without it; the README lists what a manifest cannot say";
            problem(path, format!("{subject} cannot be expressed in a manifest yet"), remedy)
        }
        Answer => problem(path, format!("{subject} is nothing that a manifest declares"), "remove it"),
    }
}

/// What to say about something that has no place in a manifest, such as "ECS's `tags`".
pub(super) fn cannot(path: Pointer, subject: &str, content: &Value) -> Problem {
    about(Missing, path, subject, content)
}

/// Whether `value` says nothing. A number always does: 0 may be far from the default.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_off),
        Value::Object(entries) => entries.values().all(is_off),
    }
}

/// Every single value in `value`, as text.
fn leaves(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::Object(entries) => entries.values().flat_map(leaves).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}
