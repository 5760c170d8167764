//! Peers that break the rules of message framing and of connection fields: raw bytes from a client and from a target.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use interstella_localcloud::elb::routing::UseFor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::backend::{raw, read_head, reply};
use crate::{Bench, PATIENCE, until};

const GET: &str = "GET / HTTP/1.1\r\nhost: lb.localhost\r\nconnection: close\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nhost: lb.localhost\r\nconnection: close\r\n\r\n";

/// All that the load balancer writes for these bytes, until it closes the connection.
async fn ask(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset ends the answer as well; what came before it counts.
    let _ended = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the connection closes");
    String::from_utf8(answer).unwrap()
}

/// A target that answers each connection's first request with these bytes and closes.
async fn writes(bytes: &'static str) -> SocketAddr {
    raw(move |mut stream, _| async move { reply(&mut stream, bytes.as_bytes()).await }).await
}

/// A target whose answers have the request's head as their body.
async fn mirrors() -> SocketAddr {
    raw(|mut stream, _| async move {
        let head = read_head(&mut stream).await;
        let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{head}", head.len());
        let _sent = stream.write_all(answer.as_bytes()).await;
    })
    .await
}

/// The status, and whether the answer's body came whole by the framing that its head declares.
fn read(answer: &str, to_head: bool) -> (String, bool) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.split(' ').nth(1).unwrap_or("none").to_owned();
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let whole = if to_head || status == "204" || status == "304" {
        body.is_empty()
    } else if head.contains("transfer-encoding: chunked") {
        body.ends_with("0\r\n\r\n")
    } else {
        length == Some(body.len())
    };
    (status, whole)
}

#[tokio::test]
async fn answers_whose_length_is_in_doubt_are_502() {
    let cases = [
        ("9112 6.3 (4): a coding that is not chunked", GET, "transfer-encoding: gzip"),
        ("9112 6.1: a coding under the chunks", GET, "transfer-encoding: gzip, chunked"),
        ("9112 6.3 (3): chunks before a length", GET, "transfer-encoding: chunked\r\ncontent-length: 2"),
        ("9110 8.6: no number", GET, "content-length: 5x"),
        ("9110 8.6: nothing", GET, "content-length:"),
        ("9110 8.6: a length beyond 64 bits", GET, "content-length: 99999999999999999999"),
        ("9112 6.3 (5): two lengths to HEAD", HEAD, "content-length: 5\r\ncontent-length: 6"),
        ("9112 6.3 (3): a length beside chunks to HEAD", HEAD, "content-length: 5\r\ntransfer-encoding: chunked"),
        ("9110 8.6: a length beyond 64 bits to HEAD", HEAD, "content-length: 99999999999999999999"),
    ];
    for (case, request, fields) in cases {
        let bytes = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        let bench = Bench::new(&[(writes(bytes.leak()).await, UseFor::Requests)]).await;
        let answer = ask(bench.port, request).await;
        assert!(answer.starts_with("HTTP/1.1 502"), "{case}: {answer}");
        assert_eq!(bench.counts().balancer_5xx, 1, "{case}");
    }
}

#[tokio::test]
async fn answers_end_where_their_framing_says() {
    let cases = [
        ("9112 6.3 (1): HEAD with a body", HEAD, "200 OK\r\ncontent-length: 2\r\n\r\nok", "200", true),
        ("9112 6.3 (1): 204 with a body", GET, "204 No Content\r\ncontent-length: 2\r\n\r\nok", "204", true),
        ("9112 6.3 (1): 304 with a body", GET, "304 Not Modified\r\ncontent-length: 2\r\n\r\nok", "304", true),
        ("9112 6.3 (8): until the close", GET, "200 OK\r\n\r\nok", "200", true),
        ("9112 6.3 (6): more than the length", GET, "200 OK\r\ncontent-length: 2\r\n\r\nokay", "200", true),
        (
            "9112 7.1: a chunk longer than its size",
            GET,
            "200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n",
            "200",
            false,
        ),
        (
            "9110 7.6.1: the length named by Connection",
            GET,
            "200 OK\r\nconnection: close, content-length\r\ncontent-length: 9\r\n\r\nok",
            "200",
            false,
        ),
    ];
    for (case, request, bytes, status, whole) in cases {
        let bytes = format!("HTTP/1.1 {bytes}");
        let bench = Bench::new(&[(writes(bytes.leak()).await, UseFor::Requests)]).await;
        let answer = ask(bench.port, request).await;
        assert_eq!(read(&answer, request == HEAD), (status.to_owned(), whole), "{case}: {answer}");
        assert!(status != "204" || !answer.contains("content-length"), "9110 8.6: {answer}");
    }
}

