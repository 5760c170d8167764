//! Scheduled actions in cloud time, which begins at 2026-09-21T14:13:20Z.

use serde_json::{Value, json};

use crate::scene::Scene;

fn put(scene: &Scene, name: &str, schedule: &str, action: Value, more: Value) {
    let mut input = json!({"ScheduledActionName": name, "Schedule": schedule, "ScalableTargetAction": action});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    scene.call("PutScheduledAction", input);
}

#[test]
fn an_action_sets_the_bounds_and_then_moves_the_count() {
    let scene = Scene::new(1);
    scene.register(1, 5);
    put(&scene, "day", "at(2026-09-21T15:00:00)", json!({"MinCapacity": 3, "MaxCapacity": 8}), json!({}));
    scene.advance(2_800.0);
    assert_eq!((scene.bounds(), scene.desired()), ((3, 8), 3));
    assert_eq!(
        scene.activities(),
        [
            "Successful: Setting min capacity to 3 and max capacity to 8 scheduled action name day was triggered",
            "Successful: Setting desired count to 3. minimum capacity was set to 3",
        ]
    );
}

#[test]
fn an_action_happens_at_its_moment_in_its_time_zone() {
    let scene = Scene::new(2);
    scene.register(1, 5);
    // 16:30 in Berlin is 14:30 UTC in September, 1,000 seconds after the beginning.
    let zone = json!({"Timezone": "Europe/Berlin"});
    put(&scene, "evening", "cron(30 16 * * ? *)", json!({"MaxCapacity": 1}), zone);
    let due = 1_790_001_000_000;
    let wait = |to: i64| scene.advance(f64::from(i32::try_from(to - scene.cloud.now().as_millis()).unwrap()) / 1000.0);
    wait(due - 1);
    assert_eq!(scene.desired(), 2);
    wait(due);
    assert_eq!((scene.desired(), scene.bounds()), (1, (1, 1)));
    scene.register(1, 5);
    scene.set_by_hand(4);
    wait(due + 86_400_000);
    assert_eq!(scene.desired(), 1, "it happens every day");
}

#[test]
fn suspended_occurrences_are_not_made_up_for() {
    let scene = Scene::new(1);
    scene.register(1, 5);
    scene.call("RegisterScalableTarget", json!({"SuspendedState": {"ScheduledScalingSuspended": true}}));
    put(&scene, "up", "rate(1 hour)", json!({"MinCapacity": 2}), json!({}));
    scene.advance(3_700.0);
    scene.call("RegisterScalableTarget", json!({"SuspendedState": {"ScheduledScalingSuspended": false}}));
    scene.advance(60.0);
    assert_eq!(scene.desired(), 1);
    scene.advance(3_600.0);
    assert_eq!(scene.desired(), 2, "the next one happens");
}

#[test]
fn nothing_happens_before_the_start_and_after_the_end_and_nothing_puts_the_bounds_back() {
    let scene = Scene::new(1);
    scene.register(1, 9);
    let start = scene.cloud.now().as_epoch_seconds() + 7_200.0;
    let span = json!({"StartTime": start, "EndTime": start + 1_000.0});
    put(&scene, "up", "rate(1 hour)", json!({"MinCapacity": 2}), span);
    scene.advance(7_100.0);
    assert_eq!(scene.bounds(), (1, 9));
    scene.advance(200.0);
    assert_eq!(scene.bounds(), (2, 9), "a rate begins with its start");
    scene.register(1, 9);
    scene.advance(10_000.0);
    assert_eq!(scene.bounds(), (1, 9));
}

#[test]
fn an_update_keeps_what_it_leaves_out_but_start_and_end() {
    let scene = Scene::new(1);
    scene.register(1, 9);
    let start = scene.cloud.now().as_epoch_seconds() + 60.0;
    let first = json!({"StartTime": start, "EndTime": start + 600.0, "Timezone": "Europe/Berlin"});
    put(&scene, "up", "cron(0 8 ? * MON-FRI *)", json!({"MinCapacity": 2}), first);
    let described = || scene.call("DescribeScheduledActions", json!({}))["ScheduledActions"][0].clone();
    let before = described();
    assert_eq!((before["StartTime"].as_f64(), before["EndTime"].as_f64()), (Some(start), Some(start + 600.0)));
    scene.call("PutScheduledAction", json!({"ScheduledActionName": "up"}));
    let mut wanted = before;
    for member in ["StartTime", "EndTime"] {
        wanted.as_object_mut().unwrap().remove(member);
    }
    assert_eq!(described(), wanted);
}

#[test]
fn a_deleted_or_changed_action_does_not_happen_at_its_old_times() {
    let scene = Scene::new(1);
    scene.register(1, 9);
    put(&scene, "up", "rate(1 hour)", json!({"MinCapacity": 2}), json!({}));
    put(&scene, "up", "rate(3 hours)", json!({"MinCapacity": 2}), json!({}));
    put(&scene, "more", "rate(1 hour)", json!({"MinCapacity": 3}), json!({}));
    scene.call("DeleteScheduledAction", json!({"ScheduledActionName": "more"}));
    scene.advance(4_000.0);
    assert_eq!(scene.desired(), 1);
    scene.advance(7_000.0);
    assert_eq!(scene.desired(), 2);
    let gone = scene.refused("DeleteScheduledAction", json!({"ScheduledActionName": "more"}));
    assert!(gone.starts_with("ObjectNotFoundException"), "{gone}");
}

#[test]
fn what_aws_refuses_is_refused() {
    let scene = Scene::new(1);
    let action = json!({"MinCapacity": 1});
    let input = |name: &str, schedule: &str, action: &Value| json!({"ScheduledActionName": name, "Schedule": schedule, "ScalableTargetAction": action});
    let without_target = scene.refused("PutScheduledAction", input("up", "rate(1 hour)", &action));
    assert!(without_target.starts_with("ObjectNotFoundException"), "{without_target}");
    scene.register(1, 9);
    let mut zone = input("up", "rate(1 hour)", &action);
    zone["Timezone"] = json!("Mars/Olympus");
    let mut span = input("up", "rate(1 hour)", &action);
    (span["StartTime"], span["EndTime"]) = (json!(1_800_000_000), json!(1_700_000_000));
    let refusals = [
        input("a/b", "rate(1 hour)", &action),
        input("up", "rate(1 hours)", &action),
        input("up", "cron(0 8 * * * *)", &action),
        input("up", "rate(1 hour)", &json!({})),
        input("up", "rate(1 hour)", &json!({"MinCapacity": 3, "MaxCapacity": 2})),
        json!({"ScheduledActionName": "up", "Schedule": "rate(1 hour)"}),
        zone,
        span,
    ];
    let refused: Vec<String> = refusals.into_iter().map(|input| scene.refused("PutScheduledAction", input)).collect();
    insta::assert_snapshot!(refused.join("\n"), @r"
    ValidationException: A scheduled action's name has 1 to 256 characters, none of : / | and no space at either end.
    ValidationException: Invalid schedule rate(1 hours): rate() takes a value from 1 and minute, minutes, hour, hours, day or days: the plural unless the value is 1
    ValidationException: Invalid schedule cron(0 8 * * * *): exactly one of day of month and day of week is ?
    ValidationException: A scheduled action sets MinCapacity or MaxCapacity or both.
    ValidationException: Maximum capacity 2 cannot be less than minimum capacity 3.
    ValidationException: ScalableTargetAction must be given to make a scheduled action.
    ValidationException: Unknown time zone Mars/Olympus.
    ValidationException: StartTime must be before EndTime.
    ");
}
