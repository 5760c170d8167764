//! Plans of auto scaling: what is shown, what waits for what, whose the count is, and what is left alone.

use serde_json::{Value, json};

use super::model::World;
use super::{brief, desired, full, gone};
use crate::resource::scalable_target;

/// Scaling with every kind of part, with changes merged into it.
fn scaled(changes: &Value) -> Value {
    let mut scaling = json!({
        "minCapacity": 1, "maxCapacity": 10,
        "targetTracking": [{"name": "orders", "metric": "ALBRequestCountPerTarget", "target": 100, "scaleInCooldown": 60}],
        "step": [{
            "name": "burst", "adjustmentType": "ChangeInCapacity",
            "steps": [
                {"metricIntervalLowerBound": 20, "scalingAdjustment": 3},
                {"metricIntervalLowerBound": 0, "metricIntervalUpperBound": 20, "scalingAdjustment": 1},
            ],
            "alarm": {
                "namespace": "AWS/ECS", "metricName": "CPUUtilization", "statistic": "Average", "evaluationPeriods": 3,
                "threshold": 70, "comparisonOperator": "GreaterThanOrEqualToThreshold", "unit": "Percent",
            },
        }],
        "scheduled": [{"name": "day", "schedule": "cron(0 8 * * ? *)", "minCapacity": 4}],
    });
    super::merge(&mut scaling, changes);
    json!({"scaling": scaling})
}

fn converged() -> World {
    World::converged(&desired(&scaled(&json!({}))))
}

