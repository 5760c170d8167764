//! At trace level, the libraries' own lines included, the worker shows no secret and nothing that a sender or the API wrote:
//! not in its logs, not in a reply, not to whoever asks for probes and metrics, and its ledger keeps only the orders.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::process::Command;

use super::fake::{Asked, Fake, serve};
use super::program::{Program, free_port};
use super::sender::{Message, SNS, raw, request};
use super::support::{CANARY, eventually};

const CONFIRMATION: [(&str, &str); 3] =
    [("Message", "canary"), ("Token", "canary-token"), ("SubscribeURL", "https://canary-subscribe/")];
const FORGED: &str = "canary \u{1b}[31m\r\n{\"level\":\"forged\"}";

/// SNS, whose confirmation fails once, and the fulfilment API, which fails in every way and then accepts.
struct Outside {
    confirmations: VecDeque<u16>,
    failures: VecDeque<Fake>,
    /// The API does not know the key.
    refuses_the_key: bool,
    asked_of_api: Vec<Asked>,
}

impl Outside {
    fn new() -> Outside {
        let canary = || "canary-answer".to_owned();
        let failures = [
            Fake::Answer(500, canary()),
            Fake::With(302, "location: https://canary-elsewhere/", canary()),
            Fake::Reset,
            Fake::Answer(422, canary()),
            Fake::With(409, "set-cookie: canary-cookie", canary()),
        ];
        let confirmations = VecDeque::from([400, 200]);
        Outside { confirmations, failures: failures.into(), refuses_the_key: false, asked_of_api: Vec::new() }
    }

    fn answer(&mut self, asked: &Asked) -> Fake {
        let canary = || "canary-answer".to_owned();
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", _) => Fake::Answer(200, SNS.pem.clone()),
            (_, "/") => Fake::Answer(self.confirmations.pop_front().unwrap(), canary()),
            _ => {
                self.asked_of_api.push(asked.clone());
                let status = if self.refuses_the_key { 403 } else { 200 };
                self.failures.pop_front().unwrap_or(Fake::Answer(status, canary()))
            }
        }
    }
}

struct Seen(SocketAddr, Vec<String>);

impl Seen {
    async fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        let reply = raw(self.0, &request("POST", path, headers, body)).await;
        self.1.push(format!("{reply:?}"));
        reply.status
    }

    async fn send(&mut self, message: &Message) -> u16 {
        self.post("/order/", &[("authorization", "canary-authorization")], &message.body()).await
    }
}

/// Everything that may come in: good orders and bad ones, forged ones, rubbish, confirmations.
async fn visit(program: &Program, seen: &mut Seen) {
    let order = |members: &[(&str, &str)]| program.message("Notification", members);
    let good = [("Message", "{\"bundle\": 1}"), ("UnsubscribeURL", "https://canary-unsubscribe/")];
    let confirmation = program.message("SubscriptionConfirmation", &CONFIRMATION);
    assert_eq!((seen.send(&confirmation).await, seen.send(&confirmation).await), (503, 200));
    let farewell = program.message("UnsubscribeConfirmation", &CONFIRMATION);
    assert_eq!(seen.send(&farewell).await, 200);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(seen.send(&order(&good)).await);
    }
    assert_eq!(statuses, [503, 200, 200, 200], "500 and 302, reset and 422, 409 and 200, 200");
    let kept = format!("canary-message \u{1b}[2J\n{FORGED}");
    assert_eq!(seen.send(&order(&[("Message", &kept)])).await, 200, "it is quarantined");
    assert_eq!(seen.send(&order(&[good[0], ("Subject", FORGED)])).await, 400);
    assert_eq!(seen.send(&order(&good).with("Message", "canary-changed")).await, 403);
    assert_eq!(seen.send(&order(&good).with("TopicArn", "arn:aws:sns:canary:123456789012:canary")).await, 403);
    assert_eq!(seen.send(&order(&good).with("SigningCertURL", "https://canary-certificate/x.pem")).await, 403);
    for body in ["canary-rubbish", "{\"canary\": 1}", "{\"Type\": \"canary\"}"] {
        assert!(seen.post("/order/", &[("x-api-key", CANARY)], body).await >= 400, "{body}");
    }
    assert_eq!(seen.post("/order/", &[("x-amz-sns-rawdelivery", "true")], "canary-raw").await, 403);
    assert_eq!(seen.post("/fulfill/?canary", &[("x-api-key", CANARY)], "{\"bundle\": 1}").await, 200);
    assert!(seen.post("/canary-path", &[], "canary").await >= 400);
}

