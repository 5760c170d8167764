//! What the load balancer answers by itself.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request};
use http_body_util::Full;
use interstella_localcloud::elb::routing::UseFor;
use tokio::io::AsyncReadExt;

use crate::backend::{raw, read_head, reply};
use crate::{Bench, front, routing, until};

#[tokio::test]
async fn nobody_registered_is_503() {
    let bench = Bench::new(&[]).await;
    let answer = bench.get("/").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers["server"], "awselb/2.0");
    assert!(answer.body.contains("<h1>503 Service Temporarily Unavailable</h1>"), "{}", answer.body);
    assert_eq!((bench.counts().requests, bench.counts().balancer_5xx), (0, 1));
}

#[tokio::test]
async fn a_refused_connection_is_502() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let bench = Bench::new(&[(closed, UseFor::Requests)]).await;
    assert_eq!(bench.get("/").await.status, 502);
    assert_eq!((bench.counts().connection_errors, bench.counts().balancer_5xx), (1, 1));
}

#[tokio::test]
async fn a_broken_answer_is_502() {
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(40 * 1024));
    for bytes in ["", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\nbad header\r\n\r\n", long.as_str()] {
        let bytes = Arc::new(bytes.to_owned());
        let address = raw(move |mut stream, _| {
            let bytes = Arc::clone(&bytes);
            async move { reply(&mut stream, bytes.as_bytes()).await }
        })
        .await;
        let bench = Bench::new(&[(address, UseFor::Requests)]).await;
        assert_eq!(bench.get("/").await.status, 502);
        assert_eq!(bench.post("/", "body").await.status, 502);
    }
}

#[tokio::test]
async fn no_answer_before_the_idle_timeout_is_504() {
    let silent = raw(|mut stream, _| async move {
        read_head(&mut stream).await;
        let _until_closed = stream.read(&mut [0]).await;
    })
    .await;
    let bench = Bench::new(&[(silent, UseFor::Requests)]).await;
    let mut impatient = front("lb.localhost", "web");
    impatient.idle_timeout = Duration::from_millis(100);
    let mut routing = routing(bench.port, vec![impatient], &[(silent, UseFor::Requests)]);
    // A second group shows when the routing is adopted.
    routing.target_groups.extend(routing.target_groups.get("web").cloned().map(|group| ("second".to_owned(), group)));
    bench.publish(routing);
    until("the routing is adopted", || bench.proxy.counts().contains_key("second")).await;
    assert_eq!(bench.get("/").await.status, 504);
}

/// A target that closes each connection after its first answer, without saying so: the keep-alive race.
#[tokio::test]
async fn a_kept_connection_that_was_closed_is_retried_for_get_alone() {
    let connections = Arc::new(AtomicUsize::new(0));
    let address = raw({
        let connections = Arc::clone(&connections);
        move |mut stream, _| {
            connections.fetch_add(1, Ordering::SeqCst);
            async move {
                reply(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                // The next request is read, and the connection closed without a byte.
                read_head(&mut stream).await;
            }
        }
    })
    .await;
    let bench = Bench::new(&[(address, UseFor::Requests)]).await;
    assert_eq!(bench.get("/").await.status, 200);
    assert_eq!(bench.get("/").await.status, 200, "GET is sent once more");
    assert_eq!(connections.load(Ordering::SeqCst), 2);
    assert_eq!(bench.post("/", "order").await.status, 502, "POST may have had its effect");
}

#[tokio::test]
async fn requests_that_no_load_balancer_passes_on() {
    let bench = Bench::new(&[]).await;
    let ask = |method: Method, path: &str, headers: &[(&str, String)]| {
        let mut request = Request::builder().method(method).uri(bench.url(path));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.body(Full::default()).unwrap()
    };
    let long = "x".repeat(17 * 1024);
    let hops = vec!["10.0.0.1"; 31].join(",");
    let cases = [
        (ask(Method::TRACE, "/", &[]), 405),
        (ask(Method::GET, &format!("/{long}"), &[]), 414),
        (ask(Method::GET, "/", &[("x-long", long.clone())]), 400),
        (ask(Method::GET, "/", &[("x-forwarded-for", hops)]), 463),
        (ask(Method::GET, "/", &[("upgrade", "websocket".to_owned())]), 501),
        (ask(Method::GET, "/", &[("x-huge", "x".repeat(200 * 1024))]), 431),
    ];
    for (request, status) in cases {
        assert_eq!(bench.send(request).await.status, status);
    }
}
