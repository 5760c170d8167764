//! What is measured alike in every phase: rate and CPU time.

use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::child::{Subject, cpu_s};
use super::load::{self, Load, Outcome};
use super::sender::{Message, SNS, request};

#[derive(Clone, Copy)]
pub struct Cost {
    /// Per second.
    pub rate: f64,
    /// CPU time of the process each, in microseconds.
    pub cpu_us: f64,
}

impl Cost {
    /// Of doing one and then the other.
    pub fn then(self, other: Cost) -> Cost {
        Cost { rate: 1.0 / (1.0 / self.rate + 1.0 / other.rate), cpu_us: self.cpu_us + other.cpu_us }
    }
}

/// Signed orders, as requests.
#[derive(Clone)]
pub struct Orders {
    pub requests: Arc<[Vec<u8>]>,
    /// What was signed, and the signature.
    signed: Arc<[(String, Vec<u8>)]>,
    /// Where their certificate is.
    pub port: u16,
}

impl Orders {
    /// Signing costs thirty times what checking does: it is done before anything is measured.
    pub fn sign(count: usize, port: u16) -> Orders {
        let threads = std::thread::available_parallelism().map_or(1, Into::into);
        let share = count.div_ceil(threads);
        let made: Vec<Made> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| (0..share).map(|_| order(port)).collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let (requests, signed): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        Orders { requests: requests.into(), signed: signed.into(), port }
    }

    pub fn len(&self) -> usize {
        self.requests.len()
    }

    pub fn size(&self) -> usize {
        self.requests.first().map_or(0, Vec::len)
    }

    pub fn first(&self, count: usize) -> Orders {
        Orders { requests: self.requests[..count.min(self.len())].into(), ..self.clone() }
    }

    /// Nothing but the check of every signature, on this thread.
    pub fn verify_alone(&self) -> Cost {
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, SNS.public_key()).unwrap();
        let (begun, before_s) = (Instant::now(), cpu_s(std::process::id()));
        for (text, signature) in self.signed.iter() {
            key.verify_sig(text.as_bytes(), signature).unwrap();
        }
        let count = self.signed.len() as f64;
        Cost {
            rate: count / begun.elapsed().as_secs_f64(),
            cpu_us: (cpu_s(std::process::id()) - before_s) * 1e6 / count,
        }
    }
}

/// A request; what was signed in it, and the signature.
type Made = (Vec<u8>, (String, Vec<u8>));

fn order(port: u16) -> Made {
    let now = format!("{:.3}", interstella_worker::Clock::system().now());
    let origin = format!("http://127.0.0.1:{port}");
    let message = Message::new("Notification", &[("Message", "{\"bundle\": 1}"), ("Timestamp", &now)])
        .with("SigningCertURL", &format!("{origin}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"))
        .with("UnsubscribeURL", &format!("{origin}/?Action=Unsubscribe&SubscriptionArn={}", super::sender::TOPIC))
        .signed(&SNS);
    let headers = [
        ("content-type", "text/plain; charset=UTF-8"),
        ("x-amz-sns-message-type", "Notification"),
        ("x-amz-sns-message-id", message.get("MessageId")),
        ("x-amz-sns-topic-arn", message.get("TopicArn")),
        ("user-agent", "Amazon Simple Notification Service Agent"),
    ];
    let bytes = request("POST", "/order/", &headers, &message.body());
    (bytes, (message.string_to_sign(), STANDARD.decode(message.get("Signature")).unwrap()))
}

/// Starts it, loads it, and ends it.
pub async fn cost(mut subject: Subject, orders: &Orders, load: Load) -> (Cost, Outcome) {
    subject.ready().await;
    let before_s = subject.cpu_s();
    let outcome = load::run(subject.address, Arc::clone(&orders.requests), load).await;
    let count = orders.len() as f64;
    let cost = Cost { rate: count / outcome.elapsed.as_secs_f64(), cpu_us: (subject.cpu_s() - before_s) * 1e6 / count };
    (cost, outcome)
}
