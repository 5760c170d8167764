//! What has a wanted name but not our marks is never touched, and the plan says whose it is.

use interstella_localcloud::call::Service;
use serde_json::{Value, json};

use crate::lab::{Lab, MANIFEST};
use crate::state;
use crate::workload::rest;

/// Something of somebody else with a name that the manifest wants.
struct Foreign {
    /// What plans call it.
    resource: &'static str,
    name: &'static str,
    /// Its kind and its name's key in the state.
    key: (&'static str, &'static str),
    make: fn(&Lab, &[(&str, &str)]),
}

const FOREIGN: [Foreign; 4] = [
    Foreign { resource: "service", name: "monolith", key: ("services", "serviceName"), make: service },
    Foreign {
        resource: "target group",
        name: "monolith",
        key: ("targetGroups", "TargetGroupName"),
        make: target_group,
    },
    Foreign {
        resource: "load balancer",
        name: "interstella",
        key: ("loadBalancers", "LoadBalancerName"),
        make: load_balancer,
    },
    Foreign {
        resource: "log group",
        name: "interstella-monolith",
        key: ("logGroups", "logGroupName"),
        make: log_group,
    },
];

/// Marks of others, and how a plan says whose they are.
const OTHERS: [(&[(&str, &str)], &str); 3] = [
    (&[], "it belongs to somebody else (it lacks the tag interstella:manager)"),
    (
        &[("interstella:app", "interstella/monolith"), ("interstella:manager", "other")],
        "it belongs to the manager \"other\"",
    ),
    (
        &[("interstella:app", "interstella/another"), ("interstella:manager", "default")],
        "it belongs to the app \"interstella/another\"",
    ),
];

fn service(lab: &Lab, tags: &[(&str, &str)]) {
    let container = json!({"name": "theirs", "image": "interstella/monolith", "memoryReservation": 64});
    lab.call(Service::Ecs, "RegisterTaskDefinition", json!({"family": "theirs", "containerDefinitions": [container]}));
    let tags: Vec<_> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    let input = json!({
        "cluster": "interstella", "serviceName": "monolith", "taskDefinition": "theirs", "desiredCount": 1, "tags": tags,
    });
    lab.call(Service::Ecs, "CreateService", input);
}

fn elb_tags(tags: &[(&str, &str)]) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// A member for the tags, as these APIs take no empty list.
fn tagged(mut input: Value, tags: &[(&str, &str)]) -> Value {
    if !tags.is_empty() {
        input["Tags"] = elb_tags(tags);
    }
    input
}

fn target_group(lab: &Lab, tags: &[(&str, &str)]) {
    let input = json!({"Name": "monolith", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-0a1b2c3d4e5f60001"});
    lab.call(Service::Elb, "CreateTargetGroup", tagged(input, tags));
}

fn load_balancer(lab: &Lab, tags: &[(&str, &str)]) {
    let subnets = interstella_localcloud::seed::SUBNETS;
    lab.call(Service::Elb, "CreateLoadBalancer", tagged(json!({"Name": "interstella", "Subnets": subnets}), tags));
}

fn log_group(lab: &Lab, tags: &[(&str, &str)]) {
    let tags: serde_json::Map<_, _> = tags.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    lab.call(Service::Logs, "CreateLogGroup", json!({"logGroupName": "interstella-monolith", "tags": tags}));
}

fn theirs(lab: &Lab, foreign: &Foreign) -> Vec<Value> {
    rest(lab);
    let (kind, key) = foreign.key;
    let all = state::value(&lab.cloud)[kind].as_array().unwrap().clone();
    all.into_iter().filter(|one| one[key] == foreign.name).collect()
}

#[tokio::test]
async fn what_is_not_ours_is_not_touched() {
    for foreign in FOREIGN {
        for (tags, owner) in OTHERS {
            let lab = Lab::new().await;
            (foreign.make)(&lab, tags);
            let before = theirs(&lab, &foreign);
            assert_eq!(before.len(), 1);
            let mut controller = lab.controller(lab.present(MANIFEST));
            let outcome = controller.pass_times(20).await;
            let plan = outcome.plan.as_ref().unwrap().to_string();
            let conflict = format!("conflict: {} {} is not touched: {owner} — ", foreign.resource, foreign.name);
            assert!(plan.contains(&conflict), "{conflict} in\n{plan}");
            assert!(!outcome.status.is_ready() && !outcome.is_converged(), "{:#?}", outcome.status);
            assert_eq!(theirs(&lab, &foreign), before, "{} {tags:?}", foreign.resource);
            lab.controller(lab.absent(MANIFEST)).pass_times(40).await;
            assert_eq!(theirs(&lab, &foreign), before, "destroyed beside {} {tags:?}", foreign.resource);
        }
    }
}

#[tokio::test]
async fn a_listener_of_somebody_else_is_not_touched() {
    let lab = Lab::new().await;
    lab.converge(MANIFEST).await;
    let balancer = lab.call(Service::Elb, "DescribeLoadBalancers", json!({}))["LoadBalancers"][0].clone();
    let arn = json!({"LoadBalancerArn": balancer["LoadBalancerArn"]});
    let ours = lab.call(Service::Elb, "DescribeListeners", arn.clone())["Listeners"][0].clone();
    lab.call(Service::Elb, "DeleteListener", json!({"ListenerArn": ours["ListenerArn"]}));
    let mut input = arn.clone();
    for (key, value) in
        [("Port", json!(5000)), ("Protocol", json!("HTTP")), ("DefaultActions", ours["DefaultActions"].clone())]
    {
        input[key] = value;
    }
    lab.call(Service::Elb, "CreateListener", input);
    let before = lab.call(Service::Elb, "DescribeListeners", arn.clone());
    let outcome = lab.controller(lab.present(MANIFEST)).pass_times(20).await;
    let plan = outcome.plan.unwrap().to_string();
    assert!(plan.contains("conflict: listener interstella:5000 is not touched: it belongs to somebody else"), "{plan}");
    let outcome = lab.controller(lab.absent(MANIFEST)).pass_times(60).await;
    let plan = outcome.plan.unwrap().to_string();
    assert!(
        plan.contains("waiting: delete load balancer interstella: its listener on port 5000 is not ours"),
        "{plan}"
    );
    assert_eq!(lab.call(Service::Elb, "DescribeListeners", arn), before);
}

#[tokio::test]
async fn a_log_group_that_is_there_is_used_once_the_manifest_says_what_the_conflict_advises() {
    let [.., group] = FOREIGN;
    let lab = Lab::new().await;
    (group.make)(&lab, &[]);
    let before = theirs(&lab, &group);
    let outcome = lab.controller(lab.present(MANIFEST)).pass_times(20).await;
    let plan = outcome.plan.unwrap().to_string();
    assert!(plan.contains("set `create: false` under `logs` to use it as it is"), "{plan}");
    let advised = MANIFEST.replace("retentionDays: 7", "create: false");
    assert_ne!(advised, MANIFEST);
    lab.converge(&advised).await;
    assert_eq!(theirs(&lab, &group), before);
}
