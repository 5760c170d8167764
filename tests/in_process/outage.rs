//! The fulfilment API is away, for minutes and for more than SNS's hour: no order is gone, whatever has become of it.

mod api;
mod deliveries;
mod scene;

use std::collections::BTreeSet;
use std::time::Duration;

use api::Away;
use scene::Scene;
use uuid::Uuid;

const MINUTE: Duration = Duration::from_secs(60);
/// The manifest's longest pause between attempts. (`maxDelayTarget`)
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// More than all pauses of the manifest's policy together.
const HOUR: Duration = Duration::from_secs(3600);
const LATER: Option<u16> = Some(503);

#[tokio::test]
async fn five_minutes_down_delays_orders_and_loses_none() {
    for away in [Away::Refusing, Away::Failing] {
        let mut scene = Scene::new(true).await;
        scene.publish(5).await;
        scene.pass(MINUTE).await;
        assert_eq!(scene.fulfilled(), scene.published(), "{away:?}");
        assert_eq!(scene.deliveries.take_answers(), [Some(200); 5]);

        scene.api.goes(away).await;
        for _ in 0..30 {
            scene.publish(1).await;
            scene.pass(MINUTE / 6).await;
        }
        let answers = scene.deliveries.take_answers();
        assert!(answers.len() > 100 && answers.iter().all(|answer| *answer == LATER), "{away:?}: {answers:?}");
        assert_eq!(scene.fulfilled().len(), 5, "{away:?}");

        scene.api.comes().await;
        scene.publish(5).await;
        scene.until_done(&scene.published(), LONGEST_PAUSE + MINUTE).await;
        assert_eq!(scene.fulfilled(), scene.published(), "{away:?}");
        assert!(scene.dead_letters().is_empty() && scene.parked().await.is_empty(), "{away:?}");
        scene.runs();
    }
}

#[tokio::test]
async fn hour_exceeded_leaves_dead_letters_that_can_be_delivered_by_hand() {
    let mut scene = Scene::new(true).await;
    scene.publish(3).await;
    let before = scene.published();
    scene.api.goes(Away::Refusing).await;
    scene.publish(7).await;
    let early = without(&scene.published(), &before);
    scene.pass(HOUR - 10 * MINUTE).await;
    scene.publish(6).await;
    scene.pass(10 * MINUTE).await;
    assert!(scene.deliveries.take_answers()[3..].iter().all(|answer| *answer == LATER));

    scene.api.comes().await;
    let in_time = without(&scene.published(), &early);
    scene.until_done(&in_time, LONGEST_PAUSE + MINUTE).await;
    let letters = scene.dead_letters();
    assert_eq!(scene.fulfilled(), in_time);
    assert_eq!(letters.keys().copied().collect::<BTreeSet<_>>(), early);
    assert!(scene.parked().await.is_empty());

    for (key, letter) in letters {
        assert_eq!(scene.redrive(letter).await, Some(200), "{key}");
    }
    assert_eq!(scene.fulfilled(), scene.published());
    scene.runs();
}

/// Without idempotency keys nobody can tell whether a call that failed took effect, so a person has to.
#[tokio::test]
async fn hour_exceeded_leaves_parked_orders_where_keys_are_not_honoured() {
    let mut scene = Scene::new(false).await;
    scene.publish(3).await;
    let before = scene.published();
    scene.api.goes(Away::Failing).await;
    scene.publish(7).await;
    let parked = without(&scene.published(), &before);
    scene.pass(HOUR).await;
    scene.api.comes().await;
    scene.publish(2).await;
    scene.pass(LONGEST_PAUSE).await;

    assert_eq!(scene.parked().await, parked);
    assert_eq!(scene.fulfilled(), without(&scene.published(), &parked));
    assert!(scene.dead_letters().is_empty());
    let answers = scene.deliveries.take_answers();
    assert_eq!(answers.iter().filter(|answer| **answer == LATER).count(), parked.len(), "once each, then parked");
    assert!(answers.iter().all(|answer| [LATER, Some(200)].contains(answer)), "{answers:?}");
    scene.runs();
}

fn without(all: &BTreeSet<Uuid>, others: &BTreeSet<Uuid>) -> BTreeSet<Uuid> {
    all.difference(others).copied().collect()
}
