//! What a controller is given to do, from a cloud of its own, and what an undisturbed run makes of it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use interstella_controller::desired::Desired;
use interstella_localcloud::journal::Entry;
use similar::TextDiff;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::lab::{Lab, MANIFEST, Pass};
use crate::state;

/// Cases at once: enough to use the waits of the SDK's own retries.
const AT_ONCE: usize = 32;
/// Cloud time after which nothing that was started is still under way.
const REST: Duration = Duration::from_secs(120);

/// A change from one manifest, or nothing, to another, or nothing.
#[derive(Clone)]
pub struct Workload {
    pub name: &'static str,
    from: Option<String>,
    to: Option<String>,
}

/// A workload, the cloud it starts from, and what an undisturbed run comes to.
pub struct Prepared {
    pub workload: Workload,
    start: Lab,
    /// Everything in the cloud afterwards.
    pub state: String,
    /// What was done, pass by pass.
    pub passes: Vec<Pass>,
}

/// A manifest with some of its text replaced; every replaced text must be there once.
pub fn edited(manifest: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(manifest.to_owned(), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from:?} in\n{text}");
        text.replacen(from, to, 1)
    })
}

/// The manifest with a difference in everything that AWS can change.
pub fn changing_everything() -> String {
    edited(
        MANIFEST,
        &[
            ("interstella/monolith:latest", "interstella/monolith:next"),
            ("retentionDays: 7", "retentionDays: 14"),
            ("desiredCount: 1", "desiredCount: 2"),
            (
                "securityGroups: [sg-0a1b2c3d4e5f60001]",
                "securityGroups: [sg-0a1b2c3d4e5f60001]\n    idleTimeoutSeconds: 90",
            ),
            ("healthCheck: { path: /,", "healthCheck: { path: /livez,"),
            ("deregistrationDelaySeconds: 5", "deregistrationDelaySeconds: 10"),
            ("numMaxDelayRetries: 24", "numMaxDelayRetries: 23"),
            ("numRetries: 39", "numRetries: 38"),
            ("minimumHealthyPercent: 100", "minimumHealthyPercent: 50"),
        ],
    )
}

/// The manifest with another listener port, which changes the subscription's endpoint.
pub fn moving() -> String {
    edited(MANIFEST, &[("port: 5000, protocol: HTTP", "port: 5001, protocol: HTTP")])
}

/// The manifest with another name for everything that has one but the app.
pub fn renaming_everything() -> String {
    edited(
        MANIFEST,
        &[
            ("family: interstella-monolith", "family: renamed"),
            ("group: interstella-monolith", "group: renamed"),
            ("    name: interstella\n", "    name: renamed\n"),
            ("      name: monolith\n      # Quick", "      name: renamed\n      # Quick"),
        ],
    )
}

/// The manifest with what AWS cannot change, and leave to make it anew.
pub fn replacing() -> String {
    edited(
        MANIFEST,
        &[
            ("  desiredCount: 1", "  allowReplace: true\n  desiredCount: 1"),
            ("    name: interstella\n", "    name: interstella\n    scheme: internal\n"),
            ("      name: monolith\n      # Quick", "      name: monolith\n      port: 81\n      # Quick"),
        ],
    )
}

/// The manifest with nothing but a service.
pub fn stripped() -> String {
    let bare = without(MANIFEST, &["  loadBalancer:", "  subscriptions:"]);
    edited(
        &bare,
        &[(
            "        logs: { group: interstella-monolith, retentionDays: 7 }      # create: false uses a group that exists\n",
            "",
        )],
    )
}

/// The manifest with auto scaling of every kind.
pub fn scaled() -> String {
    edited(MANIFEST, &[("  desiredCount: 1                    # try 3\n", &format!("  desiredCount: 1\n{SCALING}"))])
}

/// Bounds, a target-tracking policy, a step policy with its alarm, and a schedule that is far away.
const SCALING: &str = "  scaling:
    minCapacity: 1
    maxCapacity: 10
    targetTracking:
      - { name: orders, metric: ALBRequestCountPerTarget, target: 20, scaleOutCooldown: 60, scaleInCooldown: 60 }
    step:
      - name: burst
        adjustmentType: ChangeInCapacity
        steps: [{ metricIntervalLowerBound: 0, scalingAdjustment: 2 }]
        alarm:
          namespace: AWS/ECS
          metricName: CPUUtilization
          statistic: Average
          evaluationPeriods: 3
          threshold: 90
          comparisonOperator: GreaterThanOrEqualToThreshold
    scheduled:
      - { name: later, schedule: at(2030-01-01T00:00:00), minCapacity: 4 }
