//! The cloud answers something else than was sent, for every value of every answer, in every way: each is sent a few times and not
//! for ever, the app names it, and everything else comes to where it should be.

mod answers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use interstella_controller::memory::Memory;
use interstella_controller::plan::{Action, Plan, Summary, Verb};
use interstella_controller::reconcile;
use interstella_localcloud::call::Service;
use interstella_localcloud::faults::{Calls, Fault, Kind};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::lab::{Lab, MANIFEST};
use crate::state;
use crate::workload::{edited, rest, run_all, scaled};
use answers::{Alteration, alterations};

/// Passes in which an echo would show.
const PASSES: usize = 100;
/// Calls that a resource may cost in these.
const MOST: usize = 3;
/// Of the cases one in so many is run, so that the test takes half a minute. All of them take two.
const EVERY: usize = 5;
/// The change of the manifest that no echo may stop.
const EDITS: [(&str, &str); 2] =
    [("retentionDays: 7", "retentionDays: 14"), ("deregistrationDelaySeconds: 5", "deregistrationDelaySeconds: 15")];

/// An app at rest, and a change of it.
struct Start {
    lab: Lab,
    manifest: String,
    edited: String,
    /// What the change comes to without an echo.
    end: Value,
    /// Every field that was sent to make the app.
    fields: BTreeSet<Field>,
}

impl Start {
    async fn new(manifest: String) -> Self {
        let lab = Lab::new().await;
        let mut controller = lab.controller(lab.present(&manifest));
        let mut sent = BTreeSet::new();
        while {
            let outcome = controller.pass().await;
            sent.extend(outcome.executed.iter().flat_map(fields));
            !outcome.is_converged() || outcome.status.is_progressing()
        } {}
        rest(&lab);
        let edited = edited(&manifest, &EDITS);
        let other = lab.fork().await;
        other.converge(&edited).await;
        Self { end: kept(&other), lab, manifest, edited, fields: sent }
    }

    /// Every alteration with what is planned first because of it. Nothing is changed.
    async fn plans(self: &Arc<Self>) -> Vec<(Alteration, Option<Plan>)> {
        let mut controller = self.lab.controller(self.lab.present(&self.manifest));
        controller.pass().await;
        let all = alterations(&self.lab, &controller.passes[0]);
        let halves: Vec<_> = all
            .chunks(all.len().div_ceil(2))
            .map(|half| {
                let (start, half) = (Arc::clone(self), half.to_vec());
                tokio::spawn(async move {
                    let lab = start.lab.fork().await;
                    let mut plans = Vec::new();
                    for alteration in half {
                        let plan = plan(&lab, &start.manifest, &alteration).await;
                        plans.push((alteration, plan));
                    }
                    plans
                })
            })
            .collect();
        let mut plans = Vec::new();
        for half in halves {
            plans.extend(half.await.unwrap());
        }
        plans
    }
}

/// What is planned when a value is answered otherwise. Nothing is changed.
async fn plan(lab: &Lab, manifest: &str, alteration: &Alteration) -> Option<Plan> {
    lab.cloud.faults.push(alteration.fault());
    let now = Timestamp::from_millisecond(lab.cloud.now().as_millis()).unwrap();
    let due = [lab.present(manifest)];
    let outcomes = reconcile::plan_only(&lab.aws, &due, &mut Memory::default(), now).await;
    lab.cloud.faults.clear();
    outcomes.into_values().next().unwrap().plan
}

/// What is really there, but for revisions: an echo may cost some, and the service may wait for one.
fn kept(lab: &Lab) -> Value {
    rest(lab);
    let mut state = state::value(&lab.cloud);
    state["taskDefinitions"].take();
    for service in state["services"].as_array_mut().unwrap() {
        service["taskDefinition"].take();
        service["deployments"].take();
    }
    state
}

