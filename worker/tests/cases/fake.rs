//! A scripted HTTP server on loopback, down to resets and endless bodies.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Fake {
    Answer(u16, String),
    /// Status, one header line, body.
    With(u16, &'static str, String),
    Reset,
    Hang,
    /// A body that comes forever, one byte at a time.
    Trickle,
    /// A body that comes forever, fast.
    Endless,
}

#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// In lower case.
    pub head: String,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

pub async fn serve(answer: impl Fn(&Asked) -> Fake + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move { connection(stream, &*answer).await });
        }
    });
    address
}

async fn connection(mut stream: TcpStream, answer: &(impl Fn(&Asked) -> Fake + Send + Sync)) -> Option<()> {
    while let Some(asked) = read(&mut stream).await {
        match answer(&asked) {
            Fake::Answer(status, body) => respond(&mut stream, status, "", &body).await?,
            Fake::With(status, header, body) => respond(&mut stream, status, &format!("{header}\r\n"), &body).await?,
            Fake::Reset => {
                stream.set_zero_linger().ok()?;
                return None;
            }
            Fake::Hang => std::future::pending::<()>().await,
            Fake::Trickle => endless(&mut stream, Duration::from_millis(100), 1).await?,
            Fake::Endless => endless(&mut stream, Duration::ZERO, 4096).await?,
        }
    }
    None
}

async fn respond(stream: &mut TcpStream, status: u16, header: &str, body: &str) -> Option<()> {
    let date = if header.starts_with("date: ") { String::new() } else { format!("date: {}\r\n", http_date()) };
    let text = format!("HTTP/1.1 {status} X\r\n{header}{date}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.ok()
}

/// The time, as servers say it.
pub fn http_date() -> String {
    let now = interstella_worker::Clock::system().now();
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap()
}

async fn endless(stream: &mut TcpStream, pace: Duration, size: usize) -> Option<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await.ok()?;
    let mut ticks = tokio::time::interval(pace.max(Duration::from_micros(1)));
    loop {
        ticks.tick().await;
        stream.write_all(&vec![b'x'; size]).await.ok()?;
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let text = String::from_utf8(head).unwrap();
    let mut words = text.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut asked = Asked { method, path, head: text.to_lowercase(), body: String::new() };
    let length: usize = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    asked.body = String::from_utf8(body).unwrap();
    Some(asked)
}