";

/// The manifest without these lines and what is nested in them.
pub fn without(manifest: &str, lines: &[&str]) -> String {
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let mut kept = String::new();
    let mut dropping = None;
    for line in manifest.lines() {
        if dropping.is_some_and(|depth| indentation(line) <= depth) {
            dropping = None;
        }
        if lines.contains(&line.trim_end()) {
            dropping = Some(indentation(line));
        }
        if dropping.is_none() {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    assert_ne!(kept, manifest);
    kept
}

/// The changes that are disturbed in every way.
pub fn all() -> Vec<Workload> {
    let update = |name, to| Workload { name, from: Some(MANIFEST.to_owned()), to: Some(to) };
    vec![
        Workload { name: "create", from: None, to: Some(MANIFEST.to_owned()) },
        update("change", changing_everything()),
        update("move", moving()),
        update("rename", renaming_everything()),
        update("replace", replacing()),
        update("strip", stripped()),
        Workload { name: "destroy", from: Some(MANIFEST.to_owned()), to: None },
        update("scale", scaled()),
        Workload { name: "stop scaling", from: Some(scaled()), to: Some(MANIFEST.to_owned()) },
        Workload { name: "destroy what scales", from: Some(scaled()), to: None },
    ]
}

impl Workload {
    /// A cloud in which the change is yet to come.
    async fn start(&self) -> Lab {
        let lab = Lab::new().await;
        if let Some(manifest) = &self.from {
            lab.converge(manifest).await;
            lab.cloud.advance(REST);
        }
        lab
    }

    fn goal(&self, lab: &Lab) -> Desired {
        match &self.to {
            Some(manifest) => lab.present(manifest),
            None => lab.absent(self.from.as_deref().unwrap_or(MANIFEST)),
        }
    }

    /// Makes the change without trouble.
    pub async fn prepare(self) -> Prepared {
        let start = self.start().await;
        let lab = start.fork().await;
        let mut controller = lab.controller(self.goal(&lab));
        controller.converge().await;
        let passes = controller.passes;
        Prepared { workload: self, start, state: rest(&lab), passes }
    }
}

impl Prepared {
    /// A cloud of its own in which the change is yet to come, and what is wanted of it.
    pub async fn start(&self) -> (Lab, Desired) {
        let lab = self.start.fork().await;
        let desired = self.workload.goal(&lab);
        (lab, desired)
    }

    /// All calls, in order.
    pub fn calls(&self) -> impl Iterator<Item = &Entry> {
        self.passes.iter().flat_map(|pass| &pass.calls)
    }

    /// Checks that a disturbed run came to the same end.
    pub fn check_end(&self, what: &str, lab: &Lab) -> Result<(), String> {
        let end = rest(lab);
        if end == self.state {
            return Ok(());
        }
        let diff = TextDiff::from_lines(&self.state, &end);
        let calls = lab.mutations(0).join("\n");
        Err(format!("{what}: the cloud is not as without trouble\n{}\ncalls:\n{calls}", diff.unified_diff()))
    }
}

/// Everything in the cloud once it has come to rest.
pub fn rest(lab: &Lab) -> String {
    lab.cloud.advance(REST);
    state::of(&lab.cloud)
}

/// Runs cases beside one another, and fails with all that failed.
pub async fn run_all<F>(cases: impl IntoIterator<Item = F>)
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for case in cases {
        let slots = Arc::clone(&slots);
        running.spawn(async move {
            let _slot = slots.acquire_owned().await.unwrap();
            case.await
        });
    }
    let (mut count, mut failures) = (0, Vec::new());
    while let Some(result) = running.join_next().await {
        count += 1;
        let failure = result.unwrap_or_else(|error| Err(error.to_string())).err();
        failure.iter().for_each(|text| println!("FAILED {text}"));
        failures.extend(failure);
    }
    assert!(count > 0, "there was nothing to run");
    println!("{count} cases");
    assert!(failures.is_empty(), "{} of {count} failed:\n{}", failures.len(), failures.join("\n\n"));
}
