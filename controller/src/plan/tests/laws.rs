//! What holds for every plan on the way from any manifest to any other, however often the way is cut short.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::model::World;
use super::{desired, gone};
use crate::desired::Desired;
use crate::plan::{Action, Plan, Verb, plan};

/// Manifests that differ in every resource.
fn changes() -> impl Strategy<Value = Value> {
    let image = prop::sample::select(vec!["monolith:1", "monolith:2"]);
    let logs = prop::sample::select(vec![
        json!(null),
        json!({"group": "monolith"}),
        json!({"group": "other", "retentionDays": 3}),
    ]);
    let front =
        (any::<bool>(), prop::sample::select(vec!["interstella", "other"]), 5000_u32..5002, 60_u32..62, 80_u32..82);
    let group = (prop::sample::select(vec!["monolith", "other"]), prop::sample::select(vec!["/", "/livez"]));
    (image, logs, 0_u32..3, front, group, any::<bool>(), scaling()).prop_map(|values| {
        let (image, logs, count, front, group, subscribed, scaling) = values;
        let (fronted, name, port, idle, group_port) = front;
        let (group_name, path) = group;
        let mut json = json!({
            "taskDefinition": {"containers": [{
                "name": "monolith", "image": image, "memoryReservation": 128,
                "portMappings": [{"containerPort": 5000}], "logs": logs,
            }]},
            "desiredCount": count,
            "loadBalancer": {
                "name": name, "idleTimeoutSeconds": idle, "listener": {"port": port},
                "targetGroup": {"name": group_name, "port": group_port, "healthCheck": {"path": path}},
            },
            "allowReplace": true,
            "scaling": scaling,
        });
        if !fronted {
            json["loadBalancer"] = Value::Null;
        }
        if !fronted || !subscribed {
            json["subscriptions"] = json!([]);
        }
        json
    })
}

/// Auto scaling with a policy whose type may change, steps with an alarm of the load balancer or of the service, and a schedule.
fn scaling() -> impl Strategy<Value = Value> {
    let policy = prop::sample::select(vec![
        json!([]),
        json!([{"name": "load", "metric": "ECSServiceAverageCPUUtilization", "target": 50}]),
    ]);
    let namespace = prop::sample::select(vec!["AWS/ECS", "AWS/SQS"]);
    let parts = (1_u32..3, policy, prop::option::of(namespace), any::<bool>());
    prop::option::of(parts).prop_map(|parts| {
        let Some((min, tracking, namespace, scheduled)) = parts else { return Value::Null };
        let step = namespace.map(|namespace| {
            let alarm = json!({
                "namespace": namespace, "metricName": "CPUUtilization", "statistic": "Average", "evaluationPeriods": 2,
                "threshold": 80, "comparisonOperator": "GreaterThanThreshold",
            });
            let steps = json!([{"metricIntervalLowerBound": 0, "scalingAdjustment": 1}]);
            let name = if tracking == json!([]) { "load" } else { "burst" };
            json!({"name": name, "adjustmentType": "ChangeInCapacity", "steps": steps, "alarm": alarm})
        });
        let action = scheduled.then(|| json!({"name": "day", "schedule": "cron(0 8 * * ? *)", "minCapacity": 2}));
        json!({
            "minCapacity": min, "maxCapacity": 5, "targetTracking": tracking,
            "step": step.into_iter().collect::<Vec<_>>(), "scheduled": action.into_iter().collect::<Vec<_>>(),
        })
    })
}

/// One UpdateService at most, and one action for each resource.
fn check(plan: &Plan) {
    let updates = plan.actions.iter().filter(|action| matches!(action, Action::Service(_)));
    assert!(updates.count() <= 1, "{plan}");
    let mut seen = BTreeSet::new();
    for action in &plan.actions {
        let summary = action.summary();
        assert!(seen.insert((summary.resource, summary.name)), "two actions for one resource:\n{plan}");
    }
}

/// Passes that are cut short after as many actions as each of `cuts` says, then undisturbed ones.
fn walk(world: &mut World, desired: &Desired, cuts: &[usize]) {
    for cut in cuts {
        let plan = plan(desired, &world.observe(desired));
        check(&plan);
        plan.actions.into_iter().take(*cut).for_each(|action| world.apply(desired, action));
        world.stop_tasks();
    }
    for _ in 0..20 {
        let plan = plan(desired, &world.observe(desired));
        check(&plan);
        if plan.is_empty() {
            return;
        }
        world.pass(desired);
        world.stop_tasks();
    }
    panic!("does not converge: {}", plan(desired, &world.observe(desired)));
}

fn has_tasks(world: &World) -> bool {
    world.service.as_ref().is_some_and(|found| found.spec.desired_count > 0)
}

/// How many of each there are, whatever way led there, with or without the subscriptions.
fn counts(world: &World, subscriptions: bool) -> [usize; 9] {
    [
        world.log_groups.len(),
        world.balancers.len(),
        world.groups.len(),
        world.listeners.len(),
        if subscriptions { world.subscriptions.len() } else { 0 },
        usize::from(world.scaling.target.is_some()),
        world.scaling.policies.len(),
        world.scaling.actions.len(),
        world.scaling.alarms.len(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_way_leads_to_the_same_end(
        ways in prop::collection::vec((changes(), prop::collection::vec(0_usize..4, 0..6)), 1..4),
    ) {
        let mut world = World::default();
        for (changes, cuts) in &ways {
            walk(&mut world, &desired(changes), cuts);
        }
        let (last, cuts) = ways.last().unwrap();
        let direct = World::converged(&desired(last));
        // Without tasks nothing can be subscribed, and what is subscribed stays.
        let subscriptions = has_tasks(&world) && has_tasks(&direct);
        prop_assert_eq!(counts(&world, subscriptions), counts(&direct, subscriptions));
        walk(&mut world, &gone(last), cuts);
        prop_assert!(world.is_empty(), "{:?}", world);
    }

    #[test]
    fn the_first_plan_shows_everything_that_will_be_made(changes in changes()) {
        let desired = desired(&changes);
        let mut world = World::default();
        let first = plan(&desired, &world.observe(&desired));
        let now = first.actions.iter().map(|action| action.summary().resource);
        let mut shown: Vec<_> = now.chain(first.waiting.iter().map(|waiting| waiting.resource)).collect();
        prop_assert_eq!(shown.len(), first.counts().changes());
        let mut made = Vec::new();
        for _ in 0..20 {
            let summaries = plan(&desired, &world.observe(&desired)).actions.into_iter().map(|one| one.summary());
            made.extend(summaries.filter(|one| one.action == Verb::Create).map(|one| one.resource));
            world.pass(&desired);
        }
        if desired.service.desired_count == 0 {
            // A subscription is confirmed by a task, and nobody knows when somebody will want one.
            shown.retain(|resource| *resource != "subscription");
        }
        shown.sort_unstable();
        made.sort_unstable();
        prop_assert_eq!(shown, made);
    }
}
