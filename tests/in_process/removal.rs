//! A destroyed app leaves nothing of ours, says what it waits for, and touches nobody else.

use interstella_controller::app::Manager;
use interstella_controller::desired::Presence;
use interstella_controller::operate;
use interstella_localcloud::call::Service;
use serde_json::json;

use crate::lab::{Lab, MANIFEST};
use crate::state;
use crate::workload::{self, edited, rest};

/// Another app beside the first.
fn neighbour() -> String {
    edited(
        MANIFEST,
        &[
            ("  name: monolith                 ", "  name: neighbour                "),
            ("family: interstella-monolith", "family: neighbour"),
            ("group: interstella-monolith", "group: neighbour"),
            ("    name: interstella\n", "    name: neighbour\n"),
            ("      name: monolith\n      # Quick", "      name: neighbour\n      # Quick"),
        ],
    )
}

#[tokio::test]
async fn nothing_of_ours_is_left_and_the_neighbour_is_untouched() {
    let lab = Lab::new().await;
    lab.converge(&neighbour()).await;
    let alone = rest(&lab);
    for manifest in [MANIFEST.to_owned(), workload::changing_everything(), workload::renaming_everything()] {
        lab.converge(&manifest).await;
    }
    let mut controller = lab.controller(lab.absent(&workload::renaming_everything()));
    controller.converge().await;
    let end = rest(&lab);
    assert_same(&alone, &end);
    let input = json!({"cluster": "interstella", "services": ["monolith"]});
    assert_eq!(lab.call(Service::Ecs, "DescribeServices", input)["services"][0]["status"], "INACTIVE");
    let plans: String = controller.passes.iter().map(|pass| pass.plan.as_str()).collect();
    for wait in ["waiting: delete service monolith: its tasks are stopping", "waiting: delete target group renamed: "] {
        assert!(plans.contains(wait), "{wait:?} in\n{plans}");
    }
    let before = lab.cloud.journal.last();
    controller.pass_times(20).await;
    assert_eq!(lab.mutations(before), Vec::<String>::new());
}

#[tokio::test]
async fn an_app_can_be_destroyed_at_any_stage_and_made_again() {
    let passes = {
        let lab = Lab::new().await;
        let mut controller = lab.controller(lab.present(MANIFEST));
        controller.converge().await;
        controller.passes.len()
    };
    let nothing = rest(&Lab::new().await);
    for stage in 1..=passes {
        let lab = Lab::new().await;
        lab.controller(lab.present(MANIFEST)).pass_times(stage).await;
        lab.controller(lab.absent(MANIFEST)).converge().await;
        assert_same(&nothing, &rest(&lab));
        lab.converge(MANIFEST).await;
        assert_eq!(state::value(&lab.cloud)["services"][0]["runningCount"], 1);
    }
}

#[tokio::test]
async fn an_app_is_found_and_destroyed_by_its_marks_alone() {
    let lab = Lab::new().await;
    let nothing = rest(&lab);
    lab.converge(&workload::changing_everything()).await;
    let apps = operate::apps(&lab.aws, &Manager::default()).await.unwrap();
    let names: Vec<_> = apps.keys().map(ToString::to_string).collect();
    assert_eq!(names, ["interstella/monolith"]);
    let status = lab.controller(lab.by_marks(MANIFEST, Presence::Undeclared)).pass_times(3).await.status;
    assert!(status.is_ready() && status.service.is_some(), "{status:#?}");
    let before = lab.cloud.journal.last();
    lab.controller(lab.by_marks(MANIFEST, Presence::Undeclared)).pass_times(3).await;
    assert_eq!(lab.mutations(before), Vec::<String>::new());
    lab.controller(lab.by_marks(MANIFEST, Presence::Absent)).converge().await;
    assert_same(&nothing, &rest(&lab));
    assert!(operate::apps(&lab.aws, &Manager::default()).await.unwrap().is_empty());
}

