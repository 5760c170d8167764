//! Makes messages as SNS does, and sends raw requests.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:orderTopic";
/// Longer than any time-out of the worker.
const PATIENCE: Duration = Duration::from_secs(30);

/// A key and the certificate over it.
pub struct Identity {
    key: RsaKeyPair,
    pub pem: String,
}

impl Identity {
    pub fn new(shape: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let mut params = CertificateParams::new(vec!["sns.amazonaws.com".to_owned()]).unwrap();
        shape(&mut params);
        let pem = params.self_signed(&key).unwrap().pem();
        Identity { key: RsaKeyPair::from_pkcs8(key.serialized_der()).unwrap(), pem }
    }

    /// A DER `RSAPublicKey`, which the benchmark needs.
    #[allow(dead_code)]
    pub fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    pub fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        STANDARD.encode(signature)
    }
}

/// The stand-in's own identity, made once: RSA keys are slow to make.
pub static SNS: LazyLock<Identity> = LazyLock::new(|| Identity::new(|_| {}));

#[derive(Debug, Clone)]
pub struct Message(pub Vec<(String, String)>);

impl Message {
    pub fn new(kind: &str, members: &[(&str, &str)]) -> Message {
        let mut message = Message(Vec::new());
        message = message.with("Type", kind).with("MessageId", &uuid::Uuid::new_v4().to_string());
        message = message.with("TopicArn", TOPIC).with("SignatureVersion", "2");
        members.iter().fold(message, |message, (name, value)| message.with(name, value))
    }

    /// Adds or replaces a member.
    pub fn with(mut self, name: &str, value: &str) -> Message {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    pub fn without(mut self, name: &str) -> Message {
        self.0.retain(|(known, _)| known != name);
        self
    }

    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn string_to_sign(&self) -> String {
        let names: &[&str] = match self.get("Type") {
            "Notification" => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
            _ => &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
        };
        let has = |name: &&&str| self.0.iter().any(|(known, _)| known == **name);
        names.iter().filter(has).map(|name| format!("{name}\n{}\n", self.get(name))).collect()
    }

    pub fn signed(self, identity: &Identity) -> Message {
        let signature = identity.sign(&self.string_to_sign());
        self.with("Signature", &signature)
    }

    pub fn body(&self) -> String {
        let members: Vec<String> = self
            .0
            .iter()
            .map(|(name, value)| format!("  {name:?} : {}", serde_json::to_string(value).unwrap()))
            .collect();
        format!("{{\n{}\n}}", members.join(",\n"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub body: String,
}

/// Sends bytes and reads until the worker closes or has sent one whole answer. Status 0: closed without an answer.
pub async fn raw(address: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The worker may answer and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    read_reply(&mut stream).await
}

pub async fn read_reply(stream: &mut TcpStream) -> Reply {
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    let reading = async {
        while parse(&answer).is_none_or(|(_, is_whole)| !is_whole) {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => break,
                Ok(count) => answer.extend_from_slice(&piece[..count]),
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("an answer or a close in time");
    // What was closed early still counts: the answer to HEAD has a length and no body.
    parse(&answer).map(|(reply, _)| reply).unwrap_or(Reply { status: 0, head: String::new(), body: String::new() })
}

/// The answer so far, and whether it is whole.
fn parse(answer: &[u8]) -> Option<(Reply, bool)> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let is_whole = body.len() >= length;
    Some((Reply { status, head, body: body.to_owned() }, is_whole))
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = if method == "POST" { format!("content-length: {}\r\n", body.len()) } else { String::new() };
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{lines}{length}\r\n{body}").into_bytes()
}
