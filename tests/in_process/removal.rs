//! A destroyed app leaves nothing of ours, says what it waits for, and touches nobody else.

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

fn assert_same(wanted: &str, found: &str) {
    assert!(wanted == found, "{}", similar::TextDiff::from_lines(wanted, found).unified_diff());
}
