//! Revisions: how many stay, that two controllers do not roll out twice, and what becomes of a subscription without a topic.

use std::collections::BTreeSet;
use std::sync::Arc;

use interstella_localcloud::call::Service;
use interstella_localcloud::journal::{Entry, Outcome};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::lab::{Lab, MANIFEST};

/// The manifest with an environment that makes a new revision of each number.
fn edited(number: usize) -> String {
    MANIFEST.replace("environment: {", &format!("environment: {{ EDIT: \"{number}\","))
}

fn active(lab: &Lab) -> Vec<String> {
    let input = json!({ "familyPrefix": "interstella-monolith", "status": "ACTIVE" });
    let answer = lab.call(Service::Ecs, "ListTaskDefinitions", input);
    let arns = answer["taskDefinitionArns"].as_array().unwrap().iter();
    arns.map(|arn| arn.as_str().unwrap().rsplit_once(':').unwrap().1.to_owned()).collect()
}

/// Successful calls of an operation since the one with this sequence.
fn made(lab: &Lab, since: u64, operation: &str) -> Vec<Entry> {
    let calls = lab.calls_since(since).into_iter();
    calls.filter(|call| call.operation == operation && call.outcome == Outcome::Ok).collect()
}

#[tokio::test]
async fn the_newest_revisions_stay_and_nothing_is_listed_once_that_is_so() {
    let lab = Lab::new().await;
    let keeping = |number| edited(number).replace("containers:", "keepRevisions: 3\n    containers:");
    let mut controller = lab.controller(lab.present(&keeping(0)));
    controller.converge().await;
    for number in 1..8 {
        controller.desired = lab.present(&keeping(number));
        controller.converge().await;
    }
    assert_eq!(active(&lab), ["6", "7", "8"]);
    let converged = lab.cloud.journal.last();
    controller.pass_times(20).await;
    assert!(lab.mutations(converged).is_empty(), "{:?}", lab.mutations(converged));
    assert!(made(&lab, converged, "ListTaskDefinitions").is_empty());
}

#[tokio::test]
async fn somebody_elses_revisions_and_the_one_that_runs_stay() {
    let lab = Lab::new().await;
    let foreign = json!({
        "family": "interstella-monolith", "containerDefinitions": [{ "name": "x", "image": "x/y:1", "memory": 8 }],
    });
    lab.call(Service::Ecs, "RegisterTaskDefinition", foreign.clone());
    let keeping = |number| edited(number).replace("containers:", "keepRevisions: 1\n    containers:");
    let mut controller = lab.controller(lab.present(&keeping(0)));
    controller.converge().await;
    // Newer than ours: the one that runs is beyond those that stay, and stays.
    lab.call(Service::Ecs, "RegisterTaskDefinition", foreign);
    controller.desired = lab.present(&keeping(0).replace("desiredCount: 1", "desiredCount: 2"));
    controller.converge().await;
    assert_eq!(active(&lab), ["1", "2", "3"]);
    controller.desired = lab.present(&keeping(1));
    controller.converge().await;
    assert_eq!(active(&lab), ["1", "3", "4"]);
}

/// A controller is held before each of its calls while another one makes passes of its own.
#[tokio::test]
async fn two_controllers_roll_an_edit_out_once_wherever_one_overtakes_the_other() {
    let base = Lab::new().await;
    base.converge(MANIFEST).await;
    for passes_meanwhile in [1, 3] {
        let mut doubled = Vec::new();
        for held_before in 0.. {
            let lab = base.fork().await;
            let before = lab.cloud.journal.last();
            let gate = Arc::new(Semaphore::new(held_before));
            let held = lab.beside(&gate).await;
            let (mut first, mut second) =
                (held.controller(lab.present(&edited(1))), lab.controller(lab.present(&edited(1))));
            tokio::join!(first.pass_only(), async {
                for _ in 0..passes_meanwhile {
                    second.pass().await;
                }
                gate.add_permits(1_000_000);
            });
            let has_made_all_calls = gate.available_permits() > 1_000_000;
            for _ in 0..3 {
                first.pass().await;
                second.pass().await;
            }
            first.converge().await;
            second.converge().await;
            let updates = made(&lab, before, "UpdateService").into_iter();
            let rolled_out: BTreeSet<String> = updates.map(|call| call.input["taskDefinition"].to_string()).collect();
            assert_eq!(rolled_out.len(), 1, "held before call {held_before}: {rolled_out:?}");
            if made(&lab, before, "RegisterTaskDefinition").len() > 1 {
                doubled.push(held_before);
            }
            if has_made_all_calls {
                break;
            }
        }
        // Between the last look and the registration nothing helps: ECS has no token for it.
        assert!(doubled.len() <= 1, "{passes_meanwhile}: {doubled:?}");
    }
}

#[tokio::test]
async fn a_deleted_topic_is_said_with_a_remedy_and_the_rest_goes_on() {
    let lab = Lab::new().await;
    let mut controller = lab.controller(lab.present(MANIFEST));
    controller.converge().await;
    let topic = "arn:aws:sns:us-west-2:123456789012:orderTopic";
    lab.call(Service::Sns, "DeleteTopic", json!({ "TopicArn": topic }));
    let outcome = controller.pass_times(10).await;
    let stalled = outcome.status.conditions.iter().find(|one| one.r#type == "Stalled").unwrap();
    assert_eq!((stalled.status, stalled.reason), ("True", "TopicMissing"));
    let remedy = "aws sns create-topic --region us-west-2 --name orderTopic --attributes SignatureVersion=2";
    assert!(stalled.message.contains(remedy), "{}", stalled.message);
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);

    controller.desired = lab.present(&MANIFEST.replace("desiredCount: 1", "desiredCount: 2"));
    controller.pass_times(20).await;
    let service =
        lab.call(Service::Ecs, "DescribeServices", json!({ "cluster": "interstella", "services": ["monolith"] }));
    assert_eq!(service["services"][0]["runningCount"], 2, "what does not need the topic is carried out");

    lab.call(Service::Sns, "CreateTopic", json!({ "Name": "orderTopic" }));
    controller.converge().await;
    assert!(controller.pass().await.status.is_ready());
}
