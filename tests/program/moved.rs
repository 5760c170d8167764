//! A listener port that another program of this machine holds: `up` serves elsewhere, and every verb agrees about it.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use crate::support::http::{get, get_json};
use crate::support::manifest::Manifest;
use crate::support::up::Up;

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_held_listener_port_is_served_elsewhere_and_every_verb_knows() {
    let manifest = Manifest::monolith();
    let _holder = TcpListener::bind((Ipv4Addr::LOCALHOST, manifest.port)).unwrap();
    let declared = manifest.port;
    let up = Up::converged_on(manifest, &["--orders-per-minute", "600"]).await;
    let said = up.output.since(0);
    assert!(said.contains(&format!("listener port {declared}: another program on this machine holds it")), "{said}");

    let plan = up.beside(&["plan"]).await.exits(0);
    assert!(plan.stdout.contains("nothing to do"), "{plan:?}");
    up.beside(&["apply"]).await.exits(0);
    let status = up.beside(&["status", "--output", "json", "-f"]).await.exits(0).json();
    let endpoint = status["apps"][0]["endpoint"].as_str().unwrap().to_owned();
    assert!(!endpoint.ends_with(&format!(":{declared}")), "{endpoint}");
    let apps = get_json(&format!("{}/api/v1/apps", up.controller)).await.unwrap();
    assert_eq!(apps["apps"][0]["endpoint"], endpoint, "{apps}");
    assert!(up.output.since(0).contains(&endpoint), "{}", up.output.since(0));
    let (status, body) = get(&format!("{endpoint}/")).await.unwrap();
    assert!(status == 200 && body.contains("Welcome to the monolith"), "{status} {body}");

    let listener = up.aws().listener().await.unwrap();
    let described = up.aws().elb.describe_listeners().listener_arns(listener).send().await.unwrap();
    assert_eq!(described.listeners()[0].port(), Some(i32::from(declared)));
    up.fulfils_more(3, SOON).await;
    up.nothing_is_lost().await;
}
