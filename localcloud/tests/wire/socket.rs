//! The cloud on a real socket.

use std::sync::Arc;
use std::time::Duration;

use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::faults::{Calls, Fault, Kind};
use interstella_localcloud::wire::{self, Access};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::{authorization, cloud};

/// Sends a request and reads what comes until the connection closes.
async fn raw(stream: &mut TcpStream, close: bool) -> String {
    let (body, close) = ("Action=GetCallerIdentity&Version=2011-06-15", if close { "close" } else { "keep-alive" });
    let authorization = authorization("us-west-2", "sts");
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: {close}\r\nAuthorization: {authorization}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn answers_breaks_and_stops() {
    let cloud = cloud();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(wire::serve(Arc::clone(&cloud), listener, Access::default(), async {
        let _ = stopped.await;
    }));
    let answer = raw(&mut TcpStream::connect(address).await.unwrap(), true).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("x-amzn-requestid: 0"), "{answer}");
    cloud.faults.push(Fault::once(Calls::Any, Kind::DropReply));
    let answer = raw(&mut TcpStream::connect(address).await.unwrap(), false).await;
    assert_eq!(answer, "", "the connection closes without a reply");
    let _idle = TcpStream::connect(address).await.unwrap();
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), served).await.expect("stops").unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn only_loopback_is_served() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let error = wire::serve(cloud(), listener, Access::default(), std::future::pending()).await.unwrap_err();
    assert!(error.to_string().contains("loopback only"), "{error}");
}

async fn served() -> (Arc<Cloud>, std::net::SocketAddr) {
    let (cloud, listener) = (cloud(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap();
    let access = Access { names: vec!["cloud.test".to_owned()], access_key: None };
    tokio::spawn(wire::serve(Arc::clone(&cloud), listener, access, std::future::pending()));
    (cloud, address)
}

/// Status of the answer to a request with these header lines.
async fn status(address: std::net::SocketAddr, lines: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (body, authorization) = ("Action=CreateTopic&Version=2010-03-31&Name=a", authorization("us-west-2", "sns"));
    let length = body.len();
    let head = format!(
        "POST / HTTP/1.1\r\nAuthorization: {authorization}\r\nConnection: close\r\nContent-Length: {length}\r\n{lines}\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn pages_and_foreign_names_change_nothing() {
    let (cloud, address) = served().await;
    for (lines, wanted) in [
        ("Host: evil.example\r\n", "421"),
        ("Host: localhost\r\nOrigin: http://localhost:3000\r\n", "403"),
        ("Host: localhost\r\nSec-Fetch-Site: same-site\r\n", "403"),
        (
            "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
            "403",
        ),
        ("Host: localhost\r\nHost: localhost\r\n", "400"),
        ("", "400"),
    ] {
        assert_eq!(status(address, lines).await, wanted, "{lines:?}");
    }
    assert!(cloud.journal.calls().is_empty());
    assert_eq!(status(address, "Host: cloud.test\r\n").await, "200");
}

#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    let (_cloud, address) = served().await;
    interstella_guard::doors::raise_descriptor_limit();
    let mut idle = Vec::new();
    for _ in 0..700 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    assert_eq!(status(address, "Host: localhost\r\n").await, "200");
}

#[tokio::test]
async fn slow_bodies_and_those_who_keep_a_refused_connection_leave_the_reserve_to_health_checks() {
    let (_cloud, address) = served().await;
    interstella_guard::doors::raise_descriptor_limit();
    let mut crowd = Vec::new();
    for number in 0..700 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let slow = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n";
        let refused = "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n";
        let _sent_away = stream.write_all(if number < 600 { slow } else { refused }.as_bytes()).await;
        crowd.push(stream);
    }
    let mut probe = TcpStream::connect(address).await.unwrap();
    let request = "GET /_interstella/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    probe.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    probe.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
