//! Bodies: large ones, given-up ones, and what happens to them at the end.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use interstella_localcloud::elb::routing::UseFor;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::backend::{Backend, raw, read_head};
use crate::{Bench, PATIENCE, until};

#[tokio::test]
async fn large_bodies_pass_both_ways_unchanged() {
    let backend = Backend::start("one").await;
    let bench = Bench::new(&[(backend.address, UseFor::Requests)]).await;
    let body: Bytes = (0..16 * 1024 * 1024u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let request = Request::post(bench.url("/echo")).body(Full::from(body.clone())).unwrap();
    let answer = bench.client.request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    assert!(answer == body, "{} of {} bytes", answer.len(), body.len());
}

#[tokio::test]
async fn an_answer_streams_before_it_is_complete() {
    let (go_on, gone_on) = oneshot::channel::<()>();
    let gone_on = std::sync::Mutex::new(Some(gone_on));
    let address = raw(move |mut stream, _| {
        let gone_on = gone_on.lock().unwrap().take();
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n").await.unwrap();
            gone_on.unwrap().await.unwrap();
            stream.write_all(b"1\r\nb\r\n0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let bench = Bench::new(&[(address, UseFor::Requests)]).await;
    let request = Request::get(bench.url("/")).body(Full::default()).unwrap();
    let mut body = bench.client.request(request).await.unwrap().into_body();
    let first = tokio::time::timeout(PATIENCE, body.frame()).await.unwrap().unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "a");
    go_on.send(()).unwrap();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "b");
}

#[tokio::test]
async fn an_answer_that_breaks_off_does_so_for_the_client_too() {
    let address = raw(|mut stream, _| async move {
        read_head(&mut stream).await;
        let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    })
    .await;
    let bench = Bench::new(&[(address, UseFor::Requests)]).await;
    let request = Request::get(bench.url("/")).body(Full::default()).unwrap();
    let body = bench.client.request(request).await.unwrap().into_body();
    assert!(body.collect().await.is_err());
}

#[tokio::test]
async fn a_client_that_hangs_up_frees_the_target() {
    let backend = Backend::start("one").await;
    let bench = Bench::new(&[(backend.address, UseFor::Requests)]).await;
    let mut client = TcpStream::connect(("127.0.0.1", bench.port)).await.unwrap();
    client.write_all(b"GET /hold HTTP/1.1\r\nhost: lb.localhost\r\n\r\n").await.unwrap();
    until("the request has come", || backend.seen() == 1).await;
    drop(client);
    until("the target sees the end", || backend.abandoned.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn requests_in_flight_end_when_the_proxy_ends() {
    let backend = Backend::start("one").await;
    let mut bench = Bench::new(&[(backend.address, UseFor::Requests)]).await;
    let request = Request::get(bench.url("/hold")).body(Full::default()).unwrap();
    let held = tokio::spawn(bench.client.request(request));
    until("the request has come", || backend.seen() == 1).await;
    bench.shutdown.take().unwrap().send(()).unwrap();
    until("the port is closed", || std::net::TcpStream::connect(("127.0.0.1", bench.port)).is_err()).await;
    backend.gate.add_permits(1);
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
    tokio::time::timeout(PATIENCE, bench.running).await.unwrap().unwrap();
}
