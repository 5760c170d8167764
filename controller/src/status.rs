//! How an app is, and why it is not ready, from what was observed and planned. No I/O.

mod cause;
pub mod scaling;

use std::iter;

use aws_smithy_types::date_time::Format;
use serde::Serialize;

use crate::desired::Desired;
use crate::error::Error;
use crate::execute::Failed;
use crate::observed::Observed;
use crate::plan::{On, Plan};
use crate::resource::service::{self, Found};
use crate::resource::{subscription, task_definition};

/// Tag of a listener by which a stand-in for AWS on one machine says at which port clients connect, while something
/// else has the listener's own. On AWS no listener has it.
const SOCKET_TAG: &str = "localcloud:port";

/// How an app is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AppStatus {
    /// Its name.
    pub name: String,
    /// Its cluster.
    pub cluster: String,
    /// Ready, Deployed, Progressing, Stalled, in this order. Deployed: the new tasks have the traffic; old ones may still drain.
    pub conditions: Vec<Condition>,
    /// Counts; absent without a service.
    pub service: Option<Service>,
    /// Auto scaling; absent without a scalable target.
    pub scaling: Option<scaling::Scaling>,
    /// Where clients connect; absent without a load balancer.
    pub endpoint: Option<String>,
}

/// One aspect of how an app is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which aspect.
    pub r#type: &'static str,
    /// Whether it holds: `True`, `False` or `Unknown`.
    pub status: &'static str,
    /// Why, in one word.
    pub reason: &'static str,
    /// Why, for people.
    pub message: String,
    /// When AWS last recorded a change; absent if it has no record.
    pub last_transition_time: Option<String>,
}

/// Counts of a service.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Tasks that should run.
    pub desired: u32,
    /// Tasks that run.
    pub running: u32,
    /// Tasks that start.
    pub pending: u32,
    /// Tasks that run and are of the deployment that ECS works towards.
    pub rolled_out: u32,
    /// Healthy targets of the load balancer; absent without one, and where nothing waited for it, so that it was not read.
    pub healthy: Option<u32>,
    /// `family:revision`.
    pub task_definition: String,
}

impl AppStatus {
    fn holds(&self, r#type: &str) -> bool {
        self.conditions.iter().any(|one| one.r#type == r#type && one.status == "True")
    }

    /// Whether the app is as it should be and serves.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.holds("Ready")
    }

    /// Whether AWS is as the manifest says and the new tasks have the traffic; old ones may still drain.
    #[must_use]
    pub fn is_deployed(&self) -> bool {
        self.holds("Deployed")
    }

    /// Whether something is under way.
    #[must_use]
    pub fn is_progressing(&self) -> bool {
        self.holds("Progressing")
    }

    /// Whether the app could be read.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.conditions.iter().all(|one| one.status != "Unknown")
    }

    /// Whether only a person can help.
    #[must_use]
    pub fn is_stalled(&self) -> bool {
        self.holds("Stalled")
    }
}

