//! Who gets a request: turns, health, draining, hosts; and what a target sees of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::Request;
use http_body_util::Full;
use interstella_localcloud::elb::routing::UseFor;
use interstella_localcloud::elb::{Action, Condition, Field, FixedResponse, Ports};

use crate::backend::Backend;
use crate::{Bench, front, routing, until};

#[tokio::test]
async fn healthy_targets_take_turns_over_kept_connections() {
    let (one, two, ill) = (Backend::start("one").await, Backend::start("two").await, Backend::start("ill").await);
    let targets = [(one.address, UseFor::Requests), (two.address, UseFor::Requests), (ill.address, UseFor::FailOpen)];
    let bench = Bench::new(&targets).await;
    for _ in 0..20 {
        assert_eq!(bench.get("/").await.status, 200);
    }
    assert_eq!((one.seen(), two.seen(), ill.seen()), (10, 10, 0));
    let connections = [&one, &two].map(|backend| backend.connections.load(Ordering::SeqCst));
    assert_eq!(connections, [1, 1], "connections to targets are kept");
    let counts = bench.counts();
    assert_eq!((counts.requests, counts.targets, counts.fail_open), (20, [20, 0, 0, 0], 0));
}

#[tokio::test]
async fn without_a_healthy_target_all_get_requests() {
    let (one, two, leaving) = (Backend::start("one").await, Backend::start("two").await, Backend::start("gone").await);
    let targets =
        [(one.address, UseFor::FailOpen), (two.address, UseFor::FailOpen), (leaving.address, UseFor::InFlight)];
    let bench = Bench::new(&targets).await;
    for _ in 0..10 {
        assert_eq!(bench.get("/").await.status, 200);
    }
    assert_eq!((one.seen(), two.seen(), leaving.seen()), (5, 5, 0));
    assert_eq!(bench.counts().fail_open, 10);
}

#[tokio::test]
async fn a_draining_target_ends_its_requests_and_gets_no_new_ones() {
    let (old, new) = (Backend::start("old").await, Backend::start("new").await);
    let bench = Arc::new(Bench::new(&[(old.address, UseFor::Requests)]).await);
    let held = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.get("/hold").await }
    });
    until("the request has come", || old.seen() == 1).await;
    bench.route(&[(old.address, UseFor::InFlight), (new.address, UseFor::Requests)]).await;
    // The routing is swapped as a whole a moment after it was published.
    while bench.get("/").await.body != "new" {}
    let before = old.seen();
    for _ in 0..20 {
        assert_eq!(bench.get("/").await.body, "new");
    }
    assert_eq!(old.seen(), before);
    old.gate.add_permits(1);
    let answer = held.await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "old"));
}

#[tokio::test]
async fn a_request_still_in_flight_when_the_delay_is_over_gets_502() {
    let backend = Backend::start("old").await;
    let bench = Arc::new(Bench::new(&[(backend.address, UseFor::Requests)]).await);
    let held = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.get("/hold").await }
    });
    until("the request has come", || backend.seen() == 1).await;
    bench.route(&[]).await;
    assert_eq!(held.await.unwrap().status, 502);
    until("the target sees the end", || backend.abandoned.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn targets_see_what_a_load_balancer_adds() {
    let backend = Backend::start("one").await;
    let bench = Bench::new(&[(backend.address, UseFor::Requests)]).await;
    let request = Request::get(bench.url("/a/b?c=d%20e"))
        .header("x-forwarded-for", "10.1.1.1")
        .header("connection", "x-private")
        .header("x-private", "1")
        .body(Full::default())
        .unwrap();
    let answer = bench.send(request).await;
    let seen = answer.headers["x-request"].to_str().unwrap().to_owned();
    let port = bench.port;
    let (before, after) = seen.split_once("x-amzn-trace-id=Root=1-").unwrap();
    assert_eq!(before, format!("GET /a/b?c=d%20e host=127.0.0.1:{port}|"));
    let (trace, rest) = after.split_once('|').unwrap();
    assert_eq!(trace.len(), 8 + 1 + 24, "{trace}");
    assert_eq!(rest, format!("x-forwarded-for=10.1.1.1, 127.0.0.1|x-forwarded-port={port}|x-forwarded-proto=http"));
    assert!(answer.headers.get("keep-alive").is_none());
}

#[tokio::test]
async fn load_balancers_on_one_port_are_told_apart_by_host() {
    let backend = Backend::start("one").await;
    let bench = Bench::new(&[(backend.address, UseFor::Requests)]).await;
    assert_eq!(bench.get("/").await.body, "one", "the only one is meant by any name");
    let mut second = front("second.localhost", "none");
    let fixed = |body: &str| {
        let content_type = "text/plain".to_owned();
        Action::FixedResponse(FixedResponse { status: 200, content_type, body: body.to_owned() })
    };
    second.default_action = fixed("second");
    let path = Condition { field: Field::Path, patterns: vec!["/tea*".to_owned()] };
    second.rules = vec![(vec![path], fixed("tea"))];
    let targets = [(backend.address, UseFor::Requests)];
    bench.publish(routing(bench.port, vec![front("lb.localhost", "web"), second], &targets));
    let ask = async |host: &str, path: &str| {
        let request = Request::get(bench.url(path)).header("host", host).body(Full::default()).unwrap();
        bench.send(request).await
    };
    while ask("second.localhost", "/").await.body != "second" {}
    assert_eq!(ask(&format!("Second.LocalHost:{}", bench.port), "/teapot").await.body, "tea");
    assert_eq!(ask("lb.localhost", "/").await.body, "one");
    let unknown = ask("third.localhost", "/").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("lb.localhost, second.localhost"), "{}", unknown.body);
}

#[tokio::test]
async fn a_port_closes_with_its_last_listener_and_can_be_had_again() {
    let backend = Backend::start("one").await;
    let bench = Bench::new(&[(backend.address, UseFor::Requests)]).await;
    assert_eq!(bench.get("/").await.status, 200);
    bench.sockets.release(bench.port);
    bench.publish(Default::default());
    let address = ("127.0.0.1", bench.port);
    until("the port is closed", || std::net::TcpStream::connect(address).is_err()).await;
    bench.sockets.reserve(bench.port).unwrap();
    bench.route(&[(backend.address, UseFor::Requests)]).await;
    assert_eq!(bench.get("/").await.status, 200);
}
