//! Orders come fast while every ten seconds a worker is killed, the service is rolled to a new revision and scaled: each order has
//! one effect all the same.

use std::fmt;
use std::time::Duration;

use interstella_localcloud::sns::policy::{self, RetryPolicy};
use jiff::SignedDuration;
use rustix::process::Signal;
use tokio::time::Instant;

use crate::support::audit::Audit;
use crate::support::aws::{Aws, TOPIC};
use crate::support::fleet::Fleet;
use crate::support::manifest::Manifest;
use crate::support::processes::try_signal;
use crate::support::up::Stats;
use crate::support::wait::{equal, until};

const ORDERS_PER_MINUTE: u32 = 600;
const BEAT: Duration = Duration::from_secs(10);
/// How many workers are wanted, beat by beat.
const COUNTS: [usize; 3] = [2, 6, 1];
/// Longest time from the last order's publication to the last one's effect.
const CALM: Duration = Duration::from_secs(180);
/// What SNS waits for an answer at most.
const ATTEMPT: Duration = Duration::from_secs(15);

/// How long, and with which ledger.
struct Plan {
    duration: Duration,
    /// What `INTERSTELLA_LEDGER` is set to, where `DIRECTORY` stands for one that the workers share.
    ledger: String,
}

impl Plan {
    #[expect(clippy::disallowed_methods, reason = "the edge at which tests/storm.sh says how hard it is to be")]
    fn from_environment() -> Self {
        let variable = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
        Self {
            duration: Duration::from_secs(variable("INTERSTELLA_STORM_SECONDS", "20").parse().unwrap()),
            ledger: variable("INTERSTELLA_STORM_LEDGER", "sqlite:DIRECTORY/ledger.sqlite"),
        }
    }
}

#[tokio::test]
async fn no_order_is_lost_or_doubled_in_a_storm() {
    let plan = Plan::from_environment();
    let mut storm = Storm::over(Fleet::start(manifest(&plan.ledger)).await);
    let audit = Audit::begin(&storm.fleet).await;
    storm.fleet.rate(ORDERS_PER_MINUTE).await;
    storm.rage(plan.duration).await;
    let stats = storm.calm().await;

    let (redeliveries, revisions) = (storm.fleet.redeliveries(), storm.fleet.aws().revisions().await);
    let allowed = longest_wait_allowed(&storm.fleet.aws()).await;
    let database = storm.fleet.end_headquarters().await;
    let found = audit.findings(&database).await;
    println!("storm of {:?}, ledger {}: {stats:?}", plan.duration, plan.ledger);
    println!("{storm}, revisions {revisions}, redeliveries {redeliveries}");
    println!("longest wait {} ms, allowed {} ms", found.longest_wait.as_millis(), allowed.as_millis());

    assert_eq!(stats.duplicates, 0, "{stats:?}");
    assert!(found.lost.is_empty() && found.doubled.is_empty() && found.forged.is_empty(), "{found:?}");
    assert_eq!(found.published as u64, stats.published);
    assert!(found.longest_wait <= allowed, "{found:?}");
    // The machine may be slow, but a storm over idle workers would show nothing.
    assert!(stats.published >= plan.duration.as_secs() * u64::from(ORDERS_PER_MINUTE) / 60 / 2, "{stats:?}");
    assert!(storm.most > 1 && revisions > 1 && redeliveries > 0, "{storm}, {revisions}, {redeliveries}");
}

/// What is done to the service.
struct Storm {
    fleet: Fleet,
    beats: usize,
    /// Workers that got SIGKILL.
    killed: u32,
    /// Workers that got SIGTERM.
    terminated: u32,
    /// Revisions that the manifest asked for.
    rolls: u32,
    /// How many workers the manifest asks for.
    wanted: usize,
    /// The most workers that were seen at once.
    most: usize,
}

impl fmt::Display for Storm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { killed, terminated, rolls, most, .. } = self;
        write!(f, "SIGKILL {killed}, SIGTERM {terminated}, rolls {rolls}, workers at most {most}")
    }
}

