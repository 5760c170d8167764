//! W27–W41: what a peer may make the worker hold, and for how long.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::fake::Fake;
use super::sender::{SNS, raw, read_reply, request};
use super::support::{Rig, Setup, eventually};

#[tokio::test]
async fn w27_large_messages_pass_and_larger_than_a_mebibyte_do_not() {
    let rig = Rig::new().await;
    let padded = format!("{{\"bundle\": {}1}}", " ".repeat(256 * 1024 - 20));
    assert_eq!(rig.send(&rig.draft_of(&padded).signed(&SNS)).await.status, 200);
    let head = format!("POST /order/ HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", 1024 * 1024 + 1);
    let reply = raw(rig.address, head.as_bytes()).await;
    assert_eq!(reply.status, 413);
    assert!(reply.head.contains("connection: close"));
}

#[tokio::test]
async fn w28_an_endless_chunked_body_is_cut() {
    let rig = Rig::new().await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    stream.write_all(b"POST /order/ HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..17 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    assert_eq!(read_reply(&mut stream).await.status, 413);
    let zipped = rig.post("\u{1f}zip", &[("content-encoding", "gzip")]).await;
    assert_eq!(zipped.status, 400, "nothing is ever unpacked");
}

#[tokio::test]
async fn w29_a_slow_body_is_cut() {
    let rig = Setup::new().short().start().await;
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let started = Instant::now();
    stream.write_all(b"POST /order/ HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n1").await.unwrap();
    let reply = read_reply(&mut stream).await;
    assert_eq!(reply.status, 408);
    assert!(reply.head.contains("connection: close"));
    assert!((400..2000).contains(&started.elapsed().as_millis()));
}

#[tokio::test]
async fn w30_silent_and_slow_heads_are_closed() {
    let rig = Setup::new().short().start().await;
    let started = Instant::now();
    let mut silent = TcpStream::connect(rig.address).await.unwrap();
    let mut crowd = Vec::new();
    for _ in 0..50 {
        let mut slow = TcpStream::connect(rig.address).await.unwrap();
        slow.write_all(b"POST /ord").await.unwrap();
        crowd.push(slow);
    }
    for slow in &mut crowd {
        assert_eq!(read_reply(slow).await.status, 0);
    }
    assert!((450..3000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    assert_eq!(read_reply(&mut silent).await.status, 0);
    assert!((950..4000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn w30_orders_are_taken_while_five_hundred_are_slow() {
    let rig = Rig::new().await;
    let mut crowd = Vec::new();
    for number in 0..500 {
        let mut slow = TcpStream::connect(rig.address).await.unwrap();
        if number % 2 == 0 {
            slow.write_all(b"POST /ord").await.unwrap();
        }
        crowd.push(slow);
    }
    // The connection that asks is one more.
    assert!(rig.metrics().await.contains("worker_connections 501"), "all of them hold a place");
    for _ in 0..20 {
        assert_eq!(rig.send(&rig.order()).await.status, 200);
    }
}

#[tokio::test]
async fn w31_too_many_or_too_large_headers_are_431() {
    let rig = Rig::new().await;
    let many: Vec<(String, &str)> = (0..100).map(|number| (format!("x-{number}"), "y")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(rig.post("{}", &many).await.status, 431);
    let large = "y".repeat(400 * 1024);
    assert!(matches!(rig.post("{}", &[("x", &large)]).await.status, 431 | 0));
}

#[tokio::test]
async fn w32_what_is_not_json_is_400() {
    let rig = Rig::new().await;
    let deep = format!("{{\"Type\":{}", "[".repeat(100_000));
    let bodies: [&[u8]; 9] = [
        b"",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"{\"Type\":\"\\ud800\"}",
        b"{\"Type\":1e999999}",
        b"[]",
        b"{} {}",
        b"{\"Type\":null}",
        deep.as_bytes(),
    ];
    for body in bodies {
        let mut bytes = request("POST", "/order/", &[], "");
        bytes = String::from_utf8(bytes)
            .unwrap()
            .replace("content-length: 0", &format!("content-length: {}", body.len()))
            .into();
        bytes.extend_from_slice(body);
        assert_eq!(
            raw(rig.address, &bytes).await.status,
            400,
            "{:?}",
            String::from_utf8_lossy(&body[..body.len().min(20)])
        );
    }
    assert_eq!(rig.get("/").await.status, 200);
}

#[tokio::test]
async fn w33_w34_signed_but_unprocessable_is_quarantined_and_200() {
    let rig = Rig::new().await;
    let bomb = format!("{{\"bundle\": {}", "[".repeat(100_000));
    let texts = [
        "hello",
        "{\"bundle\": 0}",
        "{\"bundle\": -1}",
        "{\"bundle\": 1e308}",
        "{\"bundle\": 1, \"x\": 2}",
        "{\"bundle\": 1, \"bundle\": 2}",
        "{\"iridium\": 1}",
        bomb.as_str(),
    ];
    for text in texts {
        let message = rig.draft_of(text).signed(&SNS);
        for _ in 0..2 {
            let reply = rig.send(&message).await;
            assert_eq!((reply.status, reply.body.as_str()), (200, "quarantined"));
        }
    }
    assert_eq!(rig.effects(), 0);
    let metrics = rig.metrics().await;
    assert!(metrics.contains("worker_alarms_total{kind=\"quarantined\"} 8"), "once for each: {metrics}");
}

#[tokio::test]
async fn w35_methods_and_paths() {
    let rig = Rig::new().await;
    for (method, path, status) in [
        ("GET", "/order/", 405),
        ("PUT", "/order/", 405),
        ("HEAD", "/order/", 405),
        ("OPTIONS", "/order", 405),
        ("POST", "/", 405),
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("POST", "//order/", 404),
        ("POST", "/order/../", 404),
        ("POST", "/order//", 404),
        ("POST", "/fulfill/", 404),
        ("GET", "/fulfill/", 404),
    ] {
        let reply = raw(rig.address, &request(method, path, &[("connection", "close")], "")).await;
        assert_eq!(reply.status, status, "{method} {path}");
    }
    assert_eq!(rig.get("/").await.body, "Welcome to the monolith");
    let order = rig.order().body();
    assert_eq!(raw(rig.address, &request("POST", "/order", &[], &order)).await.status, 200, "the one alias");
}

#[tokio::test]
async fn the_direct_path_works_only_when_switched_on() {
    let rig = Setup::new().var("INTERSTELLA_DIRECT_FULFIL", "true").start().await;
    let direct = |body: &'static str, headers: &'static [(&str, &str)]| {
        let bytes = request("POST", "/fulfill/", headers, body);
        async move { raw(rig.address, &bytes).await.status }
    };
    assert_eq!(direct("{\"bundle\": 1}", &[]).await, 200);
    assert_eq!(direct("{\"bundle\": 1}", &[("idempotency-key", "a")]).await, 200);
    assert_eq!(direct("{\"bundle\": 1}", &[("idempotency-key", "a")]).await, 200);
    assert_eq!(direct("{\"bundle\": 0}", &[]).await, 400);
    assert_eq!(rig.effects(), 2);
}

#[tokio::test]
async fn w61_a_length_that_is_only_declared_takes_no_room_from_others() {
    let rig = Rig::new().await;
    let mut crowd = Vec::new();
    for _ in 0..100 {
        let mut slow = TcpStream::connect(rig.address).await.unwrap();
        let head = "POST /order/ HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1048576\r\n\r\n";
        slow.write_all(head.as_bytes()).await.unwrap();
        crowd.push(slow);
    }
    for _ in 0..10 {
        assert_eq!(rig.send(&rig.order()).await.status, 200);
    }
}

#[tokio::test]
async fn w36_ambiguous_framing_is_400_and_closed() {
    let rig = Rig::new().await;
    for lines in [
        "content-length: 2\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 2\r\n",
        "content-length: 2\r\ncontent-length: 3\r\n",
        "content-length: 2\r\ncontent-length: 2\r\n",
        "content-length: +5\r\n",
        "content-length: 0x5\r\n",
        "content-length: -1\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "x: a\r\n folded\r\n",
        "x: a\ncontent-length: 2\r\n",
        "content-length : 2\r\n",
    ] {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        let bytes = format!(
            "POST /order/ HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n{{}}GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
        );
        stream.write_all(bytes.as_bytes()).await.unwrap();
        assert_eq!(read_reply(&mut stream).await.status, 400, "{lines:?}");
        assert_eq!(read_reply(&mut stream).await.status, 0, "{lines:?}: nothing after it");
    }
}

#[tokio::test]
async fn w36_what_comes_in_one_piece_with_a_request_is_read_as_strictly() {
    let rig = Rig::new().await;
    let first = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for second in [
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n",
        "GET / HTTP/1.1\nhost: localhost\n\n",
        "GET / HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(format!("{first}{second}{first}").as_bytes()).await.unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).await.unwrap();
        let statuses: Vec<&str> = all.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
        assert_eq!(statuses, ["200", "400"], "{second:?}");
    }
}

#[tokio::test]
async fn w36_a_chunk_without_a_plain_size_is_400_at_once() {
    let rig = Rig::new().await;
    for size in ["FFFFFFFFFFFFFFFF", "FFFFFFFFFFFFFFF", "-1", "0x2", "2 ", ""] {
        let body = format!("{size}\r\n{{}}\r\n0\r\n\r\n");
        let head = "POST /order/ HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
        let started = Instant::now();
        assert_eq!(raw(rig.address, format!("{head}{body}").as_bytes()).await.status, 400, "{size:?}");
        assert!(started.elapsed() < Duration::from_secs(3), "{size:?}: not by time-out");
    }
}

#[tokio::test]
async fn w36_there_is_one_host_and_on_a_laptop_it_is_loopback_s() {
    let rig = Setup::new().var("INTERSTELLA_HOSTS", "shop.test, other.test").start().await;
    for (lines, status) in [
        ("host: localhost\r\n", 200),
        ("host: monolith-1.us-west-2.elb.localhost:5000\r\n", 200),
        ("host: Shop.test\r\n", 200),
        ("host: localhost\r\nHost: localhost\r\n", 400),
        ("", 400),
        ("host: evil.example\r\n", 421),
        ("host: localhost\r\nsec-fetch-site: cross-site\r\n", 403),
        ("host: localhost\r\norigin: http://localhost:1\r\n", 403),
    ] {
        let reply = raw(rig.address, format!("GET / HTTP/1.1\r\n{lines}\r\n").as_bytes()).await;
        assert_eq!(reply.status, status, "{lines:?}");
    }
    let behind_a_balancer = Setup::new().aws().start().await;
    let reply = raw(behind_a_balancer.address, b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn w27_who_sends_too_much_can_read_that_it_was_too_much() {
    let rig = Rig::new().await;
    for chunked in [false, true] {
        let stream = TcpStream::connect(rig.address).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let size = 8 * 1024 * 1024;
        let length = if chunked { "transfer-encoding: chunked".to_owned() } else { format!("content-length: {size}") };
        let frame = if chunked { format!("{size:x}\r\n") } else { String::new() };
        let head = format!("POST /order/ HTTP/1.1\r\nhost: localhost\r\n{length}\r\n\r\n{frame}");
        // A sender that looks for the answer only when it has sent everything, as many do.
        writer.write_all(head.as_bytes()).await.unwrap();
        writer.write_all(&vec![b'x'; size]).await.unwrap();
        let mut answer = vec![0; 12];
        reader.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, b"HTTP/1.1 413", "chunked: {chunked}");
    }
}

#[tokio::test]
async fn w37_http_2_is_not_spoken() {
    let rig = Rig::new().await;
    assert_ne!(raw(rig.address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.status, 200);
    let upgrade =
        [("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c"), ("http2-settings", "AAMAAABkAAQAAP__")];
    let reply = raw(rig.address, &request("GET", "/", &upgrade, "")).await;
    assert_eq!(reply.status, 200, "answered in HTTP/1.1, not switched");
    assert!(reply.head.starts_with("http/1.1"));
}

#[tokio::test]
async fn w38_forged_forwarding_headers_change_nothing() {
    let rig = Rig::new().await;
    let forged = [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "sns.us-west-2.amazonaws.com"),
    ];
    assert_eq!(rig.post("{\"bundle\": 1}", &forged).await.status, 403);
    assert_eq!(rig.post(&rig.order().body(), &forged).await.status, 200);
}

#[tokio::test]
async fn w40_probes_and_metrics_are_on_their_own_port() {
    let rig = Rig::new().await;
    for path in ["/metrics", "/livez", "/readyz"] {
        assert_eq!(rig.get(path).await.status, 404, "{path}");
        let reply = raw(rig.admin_address, &request("GET", path, &[], "")).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(!reply.body.contains("canary") && !reply.body.contains("123456789012"), "{path}");
    }
    assert_eq!(raw(rig.admin_address, &request("GET", "/order/", &[], "")).await.status, 404);
}

#[tokio::test]
async fn w41_a_started_fulfilment_survives_its_sender() {
    let rig = Setup::new().var("INTERSTELLA_GATHER_MS", "100").start().await;
    let mut half = TcpStream::connect(rig.address).await.unwrap();
    let bytes = request("POST", "/order/", &[], &rig.order().body());
    half.write_all(&bytes[..bytes.len() - 10]).await.unwrap();
    half.set_zero_linger().unwrap();
    drop(half);
    let mut whole = TcpStream::connect(rig.address).await.unwrap();
    whole.write_all(&bytes).await.unwrap();
    eventually("the certificate is fetched", || rig.fetches() == 1).await;
    whole.set_zero_linger().unwrap();
    drop(whole);
    eventually("the order is fulfilled", || rig.effects() == 1).await;
    rig.script([(true, Fake::Answer(200, String::new()))]);
    tokio::time::timeout(Duration::from_secs(5), async {
        while rig.post(std::str::from_utf8(&bytes).unwrap().split("\r\n\r\n").nth(1).unwrap(), &[]).await.body
            != "duplicate"
        {}
    })
    .await
    .unwrap();
    assert_eq!(rig.effects(), 1);
}