/// A manifest whose image does not exist, and which ECS does not roll back.
fn missing_image(rollback: bool) -> String {
    let breaker = format!("enable: true, rollback: {rollback}");
    edited(
        MANIFEST,
        &[("interstella/monolith:latest", "interstella/monolith:missing"), ("enable: true, rollback: true", &breaker)],
    )
}

#[tokio::test]
async fn what_is_stalled_can_be_destroyed() {
    let nothing = rest(&Lab::new().await);
    for (before, after) in [
        (None, missing_image(true)),
        (None, missing_image(false)),
        (Some(MANIFEST), missing_image(true)),
        (Some(MANIFEST), missing_image(false)),
    ] {
        let lab = Lab::new().await;
        if let Some(before) = before {
            lab.converge(before).await;
        }
        let mut controller = lab.controller(lab.present(&after));
        let mut passes = 0;
        while !controller.pass().await.status.is_stalled() {
            passes += 1;
            assert!(passes < 300, "never stalled");
        }
        let mut removal = lab.controller(lab.absent(&after));
        // A person would be told of anything that stalls, and the verb would end.
        for _ in 0..300 {
            let outcome = removal.pass().await;
            assert!(!outcome.status.is_stalled(), "{:#?}", outcome.status.conditions);
            if outcome.is_converged() {
                break;
            }
        }
        assert_same(&nothing, &rest(&lab));
    }
}

#[tokio::test]
async fn without_its_cluster_an_app_can_be_destroyed_and_the_plan_says_what_is_missing() {
    let lab = Lab::new().await;
    let nothing = rest(&lab);
    let elsewhere = edited(MANIFEST, &[("cluster: interstella  ", "cluster: elsewhere    ")]);
    let before = lab.cloud.journal.last();
    let outcome = lab.controller(lab.present(&elsewhere)).pass_times(5).await;
    let plan = outcome.plan.unwrap().to_string();
    assert!(plan.contains("aws ecs create-cluster --cluster-name elsewhere"), "{plan}");
    assert!(outcome.status.is_stalled(), "{:#?}", outcome.status);
    assert_eq!(lab.mutations(before), Vec::<String>::new());

    lab.call(Service::Ecs, "CreateCluster", json!({"clusterName": "elsewhere"}));
    lab.controller(lab.present(&elsewhere)).pass_times(20).await;
    lab.call(Service::Ecs, "DeleteService", json!({"cluster": "elsewhere", "service": "monolith", "force": true}));
    lab.cloud.advance(std::time::Duration::from_secs(600));
    lab.call(Service::Ecs, "DeleteCluster", json!({"cluster": "elsewhere"}));
    assert_ne!(nothing, rest(&lab));
    lab.controller(lab.absent(&elsewhere)).converge().await;
    assert_same(&nothing, &rest(&lab));
}

#[tokio::test]
async fn without_tasks_the_app_is_as_it_should_be_and_its_subscription_comes_with_them() {
    let lab = Lab::new().await;
    let none = edited(MANIFEST, &[("desiredCount: 1 ", "desiredCount: 0 ")]);
    lab.converge(&none).await;
    let outcome = lab.controller(lab.present(&none)).pass().await;
    assert!(outcome.status.is_ready(), "{:#?}", outcome.status);
    assert!(outcome.plan.unwrap().to_string().contains("is pending"));
    assert_eq!(state::value(&lab.cloud)["subscriptions"].as_array().map(Vec::len), Some(0));
    for (manifest, subscriptions) in [(MANIFEST, 1), (none.as_str(), 1)] {
        lab.converge(manifest).await;
        assert_eq!(state::value(&lab.cloud)["subscriptions"].as_array().map(Vec::len), Some(subscriptions));
    }
}

fn assert_same(wanted: &str, found: &str) {
    assert!(wanted == found, "{}", similar::TextDiff::from_lines(wanted, found).unified_diff());
}
