//! What listens on loopback, attacked as a page in a browser, another user, or a crowd of idle connections would.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::command::run;
use crate::support::manifest::Manifest;
use crate::support::up::Up;
use crate::support::wait::until;

const SOON: Duration = Duration::from_secs(30);
/// A call that any credentials are good for, as a form or an image would send it.
const CREATE: &str = "/?Action=CreateTopic&Version=2010-03-31&Name=made-by-a-page\
    &X-Amz-Credential=a%2F20260101%2Fus-west-2%2Fsns%2Faws4_request";

/// The status of the answer to a request, 0 if there is none.
async fn status(url: &str, method: &str, path: &str, lines: &[&str]) -> u16 {
    let address = url.trim_start_matches("http://");
    let Ok(mut stream) = TcpStream::connect(address).await else { return 0 };
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
    let request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{length}{lines}\r\n");
    let _closed_early = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer);
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// Where the load balancer of the app listens.
fn balancer(up: &Up) -> String {
    format!("http://127.0.0.1:{}", up.manifest.port)
}

#[tokio::test]
async fn a_page_in_a_browser_reads_and_changes_nothing() {
    let up = Up::converged_on(Manifest::monolith(), &["--orders-per-minute", "0"]).await;
    let (aws, balancer) = (up.aws(), balancer(&up));
    let before = aws.everything().await;
    let image = ["Host: localhost", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"];
    let other_port = ["Host: localhost", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"];
    let form = ["Host: localhost", "Origin: http://localhost:1", "Content-Type: application/x-www-form-urlencoded"];
    let old_form = ["Host: localhost", "Origin: null", "Content-Type: text/plain"];
    let rebound = ["Host: evil.example:8888"];
    for (page, lines) in [
        ("image", &image[..]),
        ("fetch", &other_port),
        ("form", &form),
        ("sandboxed form", &old_form),
        ("rebinding", &rebound),
    ] {
        for (url, method, path) in [
            (&up.controller, "GET", "/api/v1/apps"),
            (&up.controller, "GET", "/metrics"),
            (&up.controller, "POST", "/api/v1/apps/monolith/release"),
            (&up.hq, "GET", "/stats"),
            (&up.hq, "POST", "/keys"),
            (&up.hq, "POST", "/rates/orderTopic"),
            (&up.cloud, "GET", CREATE),
            (&up.cloud, "POST", CREATE),
            (&up.cloud, "GET", "/_interstella/health"),
            (&balancer, "GET", "/"),
            (&balancer, "POST", "/order/"),
            (&balancer, "POST", "/fulfill/"),
        ] {
            let found = status(url, method, path, lines).await;
            assert!([403, 421].contains(&found), "{page}: {method} {url}{path}: {found}");
        }
    }
    // A GET without any of a browser's headers reads, and changes nothing either.
    assert_eq!(status(&up.cloud, "GET", CREATE, &["Host: localhost"]).await, 405);
    for (url, path) in
        [(&up.controller, "/api/v1/apps/monolith/release"), (&up.hq, "/keys"), (&up.hq, "/rates/orderTopic")]
    {
        assert_eq!(status(url, "POST", path, &["Host: localhost"]).await, 401, "{url}{path}");
    }
    assert_eq!(aws.everything().await, before);
    run(&["hq", "rate", "orderTopic", "600", "--hq", &up.hq], up.manifest.directory()).await.exits(0);
    up.fulfils_more(5, SOON).await;
}

#[tokio::test]
async fn with_few_descriptors_a_crowd_that_says_nothing_stops_nothing() {
    let up = Up::converged_within(256, &["--interval", "1", "--orders-per-minute", "300"]).await;
    let balancer = balancer(&up);
    interstella_guard::doors::raise_descriptor_limit();
    let mut crowd = Vec::new();
    for url in [&up.controller, &up.hq, &up.cloud, &balancer] {
        for _ in 0..200 {
            crowd.push(TcpStream::connect(url.trim_start_matches("http://")).await.unwrap());
        }
    }
    for (url, path) in
        [(&up.controller, "/livez"), (&up.hq, "/livez"), (&up.cloud, "/_interstella/health"), (&balancer, "/")]
    {
        assert_eq!(status(url, "GET", path, &["Host: localhost"]).await, 200, "{url}{path}");
    }
    let stats = up.stats().await;
    up.fulfils_more(stats.fulfilled + 10, SOON).await;
    up.manifest.edit("desiredCount: 1", "desiredCount: 2");
    until("the edit is carried out", SOON, async || {
        let workers = up.workers().len();
        if workers == 2 { Ok(()) } else { Err(format!("{workers} workers")) }
    })
    .await;
    up.nothing_is_lost().await;
}
