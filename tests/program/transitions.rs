//! What becomes of an app is told in one line each, in a pipe without control of the cursor.

use std::time::Duration;

use rustix::process::Signal;
use tokio::process::Child;

use crate::support::command::interstella;
use crate::support::manifest::Manifest;
use crate::support::output::Output;
use crate::support::processes::signal;
use crate::support::up::Up;
use crate::support::wait::{equal, until};

const SEEN: Duration = Duration::from_secs(60);
const IMAGE: &str = "image: interstella/monolith:latest";
const MISSING: &str = "image: interstella/no-such-image:v1";

#[tokio::test]
async fn every_transition_of_an_app_is_one_line_with_its_cause() {
    let up = Up::converged(&["--interval", "1"]).await;
    let (_top, top) = top(&up);
    top.says("monolith: ready, interstella-monolith:1: 1 desired, 1 running", 0, SEEN).await;
    let edit = |from: &str, to: &str| {
        let mark = up.output.mark();
        up.manifest.edit(from, to);
        mark
    };

    let mark = edit("desiredCount: 1 ", "desiredCount: 3 ");
    up.output.says("interstella/monolith: manifest changed", mark, SEEN).await;
    up.output.says("interstella/monolith: progressing: ", mark, SEEN).await;
    up.output.says("interstella/monolith: converged: 3 of 3 tasks of interstella-monolith:1", mark, SEEN).await;

    let mark = up.output.mark();
    signal(up.workers()[0].pid, Signal::KILL);
    up.output.says("interstella/monolith: task replaced: task ", mark, SEEN).await;
    let why = " stopped: Essential container in task exited (monolith: exited with 137)";
    up.output.says(why, mark, SEEN).await;
    top.says(why, 0, SEEN).await;
    until("three workers run", SEEN, async || equal(up.workers().len(), 3)).await;

    let mark = edit(IMAGE, MISSING);
    up.output.says("interstella/monolith: stalled: ", mark, SEEN).await;
    up.output.says("CannotPullContainerError", mark, SEEN).await;
    top.says("monolith: stalled, ", 0, SEEN).await;
    let mark = edit(MISSING, IMAGE);
    up.output.says("interstella/monolith: recovered: 3 of 3 tasks of interstella-monolith:1", mark, SEEN).await;

    let said = up.output.since(0);
    assert!(!said.contains('\x1b') && !said.contains('\r'), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("interstella/monolith: ")).collect();
    assert!(lines.iter().all(|line| begins_with_a_clock(line)), "{lines:#?}");
    assert!(!said.contains("memoryReservation"), "fields of what is made are for -v: {said}");
}

#[tokio::test]
async fn a_first_rollout_that_fails_ends_with_urls_and_says_when_it_recovers() {
    let manifest = Manifest::monolith();
    manifest.edit(IMAGE, MISSING);
    let up = Up::start_on(manifest, &["--interval", "1", "--orders-per-minute", "600"]).await;
    up.output.says("interstella/monolith: stalled: ", 0, SEEN).await;
    up.output.says("not converged: monolith is stalled", 0, SEEN).await;
    let url = up.output.after("  monolith ", SEEN).await;
    assert!(url.starts_with("http://") && url.ends_with(&format!(":{}", up.manifest.port)), "{url}");
    assert_eq!(up.stats().await.published, 0, "nobody could take an order");

    let mark = up.output.mark();
    up.manifest.edit(MISSING, IMAGE);
    up.output.says("interstella/monolith: recovered: 1 of 1 task of interstella-monolith:", mark, SEEN).await;
    up.output.says("\nconverged\n  monolith ", mark, SEEN).await;
    up.fulfils_more(0, SEEN).await;
}

/// `top` beside it, in a pipe.
fn top(up: &Up) -> (Child, Output) {
    let arguments = ["top", "--controller", &up.controller, "--hq", &up.hq];
    let mut child = interstella(&arguments, up.manifest.directory()).spawn().unwrap();
    let output = Output::read(child.stdout.take().unwrap());
    (child, output)
}

fn begins_with_a_clock(line: &str) -> bool {
    let shape: String = line.chars().take(9).map(|one| if one.is_ascii_digit() { '0' } else { one }).collect();
    shape == "00:00:00 "
}
