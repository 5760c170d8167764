//! `load` sends orders, and says what became of them.

use serde_json::{Value, json};

use crate::support::command::{self, Answer};
use crate::support::manifest::Manifest;
use crate::support::up::Up;

/// A cloud whose orders come from `load` alone.
async fn quiet() -> Up {
    Up::converged_on(Manifest::monolith(), &["--orders-per-minute", "0", "--speed", "60"]).await
}

async fn load(up: &Up, arguments: &[&str]) -> Answer {
    let at = ["--speed", "60", "--output", "json", "--hq", &up.hq];
    // Orders that go straight to a URL need no cloud.
    let cloud = if arguments.contains(&"--to") { &[][..] } else { &["--endpoint-url", &up.cloud] };
    command::run(&[&["load"], arguments, &at, cloud].concat(), up.manifest.directory()).await
}

#[tokio::test]
async fn orders_are_published_as_the_profile_says_and_fulfilled() {
    let up = quiet().await;
    let profile = up.manifest.directory().join("profile.csv");
    std::fs::write(&profile, "minute,ordersPerMinute\n0,10\n2,60\n4,0\n").unwrap();
    let answer = load(&up, &["--profile", profile.to_str().unwrap(), "--burst", "25@1m"]).await.exits(0);
    let report = answer.json();
    let sent = report["scheduled"].as_u64().unwrap();
    // A Poisson process has 140 in these minutes, give or take; the seed is fixed.
    assert!((25 + 100..25 + 180).contains(&sent), "{report}");
    assert_eq!(report["outcomes"], json!({ "published": sent }), "{report}");
    let fate = json!({ "published": sent, "fulfilled": sent, "duplicates": 0, "lost": 0 });
    assert_eq!(report["headquarters"], fate, "{report}");
    assert!(report["seconds"].as_f64().unwrap() >= 3.0, "four minutes at sixty times the speed: {report}");
    assert!(report["latencyMs"]["max"].as_f64() > Some(0.0), "{report}");
    assert_eq!(up.stats().await.fulfilled, sent);
}

#[tokio::test]
async fn what_is_not_accepted_is_counted_by_its_status_and_is_a_failure() {
    let up = quiet().await;
    let nowhere = load(&up, &["--burst", "15@0s", "--topic", "arn:aws:sns:us-west-2:123456789012:nowhere"]).await;
    assert_eq!(outcomes(&nowhere.exits(1).json()), json!({ "NotFound": 15 }));
    // The worker of this manifest takes orders from SNS alone.
    let url = format!("http://127.0.0.1:{}/fulfill/", up.manifest.port);
    let direct = load(&up, &["--burst", "15@0s", "--to", &url]).await;
    assert_eq!(outcomes(&direct.exits(1).json()), json!({ "404": 15 }));
}

fn outcomes(report: &Value) -> Value {
    report["outcomes"].clone()
}

#[tokio::test]
async fn a_profile_that_cannot_be_read_or_no_headquarters_is_said_before_anything_is_sent() {
    let manifest = Manifest::monolith();
    let run = async |arguments: &[&str]| command::run(arguments, manifest.directory()).await.exits(1).stderr;
    let missing = run(&["load", "--profile", "nowhere.csv"]).await;
    assert!(missing.contains("nowhere.csv cannot be read"), "{missing}");
    let tls = run(&["load", "--rate", "1", "--to", "https://127.0.0.1/fulfill/"]).await;
    assert!(tls.contains("next: give a URL such as http://HOST:PORT/fulfill/"), "{tls}");
    let nobody = ["load", "--rate", "1", "--to", "http://127.0.0.1:1/", "--hq", "http://127.0.0.1:1"];
    let nobody = run(&nobody).await;
    assert!(nobody.contains("cannot reach http://127.0.0.1:1"), "{nobody}");
}