#[test]
fn scaling_added_shows_defaults_and_units_and_leaves_the_count() {
    let mut world = World::converged(&desired(&json!({})));
    world.service.as_mut().unwrap().spec.desired_count = 4;
    world.service.as_mut().unwrap().running = 4;
    let desired = desired(&scaled(&json!({})));
    insta::assert_snapshot!(full(&world, &desired), @r#"
    create scalable target monolith
        minCapacity: 1 task
        maxCapacity: 10 tasks
        suspended.in: false
        suspended.out: false
        suspended.scheduled: false
    waiting: create scaling policy interstella.burst: needs the scalable target monolith
    waiting: create scaling policy interstella.orders: needs the scalable target monolith
    waiting: create scheduled action interstella.day: needs the scalable target monolith
    waiting: create alarm interstella.interstella.monolith.burst: needs the scalable target monolith
    "#);
    world.pass(&desired);
    insta::assert_snapshot!(full(&world, &desired), @r#"
    create scaling policy interstella.burst
        type: "StepScaling"
        adjustmentType: "ChangeInCapacity"
        steps: ["0..20: +1","20..: +3"] tasks more or fewer
        cooldown: 300 s
        metricAggregationType: "Average"
    create scaling policy interstella.orders
        type: "TargetTrackingScaling"
        metric: "ALBRequestCountPerTarget"
        resourceLabel: "app/interstella/1/targetgroup/monolith/2"
        target: 100 requests a minute for each task
        scaleOutCooldown: 300 s
        scaleInCooldown: 60 s
        disableScaleIn: false
    create scheduled action interstella.day
        schedule: "cron(0 8 * * ? *)"
        timezone: "UTC"
        minCapacity: 4 tasks
    waiting: create alarm interstella.interstella.monolith.burst: needs the ARN of the scaling policy interstella.burst
    "#);
    world.pass(&desired);
    insta::assert_snapshot!(full(&world, &desired), @r#"
    create alarm interstella.interstella.monolith.burst
        namespace: "AWS/ECS"
        metricName: "CPUUtilization"
        dimensions.ClusterName: "interstella"
        dimensions.ServiceName: "monolith"
        statistic: "Average"
        period: 60 s
        evaluationPeriods: 3 periods of 60 s
        datapointsToAlarm: 3 of 3
        threshold: 70 Percent
        comparisonOperator: "GreaterThanOrEqualToThreshold"
        treatMissingData: "missing"
        unit: "Percent"
        actionsEnabled: true
        alarmActions: ["arn:policy/interstella.burst/5"]
        otherActions: []
    "#);
    world.converge(&desired);
    assert_eq!(world.service.unwrap().spec.desired_count, 4);
}

#[test]
fn a_count_that_auto_scaling_moves_is_no_drift() {
    let mut world = converged();
    for count in [2, 7, 10, 0] {
        world.service.as_mut().unwrap().spec.desired_count = count;
        assert_eq!(brief(&world, &desired(&scaled(&json!({})))), "nothing to do");
    }
}

#[test]
fn scaling_removed_gives_the_count_back_once_no_target_is_left() {
    let mut world = converged();
    world.service.as_mut().unwrap().spec.desired_count = 7;
    let desired = desired(&json!({}));
    insta::assert_snapshot!(full(&world, &desired), @r"
    delete alarm interstella.interstella.monolith.burst
    delete scaling policy interstella.burst
    delete scaling policy interstella.orders
    delete scheduled action interstella.day
    delete scalable target monolith
    waiting: update service monolith: desiredCount goes from 7 to 1 once its scalable target is gone
    ");
    world.pass(&desired);
    insta::assert_snapshot!(full(&world, &desired), @r"
    update service monolith (in place)
        desiredCount: 7 → 1
    ");
}

#[test]
fn each_changed_field_is_named() {
    let world = converged();
    let changed = scaled(&json!({
        "maxCapacity": 12, "suspended": {"in": true},
        "targetTracking": [{"name": "orders", "metric": "ALBRequestCountPerTarget", "target": 80, "scaleInCooldown": 60}],
        "scheduled": [{"name": "day", "schedule": "cron(30 7 * * ? *)", "timezone": "Europe/Berlin", "minCapacity": 4}],
    }));
    insta::assert_snapshot!(full(&world, &desired(&changed)), @r#"
    update scalable target monolith
        maxCapacity: 10 → 12 tasks
        suspended.in: false → true
    update scaling policy interstella.orders
        target: 100 → 80 requests a minute for each task
    update scheduled action interstella.day
        schedule: "cron(0 8 * * ? *)" → "cron(30 7 * * ? *)"
        timezone: "UTC" → "Europe/Berlin"
    "#);
}

#[test]
fn bounds_of_a_schedule_stay_and_others_are_put_back() {
    let mut world = converged();
    let desired = desired(&scaled(&json!({})));
    let target = |world: &mut World, min_capacity, max_capacity| {
        let spec = &mut world.scaling.target.as_mut().unwrap().spec;
        *spec = scalable_target::Spec { min_capacity, max_capacity, ..*spec };
    };
    target(&mut world, 4, 10);
    assert_eq!(brief(&world, &desired), "nothing to do");
    target(&mut world, 3, 10);
    insta::assert_snapshot!(full(&world, &desired), @r"
    update scalable target monolith
        minCapacity: 3 → 1 task
    ");
}

#[test]
fn a_foreign_target_is_left_and_has_the_count() {
    let mut world = converged();
    world.scaling.target.as_mut().unwrap().tags.clear();
    world.scaling.alarms.clear();
    world.service.as_mut().unwrap().spec.desired_count = 7;
    insta::assert_snapshot!(brief(&world, &desired(&scaled(&json!({})))), @"conflict: scalable target monolith is not touched: it belongs to somebody else (it lacks the tag interstella:manager) — take `scaling` out of the manifest, or deregister the scalable target that is there");
    insta::assert_snapshot!(brief(&world, &desired(&json!({}))), @r"
    nothing to do
    note: desiredCount is left to a scalable target (1–10 tasks) that is not ours: it belongs to somebody else (it lacks the tag interstella:manager)
    ");
}

#[test]
fn a_foreign_policy_is_reported_and_keeps_the_target() {
    let mut world = converged();
    let mut foreign = world.scaling.policies[0].clone();
    foreign.name = "by-hand".into();
    world.scaling.policies.push(foreign);
    insta::assert_snapshot!(brief(&world, &desired(&scaled(&json!({})))), @r"
    nothing to do
    note: the scaling policy by-hand is not ours (interstella.…); it is left and takes part in scaling
    ");
    let plan = brief(&world, &desired(&json!({})));
    assert!(
        !plan.contains("delete scalable target monolith\n") && plan.contains("by-hand on it is not ours"),
        "{plan}"
    );
}

#[test]
fn a_service_made_anew_gets_its_scaling_again() {
    let mut world = converged();
    world.scaling.target = None;
    world.scaling.policies.clear();
    world.scaling.actions.clear();
    let desired = desired(&scaled(&json!({})));
    world.pass(&desired);
    world.pass(&desired);
    // The policy has another ARN now, and the alarm still names the old one.
    assert!(brief(&world, &desired).starts_with("update alarm interstella.interstella.monolith.burst"));
    world.converge(&desired);
}

#[test]
fn destroy_takes_scaling_before_the_service() {
    let mut world = converged();
    let gone = gone(&scaled(&json!({})));
    let plan = brief(&world, &gone);
    let at = |text: &str| plan.find(text).unwrap_or_else(|| panic!("no {text} in\n{plan}"));
    assert!(
        at("delete alarm") < at("delete scaling policy") && at("delete scaling policy") < at("delete scalable target")
    );
    assert!(at("delete scalable target") < at("delete service"));
    world.pass(&gone);
    world.stop_tasks();
    world.converge(&gone);
    assert!(world.is_empty(), "{world:?}");
}

#[test]
fn the_rollout_hash_holds_no_delegated_count() {
    let hash = |changes: &Value| desired(changes).hashes.rollout;
    let with_count = |count: u32| {
        let mut changes = scaled(&json!({}));
        changes["desiredCount"] = count.into();
        changes
    };
    assert_eq!(hash(&with_count(2)), hash(&with_count(5)));
    assert_eq!(hash(&scaled(&json!({}))), hash(&json!({})), "scaling may come and go");
    assert_ne!(hash(&json!({"desiredCount": 2})), hash(&json!({"desiredCount": 5})));
}