impl Storm {
    fn over(fleet: Fleet) -> Self {
        Self { fleet, beats: 0, killed: 0, terminated: 0, rolls: 0, wanted: 1, most: 0 }
    }

    /// A beat at once, and another every ten seconds until `duration` is over.
    async fn rage(&mut self, duration: Duration) {
        let end = Instant::now() + duration;
        while Instant::now() < end {
            let next = Instant::now() + BEAT;
            self.beat().await;
            tokio::time::sleep_until(next.min(end)).await;
        }
        self.most = self.most.max(self.fleet.workers().len());
    }

    async fn beat(&mut self) {
        let count = COUNTS[self.beats % COUNTS.len()];
        let revision = |number: u32| format!("STORM: \"{number}\"");
        self.fleet.manifest.edit_at_once(&[
            (&desired(self.wanted), &desired(count)),
            (&revision(self.rolls), &revision(self.rolls + 1)),
        ]);
        (self.wanted, self.rolls) = (count, self.rolls + 1);
        self.kill().await;
        self.beats += 1;
    }

    /// Kills a worker, another one each time, and by turns without and with warning.
    async fn kill(&mut self) {
        let signal = if self.beats.is_multiple_of(2) { Signal::KILL } else { Signal::TERM };
        let beats = self.beats;
        self.most = until("there is a worker to kill", CALM, async || {
            let workers = self.fleet.workers();
            let victim = workers.iter().nth(beats % workers.len().max(1));
            let killed = victim.is_some_and(|worker| try_signal(worker.pid, signal));
            if killed { Ok(workers.len()) } else { Err(format!("{workers:?}")) }
        })
        .await
        .max(self.most);
        if signal == Signal::KILL { self.killed += 1 } else { self.terminated += 1 }
    }

    /// Publishes no more, and waits until every order has had its effect and one worker serves.
    async fn calm(&mut self) -> Stats {
        self.fleet.rate(0).await;
        let stats = until("every order is fulfilled", CALM, async || {
            let stats = self.fleet.stats().await;
            if stats.fulfilled == stats.published { Ok(stats) } else { Err(format!("{stats:?}, {self}")) }
        })
        .await;
        if self.wanted != 1 {
            self.fleet.manifest.edit(&desired(self.wanted), &desired(1));
            self.wanted = 1;
        }
        self.fleet.serves(1, CALM).await;
        let (aws, last) = (self.fleet.aws(), self.rolls.to_string());
        until("the last revision serves", CALM, async || equal(aws.environment("STORM").await, Some(last.clone())))
            .await;
        stats
    }
}

/// The manifest that people start with, with a number in the environment to roll the service by, and the ledger.
fn manifest(ledger: &str) -> Manifest {
    let manifest = Manifest::monolith();
    let ledger = ledger.replace("DIRECTORY", manifest.directory().to_str().unwrap());
    let environment =
        format!("environment: {{ STORM: \"0\", INTERSTELLA_LEDGER: \"{ledger}\", INTERSTELLA_ORDER_TOPIC:");
    manifest.edit("environment: { INTERSTELLA_ORDER_TOPIC:", &environment);
    manifest
}

fn desired(count: usize) -> String {
    format!("desiredCount: {count} ")
}

/// All pauses and attempts of the delivery policy that the load balancer's subscription has.
async fn longest_wait_allowed(aws: &Aws) -> SignedDuration {
    let subscriptions = aws.sns.list_subscriptions_by_topic().topic_arn(TOPIC).send().await.unwrap();
    let http = subscriptions.subscriptions().iter().find(|one| one.protocol() == Some("http")).expect("subscribed");
    let arn = http.subscription_arn().unwrap();
    let attributes = aws.sns.get_subscription_attributes().subscription_arn(arn).send().await.unwrap();
    let policy = attributes.attributes().unwrap()["DeliveryPolicy"].clone();
    let policy: RetryPolicy = policy::read_delivery_policy(&policy).unwrap().healthy_retry_policy.unwrap();
    let delays = policy::delays(&policy);
    let attempts = ATTEMPT * u32::try_from(delays.len() + 1).unwrap();
    SignedDuration::try_from(delays.iter().sum::<Duration>() + attempts).unwrap()
}
