//! Connections are used again while they hold, and given up without harm when they do not.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::*;

const DEADLINE: Duration = Duration::from_secs(10);

/// A client that counts its connections, and the URL of a server that closes each after `answers` of them.
async fn pair(answers: usize, closed: Arc<Notify>) -> (Outbound, Arc<AtomicUsize>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://user@{}/a?b", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let closed = Arc::clone(&closed);
            tokio::spawn(async move {
                answer(stream, answers).await;
                closed.notify_one();
            });
        }
    });
    let connections = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&connections);
    let observer: Observer = Arc::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    (Outbound::new(Some(observer)).unwrap(), connections, url)
}

/// Answers with the head that it got.
async fn answer(mut stream: TcpStream, answers: usize) {
    for _ in 0..answers {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", head.len());
        stream.write_all(&[text.as_bytes(), &head].concat()).await.unwrap();
    }
}

async fn get(client: &Outbound, url: &str, body_limit: usize) -> Result<String, SendError> {
    let request = Request::get(url).body(Full::default()).unwrap();
    let answer = client.send(request, DEADLINE, body_limit).await?;
    Ok(String::from_utf8(answer.body.to_vec()).unwrap())
}

#[tokio::test]
async fn one_connection_serves_one_request_after_the_other() {
    let (client, connections, url) = pair(usize::MAX, Arc::default()).await;
    for _ in 0..3 {
        let head = get(&client, &url, 1024).await.unwrap();
        let host = url.strip_prefix("http://user@").and_then(|rest| rest.strip_suffix("/a?b")).unwrap();
        assert_eq!(head.lines().next().unwrap(), "GET /a?b HTTP/1.1");
        assert!(head.contains(&format!("host: {host}\r\n")), "{head}");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn requests_at_once_have_a_connection_each() {
    let (client, connections, url) = pair(usize::MAX, Arc::default()).await;
    let (one, other) = tokio::join!(get(&client, &url, 1024), get(&client, &url, 1024));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(connections.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_costs_no_request() {
    let closed = Arc::<Notify>::default();
    let (client, connections, url) = pair(1, Arc::clone(&closed)).await;
    for number in 1..=3 {
        get(&client, &url, 1024).await.unwrap();
        assert_eq!(connections.load(Ordering::Relaxed), number);
        closed.notified().await;
        // The end of the connection is in the kernel; a turn of the runtime's driver brings it here.
        tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>()).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_connection_whose_answer_was_not_read_to_its_end_is_not_used_again() {
    let (client, connections, url) = pair(usize::MAX, Arc::default()).await;
    assert_eq!(get(&client, &url, 3).await, Err(SendError::TooLong));
    assert!(get(&client, &url, 1024).await.is_ok());
    assert_eq!(connections.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_url_without_a_host_and_a_host_that_does_not_listen_are_not_sent() {
    let (client, _, _) = pair(1, Arc::default()).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for url in ["/a", &format!("http://{free}/")] {
        assert_eq!(get(&client, url, 1024).await, Err(SendError::NotSent), "{url}");
    }
}
