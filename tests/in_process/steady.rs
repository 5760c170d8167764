//! A converged app is left alone, and what leaves the manifest leaves the cloud.

use serde_json::{Value, json};

use crate::lab::{Lab, MANIFEST};
use crate::state;
use crate::workload::{self, edited, rest, stripped, without};

#[tokio::test]
async fn a_converged_app_is_left_alone() {
    for manifest in [
        MANIFEST.to_owned(),
        workload::changing_everything(),
        workload::renaming_everything(),
        workload::replacing(),
        stripped(),
        workload::scaled(),
    ] {
        let lab = Lab::new().await;
        let mut controller = lab.controller(lab.present(&manifest));
        controller.converge().await;
        let before = lab.cloud.journal.last();
        for _ in 0..50 {
            let outcome = controller.pass().await;
            assert_eq!(outcome.plan.unwrap().to_string(), "nothing to do\n");
            assert!(outcome.status.is_ready(), "{:#?}", outcome.status);
        }
        assert_eq!(lab.mutations(before), Vec::<String>::new());
        assert!(lab.cloud.journal.last() > before, "it has looked");
    }
}

/// Names of all there is of a kind.
fn names(lab: &Lab, kind: &str, key: &str) -> Vec<Value> {
    state::value(&lab.cloud)[kind].as_array().unwrap().iter().map(|one| one[key].clone()).collect()
}

async fn after(manifest: &str) -> Lab {
    let lab = Lab::new().await;
    lab.converge(MANIFEST).await;
    lab.converge(manifest).await;
    rest(&lab);
    lab
}

#[tokio::test]
async fn a_part_that_leaves_the_manifest_leaves_nothing_behind() {
    let lab = after(&without(MANIFEST, &["  subscriptions:"])).await;
    assert_eq!(names(&lab, "subscriptions", "Endpoint"), Vec::<Value>::new());
    assert_eq!(names(&lab, "loadBalancers", "LoadBalancerName"), [json!("interstella")]);

    let lab = after(&without(MANIFEST, &["  loadBalancer:", "  subscriptions:"])).await;
    for (kind, key) in
        [("subscriptions", "Endpoint"), ("loadBalancers", "LoadBalancerName"), ("targetGroups", "TargetGroupName")]
    {
        assert_eq!(names(&lab, kind, key), Vec::<Value>::new(), "{kind}");
    }
    assert_eq!(names(&lab, "logGroups", "logGroupName"), [json!("interstella-monolith")]);

    let lab = after(&stripped()).await;
    assert_eq!(names(&lab, "logGroups", "logGroupName"), Vec::<Value>::new());
    assert_eq!(names(&lab, "services", "runningCount"), [json!(1)]);
}

#[tokio::test]
async fn a_renamed_load_balancer_leaves_nothing_behind() {
    let lab = after(&edited(MANIFEST, &[("    name: interstella\n", "    name: renamed\n")])).await;
    assert_eq!(names(&lab, "loadBalancers", "LoadBalancerName"), [json!("renamed")]);
    assert_eq!(names(&lab, "targetGroups", "TargetGroupName"), [json!("monolith")]);
    let endpoints = names(&lab, "subscriptions", "Endpoint");
    assert!(endpoints.len() == 1 && endpoints[0].as_str().unwrap().contains("//renamed-"), "{endpoints:?}");
    assert_eq!(names(&lab, "targetGroups", "health"), [json!(["healthy"])]);
}

#[tokio::test]
async fn a_log_group_stays_until_no_task_writes_to_it() {
    let lab = Lab::new().await;
    lab.converge(MANIFEST).await;
    let before = lab.cloud.journal.last();
    lab.converge(&workload::renaming_everything()).await;
    let calls = lab.mutations(before);
    let place = |operation: &str| calls.iter().position(|call| call.contains(operation));
    assert!(place("UpdateService").is_some() && place("UpdateService") < place("DeleteLogGroup"), "{calls:#?}");
}