/// How an app is that was read.
#[must_use]
pub fn app_status(desired: &Desired, observed: &Observed, plan: &Plan, failed: &[Failed]) -> AppStatus {
    let found = service::active(observed);
    let at = found.and_then(Found::primary).and_then(|one| one.updated_at);
    let at = at.and_then(|at| at.fmt(Format::DateTime).ok());
    let stalled = stalled(desired, observed, plan, failed);
    let progressing = progressing(found, observed, plan).filter(|_| stalled.is_none());
    let ready = ready(desired, observed, plan);
    let state = |holds| if holds { "True" } else { "False" };
    let condition = |r#type, holds, (reason, message): (&'static str, String)| Condition {
        r#type,
        status: state(holds),
        reason,
        message,
        last_transition_time: at.clone(),
    };
    let no = || ("AsExpected", String::new());
    let is_ready = ready.is_none() && stalled.is_none();
    let has_traffic = |found: &Found| found.is_deployed() && takes_all_requests(found, observed);
    let deployed = plan.is_empty() && stalled.is_none() && found.is_none_or(has_traffic);
    let why_not = ready.clone().or_else(|| stalled.clone());
    AppStatus {
        name: desired.marks.app.name.clone(),
        cluster: desired.marks.app.cluster.clone(),
        conditions: vec![
            condition("Ready", is_ready, why_not.unwrap_or_else(|| ("Serving", serving(found, plan)))),
            condition("Deployed", deployed, if deployed { no() } else { ("RolloutIncomplete", String::new()) }),
            condition("Progressing", progressing.is_some(), progressing.unwrap_or_else(no)),
            condition("Stalled", stalled.is_some(), stalled.unwrap_or_else(no)),
        ],
        service: found.map(|found| Service {
            desired: found.spec.desired_count,
            running: found.running,
            pending: found.pending,
            rolled_out: found.primary().map_or(found.running, |one| one.running),
            healthy: healthy(observed),
            task_definition: task_definition::short(&found.task_definition_arn).to_owned(),
        }),
        scaling: scaling::status(desired, observed),
        endpoint: endpoint(desired, observed),
    }
}

/// How an app is that could not be read.
#[must_use]
pub fn unread(desired: &Desired, error: &Error) -> AppStatus {
    let condition = |r#type| Condition {
        r#type,
        status: "Unknown",
        reason: "ReadFailed",
        message: error.to_string(),
        last_transition_time: None,
    };
    AppStatus {
        name: desired.marks.app.name.clone(),
        cluster: desired.marks.app.cluster.clone(),
        conditions: ["Ready", "Deployed", "Progressing", "Stalled"].map(condition).into(),
        service: None,
        scaling: None,
        endpoint: None,
    }
}

