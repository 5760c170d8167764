//! A revision that cannot run: the old tasks go on serving, ECS goes back, and the controller does not push it again by itself.

use interstella_controller::desired::Presence;
use interstella_controller::operate;
use interstella_controller::reconcile::Outcome;
use interstella_localcloud::call::Service;
use interstella_localcloud::runtime::model::Behaviour;
use serde_json::{Value, json};

use crate::lab::{Controller, Lab, MANIFEST, PROGRAM};
use crate::workload::edited;

fn image(tag: &str) -> String {
    edited(MANIFEST, &[("interstella/monolith:latest", &format!("interstella/monolith:{tag}"))])
}

fn service(lab: &Lab) -> Value {
    let input = json!({"cluster": "interstella", "services": ["monolith"]});
    lab.call(Service::Ecs, "DescribeServices", input)["services"][0].clone()
}

/// The revision's number that the service is at.
fn revision(lab: &Lab) -> String {
    service(lab)["taskDefinition"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
}

/// Passes until the app is stalled, looking all the time whether the first revision serves.
async fn stall(lab: &Lab, controller: &mut Controller<'_>) -> Outcome {
    for _ in 0..300 {
        let outcome = controller.pass().await;
        let deployments = service(lab)["deployments"].clone();
        let serves = |one: &Value| one["taskDefinition"].as_str().unwrap().ends_with(":1") && one["runningCount"] == 1;
        assert!(deployments.as_array().unwrap().iter().any(serves), "{deployments:#}");
        if outcome.status.is_stalled() && !outcome.changed {
            return outcome;
        }
    }
    panic!("never stalled: {:#}", service(lab))
}

#[tokio::test]
async fn a_missing_image_is_rolled_back_and_not_pushed_again() {
    let lab = Lab::new().await;
    lab.converge(MANIFEST).await;
    let mut controller = lab.controller(lab.present(&image("missing-1")));
    let outcome = stall(&lab, &mut controller).await;
    let plan = outcome.plan.unwrap().to_string();
    assert!(plan.contains("stalled: the rollout of interstella-monolith:2 has failed: "), "{plan}");
    let stalled = outcome.status.conditions.iter().find(|one| one.r#type == "Stalled").unwrap();
    for cause in ["CannotPullContainerError", "missing-1", "unable to consistently start", "interstella retry"] {
        assert!(stalled.message.contains(cause), "no {cause} in {}", stalled.message);
    }
    assert!(!stalled.message.contains(".."), "{}", stalled.message);
    assert_eq!(revision(&lab), "1", "ECS went back");
    let before = lab.cloud.journal.last();
    for _ in 0..100 {
        let outcome = controller.pass().await;
        assert!(outcome.status.is_stalled(), "{:#?}", outcome.status);
    }
    // A controller that starts anew knows as well.
    assert!(lab.controller(controller.desired.clone()).pass_times(5).await.status.is_stalled());
    assert_eq!(lab.mutations(before), Vec::<String>::new());
    lab.converge(&image("next")).await;
    assert_eq!((revision(&lab), service(&lab)["runningCount"].clone()), ("3".to_owned(), json!(1)));
}

#[tokio::test]
async fn the_old_manifest_ends_a_stall_without_a_deployment() {
    let lab = Lab::new().await;
    lab.converge(MANIFEST).await;
    stall(&lab, &mut lab.controller(lab.present(&image("missing-1")))).await;
    let before = lab.cloud.journal.last();
    lab.converge(MANIFEST).await;
    assert_eq!(lab.mutations(before), Vec::<String>::new());
    assert_eq!(revision(&lab), "1");
}

/// As other deploy tools do: the revision that runs, with another image, and with all of its tags.
fn deploy_with_another_tool(lab: &Lab, image: &str) {
    let running = service(lab)["taskDefinition"].clone();
    let input = json!({"taskDefinition": running, "include": ["TAGS"]});
    let described = lab.call(Service::Ecs, "DescribeTaskDefinition", input);
    let mut copy = json!({"tags": described["tags"]});
    for member in ["family", "networkMode", "executionRoleArn", "taskRoleArn", "containerDefinitions"] {
        copy[member] = described["taskDefinition"][member].clone();
    }
    copy["containerDefinitions"][0]["image"] = json!(image);
    let registered = lab.call(Service::Ecs, "RegisterTaskDefinition", copy);
    let revision = registered["taskDefinition"]["taskDefinitionArn"].clone();
    let input = json!({"cluster": "interstella", "service": "monolith", "taskDefinition": revision});
    lab.call(Service::Ecs, "UpdateService", input);
}

#[tokio::test]
async fn what_another_tool_deployed_with_our_tags_is_drift_and_never_retried() {
    let lab = Lab::new().await;
    lab.converge(MANIFEST).await;
    deploy_with_another_tool(&lab, "interstella/monolith:missing-1");
    lab.cloud.advance(std::time::Duration::from_secs(600));
    assert_eq!(revision(&lab), "1", "ECS went back");
    let retry = async |desired| operate::retry(&lab.aws, &desired).await.unwrap_err();
    for presence in [Presence::Present, Presence::Undeclared] {
        let desired = match presence {
            Presence::Present => lab.present(MANIFEST),
            other => lab.by_marks(MANIFEST, other),
        };
        assert_eq!(retry(desired).await.code, "nothing to retry");
    }
    // Drift that is there while the failure is on record is corrected, and nothing stalls.
    for (field, value) in [("desiredCount", json!(3)), ("healthCheckGracePeriodSeconds", json!(99))] {
        let mut input = json!({"cluster": "interstella", "service": "monolith"});
        input[field] = value;
        lab.call(Service::Ecs, "UpdateService", input);
        let mut controller = lab.controller(lab.present(MANIFEST));
        assert!(!controller.pass().await.status.is_stalled());
        controller.converge().await;
    }
    // A deployment of the other tool that runs is replaced by the manifest's.
    deploy_with_another_tool(&lab, "interstella/monolith:missing-2");
    lab.converge(MANIFEST).await;
    let image =
        lab.call(Service::Ecs, "DescribeTaskDefinition", json!({"taskDefinition": service(&lab)["taskDefinition"]}));
    assert_eq!(image["taskDefinition"]["containerDefinitions"][0]["image"], "interstella/monolith:latest");
}

#[tokio::test]
async fn a_retry_pushes_once_more() {
    let lab = Lab::new().await;
    lab.converge(MANIFEST).await;
    lab.model.behave(PROGRAM, Some(Behaviour::FailsToStart));
    let mut controller = lab.controller(lab.present(&image("next")));
    stall(&lab, &mut controller).await;
    // It fails again, and then is not pushed again.
    operate::retry(&lab.aws, &controller.desired).await.unwrap();
    let before = lab.cloud.journal.last();
    stall(&lab, &mut controller).await;
    lab.cloud.advance(std::time::Duration::from_secs(600));
    stall(&lab, &mut controller).await;
    assert_eq!((lab.mutations(before), revision(&lab)), (Vec::new(), "1".to_owned()));
    lab.model.behave(PROGRAM, None);
    let retried = operate::retry(&lab.aws, &controller.desired).await.unwrap();
    controller.converge().await;
    assert!(retried.ends_with(":2") && revision(&lab) == "2", "{retried}, {:#}", service(&lab));
    assert_eq!(service(&lab)["runningCount"], 1);
}
