#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::words::{VALUES, WORDS, Word};
use super::{fold, places};
use crate::manifest::load::{Loaded, load_str};
use crate::manifest::pointer::Pointer;
use crate::manifest::schema::{json_schema, known_keys, normal_schema};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// ECS's service model, trimmed for the local cloud.
fn model() -> Value {
    let text = fs::read_to_string(repository().join("localcloud/models/ecs.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Structures of ECS's API, the place where a manifest has the same, and the members that are read by other code.
const STRUCTURES: [(&str, &str, &[&str]); 11] = [
    ("RegisterTaskDefinitionRequest", "/spec/taskDefinition", &["containerDefinitions"]),
    ("TaskDefinition", "/spec/taskDefinition", &["containerDefinitions"]),
    ("ContainerDefinition", "/spec/taskDefinition/containers/*", &["logConfiguration"]),
    ("PortMapping", "/spec/taskDefinition/containers/*/portMappings/*", &[]),
    ("HealthCheck", "/spec/taskDefinition/containers/*/healthCheck", &[]),
    ("CreateServiceRequest", "/spec", &["deploymentConfiguration"]),
    ("DeploymentConfiguration", "/spec/deployment", &["deploymentCircuitBreaker"]),
    ("DeploymentCircuitBreaker", "/spec/deployment/circuitBreaker", &[]),
    ("NetworkConfiguration", "/spec/networkConfiguration", &["awsvpcConfiguration"]),
    ("AwsVpcConfiguration", "/spec/networkConfiguration", &[]),
    ("LoadBalancer", "/spec/loadBalancers/*", &[]),
];

fn words(place: &str) -> &'static [(&'static str, Word)] {
    WORDS.iter().find(|(at, _)| *at == place).map_or(&[], |(_, words)| words)
}

fn keys(schema: &Value, place: &str) -> BTreeSet<String> {
    let segments = place.split('/').skip(1).map(|segment| if segment == "*" { "0" } else { segment }.to_owned());
    known_keys(schema, segments).into_iter().map(str::to_owned).collect()
}

#[test]
fn every_member_of_ecss_api_is_taken_or_named() {
    let (model, schema) = (model(), normal_schema());
    for (shape, place, with_code) in STRUCTURES {
        let known = keys(&schema, place);
        let members = model["shapes"][shape]["members"].as_object().unwrap();
        for member in members.keys() {
            let named = words(place).iter().any(|(word, _)| word == member);
            let answers = [known.contains(member), named, with_code.contains(&member.as_str())];
            assert_eq!(answers.iter().filter(|yes| **yes).count(), 1, "{shape}.{member}: {answers:?}");
        }
    }
}

#[test]
fn no_word_is_a_key_of_the_manifest_or_unknown_to_ecs() {
    let (model, schema) = (model(), normal_schema());
    for (place, words) in WORDS {
        let known: BTreeSet<String> = keys(&schema, place).iter().map(|key| fold(key)).collect();
        for (word, _) in words {
            assert!(!known.contains(&fold(word)), "{place}: {word} is a key of the manifest");
            let of_ecs = STRUCTURES.iter().any(|(shape, _, _)| model["shapes"][shape]["members"].get(word).is_some());
            assert!(of_ecs, "{word} is no member of ECS's API");
        }
    }
}

#[test]
fn every_value_of_ecss_api_is_taken_or_named() {
    let (model, schema) = (model(), json_schema());
    let ours = schema.to_string();
    for values in VALUES {
        let shape = if values.key == "launchType" { "LaunchType" } else { "NetworkMode" };
        for value in model["shapes"][shape]["enum"].as_array().unwrap() {
            let value = value.as_str().unwrap();
            let taken = ours.contains(&format!("\"const\":\"{value}\""));
            assert_ne!(values.unknown.contains(&value), taken, "{}: {value}", values.key);
        }
    }
    assert_eq!(model["shapes"]["TransportProtocol"]["enum"], json!(["tcp", "udp"]));
    assert_eq!(model["shapes"]["AssignPublicIp"]["enum"], json!(["ENABLED", "DISABLED"]));
}

#[test]
fn the_readme_lists_what_cannot_be_expressed() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let listed: BTreeSet<&str> = readme.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    for (place, words) in WORDS {
        for (word, kind) in words {
            let missing = matches!(kind, Word::Missing | Word::Fixed(_));
            assert!(!missing || listed.contains(word), "{place}: {word} is not in the README");
        }
    }
}

