//! Plans as text, and laws that hold for every plan, against a small model of AWS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod additions;
mod laws;
mod model;
mod scaling;

use serde_json::{Value, json};

use super::{On, plan};
use crate::app::{MANAGER_TAG, Manager};
use crate::aws::Identity;
use crate::desired::{Desired, Presence};
use crate::manifest::Manifest;
use crate::observed::Observed;
use crate::resource::service;
use crate::resource::service::history::{Attempt, Failure};
use crate::resource::target_group::Target;
use crate::resource::task_definition::{REVISION_TAG, ROLLOUT_TAG, Revision};
use crate::status::app_status;
use model::World;

/// The workshop's manifest, with changes merged into its `spec`.
fn manifest(changes: &Value) -> Manifest {
    let mut json = json!({
        "apiVersion": "interstella.trade/v1", "kind": "Service", "metadata": {"name": "monolith"},
        "spec": {
            "cluster": "interstella",
            "taskDefinition": {"containers": [{
                "name": "monolith", "image": "monolith:1", "memoryReservation": 128,
                "portMappings": [{"containerPort": 5000}],
                "logs": {"group": "monolith", "retentionDays": 7},
            }]},
            "loadBalancer": {
                "name": "interstella", "subnets": ["a", "b"], "listener": {"port": 5000},
                "targetGroup": {"deregistrationDelaySeconds": 30},
                "container": {"name": "monolith", "port": 5000},
            },
            "subscriptions": [{"topic": "arn:aws:sns:us-west-2:123456789012:orderTopic", "path": "/order/"}],
        },
    });
    merge(json.get_mut("spec").unwrap(), changes);
    serde_json::from_value(json).unwrap()
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn identity() -> Identity {
    Identity { account: "123456789012".into(), region: "us-west-2".into() }
}

fn desired(changes: &Value) -> Desired {
    Desired::present(&manifest(changes), &identity(), &Manager::default())
}

fn gone(changes: &Value) -> Desired {
    Desired::absent(&manifest(changes), &identity(), &Manager::default())
}

/// What the next plan does and waits for, without the fields.
fn brief(world: &World, desired: &Desired) -> String {
    let plan = plan(desired, &world.observe(desired)).to_string();
    plan.lines().filter(|line| !line.starts_with("    ")).collect::<Vec<_>>().join("\n")
}

fn full(world: &World, desired: &Desired) -> String {
    plan(desired, &world.observe(desired)).to_string()
}

#[test]
fn the_first_plan_shows_everything() {
    insta::assert_snapshot!(full(&World::default(), &desired(&json!({}))), @r#"
    create log group monolith
        retentionDays: 7
    create task definition interstella-monolith (a new revision)
        networkMode: "bridge"
        requiresCompatibilities: []
        containers.monolith.image: "monolith:1"
        containers.monolith.cpu: 0
        containers.monolith.memoryReservation: 128
        containers.monolith.essential: true
        containers.monolith.portMappings: ["0:5000/tcp"]
        containers.monolith.command: []
        containers.monolith.entryPoint: []
        containers.monolith.logs.driver: "awslogs"
        containers.monolith.logs.options.awslogs-group: "monolith"
        containers.monolith.logs.options.awslogs-region: "us-west-2"
        containers.monolith.logs.options.awslogs-stream-prefix: "monolith"
    create load balancer interstella
        scheme: "internet-facing"
        subnets: ["a","b"]
        idleTimeoutSeconds: 60
    waiting: create target group monolith: needs the VPC of the load balancer interstella
    waiting: create listener interstella:5000: needs the load balancer interstella
    waiting: create service monolith: needs a revision of interstella-monolith
    waiting: create subscription arn:aws:sns:us-west-2:123456789012:orderTopic → /order/: needs the load balancer interstella
    "#);
}

#[test]
fn marks_and_counts_tell_at_a_glance_what_is_done_and_what_follows() {
    let shown = |world: &World, desired: &Desired| {
        let plan = plan(desired, &world.observe(desired));
        let marked = format!("{plan:#}\n{}", plan.counts());
        marked.lines().filter(|line| !line.starts_with("    ")).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(shown(&World::default(), &desired(&json!({}))), @r"
    + create log group monolith
    + create task definition interstella-monolith (a new revision)
    + create load balancer interstella
    … waiting: create target group monolith: needs the VPC of the load balancer interstella
    … waiting: create listener interstella:5000: needs the load balancer interstella
    … waiting: create service monolith: needs a revision of interstella-monolith
    … waiting: create subscription arn:aws:sns:us-west-2:123456789012:orderTopic → /order/: needs the load balancer interstella

    3 to create, 4 will follow
    ");
    let world = World::converged(&desired(&json!({})));
    let moved = json!({"desiredCount": 3, "subscriptions": [], "loadBalancer": {"listener": {"port": 5001}}});
    insta::assert_snapshot!(shown(&world, &desired(&moved)), @r"
    - delete subscription arn:aws:sns:us-west-2:123456789012:orderTopic → http://interstella-1.elb:5000/order/
    ~ update listener interstella:5001
    ~ update service monolith (in place)

    2 to update, 1 to delete
    ");
    let replaced = json!({"loadBalancer": {"subnets": ["c", "d"], "scheme": "internal"}, "allowReplace": true});
    insta::assert_snapshot!(shown(&world, &desired(&replaced)), @r"
    - delete subscription arn:aws:sns:us-west-2:123456789012:orderTopic → http://interstella-1.elb:5000/order/
    - delete listener interstella:5000
    … waiting: replace load balancer interstella: its listener has to go first
    … waiting: create listener interstella:5000: needs the load balancer interstella
    … waiting: create subscription arn:aws:sns:us-west-2:123456789012:orderTopic → /order/: needs the load balancer interstella

    2 to delete, 3 will follow
    ");
    assert_eq!(shown(&world, &desired(&json!({}))), "  nothing to do\n");
}

#[test]
fn a_converged_app_plans_nothing() {
    let desired = desired(&json!({}));
    let world = World::converged(&desired);
    assert_eq!(full(&world, &desired), "nothing to do\n");
}

#[test]
fn a_count_is_changed_in_place() {
    let world = World::converged(&desired(&json!({})));
    insta::assert_snapshot!(full(&world, &desired(&json!({"desiredCount": 3}))), @r"
    update service monolith (in place)
        desiredCount: 1 → 3
    ");
}

#[test]
fn an_image_is_a_new_revision_and_then_a_deployment() {
    let mut world = World::converged(&desired(&json!({})));
    let containers = json!([{
        "name": "monolith", "image": "monolith:2", "memoryReservation": 128, "portMappings": [{"containerPort": 5000}],
        "logs": {"group": "monolith", "retentionDays": 7},
    }]);
    let desired = desired(&json!({"taskDefinition": {"containers": containers}}));
    insta::assert_snapshot!(full(&world, &desired), @r#"
    create task definition interstella-monolith (a new revision)
        containers.monolith.image: "monolith:1" → "monolith:2"
    waiting: update service monolith: needs a revision of interstella-monolith
    "#);
    world.pass(&desired);
    insta::assert_snapshot!(full(&world, &desired), @r#"
    update service monolith (a new deployment)
        taskDefinition: "interstella-monolith:1" → "interstella-monolith:2"
    "#);
}

#[test]
fn drift_is_named_field_by_field() {
    let desired = desired(&json!({}));
    let mut world = World::converged(&desired);
    world.groups[0].spec.health_check.path = "/wrong".into();
    world.service.as_mut().unwrap().spec.desired_count = 4;
    world.listeners.clear();
    insta::assert_snapshot!(full(&world, &desired), @r#"
    update target group monolith
        healthCheck.path: "/wrong" → "/"
    create listener interstella:5000
        port: 5000
        protocol: "HTTP"
        defaultAction: "forward arn:targetgroup/monolith/2"
    waiting: update service monolith: needs the listener interstella:5000
    "#);
}

#[test]
fn what_leaves_the_manifest_is_removed_in_order() {
    let mut world = World::converged(&desired(&json!({})));
    let desired = desired(&json!({"loadBalancer": null, "subscriptions": []}));
    insta::assert_snapshot!(brief(&world, &desired), @r"
    delete subscription arn:aws:sns:us-west-2:123456789012:orderTopic → http://interstella-1.elb:5000/order/
    create task definition interstella-monolith (a new revision)
    waiting: delete listener interstella:5000: the service still uses it
    waiting: delete load balancer interstella: its listener has to go first
    waiting: delete target group monolith: the listener that forwards to it has to go first
    waiting: update service monolith: needs a revision of interstella-monolith
    ");
    world.converge(&desired);
    assert!(world.balancers.is_empty() && world.groups.is_empty() && world.subscriptions.is_empty());
}

#[test]
fn a_renamed_load_balancer_leaves_nothing_behind() {
    let mut world = World::converged(&desired(&json!({})));
    let desired = desired(&json!({"loadBalancer": {"name": "other"}}));
    world.converge(&desired);
    let names: Vec<_> = world.balancers.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["other"]);
    assert_eq!(world.subscriptions.len(), 1);
}

#[test]
fn requests_move_to_a_renamed_target_group_once_the_tasks_are_healthy_in_it() {
    let mut world = World::converged(&desired(&json!({})));
    let desired = desired(&json!({"loadBalancer": {"targetGroup": {"name": "other"}}}));
    let mut plans = Vec::new();
    loop {
        let plan = plan(&desired, &world.observe(&desired));
        if plan.is_empty() {
            break;
        }
        let text = plan.to_string();
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("    healthCheck")).collect();
        plans.push(lines.join("\n"));
        world.pass(&desired);
    }
    insta::assert_snapshot!(plans.join("\n--\n"), @r#"
    create target group other
        port: 80
        targetType: "instance"
        deregistrationDelaySeconds: 30
        algorithm: "round_robin"
    waiting: delete target group monolith: the listener that forwards to it has to go first
    waiting: create listener interstella:5000: needs the target group other
    waiting: update service monolith: needs the target group other
    --
    update target group other
        deregistrationDelaySeconds: 300 → 30
    update listener interstella:5000
        defaultAction: "forward arn:targetgroup/monolith/2" → "forward arn:targetgroup/monolith/2 1,arn:targetgroup/other/5 0"
    waiting: delete target group monolith: the listener that forwards to it has to go first
    waiting: update listener interstella:5000: requests stay with monolith until all tasks are healthy in other
    waiting: update service monolith: needs the listener interstella:5000
    --
    update service monolith (a new deployment)
        loadBalancers.monolith:5000: ["arn:targetgroup/monolith/2"] → ["arn:targetgroup/monolith/2","arn:targetgroup/other/5"]
    waiting: delete target group monolith: the listener that forwards to it has to go first
    waiting: update listener interstella:5000: requests stay with monolith until all tasks are healthy in other
    --
    update listener interstella:5000
        defaultAction: "forward arn:targetgroup/monolith/2 1,arn:targetgroup/other/5 0" → "forward arn:targetgroup/other/5"
    waiting: delete target group monolith: the listener that forwards to it has to go first
    --
    update service monolith (a new deployment)
        loadBalancers.monolith:5000: ["arn:targetgroup/monolith/2","arn:targetgroup/other/5"] → ["arn:targetgroup/other/5"]
    waiting: delete target group monolith: the service still uses it
    --
    delete target group monolith
    "#);
}

#[test]
fn requests_never_go_back_to_a_group_that_the_service_may_have_left() {
    let before = desired(&json!({}));
    let mut world = World::converged(&before);
    let desired = desired(&json!({"loadBalancer": {"targetGroup": {"name": "other"}}}));
    let is_moved = |world: &World| world.listeners[0].spec.default_action.groups.len() == 1 && world.groups.len() == 2;
    while !(is_moved(&world) && world.service.as_ref().unwrap().spec.target_groups().count() == 2) {
        world.pass(&desired);
    }
    // The service is read as it was; the tasks that are healthy in the new group are just being replaced.
    let mut observed = world.observe(&desired);
    observed.targets.clear();
    let plan = plan(&desired, &observed).to_string();
    assert!(!plan.contains("listener interstella:5000"), "{plan}");
}

#[test]
fn destroy_waits_for_the_tasks() {
    let mut world = World::converged(&desired(&json!({})));
    let gone = gone(&json!({}));
    world.pass(&gone);
    insta::assert_snapshot!(brief(&world, &gone), @r"
    waiting: delete service monolith: its tasks are stopping
    waiting: delete listener interstella:5000: the service's tasks have to stop first
    waiting: delete load balancer interstella: its listener has to go first
    waiting: delete target group monolith: the listener that forwards to it has to go first
    waiting: delete task definition interstella-monolith:1: the service's tasks have to stop first
    waiting: delete log group monolith: the service's tasks have to stop first
    ");
    world.stop_tasks();
    world.converge(&gone);
    assert!(world.is_empty(), "{world:?}");
}

#[test]
fn what_cannot_be_changed_is_refused_unless_allowed() {
    let mut world = World::converged(&desired(&json!({})));
    let refused = desired(&json!({"loadBalancer": {"targetGroup": {"port": 81}}}));
    insta::assert_snapshot!(brief(&world, &refused), @"waiting: replace target group monolith: needs a new one (port: 80 → 81); give it another name or set allowReplace: true");
    let allowed = desired(&json!({"loadBalancer": {"targetGroup": {"port": 81}}, "allowReplace": true}));
    world.converge(&allowed);
    assert_eq!(world.groups[0].spec.port, 81);
}

#[test]
fn somebody_elses_service_stops_everything() {
    let desired = desired(&json!({}));
    let mut world = World::converged(&desired);
    world.service.as_mut().unwrap().tags.insert(MANAGER_TAG.into(), "team-b".into());
    world.groups.clear();
    insta::assert_snapshot!(brief(&world, &desired), @r#"conflict: service monolith is not touched: it belongs to the manager "team-b" — give another `metadata.name`, delete the service that is there, or say its manager with `--manager`"#);
}

#[test]
fn an_unmarked_load_balancer_is_a_conflict_and_stays() {
    let desired = desired(&json!({}));
    let mut world = World::converged(&desired);
    world.balancers[0].tags.clear();
    let plan = full(&world, &desired);
    assert!(plan.contains("conflict: load balancer interstella is not touched"), "{plan}");
    assert!(!plan.lines().any(|line| line.starts_with("delete")), "{plan}");
}

/// The failed rollout of a second revision, which is what `desired` asks for but for `change`.
fn failure(world: &World, desired: &Desired, change: fn(&mut Revision)) -> Failure {
    let mut revision = world.revisions[0].clone();
    revision.arn = "arn:task-definition/interstella-monolith:2".into();
    revision.tags.insert(ROLLOUT_TAG.into(), desired.hashes.rollout.clone());
    change(&mut revision);
    let (task_definition, reason) = (revision.arn.clone(), "tasks failed to start.".to_owned());
    Failure {
        attempt: Attempt { task_definition, reason, created_at: None, is_latest: true },
        revision: Some(revision),
    }
}

#[test]
fn without_a_manifest_only_what_we_registered_is_retried() {
    let present = desired(&json!({}));
    let world = World::converged(&present);
    let undeclared = Desired::by_marks(present.marks.app.clone(), &Manager::default(), Presence::Undeclared);
    let mut observed = world.observe(&undeclared);
    let original: fn(&mut Revision) = |one| drop(one.tags.insert(REVISION_TAG.into(), "2".into()));
    for (change, is_latest, retried) in [(original, true, true), (original, false, false), (|_| (), true, false)] {
        let mut failure = failure(&world, &present, change);
        failure.attempt.is_latest = is_latest;
        observed.history.failures = vec![failure];
        assert_eq!(service::failed_rollout(&undeclared, &observed).is_some(), retried);
    }
    insta::assert_snapshot!(plan(&undeclared, &observed).to_string(), @"
    nothing to do
    note: no manifest at hand declares it (interstella destroy interstella/monolith removes it)
    ");
}

#[test]
fn a_missing_cluster_has_no_service_and_stops_nothing_that_goes() {
    let mut world = World::converged(&desired(&json!({})));
    world.service = None;
    let see = |desired: &Desired| Observed { cluster_is_missing: true, ..world.observe(desired) };
    let (wanted, unwanted) = (desired(&json!({})), gone(&json!({})));
    insta::assert_snapshot!(plan(&wanted, &see(&wanted)).to_string(), @"waiting: create service monolith: there is no cluster interstella; make it (aws ecs create-cluster --cluster-name interstella), or name another");
    let removal = plan(&unwanted, &see(&unwanted));
    assert!(removal.actions.len() > 3 && removal.conflicts.is_empty(), "{removal}");
}

#[test]
fn without_tasks_a_subscription_is_pending_and_the_app_as_it_should_be() {
    let none = desired(&json!({"desiredCount": 0}));
    let mut world = World::default();
    world.converge(&none);
    insta::assert_snapshot!(full(&world, &none), @"
    nothing to do
    note: subscription arn:aws:sns:us-west-2:123456789012:orderTopic → http://interstella-1.elb:5000/order/ is pending: it is made once tasks run, and desiredCount is 0
    ");
    // The way down leaves what is confirmed.
    let mut world = World::converged(&desired(&json!({})));
    world.converge(&none);
    assert_eq!((world.subscriptions.len(), full(&world, &none)), (1, "nothing to do\n".to_owned()));
}

#[test]
fn ready_takes_healthy_targets_and_deployed_takes_the_new_ones_alone() {
    let desired = desired(&json!({"desiredCount": 2}));
    let mut observed = World::converged(&desired).observe(&desired);
    let healthy = observed.targets.clone();
    let one = |state: &str| Target { state: state.into(), ..healthy[0].clone() };
    let table = [
        (vec![], (true, true)),
        (vec![one("draining")], (true, true)),
        // Tasks of the last deployment that the load balancer still sends requests to.
        (vec![one("healthy")], (true, false)),
    ];
    let status = |observed: &Observed| app_status(&desired, observed, &plan(&desired, observed), &[]);
    for (beside, holds) in table {
        observed.targets = [healthy.clone(), beside].concat();
        let status = status(&observed);
        assert_eq!((status.is_ready(), status.is_deployed()), holds, "{:#?}", observed.targets);
    }
    observed.targets = vec![one("healthy"), one("unhealthy")];
    let status = status(&observed);
    assert!(!status.is_ready() && !status.is_deployed() && status.is_progressing(), "{status:#?}");
    assert!(status.conditions[0].message.starts_with("1 of 2 targets are healthy"), "{status:#?}");
}

#[test]
fn a_failed_rollout_is_not_pushed_again() {
    let desired = desired(&json!({"desiredCount": 2}));
    let world = World::converged(&self::desired(&json!({})));
    let mut observed = world.observe(&desired);
    observed.history.failures = vec![failure(&world, &desired, |_| ())];
    let stalled = "stalled: the rollout of interstella-monolith:2 has failed: tasks failed to start\n";
    assert_eq!(plan(&desired, &observed).to_string(), stalled);
    // The rollout of something else, and the image that another tool deployed with a copy of our tags.
    let others: [fn(&mut Revision); 2] = [
        |one| drop(one.tags.insert(ROLLOUT_TAG.into(), "another".into())),
        |one| one.spec.containers.get_mut("monolith").unwrap().image = "monolith:missing".into(),
    ];
    for change in others {
        observed.history.failures = vec![failure(&world, &desired, change)];
        assert!(plan(&desired, &observed).to_string().starts_with("update service monolith"));
        assert_eq!(service::failed_rollout(&desired, &observed), None);
    }
    observed.history.rolling_back = Some("deployment failed".into());
    assert!(plan(&desired, &observed).waiting.iter().all(|waiting| waiting.on == On::Aws));
}

#[test]
fn a_first_rollout_that_failed_is_tried_again_with_a_fresh_revision() {
    let mut world = World::converged(&desired(&json!({})));
    world.service.as_mut().unwrap().deployments[0].rollout_state = "FAILED".into();
    assert_eq!(brief(&world, &desired(&json!({}))), "nothing to do");
    let is_stalled = |desired: &Desired| {
        let observed = world.observe(desired);
        app_status(desired, &observed, &plan(desired, &observed), &[]).is_stalled()
    };
    let mended = desired(&json!({"taskDefinition": {"containers": [{
        "name": "monolith", "image": "monolith:2", "memoryReservation": 128, "portMappings": [{"containerPort": 5000}],
    }]}}));
    assert!(is_stalled(&desired(&json!({}))) && !is_stalled(&mended), "a mended manifest is no longer stalled");
    let changed = desired(&json!({"loadBalancer": {"targetGroup": {"healthCheck": {"path": "/livez"}}}}));
    insta::assert_snapshot!(brief(&world, &changed), @r"
    create task definition interstella-monolith (a new revision)
    update target group monolith
    waiting: update service monolith: needs a revision of interstella-monolith
    ");
}

#[test]
fn another_account_is_refused() {
    let mut pinned = manifest(&json!({}));
    pinned.metadata.account = Some("999999999999".into());
    let desired = Desired::present(&pinned, &identity(), &Manager::default());
    let plan = full(&World::default(), &desired);
    assert!(plan.starts_with("conflict: app monolith is not touched: the manifest is pinned to account"), "{plan}");
}
