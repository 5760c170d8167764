//! Whose the count of tasks is, and what auto scaling may do without the controller taking it for a difference.

use std::time::Duration;

use interstella_localcloud::call::Service;
use serde_json::{Value, json};

use crate::lab::{Lab, MANIFEST};
use crate::workload::{edited, scaled};

const ID: &str = "service/interstella/monolith";

fn count(lab: &Lab) -> Value {
    let input = json!({"cluster": "interstella", "services": ["monolith"]});
    lab.call(Service::Ecs, "DescribeServices", input)["services"][0]["desiredCount"].clone()
}

fn set_count(lab: &Lab, count: u32) {
    let input = json!({"cluster": "interstella", "service": "monolith", "desiredCount": count});
    lab.call(Service::Ecs, "UpdateService", input);
}

/// As a person would set bounds by hand; what is absent stays.
fn set_bounds(lab: &Lab, bounds: &Value) {
    let mut input =
        json!({"ServiceNamespace": "ecs", "ResourceId": ID, "ScalableDimension": "ecs:service:DesiredCount"});
    input.as_object_mut().unwrap().extend(bounds.as_object().unwrap().clone());
    lab.call(Service::ApplicationAutoScaling, "RegisterScalableTarget", input);
}

fn bounds(lab: &Lab) -> (Value, Value) {
    let input = json!({"ServiceNamespace": "ecs", "ResourceIds": [ID]});
    let found = lab.call(Service::ApplicationAutoScaling, "DescribeScalableTargets", input);
    let target = &found["ScalableTargets"][0];
    (target["MinCapacity"].clone(), target["MaxCapacity"].clone())
}

#[tokio::test]
async fn two_hundred_passes_while_the_count_moves_change_nothing() {
    let lab = Lab::new().await;
    let mut controller = lab.controller(lab.present(&scaled()));
    controller.converge().await;
    for pass in 0..200_u32 {
        // Somebody else, or auto scaling, sets another count; the local cloud's own policies move it as well.
        set_count(&lab, 1 + pass % 5);
        let before = lab.cloud.journal.last();
        controller.pass().await;
        assert_eq!(lab.mutations(before), Vec::<String>::new(), "pass {pass}");
    }
}

#[tokio::test]
async fn scaling_added_leaves_the_count_and_removed_gives_it_back() {
    let lab = Lab::new().await;
    lab.converge(&edited(MANIFEST, &[("desiredCount: 1", "desiredCount: 4")])).await;
    let before = lab.cloud.journal.last();
    lab.converge(&scaled()).await;
    assert_eq!(count(&lab), json!(4));
    assert!(lab.mutations(before).iter().all(|call| !call.contains("UpdateService")), "{:?}", lab.mutations(before));
    lab.converge(MANIFEST).await;
    assert_eq!(count(&lab), json!(1));
    let found =
        lab.call(Service::ApplicationAutoScaling, "DescribeScalableTargets", json!({"ServiceNamespace": "ecs"}));
    assert_eq!(found["ScalableTargets"], json!([]));
}

#[tokio::test]
async fn a_schedule_that_fired_is_no_drift_and_a_hand_edited_minimum_is() {
    let lab = Lab::new().await;
    let mut controller = lab.controller(lab.present(&scaled()));
    controller.converge().await;
    // Once round the clock, so that the schedule has fired.
    lab.cloud.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(bounds(&lab), (json!(1), json!(3)));
    let before = lab.cloud.journal.last();
    controller.converge().await;
    assert_eq!(lab.mutations(before), Vec::<String>::new());
    set_bounds(&lab, &json!({"MinCapacity": 2}));
    controller.converge().await;
    assert_eq!(bounds(&lab).0, json!(1));
}

#[tokio::test]
async fn what_is_not_ours_on_the_target_stays() {
    let lab = Lab::new().await;
    lab.converge(&scaled()).await;
    let input = json!({
        "ServiceNamespace": "ecs", "ResourceId": ID, "ScalableDimension": "ecs:service:DesiredCount",
        "ScheduledActionName": "by-hand", "Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": 1},
    });
    lab.call(Service::ApplicationAutoScaling, "PutScheduledAction", input);
    let mut controller = lab.controller(lab.present(MANIFEST));
    let outcome = controller.pass_times(5).await;
    let plan = outcome.plan.unwrap().to_string();
    assert!(plan.contains("the scheduled action by-hand on it is not ours"), "{plan}");
    assert_eq!(bounds(&lab), (json!(1), json!(5)));
}
