//! The way to an account and region, and passes over apps until they are as wanted.

use std::time::Duration;

use interstella_controller::app::{AppName, Manager};
use interstella_controller::aws::{Aws, Connect, Identity};
use interstella_controller::desired::Desired;
use interstella_controller::manifest::Manifest;
use interstella_controller::memory::Memory;
use interstella_controller::reconcile::{self, Outcome};
use interstella_controller::requeue;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::cli::Common;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;

/// Longest wait between passes while something is under way.
const INTERVAL: Duration = Duration::from_secs(5);

/// Where calls go, and in whose name.
pub struct Session {
    pub aws: Aws,
    pub identity: Identity,
    pub manager: Manager,
}

impl Session {
    /// Connects, and says to which account and region.
    pub async fn connect(common: &Common) -> Result<Self, Failure> {
        let connect = Connect {
            region: common.region.clone(),
            profile: common.profile.clone(),
            endpoint_url: common.endpoint_url.clone(),
            http_client: None,
        };
        let aws = Aws::connect(connect).await.map_err(|error| Failure::because("cannot connect to AWS", &error))?;
        let identity = aws.identity().await.map_err(|error| {
            let what = match aws.endpoint_url() {
                Some(endpoint) => format!("cannot ask {endpoint} whose credentials these are"),
                None => "cannot ask AWS whose credentials these are".to_owned(),
            };
            Failure::because(what, &error)
                .remedy("check credentials and network; for the local cloud: interstella up, or --endpoint-url")
        })?;
        let at = aws.endpoint_url().map(|endpoint| format!(" at {endpoint}")).unwrap_or_default();
        output::note(format_args!("account {}, region {}{at}", identity.account, identity.region));
        Ok(Self { aws, identity, manager: Manager(common.manager.clone()) })
    }

    /// The apps as the manifests say.
    pub fn present(&self, manifests: &[Manifest]) -> Vec<Desired> {
        manifests.iter().map(|manifest| Desired::present(manifest, &self.identity, &self.manager)).collect()
    }

    /// Nothing of the apps.
    pub fn absent(&self, manifests: &[Manifest]) -> Vec<Desired> {
        manifests.iter().map(|manifest| Desired::absent(manifest, &self.identity, &self.manager)).collect()
    }

    /// Looks at the apps and plans, without changing anything.
    pub async fn plan(&self, apps: &[Desired]) -> Vec<Outcome> {
        reconcile::plan_only(&self.aws, apps, &mut Memory::default(), now()).await.into_values().collect()
    }

    /// Makes passes until every app is `done`, showing what they do. An app that only a person can help ends it.
    pub async fn converge(
        &self,
        mut apps: Vec<Desired>,
        done: impl Fn(&Outcome) -> bool,
        timeout: Duration,
        progress: &mut Progress,
    ) -> Result<Vec<Finished>, Failure> {
        let deadline = Instant::now() + timeout;
        let mut memory = Memory::default();
        let (mut finished, mut quiet, mut failures, mut was_so) = (Vec::new(), 0, 0, true);
        while !apps.is_empty() {
            let outcomes = reconcile::pass(&self.aws, &apps, &mut memory, now()).await;
            outcomes.iter().for_each(|(app, outcome)| progress.show(app, outcome));
            quiet = if outcomes.values().any(|outcome| outcome.changed) { 0 } else { quiet + 1 };
            failures =
                if outcomes.values().any(|outcome| outcome.errors().next().is_some()) { failures + 1 } else { 0 };
            let wait = outcomes.values().map(|outcome| requeue::after(outcome, quiet, failures, INTERVAL)).min();
            for (app, outcome) in outcomes {
                give_up_if_stalled(&app, &outcome, failures)?;
                if done(&outcome) {
                    apps.retain(|desired| desired.marks.app != app);
                    finished.push(Finished { outcome, was_so });
                }
            }
            if apps.is_empty() {
                break;
            }
            was_so = false;
            let next = Instant::now() + wait.unwrap_or_default().min(INTERVAL);
            if next > deadline {
                return Err(timed_out(&apps, timeout, progress));
            }
            tokio::time::sleep_until(next).await;
        }
        Ok(finished)
    }
}

/// An app that is as it should be.
pub struct Finished {
    /// What the last pass brought.
    pub outcome: Outcome,
    /// Whether it was so when the first pass looked: nothing was done.
    pub was_so: bool,
}

/// Failed passes in a row after which an error that lasts is the verb's own.
const PATIENCE_PASSES: u32 = 3;

fn give_up_if_stalled(app: &AppName, outcome: &Outcome, failures: u32) -> Result<(), Failure> {
    let stalled =
        outcome.status.conditions.iter().find(|condition| condition.r#type == "Stalled" && condition.status == "True");
    match stalled {
        // Some errors that look lasting pass within moments, such as those of eventual consistency.
        Some(stalled) if stalled.reason == "CallFailed" && failures < PATIENCE_PASSES => Ok(()),
        Some(stalled) => Err(Failure::new(format!("{app} is stalled: {}", stalled.message))),
        None => Ok(()),
    }
}

fn timed_out(apps: &[Desired], timeout: Duration, progress: &Progress) -> Failure {
    let waited = apps.iter().map(|desired| {
        let app = &desired.marks.app;
        progress.last(app).map_or_else(|| app.to_string(), |last| format!("{app} (last: {last})"))
    });
    let waited: Vec<String> = waited.collect();
    Failure::new(format!("not done after {} s: {}", timeout.as_secs(), waited.join(", ")))
        .remedy("interstella status says why; the same command goes on from here; --timeout gives it longer")
}

/// The time that passes are made at. It only ever delays what was just done.
#[expect(clippy::disallowed_methods, reason = "the edge that reads the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
