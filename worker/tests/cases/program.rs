//! The program itself: exit codes, signals, its limits, and what a person does about parked orders.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use super::fake::{Fake, serve};
use super::sender::{Message, SNS, TOPIC, raw, read_reply, request};
use super::support::{CANARY, CERT, eventually};

/// A worker process whose SNS and fulfilment API are one stand-in.
pub struct Program {
    pub child: Child,
    pub address: SocketAddr,
    origin: String,
    /// What it has written to stdout.
    pub output: Arc<Mutex<String>>,
    /// What it has written to stderr.
    pub errors: Arc<Mutex<String>>,
}

const WORKER: &str = env!("CARGO_BIN_EXE_worker");

pub fn command(origin: &str, port: u16) -> Command {
    configured(Command::new(WORKER), origin, port)
}

/// The shell becomes the worker, with so many open files allowed.
fn limited(files: u32, origin: &str, port: u16) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "ulimit -n $1 && exec \"$0\"", WORKER, &files.to_string()]);
    configured(command, origin, port)
}

fn configured(mut command: Command, origin: &str, port: u16) -> Command {
    command
        .env_clear()
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .env("INTERSTELLA_ORDER_TOPIC", TOPIC)
        .env("INTERSTELLA_API_KEY", CANARY)
        .env("INTERSTELLA_API_ENDPOINT", format!("{origin}/receiving/"))
        .env("INTERSTELLA_GATHER_MS", "0")
        .env("INTERSTELLA_DRAIN_LAG_MS", "0")
        .env("AWS_ENDPOINT_URL", origin)
        .env("RUST_LOG", "trace")
        .kill_on_drop(true)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Program {
    /// With the log as it is by default: a line of the trace for each piece of a message would be memory too.
    async fn as_in_production() -> Program {
        let origin = stand_in(Fake::Answer(200, String::new())).await;
        let shape = |command: &mut Command| {
            command.env("RUST_LOG", "info");
        };
        Program::start(origin, shape).await
    }

    /// At its most it has had 96 MiB, of the 128 that a small task has.
    fn fits_into_its_memory(&self) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak_kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(peak_kib <= 96 * 1024, "{peak_kib} KiB");
    }

    fn lines_with(&self, words: &str) -> usize {
        self.output.lock().unwrap().lines().filter(|line| line.contains(words)).count()
    }
}

/// What a stream brings, line by line.
fn collect(stream: impl AsyncRead + Send + Unpin + 'static) -> Arc<Mutex<String>> {
    let text = Arc::<Mutex<String>>::default();
    let text_too = Arc::clone(&text);
    let mut lines = BufReader::new(stream).lines();
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            text_too.lock().unwrap().push_str(&format!("{line}\n"));
        }
    });
    text
}

async fn stand_in(api: Fake) -> String {
    let address = serve(move |asked| match asked.method.as_str() {
        "GET" => Fake::Answer(200, SNS.pem.clone()),
        _ if asked.path == "/" => Fake::Answer(200, String::new()),
        _ => api.clone(),
    });
    format!("http://{}", address.await)
}

pub async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

impl Program {
    pub async fn start(origin: String, shape: impl FnOnce(&mut Command)) -> Program {
        let port = free_port().await;
        let mut command = command(&origin, port);
        shape(&mut command);
        Program::spawn(command, origin, port).await
    }

    async fn spawn(mut command: Command, origin: String, port: u16) -> Program {
        let mut child = command.spawn().unwrap();
        let output = collect(child.stdout.take().unwrap());
        let errors = collect(child.stderr.take().unwrap());
        eventually("it takes orders", || output.lock().unwrap().contains("Taking orders")).await;
        Program { child, address: SocketAddr::from(([127, 0, 0, 1], port)), origin, output, errors }
    }

    pub fn message(&self, kind: &str, members: &[(&str, &str)]) -> Message {
        let now = format!("{:.3}", interstella_worker::Clock::system().now());
        let message = Message::new(kind, members).with("Timestamp", &now);
        message.with("SigningCertURL", &format!("{}{CERT}", self.origin)).signed(&SNS)
    }

