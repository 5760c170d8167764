//! The way to an account and region, and passes over apps until they are as wanted.

use std::time::Duration;

use interstella_controller::app::{AppName, Manager};
use interstella_controller::aws::{Aws, Connect, Identity};
use interstella_controller::desired::Desired;
use interstella_controller::error::{Class, Error};
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
        let with = common.profile.as_deref().map(|profile| format!(" with the profile {profile}")).unwrap_or_default();
        let aws = Aws::connect(connect).await.map_err(|error| {
            let failure = Failure::because(format!("cannot connect to AWS{with}"), &error);
            if common.profile.is_some() { failure.remedy(PROFILES) } else { failure }
        })?;
        let identity =
            aws.identity().await.map_err(|error| {
                let whom = aws.endpoint_url().unwrap_or("AWS");
                Failure::because(format!("cannot ask {whom} whose credentials these are{with}"), &error)
                    .remedy(next_step(&aws, &error, common.profile.is_some()))
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
        reconcile::plan_only(&self.aws, apps, &mut watching(), now()).await.into_values().collect()
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
        let mut memory = watching();
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
                return Err(timed_out(apps.iter().map(|desired| &desired.marks.app), timeout, progress));
            }
            tokio::time::sleep_until(next).await;
        }
        Ok(finished)
    }
}

/// The memory of a verb for which somebody waits: it looks at the health of the targets too, which says whether an app serves.
fn watching() -> Memory {
    let mut memory = Memory::default();
    memory.cache.shows_health = true;
    memory
}

const PROFILES: &str = "check the name of the profile: `aws configure list-profiles` shows those that there are";

/// What to do when nobody says whose credentials these are.
fn next_step(aws: &Aws, error: &Error, has_profile: bool) -> &'static str {
    match error.class {
        _ if aws.is_local() => {
            "start the local cloud with `interstella up` or `interstella cloud`, or name another with --endpoint-url"
        }
        Class::Denied if has_profile => PROFILES,
        Class::Denied => "check the credentials; for the local cloud: interstella up, or --endpoint-url",
        _ => "check the network, and the proxy if HTTPS_PROXY names one; for the local cloud: --endpoint-url",
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

fn timed_out<'a>(apps: impl Iterator<Item = &'a AppName>, timeout: Duration, progress: &Progress) -> Failure {
    let waited =
        apps.map(|app| progress.last(app).map_or_else(|| app.to_string(), |last| format!("{app} (last: {last})")));
    let waited: Vec<String> = waited.collect();
    Failure::new(format!("not done after {} s: {}", timeout.as_secs(), waited.join(", ")))
        .remedy("interstella status says why; the same command goes on from here; --timeout gives it longer")
}

/// The time that passes are made at. It only ever delays what was just done.
#[expect(clippy::disallowed_methods, reason = "the edge that reads the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use interstella_controller::status::AppStatus;

    use super::*;

    fn outcome(app: &AppName, message: &str) -> Outcome {
        let (name, cluster) = (app.name.clone(), app.cluster.clone());
        let status = AppStatus { name, cluster, conditions: Vec::new(), service: None, scaling: None, endpoint: None };
        let unread = Some(Error::terminal("ecs:DescribeServices", "Fault", message));
        Outcome {
            plan: None,
            executed: Vec::new(),
            failed: Vec::new(),
            unread,
            changed: false,
            status,
            ended: Vec::new(),
        }
    }

    #[test]
    fn a_time_out_names_what_is_not_done_and_what_was_last_heard_of_it() {
        let [slow, mute, done] =
            ["slow", "mute", "done"].map(|name| AppName { cluster: "c".into(), name: name.into() });
        let mut progress = Progress::start();
        progress.show(&slow, &outcome(&slow, "it is slow"));
        progress.show(&done, &outcome(&done, "it is done"));
        let failure = timed_out([&slow, &mute].into_iter(), Duration::from_secs(9), &progress).to_string();
        let first = failure.lines().next();
        let expected =
            "error: not done after 9 s: c/slow (last: ecs:DescribeServices failed: Fault: it is slow), c/mute";
        assert_eq!(first, Some(expected));
    }
}
