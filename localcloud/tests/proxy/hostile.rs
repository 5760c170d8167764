//! Peers that say one thing and do another: what is framed ambiguously goes neither way (RFC 9110 §7.6.1, RFC 9112 §6.3).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use interstella_localcloud::elb::routing::UseFor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::backend::{Backend, raw, read_head};
use crate::{Bench, PATIENCE};

/// Sends bytes to the load balancer and reads all that comes until it closes.
async fn exchange(bench: &Bench, bytes: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", bench.port)).await.unwrap();
    let _closed_early = stream.write_all(bytes.as_bytes()).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let _reset = read.expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}

fn statuses(answer: &str) -> Vec<&str> {
    answer.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect()
}

/// A target that answers each request on a connection with the next of these texts, and then closes it.
async fn target(answers: &'static [&'static str]) -> (Bench, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let address = raw(move |mut stream, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            for answer in answers {
                if read_head(&mut stream).await.is_empty() || stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    (Bench::new(&[(address, UseFor::Requests)]).await, connections)
}

const GET: &str = "GET / HTTP/1.1\r\nHost: lb.localhost\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn what_a_client_names_in_connection_does_not_hide_who_asks_for_what() {
    let backend = Backend::start("web").await;
    let bench = Bench::new(&[(backend.address, UseFor::Requests)]).await;
    let answer = exchange(
        &bench,
        "POST /echo HTTP/1.1\r\nHost: lb.localhost\r\nCookie: a=1\r\nX-Hop: 1\r\nContent-Length: 4\r\n\
         Connection: close, Host, Cookie, X-Hop, Content-Length, X-Forwarded-For, X-Amzn-Trace-Id\r\n\r\nbody",
    )
    .await;
    assert_eq!(statuses(&answer), ["200"], "{answer}");
    for kept in ["host=lb.localhost", "cookie=a=1", "x-forwarded-for=127.0.0.1", "x-amzn-trace-id=Root", "\r\n\r\nbody"]
    {
        assert!(answer.contains(kept), "{kept}: {answer}");
    }
    assert!(!answer.contains("x-hop"), "{answer}");
}

#[tokio::test]
async fn requests_with_two_readings_reach_no_target() {
    let backend = Backend::start("web").await;
    let bench = Bench::new(&[(backend.address, UseFor::Requests)]).await;
    for lines in [
        "Host: lb.localhost\r\nHost: other.localhost\r\n",
        "Host: lb.localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Host: lb.localhost\r\nContent-Length: 4\r\nContent-Length: 4\r\n",
        "Host: lb.localhost\r\nContent-Length: 4\r\nContent-Length: 5\r\n",
        "Host: lb.localhost\r\nContent-Length: +4\r\n",
        "Host: lb.localhost\r\nTransfer-Encoding: gzip, chunked\r\n",
        "Host: lb.localhost\r\nTransfer-Encoding: chunked, identity\r\n",
        "Host: lb.localhost\r\nTransfer-Encoding : chunked\r\n",
        "Host: lb.localhost\nContent-Length: 4\r\n",
        "Host: lb.localhost\r\n X: folded\r\n",
    ] {
        let request = format!("POST /echo HTTP/1.1\r\n{lines}\r\n0\r\n\r\n{GET}");
        assert_eq!(statuses(&exchange(&bench, &request).await), ["400"], "{lines:?}");
        // The same behind a request in the same piece that is right.
        let second = format!("GET /first HTTP/1.1\r\nHost: lb.localhost\r\n\r\n{request}");
        assert_eq!(statuses(&exchange(&bench, &second).await), ["200", "400"], "{lines:?}");
    }
    for size in ["FFFFFFFFFFFFFFFF", "-1", "0x4", "4 ;x"] {
        let request = format!(
            "POST /echo HTTP/1.1\r\nHost: lb.localhost\r\nTransfer-Encoding: chunked\r\n\r\n{size}\r\nbody\r\n0\r\n\r\n"
        );
        let answer = exchange(&bench, &request).await;
        assert!(!statuses(&answer).contains(&"200"), "{size}: {answer}");
    }
}

#[tokio::test]
async fn answers_with_two_readings_are_502_and_their_connection_is_not_used_again() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nwhole",
        "HTTP/1.1 200 OK\r\nContent-Length: 3, 5\r\n\r\nwhole",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nwhole",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nwhole",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nwhole",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    ] {
        let answers: &'static [&'static str] = Vec::leak(vec![answer, answer]);
        let (bench, connections) = target(answers).await;
        for count in 1..=2 {
            assert_eq!(statuses(&exchange(&bench, GET).await), ["502"], "{answer:?}");
            assert_eq!(connections.load(Ordering::SeqCst), count, "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_length_that_is_said_twice_alike_is_passed_on_once() {
    for lines in ["Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5, 5"] {
        let answer: &'static str = format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\nwhole").leak();
        let (bench, _) = target(Vec::leak(vec![answer])).await;
        let answer = exchange(&bench, GET).await.to_ascii_lowercase();
        assert_eq!(
            (statuses(&answer.to_uppercase()), answer.matches("content-length").count()),
            (vec!["200"], 1),
            "{answer}"
        );
        assert!(answer.ends_with("whole"), "{answer}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_a_whole_one() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nhalf\r\n0\r\n\r\n",
    ] {
        let (bench, _) = target(Vec::leak(vec![answer])).await;
        let answer = exchange(&bench, GET).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let is_whole = if head.contains("chunked") { body.ends_with("0\r\n\r\n") } else { body.len() >= 9 };
        assert!(statuses(&answer) != ["200"] || !is_whole, "{answer:?}");
    }
}

#[tokio::test]
async fn what_follows_an_answer_is_not_the_next_one() {
    const POISON: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    let honest = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhonest";
    for (method, first) in [
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"),
        ("GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n"),
    ] {
        let address = raw({
            let poisoned = format!("{first}{POISON}");
            move |mut stream, count| {
                let (poisoned, honest) = (poisoned.clone(), honest.to_owned());
                async move {
                    loop {
                        let answer = if count == 0 { &poisoned } else { &honest };
                        if read_head(&mut stream).await.is_empty() || stream.write_all(answer.as_bytes()).await.is_err()
                        {
                            return;
                        }
                    }
                }
            }
        })
        .await;
        let bench = Bench::new(&[(address, UseFor::Requests)]).await;
        exchange(&bench, &GET.replace("GET", method)).await;
        for _ in 0..3 {
            let answer = exchange(&bench, GET).await;
            assert!(!answer.contains("poison"), "{method} {first:?}: {answer}");
        }
    }
}

#[tokio::test]
async fn informational_answers_are_not_the_answer() {
    let (bench, _) = target(&["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"]).await;
    let answer = exchange(&bench, GET).await;
    assert!(statuses(&answer).last() == Some(&"200") && answer.ends_with("ok"), "{answer}");
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_upload_arrives() {
    let address = raw(|mut stream, _| async move {
        read_head(&mut stream).await;
        let refusal = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig";
        stream.write_all(refusal.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        // A server that lets its client read the answer goes on taking what comes.
        let _rest = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let bench = Bench::new(&[(address, UseFor::Requests)]).await;
    let size = 4 << 20;
    let (mut reader, mut writer) = TcpStream::connect(("127.0.0.1", bench.port)).await.unwrap().into_split();
    let head = format!("POST / HTTP/1.1\r\nHost: lb.localhost\r\nContent-Length: {size}\r\n\r\n");
    let sending = async {
        writer.write_all(head.as_bytes()).await.unwrap();
        let _closed_early = writer.write_all(&vec![b'x'; size]).await;
    };
    let mut answer = vec![0; 12];
    let reading = async { reader.read_exact(&mut answer).await.unwrap() };
    tokio::time::timeout(PATIENCE, async { tokio::join!(sending, reading) }).await.expect("an answer");
    assert_eq!(String::from_utf8_lossy(&answer), "HTTP/1.1 413");
}
