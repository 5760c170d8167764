//! The manifest is edited, workers die, and every order is fulfilled once.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_ecs::types::DesiredStatus;
use rustix::process::Signal;

use crate::support::processes::signal;
use crate::support::up::Up;
use crate::support::wait::{SLACK, equal, holds, until};

const SERVE: Duration = Duration::from_secs(5);
const DRAIN: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_count_goes_up_and_down_and_no_order_is_lost() {
    let up = Up::converged(&[]).await;
    let aws = up.aws();
    up.manifest.edit("desiredCount: 1 ", "desiredCount: 3 ");
    until("three workers serve", SERVE * SLACK, async || equal(aws.healthy_targets().await.len(), 3)).await;
    assert_eq!(up.workers().len(), 3);
    until("orders spread over them", SERVE * SLACK, async || equal(aws.streams_that_fulfil().await.len(), 3)).await;

    up.manifest.edit("desiredCount: 3 ", "desiredCount: 1 ");
    let mut drained = false;
    until("two drain and stop", DRAIN, async || {
        let states = aws.target_states().await;
        drained |= states.iter().filter(|state| *state == "draining").count() == 2;
        holds(states == ["healthy"] && up.workers().len() == 1, format!("{states:?}, {:?}", up.workers()))
    })
    .await;
    assert!(drained, "the load balancer did not let the two go slowly");
    let stats = up.nothing_is_lost().await;
    assert!(stats.published > 50, "{stats:?}");
}

#[tokio::test]
async fn a_killed_worker_is_replaced_and_no_order_is_lost() {
    let up = Up::converged(&[]).await;
    let aws = up.aws();
    let before = up.fulfils_more(5, SERVE * SLACK).await;
    let [old] = up.workers().try_into().expect("one worker");
    let first: BTreeSet<_> =
        aws.tasks(DesiredStatus::Running).await.into_iter().filter_map(|task| task.task_arn).collect();
    let old_target = aws.healthy_targets().await;
    signal(old.pid, Signal::KILL);
    until("another worker serves", SERVE * SLACK, async || {
        let targets = aws.healthy_targets().await;
        holds(targets.len() == 1 && targets != old_target, format!("{targets:?}, before {old_target:?}"))
    })
    .await;
    assert!(up.workers().iter().all(|one| one.pid != old.pid), "{:?}", up.workers());
    up.fulfils_more(before.fulfilled, SERVE * SLACK).await;

    let stopped = aws.tasks(DesiredStatus::Stopped).await;
    let stopped = stopped.iter().find(|task| task.task_arn.as_ref().is_some_and(|arn| first.contains(arn)));
    let stopped = stopped.expect("the killed task is still shown");
    assert_eq!(stopped.stopped_reason(), Some("Essential container in task exited"));
    assert_eq!(stopped.containers()[0].exit_code(), Some(137));
    let service = aws.service().await.unwrap();
    let events: Vec<_> = service.events().iter().filter_map(|event| event.message()).collect();
    let id = stopped.task_arn().and_then(|arn| arn.rsplit('/').next()).unwrap();
    assert!(events.iter().any(|event| event.contains("has started 1 tasks")), "{events:#?}");
    assert!(events.iter().any(|event| event.contains(id)), "no event names {id}: {events:#?}");
    up.nothing_is_lost().await;
}
