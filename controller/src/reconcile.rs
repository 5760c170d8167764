//! One pass over the due apps: observe, plan, execute, report. The next pass is the retry.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;

use crate::app::AppName;
use crate::aws::Aws;
use crate::batch;
use crate::desired::Desired;
use crate::error::{Class, Error};
use crate::execute::{self, Executed, Failed};
use crate::memory::Memory;
use crate::observe;
use crate::observed::Observed;
use crate::plan::{self, Action, Plan, Summary};
use crate::resource::service::Ended;
use crate::status::{self, AppStatus};

/// What became of one app in one pass.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was planned; absent if the app could not be read, as nothing is planned then.
    pub plan: Option<Plan>,
    /// What AWS accepted.
    pub executed: Vec<Summary>,
    /// What failed.
    pub failed: Vec<Failed>,
    /// Why the app could not be read.
    pub unread: Option<Error>,
    /// Tasks that have ended by themselves since the pass before, as far as that was read.
    pub ended: Vec<Ended>,
    /// Whether AWS has, or may have, changed: another pass should follow at once.
    pub changed: bool,
    /// How the app was before the plan was executed.
    pub status: AppStatus,
}

impl Outcome {
    /// Whether AWS is as the manifest says.
    #[must_use]
    pub fn is_converged(&self) -> bool {
        self.plan.as_ref().is_some_and(Plan::is_empty)
    }

    /// All errors of the pass.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        self.unread.iter().chain(self.failed.iter().map(|failed| &failed.error))
    }
}

/// Makes one pass. `now` serves to delay what was just done, and to tell which schedules are over.
pub async fn pass(aws: &Aws, due: &[Desired], memory: &mut Memory, now: Timestamp) -> BTreeMap<AppName, Outcome> {
    pass_until(aws, due, memory, now, &AtomicBool::new(false)).await
}

/// As [`pass`], but makes no further call once `stop` is set.
pub async fn pass_until(
    aws: &Aws,
    due: &[Desired],
    memory: &mut Memory,
    now: Timestamp,
    stop: &AtomicBool,
) -> BTreeMap<AppName, Outcome> {
    memory.forget(now);
    let mut outcomes = BTreeMap::new();
    let mut planned = Vec::new();
    for (desired, observed) in read(aws, due, memory, now).await {
        match observed {
            Err(error) => drop(outcomes.insert(desired.marks.app.clone(), unread(desired, error))),
            Ok(observed) => {
                let plan = memory.hold(plan::plan(desired, &observed), now);
                planned.push((desired, observed, plan));
            }
        }
    }
    // An app whose calls hang delays no other.
    let mut executing = Vec::new();
    // A loop, as the compiler cannot see that a closure that borrows here makes a future that is `Send`.
    for (desired, observed, plan) in planned {
        executing.push(async move {
            let executed = execute::execute(aws, &plan, stop).await;
            (desired, observed, plan, executed)
        });
    }
    let executed: Vec<_> = stream::iter(executing).buffer_unordered(batch::CONCURRENCY).collect().await;
    for (desired, observed, plan, executed) in executed {
        let app = desired.marks.app.clone();
        remember(memory, &app, &executed, now);
        outcomes.insert(app, report(desired, &observed, plan, executed));
    }
    outcomes
}

/// Observes and plans without changing anything, for `interstella plan`.
pub async fn plan_only(aws: &Aws, due: &[Desired], memory: &mut Memory, now: Timestamp) -> BTreeMap<AppName, Outcome> {
    let mut outcomes = BTreeMap::new();
    for (desired, observed) in read(aws, due, memory, now).await {
        let outcome = match observed {
            Err(error) => unread(desired, error),
            Ok(observed) => {
                let plan = memory.hold(plan::plan(desired, &observed), now);
                report(desired, &observed, plan, Executed::default())
            }
        };
        outcomes.insert(desired.marks.app.clone(), outcome);
    }
    outcomes
}

async fn read<'a>(
    aws: &Aws,
    due: &'a [Desired],
    memory: &mut Memory,
    now: Timestamp,
) -> Vec<(&'a Desired, Result<Observed, Error>)> {
    let due_now: Vec<_> = due.iter().collect();
    // Boxed, as the compiler follows futures within futures only so far.
    let mut observed = Box::pin(observe::observe(aws, &due_now, &mut memory.cache)).await;
    observed.values_mut().flatten().for_each(|observed| observed.at = now);
    due.iter().filter_map(|desired| Some((desired, observed.remove(&desired.marks.app)?))).collect()
}

/// A call without an answer may have had its effect, so it counts as made.
fn remember(memory: &mut Memory, app: &AppName, executed: &Executed, now: Timestamp) {
    executed.done.iter().for_each(|action| memory.accepted(app, action, now));
    let unknown = executed.failed.iter().filter(|failed| failed.error.class == Class::Unknown);
    unknown.for_each(|failed| memory.made(app, &failed.action, now));
}

fn unread(desired: &Desired, error: Error) -> Outcome {
    let status = status::unread(desired, &error);
    let (executed, failed, ended) = (Vec::new(), Vec::new(), Vec::new());
    Outcome { plan: None, executed, failed, unread: Some(error), ended, changed: false, status }
}

fn report(desired: &Desired, observed: &Observed, plan: Plan, executed: Executed) -> Outcome {
    let Executed { done, failed } = executed;
    let changed = !done.is_empty() || failed.iter().any(|failed| failed.error.class == Class::Unknown);
    let status = status::app_status(desired, observed, &plan, &failed);
    let executed = done.iter().map(Action::summary).collect();
    let ended = observed.ended.clone();
    Outcome { plan: Some(plan), executed, failed, unread: None, ended, changed, status }
}
