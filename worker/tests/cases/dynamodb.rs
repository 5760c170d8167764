//! The DynamoDB ledger as workers use it: replicas that race, answers that get lost, a table that is slow, throttled or missing.
//! `tests/python/dynamodb.sh` starts a DynamoDB written by others and makes the table.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, SdkConfig};
use interstella_worker::ledger::{Change, DynamoDbLedger, Fingerprint, LEASE_MS, Ledger, LedgerError, Outcome, State};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::fake::{Fake, serve};
use super::program::can_be_listed_and_released;
use super::sender::{Reply, SNS, raw, request};
use super::support::Setup;

const TABLE: &str = "interstella-orders";
const NOW: i64 = 1_700_000_000_000;

async fn sdk() -> SdkConfig {
    let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
    assert!(sdk.endpoint_url().is_some_and(|url| url.starts_with("http://127.0.0.1:")), "run tests/python/dynamodb.sh");
    sdk
}

async fn at(endpoint: &str) -> DynamoDbLedger {
    DynamoDbLedger::new(&aws_config::defaults(BehaviorVersion::latest()).endpoint_url(endpoint).load().await, TABLE)
}

fn claim() -> Change {
    Change::Claim { fingerprint: Fingerprint::of("aa"), order: "{\"bundle\":1}".to_owned(), idempotent: false }
}

#[tokio::test]
async fn w55_dynamodb_duplicates_on_three_replicas_have_one_effect() {
    let sdk = sdk().await;
    let mut replicas = Vec::new();
    for _ in 0..3 {
        let ledger = Arc::new(DynamoDbLedger::new(&sdk, TABLE));
        replicas.push(Setup::new().ledger(ledger).var("INTERSTELLA_GATHER_MS", "50").start().await);
    }
    let order = replicas[0].draft();
    let mut sent = Vec::new();
    for replica in &replicas {
        let own = order.clone().with("SigningCertURL", replica.draft().get("SigningCertURL")).signed(&SNS);
        let bytes = request("POST", "/order/", &[], &own.body());
        let address = replica.address;
        sent.extend((0..4).map(|_| {
            let bytes = bytes.clone();
            tokio::spawn(async move { raw(address, &bytes).await })
        }));
    }
    let mut fulfilled = 0;
    for reply in sent {
        let Reply { status, body, .. } = reply.await.unwrap();
        assert!(matches!(status, 200 | 503), "{status} {body}");
        fulfilled += u32::from(body == "fulfilled");
    }
    let effects: u32 = replicas.iter().map(super::support::Rig::effects).sum();
    assert_eq!((fulfilled, effects), (1, 1));
}

/// The table has the write, the worker has no answer, and the SDK repeats it: the worker must know its own write again.
#[tokio::test]
async fn w66_dynamodb_a_write_whose_answer_was_lost_counts_once() {
    let sdk = sdk().await;
    let proxy = Proxy::start(sdk.endpoint_url().unwrap()).await;
    let ledger = at(&proxy.origin).await;
    let key = Uuid::new_v4();
    for (change, expected) in [
        (claim(), Outcome::Won(1)),
        (Change::Intent { attempt: 1 }, Outcome::Written),
        (Change::Finish { attempt: 1, status: 200 }, Outcome::Written),
    ] {
        proxy.loses_an_answer_to_a_write();
        assert_eq!(ledger.apply(key, change.clone(), NOW).await.unwrap(), expected, "{change:?}");
        assert!(proxy.has_lost_it(), "{change:?}");
    }
    assert_eq!(ledger.apply(key, claim(), NOW).await.unwrap(), Outcome::Settled(State::Done));
    assert_eq!(ledger.get(key).await.unwrap().unwrap().attempt, 1);
}