    pub async fn send(&self, message: &Message) -> u16 {
        raw(self.address, &request("POST", "/order/", &[], &message.body())).await.status
    }

    pub async fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args([name, &id]).status().await.unwrap().success());
    }

    pub async fn code(&mut self) -> Option<i32> {
        tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await.unwrap().unwrap().code()
    }
}

#[tokio::test]
async fn w59_a_second_signal_ends_a_drain() {
    let mut program = Program::start(stand_in(Fake::Hang).await, |command| {
        command.env("INTERSTELLA_DRAIN_LAG_MS", "3000");
    })
    .await;
    program.signal("-TERM").await;
    let draining = async { while raw(program.address, &request("GET", "/", &[], "")).await.status != 503 {} };
    tokio::time::timeout(Duration::from_secs(2), draining).await.unwrap();
    program.signal("-INT").await;
    assert_eq!(program.code().await, Some(130));
}

#[tokio::test]
async fn w64_a_bad_configuration_exits_78_and_shows_no_secret() {
    for (name, value) in [
        ("INTERSTELLA_API_KEY", ""),
        ("INTERSTELLA_API_KEY", "canary\r\nx: y"),
        ("INTERSTELLA_API_ENDPOINT", "http://canary.example/"),
    ] {
        let output = command("http://127.0.0.1:1", 0).env(name, value).output().await.unwrap();
        assert_eq!(output.status.code(), Some(78));
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(text.contains(name) && !text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn parked_orders_are_listed_and_released() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = format!("sqlite:{}", dir.path().join("ledger.db").display());
    can_be_listed_and_released(|command| {
        command.env("INTERSTELLA_LEDGER", &ledger);
    })
    .await;
}

/// The ledger that `configure` chooses must be empty.
pub async fn can_be_listed_and_released(configure: impl Fn(&mut Command)) {
    let shape = |command: &mut Command| {
        configure(command);
        command.env("INTERSTELLA_FULFILMENT_IDEMPOTENT", "false");
    };
    let program = Program::start(stand_in(Fake::Answer(500, String::new())).await, shape).await;
    for _ in 0..2 {
        let order = program.message("Notification", &[("Message", "{\"bundle\": 1}")]);
        assert_eq!((program.send(&order).await, program.send(&order).await), (503, 200));
    }
    let healthy = stand_in(Fake::Answer(200, String::new())).await;
    let parked = async |origin: &str, args: &[&str]| {
        let mut command = command(origin, 0);
        shape(&mut command);
        let mut child = command.arg("parked").args(args).spawn().unwrap();
        let (mut text, mut errors) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut text).await.unwrap();
        child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
        (child.wait().await.unwrap().code(), text, errors)
    };
    let (code, list, _) = parked(&healthy, &["list"]).await;
    assert_eq!((code, list.lines().count()), (Some(0), 2), "{list}");
    let keys: Vec<&str> = list.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(parked(&program.origin, &["release", keys[0]]).await.0, Some(1), "the API still fails");
    assert_eq!(parked(&healthy, &["list"]).await.1.lines().count(), 2);
    assert_eq!(parked(&healthy, &["release", keys[0]]).await.1, format!("{} fulfilled\n", keys[0]));
    assert_eq!(parked(&healthy, &["release", keys[1], "--done"]).await.1, format!("{} done\n", keys[1]));
    assert_eq!(parked(&healthy, &["list"]).await.1, "");
    let (code, _, errors) = parked(&healthy, &["release", keys[1]]).await;
    assert_eq!(code, Some(1));
    assert!(errors.contains("no such order is held"), "{errors}");
}

#[tokio::test]
async fn w30_a_thousand_heads_that_do_not_end_fit_into_the_memory() {
    let program = Program::as_in_production().await;
    let endless = format!("POST /order/ HTTP/1.1\r\nhost: localhost\r\nx: {}", "y".repeat(15 * 1024));
    let mut peers = Vec::new();
    for _ in 0..1000 {
        let mut stream = TcpStream::connect(program.address).await.unwrap();
        stream.write_all(endless.as_bytes()).await.unwrap();
        peers.push(stream);
    }
    assert_eq!(raw(program.address, &request("GET", "/", &[], "")).await.status, 200);
    for peer in &mut peers {
        assert!(matches!(read_reply(peer).await.status, 408 | 0));
    }
    program.fits_into_its_memory();
}

#[tokio::test]
async fn w61_a_thousand_large_bodies_fit_into_the_memory() {
    let program = Program::as_in_production().await;
    let size = 256 * 1024;
    let head = format!("POST /order/ HTTP/1.1\r\nhost: localhost\r\ncontent-length: {size}\r\n\r\n");
    let almost = [head.as_bytes(), &vec![b'x'; size - 1]].concat();
    let almost: Arc<[u8]> = almost.into();
    let (address, refused) = (program.address, Arc::<AtomicUsize>::default());
    let peers: Vec<_> = (0..1000)
        .map(|_| {
            let (almost, refused) = (Arc::clone(&almost), Arc::clone(&refused));
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                // What is refused may be closed before all of it is written.
                let _ = stream.write_all(&almost).await;
                let status = read_reply(&mut stream).await.status;
                refused.fetch_add(usize::from(status == 503), Ordering::Relaxed);
                status
            })
        })
        .collect();
    eventually("what has no room is refused", || refused.load(Ordering::Relaxed) >= 700).await;
    assert_eq!(raw(address, &request("GET", "/", &[], "")).await.status, 200);
    for peer in peers {
        assert!(matches!(peer.await.unwrap(), 503 | 408 | 0));
    }
    program.fits_into_its_memory();
}