#[test]
fn places_of_a_pattern() {
    let value = json!({ "a": [{ "b": [1, 2] }, { "c": 1 }, { "b": [3] }] });
    let found: Vec<String> = places(&value, "/a/*/b/*").iter().map(ToString::to_string).collect();
    assert_eq!(found, ["a[0].b[0]", "a[0].b[1]", "a[2].b[0]"]);
    assert_eq!(places(&value, ""), [Pointer::root()]);
    assert_eq!(places(&value, "/b/*"), []);
}

const LISTS: &str = "\
apiVersion: interstella.trade/v1
kind: Service
metadata: { name: app }
spec:
  cluster: c
  taskDefinition:
    cpu: .25 vCPU
    memory: \"0.5 GB\"
    executionRoleArn: arn:aws:iam::123456789012:role/r
    containers:
      - name: app
        image: a
        environment:
          - { name: STAGE, value: test }
          - name: LIMIT
            value: \"3\"
        secrets: [{ name: KEY, valueFrom: /a/b }]
";

const OBJECTS: &str = "\
apiVersion: interstella.trade/v1
kind: Service
metadata: { name: app }
spec:
  cluster: c
  taskDefinition:
    cpu: 256
    memory: 512
    executionRoleArn: arn:aws:iam::123456789012:role/r
    containers:
      - name: app
        image: a
        environment: { STAGE: test, LIMIT: \"3\" }
        secrets: { KEY: /a/b }
";

fn load(text: &str) -> Loaded {
    load_str("f.yaml", text).unwrap().remove(0)
}

#[test]
fn ecss_lists_and_sizes_are_the_same_manifest() {
    assert_eq!(load(LISTS).manifest, load(OBJECTS).manifest);
    let back = serde_json::to_string(&load(LISTS).manifest).unwrap();
    assert_eq!(load(&back).manifest, load(OBJECTS).manifest);
}

#[test]
fn editors_take_both_spellings() {
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    for text in [LISTS, OBJECTS] {
        let document = crate::manifest::yaml::parse(text).unwrap().remove(0);
        assert!(validator.is_valid(&document.value), "{text}");
    }
    for (from, to) in
        [(".25 vCPU", ".25 GB"), ("\"0.5 GB\"", "half"), ("valueFrom", "value"), ("value: test", "value: 1")]
    {
        let document = crate::manifest::yaml::parse(&LISTS.replace(from, to)).unwrap().remove(0);
        assert!(!validator.is_valid(&document.value), "{to}");
    }
}

#[test]
fn variables_of_a_list_keep_their_places() {
    let loaded = load(LISTS);
    let environment = Pointer::from_rfc6901("/spec/taskDefinition/containers/0/environment");
    let at = |name: &str| {
        let (key, value) = (loaded.spans.key(&environment.key(name)), loaded.spans.value(&environment.key(name)));
        ((key.line, key.column), (value.line, value.column))
    };
    assert_eq!(at("STAGE"), ((14, 21), (14, 35)));
    assert_eq!(at("LIMIT"), ((15, 19), (16, 20)));
    let wrong = LISTS.replace("name: KEY", "name: STAGE").replace("name: LIMIT", "name: DB_PASSWORD");
    let problems = load_str("f.yaml", &wrong).unwrap_err();
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    f.yaml:14:35: spec.taskDefinition.containers[0].environment.STAGE: the variable stands in `environment` and in `secrets` — keep one of the two
    f.yaml:16:20: spec.taskDefinition.containers[0].environment.DB_PASSWORD: this looks like a secret, and a manifest is no place for one — store the value as an SSM parameter and name that under `secrets`
    ");
    assert!(problems.iter().all(|problem| !problem.render(false, 100).contains("\"3\"")));
}

/// The problems of a service as CreateService has it, in a manifest.
#[test]
fn a_service_in_ecss_words_is_told_how_a_manifest_has_it() {
    let text = r#"
apiVersion: interstella.trade/v1
kind: Service
metadata: { name: app }
spec:
  serviceName: app
  cluster: c
  launch_type: FARGATE
  schedulingStrategy: REPLICA
  PropagateTags: SERVICE
  enableExecuteCommand: false
  capacityProviderStrategy: [{ capacityProvider: FARGATE_SPOT, weight: 1 }]
  healthCheckGracePeriodSeconds: 30
  deploymentController: { type: ECS }
  deploymentConfiguration:
    strategy: CANARY
    bakeTimeInMinutes: 0
    maximumPercent: 50
    minimumHealthyPercent: high
    deploymentCircuitBreaker: { enable: true, rollback: true, resetOnHealthyTask: false }
  networkConfiguration:
    awsvpcConfiguration: { subnets: [subnet-1], assignPublicIp: enabled }
  loadBalancers:
    - { targetGroupArn: x, containerName: app, containerPort: 80 }
  taskDefinition:
    ContainerDefinitions:
      - name: app
        image: a
        cpu: "0.5 vCPU"
        environment: [{ name: A, value: 1 }, { name: B }, { name: C, value: c }, { name: C, value: d }]
        secrets: { KEY: /a/b }
"#;
    let problems = load_str("f.yaml", text).unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("a_service_in_ecss_words", lines.join("\n"));
}

#[test]
fn what_stands_at_another_place_is_told_its_own() {
    let text = r#"
apiVersion: interstella.trade/v1
kind: Service
metadata: { name: app }
desiredCount: 1
spec:
  cluster: c
  volumes: [{ name: v }]
  containerDefinitions: []
  logConfiguration: {}
  image: a
  replicas: 3
  taskDefinition:
    cpu: .25
    family: f
    enableExecuteCommand: true
    containers: [{ name: app, image: a, memory: 64MB }]
"#;
    let problems = load_str("f.yaml", text).unwrap_err();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("another_place", lines.join("\n"));
    let service = r#"{ "cluster": "c", "serviceName": "web", "taskDefinition": "web:3", "role": "r" }"#;
    let lines: Vec<String> = load_str("service.json", service).unwrap_err().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("a_bare_service", lines.join("\n"));
}

/// A task definition as a whole document, with most of what is read in a way of its own.
const BARE: &str = r#"{ "family": "f", "cpu": "1 vCPU", "requiresCompatibilities": ["EC2"], "containerDefinitions": [{ "name": "a",
  "image": "a", "cpu": "1", "environment": [{ "name": "A", "value": "b" }], "logConfiguration": { "logDriver": "awslogs",
  "options": { "awslogs-group": "g", "mode": "x" } } }], "volumes": [] }"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damaged_words_of_ecs_never_panic(at in 0usize..420, with in "[-:{}\\[\\]\"\\n a1]{0,4}", cut in 0usize..12) {
        for whole in [BARE, LISTS] {
            let mut text: Vec<char> = whole.chars().collect();
            let at = at.min(text.len());
            let end = (at + cut).min(text.len());
            text.splice(at..end, with.chars());
            for problem in load_str("damaged", &text.into_iter().collect::<String>()).err().unwrap_or_default() {
                prop_assert!(problem.line >= 1 && problem.column >= 1 && !problem.remedy.is_empty());
                problem.render(false, 80);
            }
        }
    }
}