#[tokio::test]
async fn w66_dynamodb_a_race_for_an_expired_claim_has_one_winner() {
    let sdk = sdk().await;
    let key = Uuid::new_v4();
    let first = DynamoDbLedger::new(&sdk, TABLE);
    assert_eq!(first.apply(key, claim(), NOW).await.unwrap(), Outcome::Won(1));
    let racing: Vec<_> = (0..8)
        .map(|_| {
            let ledger = DynamoDbLedger::new(&sdk, TABLE);
            tokio::spawn(async move { ledger.apply(key, claim(), NOW + LEASE_MS).await.unwrap() })
        })
        .collect();
    let mut won = 0;
    for outcome in racing {
        match outcome.await.unwrap() {
            Outcome::Won(2) => won += 1,
            outcome => assert_eq!(outcome, Outcome::Busy(NOW + 2 * LEASE_MS)),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn w66_dynamodb_trouble_is_try_later_within_a_second_or_says_what_to_do() {
    let refuses = |code: &str| {
        Fake::With(
            400,
            "content-type: application/x-amz-json-1.0",
            format!("{{\"__type\":\"a#{code}\",\"message\":\"m\"}}"),
        )
    };
    for (fake, words) in [
        (refuses("ThrottlingException"), None),
        (refuses("ProvisionedThroughputExceededException"), None),
        (Fake::Hang, None),
        (refuses("AccessDeniedException"), Some("dynamodb:PutItem")),
        (refuses("ResourceNotFoundException"), Some("create it")),
        (Fake::Answer(500, String::new()), Some(TABLE)),
        (Fake::Answer(200, "rubbish".to_owned()), Some("")),
    ] {
        let shown = format!("{fake:?}");
        let address = serve(move |_| fake.clone()).await;
        let started = Instant::now();
        let result = at(&format!("http://{address}")).await.apply(Uuid::new_v4(), claim(), NOW).await;
        assert!(started.elapsed() < Duration::from_millis(1500), "{shown}: {:?}", started.elapsed());
        match (result, words) {
            (Err(LedgerError::Timeout), None) => {}
            (Err(LedgerError::Failed(text)), Some(words)) => assert!(text.contains(words), "{shown}: {text}"),
            (result, _) => panic!("{shown}: {result:?}"),
        }
    }
}

#[tokio::test]
async fn dynamodb_parked_orders_are_listed_and_released() {
    can_be_listed_and_released(|command| {
        command.env("INTERSTELLA_LEDGER", "dynamodb:interstella-parked");
        aws(command);
    })
    .await;
}

/// The SDK's own lines are at trace level, too.
#[tokio::test]
async fn dynamodb_w24_w26_w39_no_secret_and_nothing_that_a_sender_wrote_is_shown() {
    super::secrets::are_not_shown(|command| {
        command.env("INTERSTELLA_LEDGER", format!("dynamodb:{TABLE}"));
        aws(command);
        command.env("AWS_SECRET_ACCESS_KEY", "canary-aws-key").env("AWS_SESSION_TOKEN", "canary-aws-token");
    })
    .await;
}

#[tokio::test]
async fn dynamodb_a_table_that_does_not_exist_is_said_at_the_start() {
    let mut command = super::program::command("http://127.0.0.1:1", 0);
    command.env("INTERSTELLA_LEDGER", "dynamodb:no-such-table");
    aws(&mut command);
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("no-such-table") && text.contains("create it"), "{text}");
}

/// Where the program finds the table: not at `AWS_ENDPOINT_URL`, which is SNS's stand-in.
#[expect(clippy::disallowed_methods, reason = "the script that runs these cases says where its DynamoDB is")]
fn aws(command: &mut tokio::process::Command) {
    for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env(name, std::env::var(name).unwrap());
    }
    command.env("AWS_ENDPOINT_URL_DYNAMODB", std::env::var("AWS_ENDPOINT_URL").unwrap());
}

/// Passes requests on, one a connection, and may keep an answer to itself.
struct Proxy {
    origin: String,
    loses: Arc<AtomicBool>,
}

impl Proxy {
    async fn start(to: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let loses = Arc::<AtomicBool>::default();
        let (to, loses_too) = (to.trim_start_matches("http://").to_owned(), Arc::clone(&loses));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, to.clone(), Arc::clone(&loses_too)));
            }
        });
        Proxy { origin, loses }
    }

    fn loses_an_answer_to_a_write(&self) {
        self.loses.store(true, Ordering::SeqCst);
    }

    fn has_lost_it(&self) -> bool {
        !self.loses.load(Ordering::SeqCst)
    }
}

async fn pass(mut from: TcpStream, to: String, loses: Arc<AtomicBool>) -> Option<()> {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        asked.push(from.read_u8().await.ok()?);
    }
    let head = String::from_utf8(asked.clone()).ok()?.to_lowercase();
    let length: usize = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
    let mut body = vec![0; length];
    from.read_exact(&mut body).await.ok()?;
    let closes = String::from_utf8(asked).ok()?.replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1);
    let mut onward = TcpStream::connect(to).await.ok()?;
    onward.write_all(&[closes.as_bytes(), &body].concat()).await.ok()?;
    let mut answer = Vec::new();
    onward.read_to_end(&mut answer).await.ok()?;
    let is_write = head.contains("dynamodb_20120810.putitem");
    if is_write && loses.swap(false, Ordering::SeqCst) {
        from.set_zero_linger().ok()?;
        return None;
    }
    from.write_all(&answer).await.ok()
}
