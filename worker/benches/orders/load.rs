//! The load: as fast as answers come, or at a rate that does not wait for them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Requests are dealt to the connections one by one.
#[derive(Clone, Copy)]
pub struct Load {
    pub connections: usize,
    /// Requests per second; none: each connection sends when it has its answer.
    pub rate: Option<f64>,
}

/// Every answer's status and time.
#[derive(Debug, Default)]
pub struct Outcome {
    answers: Vec<(u16, Duration)>,
    pub elapsed: Duration,
}

impl Outcome {
    pub fn count(&self, status: u16) -> usize {
        self.answers.iter().filter(|(known, _)| *known == status).count()
    }

    pub fn rate_of(&self, status: u16) -> f64 {
        self.count(status) as f64 / self.elapsed.as_secs_f64()
    }

    pub fn latencies(&self, status: u16) -> Vec<Duration> {
        self.answers.iter().filter(|(known, _)| *known == status).map(|(_, time)| *time).collect()
    }

    pub fn latency(&self, status: u16) -> String {
        super::report(self, status)
    }
}

pub async fn run(address: SocketAddr, requests: Arc<[Vec<u8>]>, load: Load) -> Outcome {
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = (0..load.connections)
        .map(|_| tokio::spawn(connection(address, Arc::clone(&requests), Arc::clone(&next), load.rate, start)))
        .collect();
    let mut outcome = Outcome::default();
    for task in tasks {
        outcome.answers.extend(task.await.unwrap().expect("the connection holds"));
    }
    outcome.elapsed = start.elapsed();
    outcome
}

async fn connection(
    address: SocketAddr,
    requests: Arc<[Vec<u8>]>,
    next: Arc<AtomicUsize>,
    rate: Option<f64>,
    start: Instant,
) -> io::Result<Vec<(u16, Duration)>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut answers = Vec::new();
    let mut received = Vec::with_capacity(8192);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = requests.get(number) else { return Ok(answers) };
        let sent = match rate {
            None => Instant::now(),
            Some(rate) => due(start + Duration::from_secs_f64(number as f64 / rate)).await,
        };
        let status = exchange(&mut stream, request, &mut received).await?;
        answers.push((status, sent.elapsed()));
    }
}

/// Waits for its time and says since when the request counts. One that no connection was free for counts from when it was due;
/// that the timer is a millisecond late is not the server's fault.
async fn due(at: Instant) -> Instant {
    if at <= Instant::now() {
        return at;
    }
    tokio::time::sleep_until(at.into()).await;
    Instant::now()
}

async fn exchange(stream: &mut TcpStream, request: &[u8], received: &mut Vec<u8>) -> io::Result<u16> {
    stream.write_all(request).await?;
    received.clear();
    while whole(received).is_none() {
        if stream.read_buf(received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let status = received.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    status.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The length of the message at the start of `bytes`, once all of it is there.
pub fn whole(bytes: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length: ";
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let length = bytes[..head].windows(NAME.len()).position(|name| name == NAME).map_or(0, |at| {
        let digits = bytes[at + NAME.len()..].iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))
    });
    (bytes.len() >= head + length).then_some(head + length)
}

/// A health check as a load balancer makes it, on a connection of its own.
pub async fn health(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let mut received = Vec::new();
    let asking = exchange(&mut stream, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", &mut received);
    let status = tokio::time::timeout(Duration::from_secs(1), asking).await??;
    if status == 200 { Ok(()) } else { Err(io::ErrorKind::Other.into()) }
}

/// Checks health every 20 ms until the server has gone: how many failed before, and the rest.
pub async fn probe(address: SocketAddr) -> (usize, Outcome) {
    let mut outcome = Outcome::default();
    let (mut ticks, mut failed, mut started) = (tokio::time::interval(Duration::from_millis(20)), 0, false);
    loop {
        ticks.tick().await;
        let begun = Instant::now();
        match health(address).await {
            Ok(()) => outcome.answers.push((200, begun.elapsed())),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && started => return (failed, outcome),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => continue,
            Err(_) => failed += 1,
        }
        started = true;
    }
}

/// Opens a connection for each request, sends it, and keeps the connection.
pub async fn open(address: SocketAddr, requests: &[Vec<u8>]) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for request in requests {
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(exchange(&mut stream, request, &mut Vec::new()).await.unwrap(), 200);
        open.push(stream);
    }
    open
}

/// Opens connections, sends on each what does not end, and waits until the server has given up all of them: only then has it
/// surely read what it was sent.
pub async fn hold_without_end(address: SocketAddr, count: usize, part: &[u8]) {
    let mut open = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Whoever is refused is closed before it has sent all.
        let _ = stream.write_all(part).await;
        open.push(stream);
    }
    for mut stream in open {
        // A connection that is closed before all was read is reset.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

/// Keeps the generator from sleeping. Waking a sleeping core would be paid by whoever writes to it, which no network does.
pub async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}