type Reason = Option<(&'static str, String)>;

/// How many tasks run, and what a person should know beside.
fn serving(found: Option<&Found>, plan: &Plan) -> String {
    let tasks = found.map_or_else(|| "nothing is left".into(), |found| tasks_run(found.running));
    iter::once(&tasks).chain(&plan.notes).map(String::as_str).collect::<Vec<_>>().join("; ")
}

fn tasks_run(count: u32) -> String {
    if count == 1 { "1 task runs".into() } else { format!("{count} tasks run") }
}

/// Why a person has to help.
fn stalled(desired: &Desired, observed: &Observed, plan: &Plan, failed: &[Failed]) -> Reason {
    if let Some(conflict) = plan.conflicts.first() {
        return Some(("Conflict", conflict.to_string()));
    }
    if let Some(reason) = &plan.stalled {
        let cause = cause::of_failure(reason, service::failed_before(desired, observed), observed);
        return Some((
            "RolloutFailed",
            format!("{cause}. Change the manifest, or say: interstella retry {}", desired.marks.app),
        ));
    }
    // What is to go may go in any state, and what differs is about to be rolled out anew.
    if service::has_failed(observed) && !desired.is_going() && !service::differs(desired, observed) {
        return Some(("RolloutFailed", cause::of_deployment(observed)));
    }
    if let Some(topic) = observed.missing_topics.first() {
        return Some(("TopicMissing", subscription::missing_topic(topic)));
    }
    if let Some(waiting) = plan.waiting.iter().find(|waiting| waiting.on == On::Person) {
        return Some(("NeedsAPerson", waiting.to_string()));
    }
    let lasting = failed.iter().find(|failed| requires_a_person(&failed.error));
    lasting.map(|failed| ("CallFailed", format!("{}: {}", failed.summary, failed.error)))
}

fn requires_a_person(error: &Error) -> bool {
    use crate::error::Class::{Conflict, Denied, Quota, Terminal, Unsupported};
    matches!(error.class, Conflict | Denied | Quota | Terminal | Unsupported)
}

/// What is under way.
fn progressing(found: Option<&Found>, observed: &Observed, plan: &Plan) -> Reason {
    if let Some(action) = plan.actions.first() {
        let more = plan.actions.len() - 1;
        let summary = action.summary();
        let first = format!("{} {} {}", summary.action, summary.resource, summary.name);
        return Some(("Changing", if more == 0 { first } else { format!("{first} and {more} more") }));
    }
    if let Some(waiting) = plan.waiting.iter().find(|waiting| waiting.on != On::Person) {
        return Some(("Waiting", waiting.to_string()));
    }
    let found = found?;
    if !found.is_steady() {
        let rollout = found.primary().filter(|one| one.rollout_state != "COMPLETED").map(|one| one.reason.clone());
        let count = || format!("{} of {}", found.running, tasks_run(found.spec.desired_count));
        return Some(("RollingOut", rollout.unwrap_or_else(count)));
    }
    unhealthy(found, observed).map(|message| ("TargetsUnhealthy", message))
}

/// Why the app is not ready.
fn ready(desired: &Desired, observed: &Observed, plan: &Plan) -> Reason {
    let Some(found) = service::active(observed) else {
        return (!desired.is_going()).then(|| ("NoService", no_service(desired, observed)));
    };
    if desired.is_going() {
        return Some(("Going", "it is being removed".into()));
    }
    if !found.is_steady() {
        let message = format!("{} of {}", found.running, tasks_run(found.spec.desired_count));
        let missing = found.running < found.spec.desired_count;
        let reason = if missing { "TasksMissing" } else { "RolloutIncomplete" };
        return Some((reason, cause::of_tasks(message, observed)));
    }
    if let Some(message) = unhealthy(found, observed) {
        return Some(("TargetsUnhealthy", cause::of_tasks(message, observed)));
    }
    (!plan.is_empty()).then(|| ("Differs", "AWS is not as the manifest says yet".into()))
}

fn no_service(desired: &Desired, observed: &Observed) -> String {
    if observed.cluster_is_missing {
        return format!("there is no cluster {}", desired.marks.app.cluster);
    }
    if desired.is_present() { "there is no service yet" } else { "there is no service" }.to_owned()
}

/// That fewer targets are healthy than tasks should run, as far as the targets were read.
fn unhealthy(found: &Found, observed: &Observed) -> Option<String> {
    let desired = found.spec.desired_count;
    let healthy = healthy(observed).filter(|healthy| *healthy < desired)?;
    let targets = if desired == 1 { "target is" } else { "targets are" };
    Some(format!("{healthy} of {desired} {targets} healthy"))
}

/// Whether requests go to the new tasks alone, and to as many as there should be, as far as the targets were read. A target that
/// drains gets no new ones.
fn takes_all_requests(found: &Found, observed: &Observed) -> bool {
    let reachable = observed.targets.iter().filter(|target| target.state != "draining").count();
    let desired = found.spec.desired_count;
    healthy(observed)
        .is_none_or(|healthy| healthy >= desired && u32::try_from(reachable).is_ok_and(|all| all <= desired))
}

/// Targets that serve, where they were read.
fn healthy(observed: &Observed) -> Option<u32> {
    let healthy = observed.targets.iter().filter(|target| target.state == "healthy").count();
    u32::try_from(healthy).ok().filter(|_| !observed.targets.is_empty())
}

fn endpoint(desired: &Desired, observed: &Observed) -> Option<String> {
    let front = desired.front.as_ref()?;
    let found = observed.load_balancer(&front.load_balancer.0)?;
    let scheme = front.listener.protocol.to_ascii_lowercase();
    let mut listeners = observed.listeners.iter().filter(|one| one.load_balancer_arn == found.arn);
    let listener = listeners.find(|one| one.spec.port == front.listener.port);
    let port = listener.and_then(|one| one.tags.get(SOCKET_TAG)?.parse().ok()).unwrap_or(front.listener.port);
    Some(format!("{scheme}://{}:{port}", found.dns_name))
}