/// A worker's whole life, with `configure`. Returns all that it showed.
async fn life(configure: impl Fn(&mut Command)) -> String {
    let outside = Arc::new(Mutex::new(Outside::new()));
    let outside_too = Arc::clone(&outside);
    let origin = format!("http://{}", serve(move |asked| outside_too.lock().unwrap().answer(asked)).await);
    let admin = SocketAddr::from(([127, 0, 0, 1], free_port().await));
    let mut program = Program::start(origin, |command| {
        configure(command);
        command.env("ADMIN_PORT", admin.port().to_string()).env("INTERSTELLA_DIRECT_FULFIL", "true");
        command.env("INTERSTELLA_GATHER_MS", "50");
    })
    .await;
    let mut seen = Seen(program.address, Vec::new());
    visit(&program, &mut seen).await;
    for path in ["/livez", "/readyz", "/metrics", "/"] {
        seen.1.push(format!("{:?}", raw(admin, &request("GET", path, &[], "")).await));
    }
    assert!(seen.1.iter().any(|reply| reply.contains("worker_alarms_total")), "metrics are among them");
    outside.lock().unwrap().refuses_the_key = true;
    let taken = || program.output.lock().unwrap().matches("Getting Iridium").count();
    let (address, before) = (program.address, taken());
    let order = program.message("Notification", &[("Message", "{\"bundle\": 1}")]).body();
    let last = tokio::spawn(async move { raw(address, &request("POST", "/order/", &[], &order)).await });
    eventually("the last order is taken", || taken() > before).await;
    program.signal("-TERM").await;
    let reply = last.await.unwrap();
    assert_eq!(reply.status, 503, "{reply:?}");
    seen.1.push(format!("{reply:?}"));
    assert_eq!(program.code().await, Some(0));
    let has_key = |asked: &Asked| asked.header("x-api-key") == Some(CANARY);
    assert!(outside.lock().unwrap().asked_of_api.iter().all(has_key));
    let (output, errors) = (program.output.lock().unwrap().clone(), program.errors.lock().unwrap().clone());
    check_lines(&output);
    format!("{}\n{output}\n{errors}", seen.1.join("\n"))
}

/// Each line is one of ours; the libraries' traces are among them.
fn check_lines(output: &str) {
    let mut of_libraries = 0;
    for line in output.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_ne!(line["level"], "forged");
        let target = line["target"].as_str().unwrap();
        of_libraries += u32::from(line["level"] == "TRACE" && !target.starts_with("interstella"));
    }
    assert!(of_libraries > 0, "this is not trace level");
    for words in ["Gathering Requested Items", "Getting Iridium", "Getting Magnesite", "Bundle fulfilled"] {
        assert!(output.contains(words), "{words}");
    }
}

/// Runs a worker with the ledger that `configure` chooses.
pub async fn are_not_shown(configure: impl Fn(&mut Command)) {
    let shown = life(configure).await;
    assert_eq!(shown.lines().find(|line| line.contains("canary")), None);
}

#[tokio::test]
async fn w24_w26_w39_no_secret_and_nothing_that_a_sender_wrote_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = format!("sqlite:{}", dir.path().join("ledger.db").display());
    are_not_shown(|command| {
        command.env("INTERSTELLA_LEDGER", &ledger);
    })
    .await;
    let kept = bytes_of(dir.path());
    assert!(contains(&kept, "canary-message"), "the ledger keeps what cannot be processed");
    for secret in [CANARY, "canary-token", "canary-subscribe", "canary-unsubscribe", "canary-authorization"] {
        assert!(!contains(&kept, secret), "{secret}");
    }
}

fn bytes_of(dir: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    files.flatten().collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