#[tokio::test]
async fn fields_that_a_peer_names_are_dropped_unless_they_are_for_all() {
    let answer = "HTTP/1.1 200 OK\r\nconnection: close, cache-control, set-cookie, x-private, ÿ\r\ncache-control: no-store\r\n\
                  set-cookie: a=b\r\nx-private: 1\r\nkeep-alive: timeout=5\r\nproxy-connection: close\r\nupgrade: h2c\r\n\
                  trailer: x-sum\r\ncontent-length: 2\r\n\r\nok";
    let bench = Bench::new(&[(writes(answer).await, UseFor::Requests)]).await;
    let given = ask(bench.port, GET).await;
    for (field, stays) in [
        ("cache-control: no-store", true),
        ("set-cookie: a=b", true),
        ("x-private", false),
        ("keep-alive", false),
        ("proxy-connection", false),
        ("upgrade", false),
        ("trailer", false),
    ] {
        assert_eq!(given.contains(field), stays, "9110 7.6.1, to the client: {field}: {given}");
    }

    let bench = Bench::new(&[(mirrors().await, UseFor::Requests)]).await;
    let named = "host, content-length, cookie, authorization, x-forwarded-for, x-amz-sns-topic-arn, x-private, te";
    let fields = "cookie: a=b\r\nauthorization: Basic eA==\r\nx-forwarded-for: 10.1.1.1\r\nx-amz-sns-topic-arn: arn\r\n\
                  x-private: 1\r\nte: trailers\r\nkeep-alive: 5\r\nproxy-connection: close\r\nupgrade: h2c\r\ntrailer: x-sum";
    let request = format!(
        "POST / HTTP/1.1\r\nhost: lb.localhost\r\nconnection: close, {named}\r\ncontent-length: 2\r\n{fields}\r\n\r\nok"
    );
    let given = ask(bench.port, &request).await;
    for (field, stays) in [
        ("host: lb.localhost", true),
        ("content-length: 2\r\n", true),
        ("cookie: a=b", true),
        ("authorization: Basic", true),
        ("x-forwarded-for: 10.1.1.1, 127.0.0.1", true),
        ("x-amz-sns-topic-arn: arn", true),
        ("x-private", false),
        ("te: trailers", false),
        ("keep-alive", false),
        ("proxy-connection", false),
        ("upgrade", false),
        ("trailer", false),
    ] {
        assert_eq!(given.contains(field), stays, "9110 7.6.1, to the target: {field}: {given}");
    }
}

/// RFC 9112 §6.3 (7): the body of a GET in chunks is a body.
#[tokio::test]
async fn chunks_of_a_get_reach_the_target() {
    let address = raw(|mut stream, _| async move {
        let mut request = read_head(&mut stream).await;
        while request.contains("transfer-encoding") && !request.ends_with("\r\n0\r\n\r\n") {
            request.push(char::from(stream.read_u8().await.unwrap()));
        }
        let answer =
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{request}", request.len());
        let _sent = stream.write_all(answer.as_bytes()).await;
    })
    .await;
    let bench = Bench::new(&[(address, UseFor::Requests)]).await;
    let fields = "host: lb.localhost\r\nconnection: close\r\ntransfer-encoding: chunked";
    let answer = ask(bench.port, &format!("GET / HTTP/1.1\r\n{fields}\r\n\r\n5\r\nhello\r\n0\r\n\r\n")).await;
    assert!(answer.contains("transfer-encoding: chunked") && answer.contains("5\r\nhello\r\n0\r\n"), "{answer}");
}

/// RFC 9112 §9.2: bytes that come after an answer, while its connection is kept, answer nothing.
#[tokio::test]
async fn bytes_on_a_kept_connection_are_not_the_next_answer() {
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    const POISON: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison";
    let (answered, poisoned) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let address = raw({
        let (answered, poisoned) = (Arc::clone(&answered), Arc::clone(&poisoned));
        move |mut stream, count| {
            let (answered, poisoned) = (Arc::clone(&answered), Arc::clone(&poisoned));
            async move {
                reply(&mut stream, ANSWER).await;
                until("the client has the answer", || answered.load(Ordering::SeqCst) > count).await;
                stream.write_all(POISON).await.unwrap();
                poisoned.fetch_add(1, Ordering::SeqCst);
                let _until_closed = stream.read(&mut [0]).await;
            }
        }
    })
    .await;
    let bench = Bench::new(&[(address, UseFor::Requests)]).await;
    for turn in 1..=30 {
        assert_eq!(bench.get("/").await.body, "ok", "turn {turn}");
        answered.store(turn, Ordering::SeqCst);
        until("the bytes are written", || poisoned.load(Ordering::SeqCst) >= turn).await;
    }
}

/// RFC 9112 §9.5: an answer that comes while the request is still being sent is its answer, though the target takes no more.
#[tokio::test]
async fn an_answer_before_the_end_of_an_upload_reaches_the_client() {
    let address = writes("HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 5\r\n\r\nlarge").await;
    let bench = Bench::new(&[(address, UseFor::Requests)]).await;
    for turn in 0..30 {
        let stream = TcpStream::connect(("127.0.0.1", bench.port)).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let sending = tokio::spawn(async move {
            let length = 4 * 1024 * 1024;
            let head = format!(
                "POST / HTTP/1.1\r\nhost: lb.localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
            );
            writer.write_all(head.as_bytes()).await?;
            writer.write_all(&vec![b'x'; length]).await?;
            Ok::<_, std::io::Error>(writer)
        });
        let mut answer = Vec::new();
        let _ended = timeout(PATIENCE, reader.read_to_end(&mut answer)).await.expect("the connection closes");
        let answer = String::from_utf8(answer).unwrap();
        assert_eq!(read(&answer, false), ("413".to_owned(), true), "turn {turn}: {answer}");
        sending.await.unwrap().expect("the upload is taken to its end, so that no reset overtakes the answer");
    }
}