#[tokio::test]
async fn w62_few_open_files_leave_room_for_the_worker_itself() {
    let origin = stand_in(Fake::Answer(200, String::new())).await;
    let port = free_port().await;
    let program = Program::spawn(limited(256, &origin, port), origin, port).await;
    let mut crowd = Vec::new();
    for _ in 0..400 {
        crowd.push(TcpStream::connect(program.address).await.unwrap());
    }
    drop(crowd);
    let answers = async {
        let order = program.message("Notification", &[("Message", "{\"bundle\": 1}")]);
        while program.send(&order).await != 200 {}
    };
    tokio::time::timeout(Duration::from_secs(10), answers).await.unwrap();
    assert_eq!(program.lines_with("cannot accept connections"), 0, "the cap is below the limit");
}

#[tokio::test]
async fn w62_out_of_open_files_the_worker_rests_and_recovers() {
    let origin = stand_in(Fake::Answer(200, String::new())).await;
    let port = free_port().await;
    let program = Program::spawn(limited(26, &origin, port), origin, port).await;
    let mut first = TcpStream::connect(program.address).await.unwrap();
    first.write_all(&request("GET", "/", &[], "")).await.unwrap();
    assert_eq!(read_reply(&mut first).await.status, 200);
    let mut crowd = Vec::new();
    for _ in 0..100 {
        // Idle ones would make room.
        let mut busy = TcpStream::connect(program.address).await.unwrap();
        busy.write_all(b"POST /order/ HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n1").await.unwrap();
        crowd.push(busy);
    }
    let tries = || program.lines_with("cannot accept connections");
    eventually("there are no files left", || tries() > 0).await;
    let (started, before) = (Instant::now(), tries());
    eventually("it tries again", || tries() >= before + 10).await;
    assert!(started.elapsed() >= Duration::from_millis(400), "it does not spin: {:?}", started.elapsed());
    drop((crowd, first));
    let recovered = async { while raw(program.address, &request("GET", "/", &[], "")).await.status != 200 {} };
    tokio::time::timeout(Duration::from_secs(10), recovered).await.unwrap();
}
