//! The cloud on a real socket.

use std::sync::Arc;
use std::time::Duration;

use interstella_localcloud::faults::{Calls, Fault, Kind};
use interstella_localcloud::wire;
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
    let served = tokio::spawn(wire::serve(Arc::clone(&cloud), listener, async {
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
    let error = wire::serve(cloud(), listener, std::future::pending()).await.unwrap_err();
    assert!(error.to_string().contains("loopback only"), "{error}");
}