/// What plans call a resource, and the path of a field.
type Field = (&'static str, String);

fn fields(action: &Summary) -> impl Iterator<Item = Field> {
    action.changes.iter().map(|change| (action.resource, change.path.clone()))
}

fn summaries(plan: Option<&Plan>) -> Vec<Summary> {
    plan.into_iter().flat_map(|plan| &plan.actions).map(Action::summary).collect()
}

/// Whether a plan is about fields alone: nothing seems to be missing or to be somebody else's.
fn is_about_fields(actions: &[Summary]) -> bool {
    let is_update = |one: &Summary| one.action == Verb::Update || one.resource == "task definition";
    !actions.is_empty() && actions.iter().all(is_update)
}

/// An alteration whose echo is to be seen.
struct Case {
    alteration: Alteration,
    /// The fields that are sent again because of it; nothing if a whole resource seems to be missing or of another kind.
    fields: BTreeSet<Field>,
}

/// One alteration for each field that is sent again because of it, each time in another way, and one for each resource that seems to
/// be missing; of all these, one in [`EVERY`].
fn cases(plans: &[(Alteration, Option<Plan>)]) -> Vec<Case> {
    let mut by_kind: BTreeMap<BTreeSet<Field>, Vec<Case>> = BTreeMap::new();
    for (alteration, plan) in plans {
        let (alteration, actions) = (alteration.clone(), summaries(plan.as_ref()));
        let whole = || actions.iter().map(|one| (one.resource, format!("{:?}", one.action))).collect();
        let named = || actions.iter().flat_map(fields).collect::<BTreeSet<_>>();
        let fields = if is_about_fields(&actions) { named() } else { BTreeSet::new() };
        let kind = if fields.is_empty() { whole() } else { fields.clone() };
        if !actions.is_empty() {
            by_kind.entry(kind).or_default().push(Case { alteration, fields });
        }
    }
    let turns = by_kind.into_values().enumerate().step_by(EVERY);
    turns.map(|(turn, mut alike)| alike.swap_remove(turn % alike.len())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_aws_does_not_keep_is_not_sent_for_ever() {
    let start = Arc::new(Start::new(scaled()).await);
    let plans = start.plans().await;
    for (alteration, plan) in plans.iter().filter(|(one, _)| one.how == "empties" || one.how == "reorders") {
        let plan = plan.as_ref().map(ToString::to_string);
        assert_eq!(plan.as_deref(), Some("nothing to do\n"), "{alteration}");
    }
    let texts: Vec<String> = plans.iter().filter_map(|(_, plan)| plan.as_ref()).map(ToString::to_string).collect();
    let is_met = |(_, path): &&Field| texts.iter().any(|text| text.contains(path));
    let unmet: Vec<&Field> = start.fields.iter().filter(|field| !is_met(field)).collect();
    assert!(unmet.is_empty(), "no answer alters these: {unmet:#?}");
    let cases = cases(&plans);
    println!("{} alterations, of which {} are answered {PASSES} passes long", plans.len(), cases.len());
    run_all(cases.into_iter().map(|case| {
        let start = Arc::clone(&start);
        async move { echo(&start, &case).await }
    }))
    .await;
}

/// Makes passes over the edited app while a value is answered otherwise.
async fn echo(start: &Start, Case { alteration, fields }: &Case) -> Result<(), String> {
    let lab = start.lab.fork().await;
    lab.cloud.faults.push(alteration.fault());
    let mut controller = lab.controller(lab.present(&start.edited));
    let mut made: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut last = controller.pass().await;
    for _ in 1..PASSES {
        for one in &last.executed {
            *made.entry((one.resource, one.name.clone())).or_default() += 1;
        }
        last = controller.pass().await;
    }
    let problem = |what: String| {
        let plan = last.plan.as_ref().map(ToString::to_string).unwrap_or_default();
        let calls = lab.mutations(0).join("\n");
        Err(format!("{alteration}: {what}\n{plan}{:#?}\n{calls}", last.status.conditions))
    };
    if let Some((resource, calls)) = made.iter().find(|(_, calls)| **calls > MOST) {
        return problem(format!("{calls} calls for {resource:?}"));
    }
    if fields.is_empty() {
        return Ok(());
    }
    let stalled = last.status.conditions.iter().find(|one| one.r#type == "Stalled" && one.status == "True");
    if !fields.iter().any(|(_, path)| stalled.is_some_and(|one| one.message.contains(path))) {
        return problem(format!("none of {fields:?} is named"));
    }
    let end = kept(&lab);
    if end == start.end { Ok(()) } else { problem("the rest is not as it should be".to_owned()) }
}

#[tokio::test]
async fn what_a_person_changes_again_and_again_is_corrected_each_time() {
    let lab = Lab::new().await;
    let mut controller = lab.controller(lab.present(MANIFEST));
    controller.converge().await;
    for round in 0..10 {
        let update = json!({"cluster": "interstella", "service": "monolith", "desiredCount": 3});
        lab.call(Service::Ecs, "UpdateService", update);
        let outcome = controller.pass().await;
        let done: Vec<String> = outcome.executed.iter().map(ToString::to_string).collect();
        assert_eq!(done, ["update service monolith (in place)\n    desiredCount: 3 → 1"], "round {round}");
        controller.converge().await;
    }
}

/// What another stand-in answers: texts that are empty, and more than was sent.
#[tokio::test]
async fn what_aws_adds_is_left_and_said() {
    for (to, remark) in [
        ("", ""),
        (
            "task",
            r#"; AWS answers more of task definition interstella-monolith:1 than the manifest says, which is left: beyondManifest ["ipcMode"]"#,
        ),
    ] {
        let lab = Lab::new().await;
        let calls = Calls::Operation(Service::Ecs, "DescribeTaskDefinition".to_owned());
        let kind = Kind::Rewrite { at: "/taskDefinition/ipcMode".to_owned(), to: Some(json!(to)) };
        lab.cloud.faults.push(Fault { calls, skip: 0, times: u64::MAX, kind });
        let mut controller = lab.controller(lab.present(MANIFEST));
        controller.converge().await;
        let status = controller.pass().await.status;
        assert_eq!(status.conditions[0].message, format!("1 task runs{remark}"));
        let registered = lab.mutations(0).iter().filter(|call| call.starts_with("ecs:RegisterTaskDefinition")).count();
        assert_eq!(registered, 1, "ipcMode {to:?}");
    }
}
